/**
 * Measures what trackQueries costs a query, beside the same query on a pool that is not tracked, and prints what comes out as
 * Markdown. Takes a minute:
 *
 *   npm run bench:tracking               prints it
 *   npm run bench:tracking -- --write    also puts it into docs/benchmarks.md
 *
 * A goal that is not met is no error: a bench tells, it does not judge.
 */
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type QueryTracker, trackQueries } from '../../lib/queries/track.ts';
import { startPostgres } from '../../local/postgres.ts';
import { machine } from '../cache/machine.ts';
import {
  digits,
  type Get,
  inMemory,
  limitGoal,
  markdownOf,
  type Rates,
  ratesOf,
  ratio,
  type Sample,
  type Section,
  sampleOf,
  shuffled,
} from '../cache/measure.ts';
import { writeReport } from '../report.ts';

/** A query may cost so much more when it is tracked, in microseconds. */
const limitUs = 5;

const text = 'select o.id, o.total, c.name from orders o join customer c on c.id = o.customer where o.id = $1 limit 10';

/** A text of two hundred characters that is another one each time, and has to be masked each time. */
const newText = (key: string) =>
  `select o.id, o.placed_at, o.total, c.name, c.email from orders o join customer c on c.id = o.customer where o.id = ${key} and o.state in ('paid', 'sent') and c.country = 'DE' order by o.placed_at desc limit 10`;

type Callback = (error: Error | null, result?: { rows: unknown[]; rowCount: number }) => void;

/** Answers as `pg` does, in a callback or a promise, but without a server: at the end of the turn. */
class InstantClient extends EventEmitter {
  readonly _queryable = true;

  connect(callback: () => void): void {
    process.nextTick(callback);
  }

  query(_: string, given?: unknown, callback?: Callback): Promise<unknown> | undefined {
    const answer = (to: Callback) => queueMicrotask(() => to(null, { rows: [], rowCount: 1 }));
    const own = typeof given === 'function' ? (given as Callback) : callback;
    if (own) {
      answer(own);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      answer((error, result) => (error ? reject(error) : resolve(result)));
    }).catch((error) => {
      throw error;
    });
  }

  end(callback?: () => void): void {
    callback?.();
  }
}

type Ask = (pool: pg.Pool, client: pg.PoolClient, key: string) => unknown;

/** How the application asks. */
const ways: Readonly<Record<string, Ask>> = {
  '`client.query`': (_, client, key) => client.query(text, [key]),
  '`client.query` with a callback': (_, client, key) =>
    new Promise((resolve) => client.query(text, [key], (_error, result) => resolve(result))),
  '`pool.query`': (pool, _, key) => pool.query(text, [key]),
  '`client.query`, a new text of 200 characters each time': (_, client, key) => client.query(newText(key)),
};

/** Pools that are alike, but for the tracker of one of them. */
interface Pair {
  plain: pg.Pool;
  tracked: pg.Pool;
  tracker: QueryTracker;
}

function pairOf(makePool: () => pg.Pool): Pair {
  const [plain, tracked] = [makePool(), makePool()];
  return { plain, tracked, tracker: trackQueries(tracked, { slowMs: Number.POSITIVE_INFINITY }) };
}

/** Queries per second, on both pools. */
async function ratesOn({ plain, tracked }: Pair, ask: Ask, rounds: typeof inMemory, before = () => {}): Promise<Rates> {
  const clients = [await plain.connect(), await tracked.connect()] as const;
  const gets: Record<string, Get> = {
    plain: async (key) => ask(plain, clients[0], key),
    tracked: async (key) => {
      before();
      return ask(tracked, clients[1], key);
    },
  };
  try {
    return await ratesOf(gets, String, rounds);
  } finally {
    for (const client of clients) client.release();
  }
}

/** What a query costs, and what it costs more when it is tracked, in microseconds: the median of the rounds. */
function costsOf(rates: Rates): { plain: Sample; tracked: Sample; more: Sample } {
  const of = (name: string) => (rates.get(name) ?? []).map((rate) => 1e6 / rate);
  const [plain, tracked] = [of('plain'), of('tracked')];
  const more = tracked.map((cost, round) => cost - (plain[round] ?? Number.NaN));
  return { plain: sampleOf(plain), tracked: sampleOf(tracked), more: sampleOf(more) };
}

