/** What comes of a recommendation after it was followed, by the times of real calls. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RuleConfiguration } from '../../../../lib/advice/configuration.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';
import { type Watched, watch, watchedName } from './watched.ts';

const rule = 'plans/selective-seq-scan';
/** Scans take longer, and what an index finds is far below, on a busy machine as well. */
const slowMs = 4;
const configuration: RuleConfiguration = {
  [rule]: { minRows: 100 },
  'queries/slow': { minMeanMs: slowMs, minP95Ms: 3_600_000 },
};

let shop: TestDatabase;
let watched: Watched;
let minute = 0;

/** The statements, each of a table of its own. */
const statements = {
  mended: 'select sum(amount) from orders where customer = 7',
  useless: 'select sum(nap(40)) from tickets where customer = 7',
  noisy: "select sum(nap(nextval('turn'))) from visits where customer = 7",
  forgotten: 'select max(amount) from letters where customer = 7',
};
type Name = keyof typeof statements;
const tables: Record<Name, string> = { mended: 'orders', useless: 'tickets', noisy: 'visits', forgotten: 'letters' };

/** A dozen calls of each, from a few connections: for most of the time they only wait. */
const call = (names: readonly Name[]) =>
  Promise.all(Array.from({ length: 4 }, () => shop.run(...names.flatMap((name) => Array(3).fill(statements[name])))));

async function audits(times: number, names: readonly Name[]) {
  for (let i = 0; i < times; i++) {
    await call(names);
    minute += 5;
    await watched.audit(minute, configuration);
  }
}

const adviceOn = async (name: Name, of = rule) =>
  (await watched.recommendations(of)).find(({ evidence }) => String(evidence.statement).includes(` ${tables[name]} `));

/** Audits until something is decided, or as many windows are there as are looked at. */
async function untilDecided(name: Name, of = rule) {
  for (let i = 0; i < 30 && (await adviceOn(name, of))?.status === 'applied'; i++) await audits(1, [name]);
  return adviceOn(name, of);
}

beforeAll(async () => {
  shop = await createDatabase();
  await shop.run(
    'create sequence turn increment 16 minvalue 16 maxvalue 64 cycle',
    // So many milliseconds, whatever the plan.
    'create function nap(ms bigint) returns int language plpgsql as $$ begin perform pg_sleep(ms / 1000.0); return ms; end $$',
    ...Object.entries(tables).flatMap(([name, table]) => [
      `create table ${table} (id int, customer int, amount int) with (parallel_workers = 0)`,
      `insert into ${table} select g, g, g % 100 from generate_series(1, ${name === 'mended' || name === 'forgotten' ? 300_000 : 5_000}) g`,
      `analyze ${table}`,
    ]),
    // What filled the tables would be nearly all of the time, and of that alone there would be plans.
    'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
  );
  watched = await watch(shop.url);
  await audits(9, ['mended', 'useless', 'noisy', 'forgotten']);
  // The session that made it is gone: nobody can explain it, and that is no reason to doubt the others.
  await shop.run('create temporary table fleeting as select 1 as a; select pg_sleep(0.5) from fleeting where a = 1');
});

afterAll(async () => {
  await watched?.close();
  await shop?.drop();
});

describe('a recommendation that is followed', () => {
  it('was open, with an index to make', async () => {
    for (const name of Object.keys(statements) as Name[]) {
      expect(await adviceOn(name), name).toMatchObject({ status: 'open', action: { kind: 'sql' }, proof: null });
    }
    expect(await adviceOn('mended', 'queries/slow')).toMatchObject({ status: 'open' });
  });

  it('is applied when the next audit misses what it was about', async () => {
    for (const name of Object.keys(statements) as Name[]) await shop.run((await adviceOn(name))?.action?.sql ?? '');
    await audits(1, ['mended', 'useless', 'noisy']);
    expect((await watched.newest()).notes).toMatchObject([{ code: 'statements-not-explained' }]);
    for (const name of Object.keys(statements) as Name[]) {
      expect(await adviceOn(name), name).toMatchObject({ status: 'applied', proof: null });
    }
    expect(await adviceOn('mended', 'queries/slow')).toMatchObject({ status: 'applied' });
    // Nobody has called it since.
    expect(await adviceOn('forgotten', 'queries/slow')).toMatchObject({ status: 'open' });
  });

  it('is verified when its statement has become faster, with the figures', async () => {
    const verified = await untilDecided('mended');
    expect(verified).toMatchObject({
      status: 'verified',
      proof: { queryId: verified?.subject.queryId, windowsAfter: 5 },
    });
    const { meanMsBefore = 0, meanMsAfter = 0, p = 1, windowsBefore } = verified?.proof ?? {};
    expect(meanMsAfter).toBeLessThan(0.9 * meanMsBefore);
    expect(p).toBeLessThan(0.005);
    expect(windowsBefore).toBeGreaterThanOrEqual(5);
    expect(await adviceOn('mended', 'queries/slow')).toMatchObject({ status: 'verified' });
    const windows = (await watched.history.past(watchedName, [verified?.subject.queryId ?? ''], new Date(0))).windows;
    const means = [...windows.values()].flat().map(({ meanMs }) => meanMs);
    expect(Math.min(...means)).toBeLessThanOrEqual(meanMsAfter);
    expect(Math.max(...means)).toBeGreaterThanOrEqual(meanMsBefore);
  });

  it.each(['useless', 'noisy'] as const)('is open again when its statement takes as long: %s', async (name) => {
    const decided = await untilDecided(name);
    expect(decided).toMatchObject({ status: 'open', proof: { windowsAfter: expect.any(Number) } });
    const { meanMsBefore = 0, meanMsAfter = 0, windowsAfter } = decided?.proof ?? {};
    expect(windowsAfter).toBeGreaterThanOrEqual(5);
    expect(meanMsAfter).toBeGreaterThan(0.7 * meanMsBefore);
    // And stays so: what was measured is not found anew, and not applied once more.
    await audits(3, [name]);
    expect(await adviceOn(name)).toMatchObject({ status: 'open', proof: decided?.proof });
  });

  it('stays applied as long as its statement is not called', async () => {
    expect(await adviceOn('forgotten')).toMatchObject({ status: 'applied', proof: null });
  });

  it('stays verified when its statement is not called for days, though the counters remember how slow it was', async () => {
    minute += 3 * 24 * 60;
    await audits(1, []);
    const { statements: rows } = await watched.newest();
    expect(rows.find(({ query }) => query.includes(' orders '))?.meanMs).toBeGreaterThan(slowMs);
    expect(await adviceOn('mended', 'queries/slow')).toMatchObject({ status: 'verified' });
    expect(await adviceOn('mended')).toMatchObject({ status: 'verified' });
  });

  it('stays verified through a reset of the counters', async () => {
    await shop.run(
      'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)',
    );
    await audits(1, []);
    expect(await adviceOn('mended')).toMatchObject({ status: 'verified' });
    await audits(2, ['mended']);
    expect(await adviceOn('mended')).toMatchObject({ status: 'verified' });
    expect(await adviceOn('forgotten')).toMatchObject({ status: 'applied', proof: null });
    expect(await adviceOn('forgotten', 'queries/slow')).toMatchObject({ status: 'open', proof: null });
  });

  it('opens again when the index is dropped', async () => {
    await shop.run((await adviceOn('mended'))?.action?.undoSql ?? '');
    await audits(1, ['mended']);
    expect(await adviceOn('mended')).toMatchObject({ status: 'open', appliedAt: null, proof: null });
    expect(await adviceOn('mended', 'queries/slow')).toMatchObject({ status: 'open' });
  });
});
