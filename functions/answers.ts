/**
 * What the endpoints answer out of the history, through the cache: the newest audit changes nothing until the next
 * one, which invalidates what was made of it.
 */
import { effectsOf } from '../lib/advice/effect.ts';
import { bySeverity } from '../lib/advice/finding.ts';
import type { Status } from '../lib/advice/recommendation.ts';
import type { Cache, Definition } from '../lib/cache/index.ts';
import { StreamGateError } from '../lib/errors.ts';
import type { EndpointRequest, Reply } from '../lib/http/endpoint.ts';
import { defaultLimit, type statementOrders } from '../lib/http/parameters.ts';
import { type Part, parts } from '../lib/parts.ts';
import type { AuditHead, ReadableHistory, RowChoice } from '../lib/postgres/history/read.ts';
import type { FunctionResources, ResourcePoint } from '../lib/resources/snapshot.ts';
import {
  cpuPoint,
  cpuStatistics,
  cpuTrends,
  memoryPoint,
  memoryStatistics,
  memoryTrends,
} from '../lib/resources/views.ts';
import { chooseDatabase } from '../lib/settings.ts';
import { cache, history, settings } from './environment.ts';
import { answerTag } from './tags.ts';

/** What an endpoint tells about the newest audit of a part. */
type Topic =
  /** The rows of the snapshot: its indexes, or its statements. */
  | { kind: 'rows'; part: Part }
  /** What a rule found in it. */
  | { kind: 'findings'; part: Part; rule: string }
  /** The figures over it. */
  | { kind: 'summary'; part: Part }
  /** One of its statements, over time. */
  | { kind: 'statement'; part: Part }
  /** Its samples, as one of the views of them. */
  | { kind: 'samples'; part: Part; view: (point: ResourcePoint) => object }
  /** Its functions, as one of the views of them. */
  | { kind: 'functions'; part: Part; view: (functions: readonly FunctionResources[]) => object }
  /** What came of the audits of all parts. */
  | { kind: 'recommendations' };

/** Every topic, by the name of its route. */
const topics = {
  indexMetrics: { kind: 'rows', part: 'indexes' },
  unusedIndexes: { kind: 'findings', part: 'indexes', rule: 'indexes/unused' },
  duplicateIndexes: { kind: 'findings', part: 'indexes', rule: 'indexes/duplicate' },
  fragmentedIndexes: { kind: 'findings', part: 'indexes', rule: 'indexes/fragmented' },
  queryMetrics: { kind: 'rows', part: 'queries' },
  slowQueries: { kind: 'findings', part: 'queries', rule: 'queries/slow' },
  queryStats: { kind: 'summary', part: 'queries' },
  statementHistory: { kind: 'statement', part: 'queries' },
  memoryMetrics: { kind: 'samples', part: 'resources', view: memoryPoint },
  memoryStats: { kind: 'functions', part: 'resources', view: memoryStatistics },
  memoryTrends: { kind: 'functions', part: 'resources', view: memoryTrends },
  cpuMetrics: { kind: 'samples', part: 'resources', view: cpuPoint },
  cpuStats: { kind: 'functions', part: 'resources', view: cpuStatistics },
  cpuTrends: { kind: 'functions', part: 'resources', view: cpuTrends },
  recommendations: { kind: 'recommendations' },
} as const satisfies Record<string, Topic>;

/** The parameters of all the endpoints, each of which takes some of them. */
interface Parameters {
  database?: string | undefined;
  limit?: number;
  status?: Status | 'all';
  queryId?: string | undefined;
  offset?: number;
  sort?: (typeof statementOrders)[number];
  order?: 'asc' | 'desc';
  window?: 'all' | 'last';
  search?: string | undefined;
  function?: string | undefined;
  since?: string | undefined;
}

/** An answer by all that it depends on. */
interface Question extends Parameters {
  topic: keyof typeof topics;
  database: string;
}

/** An audit invalidates what it makes old; this is for when it could not tell. */
const fresh = '5m';

/** Old figures are better than none while the history does not answer. */
const stale = '1d';