/** Begins a scope before every tenth query, in which a statement is found to be asked ten times. */
function invocationsOfTen(tracker: QueryTracker): () => void {
  let asked = 0;
  let scope = tracker.invocation();
  return () => {
    if (asked++ % 10 !== 0) return;
    scope.end();
    scope = tracker.invocation();
  };
}

async function pureCost(): Promise<Section> {
  const makePool = () => new pg.Pool({ Client: InstantClient as never, max: 2, idleTimeoutMillis: 0 });
  const rows: string[][] = [];
  const goals: Section['goals'][number][] = [];
  const add = (way: string, { plain, tracked, more }: ReturnType<typeof costsOf>) => {
    rows.push([way, digits(plain.median), digits(tracked.median), digits(more.median), spread(more)]);
    goals.push(limitGoal(`${way}: at most ${limitUs} µs more`, limitUs, more.median, ' µs'));
  };
  // Each turn has many collections of its own; one that is forced throws away compiled code, too, for longer than a turn lasts.
  const rounds = { ...inMemory, rounds: 15, isClean: false };
  for (const [way, ask] of Object.entries(ways)) {
    add(way, costsOf(await ratesOn(pairOf(makePool), ask, rounds)));
  }
  const pair = pairOf(makePool);
  const ask: Ask = (_, client, key) => client.query(text, [key]);
  add(
    '`client.query`, ten to an invocation, an N+1 found in each',
    costsOf(await ratesOn(pair, ask, rounds, invocationsOfTen(pair.tracker))),
  );
  return {
    title: 'What tracking costs a query',
    method:
      'A pool of `pg` with clients that answer at once and without a server, with and without `trackQueries`, one query at a time. Processor time of the thread in µs a query: the median of 15 rounds of 150 ms, in each of which both take their turn in a random order.',
    head: ['query', 'not tracked', 'tracked', 'more', 'four fifths of the rounds'],
    rows,
    goals,
  };
}

/** So many are asked in either way, and so many before that are not counted. */
const queries = 20_000;
const uncounted = 2_000;

/** A query on one connection, so that either way has the same process of the server to itself. */
async function onServer(url: string): Promise<Section> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  trackQueries(client, { slowMs: Number.POSITIVE_INFINITY });
  const sql = 'select $1::int + 1';
  const ways = [
    // What is tracked is the client's own method, which stands in front of that of its class.
    { ask: (n: number) => Reflect.apply(pg.Client.prototype.query, client, [sql, [n]]), figures: [] as number[] },
    { ask: (n: number) => client.query(sql, [n]) as unknown, figures: [] as number[] },
  ] as const;
  for (let turn = -uncounted; turn < queries; turn++) {
    for (const { ask, figures } of shuffled(ways)) {
      const begunAt = performance.now();
      await ask(turn);
      if (turn >= 0) figures.push(1_000 * (performance.now() - begunAt));
    }
  }
  await client.end();
  const [plain, tracked] = [sampleOf(ways[0].figures).median, sampleOf(ways[1].figures).median];
  const more = tracked - plain;
  return {
    title: 'What tracking costs on a server',
    method: `PostgreSQL on the same machine, and \`${sql}\`, which is about the quickest query that there is. µs from the call to the answer: the median of ${queries.toLocaleString('en')} queries each, on one connection, which take turns one by one in a random order.`,
    head: ['query', 'not tracked', 'tracked', 'more', 'tracked / not tracked'],
    rows: [['`client.query`', digits(plain), digits(tracked), more.toFixed(1), ratio(tracked / plain)]],
    goals: [limitGoal(`\`client.query\`: at most ${limitUs} µs more`, limitUs, more, ' µs')],
  };
}

function spread({ low, high }: Sample): string {
  return `${digits(low)}–${digits(high)}`;
}

const directory = await mkdtemp(join(tmpdir(), 'streamgate-bench-'));
const server = await startPostgres({ directory, settings: { fsync: 'off' } });
try {
  const head = `## Tracking queries\n\n${machine()}`;
  const sections = [await pureCost(), await onServer(server.url('postgres'))];
  const report = [head, ...sections.map(markdownOf)].join('\n\n');
  console.log(report);
  if (process.argv.includes('--write')) await writeReport('bench:tracking', report);
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
