/** What makes counters begin anew, on a server of its own: after none of it does a figure or a proof come out wrong. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gain } from '../../../../lib/queries/snapshot.ts';
import { type OwnServer, ownServer } from './servers.ts';
import { type Watched, watch } from './watched.ts';

let server: OwnServer;
let watched: Watched;
let major: number;
let minute = 0;

/** So fast a call is not slow, with which there is always a slow one. */
const configuration = { 'queries/slow': { minMeanMs: 10, minP95Ms: 3_600_000 } };

const text = 'select pg_sleep(';
const slowMs = 12;

/** Calls that take 12 ms each, or as long as they are told. */
const call = (times: number, ms = slowMs) =>
  server.run(...Array.from({ length: times }, () => `${text}${ms / 1_000})`));

/** A call that is slower than all others: where counters have no date, it tells that they count on. */
const slowest = () => call(1, 150);

const audit = async () => {
  minute += 5;
  await watched.audit(minute, configuration);
  const { statements } = await watched.newest();
  for (const { window } of statements) {
    if (window === null) continue;
    for (const [name, figure] of Object.entries(window)) {
      expect(Number.isFinite(figure), `${name}: ${figure}`).toBe(true);
      expect(figure, name).toBeGreaterThanOrEqual(0);
    }
  }
  expect(await watched.recommendations('queries/regressed')).toEqual([]);
  return (await watched.statement(text))?.window ?? null;
};

const slow = async () => {
  const [found] = (await watched.recommendations('queries/slow')).filter(({ evidence }) =>
    String(evidence.statement).startsWith(text),
  );
  return found;
};

/** The window is right, or less than what came, and never slower than the calls were. */
const expectTrue = (window: Gain | null, calls: number) => {
  expect(window?.calls ?? 0).toBeLessThanOrEqual(calls);
  if (window !== null && window.calls > 0) expect(window.meanMs).toBeLessThan(20 * slowMs);
};

beforeAll(async () => {
  server = await ownServer();
  await server.run('create extension pg_stat_statements');
  const [row] = await server.run("select current_setting('server_version_num')::int / 10000 as major");
  major = row?.rows[0].major;
  watched = await watch(server.url);
});

afterAll(async () => {
  await watched?.close();
  await server?.remove();
});

const queryId = async () => {
  const [rows] = await server.run(`select queryid from pg_stat_statements where query like '${text}%' limit 1`);
  return rows?.rows[0]?.queryid as string;
};

describe.each<{ name: string; loss(): Promise<unknown>; keeps?(): boolean; loses?(): boolean; all?(): boolean }>([
  {
    name: 'a reset of all statements',
    loss: () => server.run('select pg_stat_statements_reset()'),
    all: () => major >= 14,
  },
  {
    name: 'a reset of one statement',
    loss: async () => server.run(`select pg_stat_statements_reset(0, 0, ${await queryId()})`),
  },
  {
    name: "a reset of the database's statistics",
    loss: () => server.run('select pg_stat_reset()'),
    keeps: () => major >= 14,
    // Before PostgreSQL 14 it may be a crash for all that is known, and it takes a moment until it is.
    loses: () => false,
  },
  { name: 'a restart that keeps the counters', loss: () => server.restart(), all: () => true },
  {
    name: 'a restart that does not',
    loss: () => server.restart({ 'pg_stat_statements.save': 'off' }),
    all: () => true,
  },
  {
    name: 'a backend that was killed, and with it all others',
    loss: () => server.killBackend(),
    all: () => true,
  },
  { name: 'a power cut', loss: () => server.crash(), all: () => true },
])('after $name', ({ loss, keeps = () => false, loses = () => true, all = () => false }) => {
  it('a window is whole before it', async () => {
    await slowest();
    await call(3);
    await audit();
    await call(4);
    expect(await audit()).toMatchObject({ calls: 4, rows: 4 });
    expect(await slow()).toMatchObject({ status: 'open' });
  });

  it.each([
    ['fewer calls than before', 2],
    ['more calls than before', 25],
  ])('a window with %s is right or none', async (_, calls) => {
    await call(1);
    await loss();
    await call(calls);
    const window = await audit();
    expectTrue(window, calls + 1);
    if (keeps()) expect(window).toMatchObject({ calls: calls + 1 });
    else if (loses()) expect(window).toBeNull();
    if (all()) expect((await watched.newest()).windowFrom).toBeNull();
    // Nobody has mended it.
    expect(await slow()).toMatchObject({ status: 'open', proof: null });
  });

  it('a statement that nobody called since is as it was', async () => {
    await loss();
    await audit();
    expect(await slow()).toMatchObject({ status: 'open', proof: null });
  });

  it('the windows go on with the next audit', async () => {
    await slowest();
    await call(2);
    await audit();
    await call(6);
    expect(await audit()).toMatchObject({ calls: 6, rows: 6 });
  });
});