/** Who holds an answer outside of the service may serve it for so long while it fetches a newer one. In milliseconds. */
const staleOutsideMs = 60_000;

const definitions = new WeakMap<Cache, Definition<Question, string | null>>();

/** The answers of a cache: each a JSON text, or null when there was no audit yet. */
function answersOf(cache: Cache): Definition<Question, string | null> {
  const known = definitions.get(cache);
  if (known) return known;
  const answers = cache.define('answer', {
    load: answerFromHistory,
    fresh,
    stale,
    tags: (_, { topic, database }) => tagsOf(topics[topic], database),
  });
  definitions.set(cache, answers);
  return answers;
}

/**
 * Answers a request about a topic.
 *
 * @throws StreamGateError `database-unknown` or `history-empty`
 */
export async function answer(
  topic: keyof typeof topics,
  { parameters, context }: Pick<EndpointRequest<Parameters>, 'parameters' | 'context'>,
): Promise<Reply> {
  const { databases } = await settings();
  const chosen = chooseDatabase(databases, parameters.database);
  // Functions belong to no database: what is known of them stands with the first one.
  const { name } = topicIsOf(topic, 'resources') ? chooseDatabase(databases, undefined) : chosen;
  const levels = await cache();
  await using _ = levels.scope(context);
  const { value, key, tags, freshUntil, staleUntil } = await answersOf(levels).getCached({
    ...parameters,
    topic,
    database: name,
  });
  if (value === null) throw historyEmpty(name, topics[topic]);
  const now = Date.now();
  return {
    text: value,
    keep: {
      freshMs: freshUntil - now,
      staleMs: Math.min(staleUntil - Math.max(freshUntil, now), staleOutsideMs),
      labels: [key, ...tags],
      tagHeader: levels.tagHeader,
    },
  };
}

/**
 * Forgets, at every level, what was answered out of the audits of a part before, and loads again what is asked for most.
 *
 * @throws CacheError `level-unreachable` when a level was not reached
 */
export async function renewAnswers(part: Part, database: string): Promise<void> {
  const levels = await cache();
  await levels.invalidate({ tags: [answerTag(part, database)] });
  const answers = answersOf(levels);
  const concerned = Object.entries(topics) as [keyof typeof topics, Topic][];
  await answers.getMany(
    concerned
      .filter(([, topic]) => topic.kind !== 'statement' && (!('part' in topic) || topic.part === part))
      .map(([topic, { kind }]) => ({
        topic,
        database,
        ...(kind === 'summary' || kind === 'functions' ? {} : { limit: defaultLimit }),
        ...(kind === 'recommendations' ? { status: 'open' as const } : {}),
        ...(topic === 'queryMetrics' ? statementDefaults : {}),
      })),
  );
}

function topicIsOf(name: keyof typeof topics, part: Part): boolean {
  const topic: Topic = topics[name];
  return 'part' in topic && topic.part === part;
}

function tagsOf(topic: Topic, database: string): string[] {
  const concerned = 'part' in topic ? [topic.part] : parts;
  return concerned.map((part) => answerTag(part, database));
}

/** The JSON text of an answer; null when no audit has finished yet. */
async function answerFromHistory(question: Question): Promise<string | null> {
  const store = await history();
  const topic: Topic = topics[question.topic];
  const body =
    topic.kind === 'recommendations'
      ? await recommendationsOf(store, question)
      : await newestOf(store, topic, question);
  return body && JSON.stringify(body);
}

async function newestOf(
  store: ReadableHistory,
  topic: Exclude<Topic, { kind: 'recommendations' }>,
  question: Question,
): Promise<object | null> {
  const { database, limit = defaultLimit } = question;
  const audit = await store.latest(database, topic.part);
  if (!audit) return null;
  const meta = metaOf(database, audit);
  if (topic.kind === 'summary') return { data: await store.summary(audit), meta };
  if (topic.kind === 'statement') return { data: await statementOf(store, audit, question), meta };
  if (topic.kind === 'functions') return { data: topic.view(await functionsOf(store, audit, question)), meta };
  const { rows, total } =
    topic.kind === 'findings'
      ? await store.findings(audit, topic.rule, limit)
      : topic.kind === 'samples'
        ? await samplesOf(store, audit, question, limit, topic.view)
        : await store.rows(audit, choiceOf(question, limit));
  return { data: rows, meta: { ...meta, total, limit } };
}

