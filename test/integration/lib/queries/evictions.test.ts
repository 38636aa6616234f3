/** A server whose pg_stat_statements has room for a hundred statements, and a workload of more. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnServer, ownServer } from './servers.ts';
import { type Watched, watch } from './watched.ts';

let server: OwnServer;
let watched: Watched;
let minute = 0;

const text = 'select count(*) from rare';
const configuration = { 'queries/slow': { minMeanMs: 0.001 } };

const call = (times: number, much = 1) =>
  server.run(...Array.from({ length: times }, () => `${text}, generate_series(1, ${much}) where a > 3`));

/** A call that is slower than all others: where counters have no date, it tells that they count on. */
const slowest = () => call(1, 30);

/** Statements that no two have the same id. */
let columns = 0;
const flood = (statements: number) =>
  server.run(
    ...Array.from({ length: statements }, () => {
      columns = (columns % 600) + 1;
      return `select ${Array.from({ length: columns }, () => '1').join(', ')}`;
    }),
  );

const isThere = async () => {
  const [found] = await server.run(`select from pg_stat_statements where query like '${text}%'`);
  return found?.rowCount === 1;
};

async function evict() {
  while (await isThere()) await flood(120);
}

async function audit() {
  minute += 5;
  await watched.audit(minute, configuration);
  const { statements } = await watched.newest();
  for (const { window } of statements) {
    for (const figure of Object.values(window ?? {})) expect(figure).toBeGreaterThanOrEqual(0);
  }
  expect(await watched.recommendations('queries/regressed')).toEqual([]);
}

const slow = async () =>
  (await watched.recommendations('queries/slow')).find(({ evidence }) => String(evidence.statement).startsWith(text));

beforeAll(async () => {
  server = await ownServer({ 'pg_stat_statements.max': '100' });
  await server.run(
    'create extension pg_stat_statements',
    'create table rare as select g as a from generate_series(1, 20000) g',
  );
  watched = await watch(server.url);
  await slowest();
  await call(3);
  await audit();
  await call(4);
  await audit();
});

afterAll(async () => {
  await watched?.close();
  await server?.remove();
});

describe('a statement that was dropped for lack of room', () => {
  it('has a window before that', async () => {
    expect((await watched.statement(text))?.window).toMatchObject({ calls: 4 });
    expect(await slow()).toMatchObject({ status: 'open' });
  });

  it('is not taken for mended while it is gone', async () => {
    await evict();
    await audit();
    expect(await watched.statement(text)).toBeUndefined();
    expect(await slow()).toMatchObject({ status: 'open', proof: null });
  });

  it('has its calls since as its window when it comes back, where the server tells what it dropped', async () => {
    await call(5);
    await audit();
    const { server: about } = await watched.newest();
    const { window } = (await watched.statement(text)) ?? {};
    expect(window?.calls ?? null).toBe(about.versionNumber >= 140_000 ? 5 : null);
  });

  it.each([3, 60])('has none when it was dropped and called %d times between two audits', async (calls) => {
    await evict();
    await call(calls);
    await audit();
    expect((await watched.statement(text))?.window).toBeNull();
    expect(await slow()).toMatchObject({ status: 'open', proof: null });
  });

  it('has a window again after that', async () => {
    await slowest();
    await audit();
    await call(6);
    await audit();
    expect((await watched.statement(text))?.window).toMatchObject({ calls: 6 });
  });

  it('is said to be rare in a note, where the server counts how often', async () => {
    const { notes, server: about, evictions } = await watched.newest();
    const told = notes.filter(({ code }) => code === 'statements-evicted');
    if (about.versionNumber < 140_000) expect({ evictions, told }).toEqual({ evictions: null, told: [] });
    else expect(told).toMatchObject([{ rules: [] }]);
  });
});
