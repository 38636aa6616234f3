/** A primary, a standby that is a copy of it with all its counters, and a failover from one to the other. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type OwnServer, ownServer } from './servers.ts';
import { type Watched, watch, watchedName } from './watched.ts';

let primary: OwnServer;
let standby: OwnServer;
let watched: Watched;

const text = 'select count(*) from wares';

const call = (server: OwnServer, times: number, much = 1) =>
  server.run(...Array.from({ length: times }, () => `${text}, generate_series(1, ${much}) where price > 3`));

const windowOf = async () => (await watched.statement(text))?.window ?? null;

beforeAll(async () => {
  primary = await ownServer();
  await primary.run(
    'create extension pg_stat_statements',
    'create table wares as select g as id, g as price from generate_series(1, 20000) g',
    'analyze wares',
  );
  // Slower than all others: where counters have no date, it tells that they count on.
  await call(primary, 1, 100);
  await call(primary, 10);
  standby = await primary.copy();
  watched = await watch(primary.url);
});

afterAll(async () => {
  await watched?.close();
  await standby?.remove();
  await primary?.remove();
});

describe('a standby', () => {
  it('is audited as any server: it is only read', async () => {
    await call(standby, 2);
    await watched.audit(0, {}, standby.url);
    await call(standby, 5);
    await watched.audit(5, {}, standby.url);
    const { server, notes } = await watched.newest();
    expect(server.isStandby).toBe(true);
    expect(notes).toEqual([]);
    expect(await windowOf()).toMatchObject({ calls: 5 });
    const queryId = (await watched.statement(text))?.queryId ?? '';
    expect((await watched.history.past(watchedName, [queryId], new Date(0))).plans.get(queryId)).toHaveLength(1);
  });

  it('has no window together with its primary, though both have the same reset', async () => {
    const { resetAt } = await watched.newest();
    await call(primary, 40);
    await watched.audit(10);
    const taken = await watched.newest();
    expect(taken.server.isStandby).toBe(false);
    if (taken.server.versionNumber >= 140_000) expect(taken.resetAt).toBe(resetAt);
    expect(taken.windowFrom).toBeNull();
    expect(await windowOf()).toBeNull();
    await call(primary, 3);
    await watched.audit(15);
    expect(await windowOf()).toMatchObject({ calls: 3 });
  });
});

describe('a failover', () => {
  it('begins anew: the counters of the new primary are its own', async () => {
    await call(standby, 70);
    await primary.stop();
    await standby.run('select pg_promote()');
    await vi.waitFor(async () => {
      const [row] = await standby.run('select pg_is_in_recovery() as recovers');
      expect(row?.rows).toEqual([{ recovers: false }]);
    });
    await watched.audit(20, {}, standby.url);
    const { server, windowFrom } = await watched.newest();
    expect(server.isStandby).toBe(false);
    expect(windowFrom).toBeNull();
    expect(await windowOf()).toBeNull();
    expect(await watched.recommendations('queries/regressed')).toEqual([]);
  });

  it('has windows again with the next audit', async () => {
    await call(standby, 4);
    await watched.audit(25, {}, standby.url);
    expect(await windowOf()).toMatchObject({ calls: 4 });
  });
});