/** As the rows are in the history, unless something else is asked for. */
const statementDefaults = { offset: 0, sort: 'totalMs', order: 'desc', window: 'all' } as const;

function choiceOf({ offset, sort, order, window, search }: Question, limit: number): RowChoice {
  const isUsual = sort === undefined || (sort === 'totalMs' && order === 'desc' && window === 'all');
  if (window === 'last' && sort === 'maxMs') {
    throw new StreamGateError('parameter-invalid', 'sort: PostgreSQL keeps no maxMs of a window. Sort by stddevMs.');
  }
  const path = (figure: string) => (window === 'last' ? ['window', figure] : [figure]);
  return {
    limit,
    offset,
    sort: isUsual ? undefined : { path: path(sort), descending: order === 'desc' },
    having: window === 'last' ? path('calls') : undefined,
    containing: search,
  };
}

async function samplesOf(
  store: ReadableHistory,
  audit: AuditHead,
  { function: name, since }: Question,
  limit: number,
  view: (point: ResourcePoint) => object,
) {
  const matching = name === undefined ? undefined : { function: name };
  const { rows, total } = await store.rows<ResourcePoint>(audit, { limit, since, matching });
  return { rows: rows.map(view), total };
}

async function functionsOf(store: ReadableHistory, audit: AuditHead, { function: name }: Question) {
  const { functions } = await store.summary<{ functions: FunctionResources[] }>(audit);
  return name === undefined ? functions : functions.filter((each) => each.function === name);
}

/** A week and a day of a statement. */
const historyMs = 8 * 24 * 3_600_000;

/** @throws StreamGateError `statement-unknown` */
async function statementOf(
  store: ReadableHistory,
  audit: AuditHead,
  { database, queryId = '' }: Question,
): Promise<object> {
  const [found, past] = await Promise.all([
    store.statement(audit, database, queryId),
    store.past(database, [queryId], new Date(Date.parse(audit.takenAt) - historyMs)),
  ]);
  if (!found) {
    throw new StreamGateError(
      'statement-unknown',
      `The newest audit of "${database}" has no statement ${queryId}. GET /optimization/queries/metrics lists them.`,
    );
  }
  const windows = (past.windows.get(queryId) ?? []).map(
    ({ from, to, calls, totalMs, meanMs, stddevMs, rows, blocks }) => ({
      from,
      to,
      calls,
      totalMs,
      meanMs,
      stddevMs,
      rows,
      blocks,
    }),
  );
  return { ...found, windows };
}

async function recommendationsOf(
  store: ReadableHistory,
  { database, limit = defaultLimit, status }: Question,
): Promise<object | null> {
  const audits = (await Promise.all(parts.map((part) => store.latest(database, part)))).filter(
    (audit) => audit !== undefined,
  );
  const takenAt = audits
    .map((audit) => audit.takenAt)
    .sort()
    .at(-1);
  if (takenAt === undefined) return null;
  const all = await store.recommendations(database, undefined);
  const wanted = status === 'all' ? all : all.filter((recommendation) => recommendation.status === status);
  const notes = audits.flatMap((audit) => audit.notes);
  const effects = effectsOf(all);
  return {
    data: wanted.sort(bySeverity).slice(0, limit),
    meta: { takenAt, database, notes, total: wanted.length, limit, ...(effects ? { effects } : {}) },
  };
}

function historyEmpty(database: string, topic: Topic): StreamGateError {
  const what = 'part' in topic ? `the ${topic.part} of "${database}"` : `"${database}"`;
  return new StreamGateError('history-empty', `No audit of ${what} has finished yet. Try again after the next one.`);
}

function metaOf(database: string, { takenAt, notes }: AuditHead) {
  return { takenAt, database, notes };
}
