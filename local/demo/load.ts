import { readFile } from 'node:fs/promises';
import pg from 'pg';

/** The server that the demo database is made on, as a superuser reaches it. */
export interface DemoServer {
  url(database: string): string;
}

/** How much is loaded. */
export interface DemoScale {
  /** Rows of view_events; a fifth as many playback sessions belong to them. The other tables do not vary. */
  viewEvents: number;
}

/** Called as the load goes on. `done` and `total` are in steps of about 10 ms of work. */
export type DemoProgress = (done: number, total: number, what: string) => void;

const name = 'streaming';
const unfinished = 'streaming_loading';
const fullScale: DemoScale = { viewEvents: 1_000_000 };

/**
 * The stages, one after the other. Within one, two connections work: one on the events, one on the
 * rest. The fences between stages matter: VACUUM keeps what an older transaction of the same database
 * might still see, and a foreign key needs the primary key of a table that the other connection fills.
 */
const stages = ['table', 'vacuum', 'index', 'key', 'finish'] as const;
type Stage = (typeof stages)[number];

interface Step {
  stage: Stage;
  weight: number;
  what: string;
  sql: string;
}

/** Any number will do that nobody else locks by; it keeps two processes from loading at once. */
const lockKey = 7_310_119;

/**
 * Makes the demo database `streaming` unless it is there. It is loaded under another name and renamed
 * when it is whole, so that a load that was killed is done again.
 *
 * @example
 * const server = await startPostgres({ directory: '.streamgate/postgres' });
 * const { url } = await ensureDemo(server, (done, total, what) => bar.update(done / total, { what }));
 */
export async function ensureDemo(
  server: DemoServer,
  onProgress: DemoProgress = () => {},
  scale: DemoScale = fullScale,
): Promise<{ url: string; created: boolean }> {
  return withClient(server.url('postgres'), async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [lockKey]);
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
    if (rowCount) return { url: server.url(name), created: false };
    await admin.query(`drop database if exists ${unfinished} with (force)`);
    await admin.query(`create database ${unfinished}`);
    await load(server.url(unfinished), onProgress, scale);
    await withClient(server.url(unfinished), forgetTheLoad);
    await admin.query(`alter database ${unfinished} rename to ${name}`);
    return { url: server.url(name), created: true };
  });
}

async function load(url: string, onProgress: DemoProgress, scale: DemoScale): Promise<void> {
  const service = [await readSteps('tables.sql', scale), await readSteps('indexes.sql', scale)].flat();
  const files = [await readSteps('view_events.sql', scale), service];
  const functions = await readSql('functions.sql');
  const total = files.flat().reduce((sum, step) => sum + step.weight, 0);
  let done = 0;
  const run = async (client: pg.Client, step: Step) => {
    onProgress(done, total, step.what);
    await client.query(step.sql);
    done += step.weight;
    onProgress(done, total, step.what);
  };
  await withClient(url, (first) =>
    withClient(url, async (second) => {
      await first.query('create extension pg_stat_statements; create extension pgstattuple;');
      await first.query(functions);
      for (const client of [first, second]) await client.query("set maintenance_work_mem = '128MB'");
      for (const stage of stages) {
        const [ofEvents = [], ofRest = []] = files.map((steps) => steps.filter((step) => step.stage === stage));
        // Whoever is done with the events helps with the rest; not with keys, where two meet in a deadlock.
        const events = async () => {
          for (const step of taken(ofEvents)) await run(first, step);
          if (stage !== 'key') for (const step of taken(ofRest)) await run(first, step);
        };
        const rest = async () => {
          for (const step of taken(ofRest)) await run(second, step);
        };
        await together(stage === 'table' ? [unlogged(first, events), unlogged(second, rest)] : [events(), rest()]);
      }
      await first.query('drop function first_day, address, word, pick, chance');
    }),
  );
}

/** The steps that are left, one by one: two connections that take from the same list never take the same step. */
function* taken(steps: Step[]): Generator<Step> {
  for (let step = steps.shift(); step; step = steps.shift()) yield step;
}

/** With wal_level=minimal a table that is filled in the transaction that made it is not logged. */
async function unlogged(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  await work();
  await client.query('commit');
}

/**
 * The counters of the load are dropped, so that the load is not judged, and the database is told to
 * use one core a query: the demo is a guest on somebody's machine, and its slow statements are to be
 * slow however many cores there are.
 */
async function forgetTheLoad(client: pg.Client): Promise<void> {
  await client.query(`alter database ${unfinished} set max_parallel_workers_per_gather = 0`);
  await client.query('select pg_stat_reset()');
  await client.query(
    'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()))',
  );
}

/** Cuts a file at its lines `-- <stage> <weight> <what>`; view events are made 100,000 rows a step. */
async function readSteps(file: string, { viewEvents }: DemoScale): Promise<Step[]> {
  const marks = /^-- (table|events|vacuum|index|key|finish) (\d+) (.+)$/m;
  const [, ...parts] = (await readSql(file)).split(marks);
  const steps: Step[] = [];
  for (let at = 0; at < parts.length; at += 4) {
    const [stage, weight, what, sql] = parts.slice(at, at + 4) as [Stage | 'events', string, string, string];
    const scaled = file === 'view_events.sql' ? (Number(weight) * viewEvents) / fullScale.viewEvents : Number(weight);
    if (stage !== 'events') {
      steps.push({ stage, weight: scaled, what, sql: sql.replaceAll('$1', String(viewEvents)) });
      continue;
    }
    for (let first = 1; first <= viewEvents; first += 100_000) {
      const last = Math.min(viewEvents, first + 99_999);
      const chunk = [first, last, viewEvents].reduce((text, n, i) => text.replaceAll(`$${i + 1}`, String(n)), sql);
      steps.push({ stage: 'table', weight: Number(weight), what, sql: chunk });
    }
  }
  return steps;
}

function readSql(file: string): Promise<string> {
  return readFile(new URL(`sql/${file}`, import.meta.url), 'utf8');
}

/** Waits for all, so that no connection is closed under a running statement; then fails with the first failure. */
async function together(work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

async function withClient<Result>(url: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, application_name: 'streamgate demo' });
  // A server that dies fails the running statement as well; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}
