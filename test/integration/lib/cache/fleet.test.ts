/**
 * The promise of the cache, kept by several real processes at once over a real second level. A process is
 * frozen as Lambda does it (SIGSTOP), and killed; servers are frozen, killed and emptied.
 *
 * Replay a walk that failed with FLEET_SEED, walk longer with FLEET_RUNS.
 */

import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCache, type ReadReply, type Store } from '../../../../lib/cache/index.ts';
import { postgresStore } from '../../../../lib/cache/postgres.ts';
import { connectRedis, redisStore } from '../../../../lib/cache/redis.ts';
import { shareable } from '../../../../lib/cache/shared/level.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';
import { Worker } from './fleet/fleet.ts';
import type { Change, Opening } from './fleet/protocol.ts';
import { FragileRedis, Line } from './fleet/servers.ts';
import { Source } from './fleet/source.ts';
import { type Harm, reachL2, walks, walkWith } from './fleet/walk.ts';

const redis = await FragileRedis.start();
const adapters = redis ? (['redis', 'postgres'] as const) : (['postgres'] as const);
if (!redis) console.warn('Neither valkey-server nor redis-server is installed: no test with Redis.');

let database: TestDatabase;
let source: Source;
let spaces = 0;
const fleet = ['A', 'B', 'C', 'D'].map((name) => new Worker(name, (load) => source.answer(load)));
const [A, B, C] = fleet as [Worker, Worker, Worker, Worker];

beforeAll(async () => {
  [database] = await Promise.all([createDatabase({ extensions: false }), ...fleet.map((one) => one.start())]);
});

beforeEach(() => {
  source = new Source();
  for (const one of fleet) {
    one.source = (load) => source.answer(load);
    one.unhandled.length = 0;
    one.aborted.length = 0;
  }
  onTestFinished(() => {
    for (const one of fleet) one.thaw();
    redis?.thaw();
  });
});

afterAll(async () => {
  await Promise.all(fleet.map((one) => one.kill()));
  await redis?.end();
  await database?.drop();
});

type Adapter = (typeof adapters)[number];

/** Where the second level is, and in which part of it a test is alone. Limits are wide where time is not the subject. */
function place(adapter: Adapter): Opening {
  const url = adapter === 'redis' ? (redis?.url ?? '') : database.url;
  return { adapter, url, space: `fleet ${spaces++}`, softLimit: '5s', hardLimit: '5s' };
}

/** Opens a cache in some workers, and asks it for something, so that they are connected. */
async function open(workers: readonly Worker[], opening: Opening): Promise<void> {
  await Promise.all(workers.map((one) => one.open(opening)));
  for (const one of workers) await one.get(`first of ${one.name}`);
}

/** Tells the cache of a change, which must be acknowledged. */
async function change(one: Worker, change: Change): Promise<void> {
  const { error } = await one.ask({ do: 'change', change });
  expect(error).toBeUndefined();
}

/** Waits until writes behind callers' backs are done, and other things that an invocation waits for. */
const finish = (one: Worker) => one.ask({ do: 'invocation', steps: [] });

/** Resolves when a worker has begun with all that it was asked before. */
const caughtUp = (one: Worker) => one.ask({ do: 'stats' });

/** An invocation that asks for items. Returns their versions. */
async function invoke(one: Worker, ...items: string[]): Promise<Array<number | undefined>> {
  const { gets } = await one.ask({ do: 'invocation', steps: items.map((get) => ({ get })) });
  return gets.map(({ version }) => version);
}

/** Times are compared in whole milliseconds, so what is to be later is a little later. */
const tick = (ms = 0) => delay(ms + 3);

/** What is called so is stale after that. */
const briefMs = 20;

describe.each(adapters)('over %s', (adapter) => {
  describe.each(['lru', 'sieve'] as const)('with %s', (policy) => {
    test('a random walk never meets a value that was invalidated longer ago than is promised', async () => {
      const seed = Number(process.env.FLEET_SEED ?? Math.floor(Math.random() * 2 ** 31));
      const numRuns = Number(process.env.FLEET_RUNS ?? 4);
      console.log(`FLEET_SEED=${seed} (${adapter}, ${policy})`);
      const total = { gets: 0, loads: 0 };
      await fc.assert(
        fc.asyncProperty(walks, async (walk) => {
          const opening = { ...place(adapter), hardLimit: 250, policy };
          const { gets, loads } = await walkWith(fleet, opening, harms(adapter, opening.space), walk);
          total.gets += gets;
          total.loads += loads;
        }),
        { seed, numRuns, endOnFailure: true },
      );
      // It would prove nothing where everything is loaded.
      expect(total.loads).toBeLessThan(total.gets);
    });

    describe.each(['key', 'tag'] as const)('a load that is under way when its %s is invalidated', (by) => {
      const labels = by === 'key' ? { items: ['x1'] } : { tags: ['group x'] };

      test('in the same process is for those alone who asked before', async () => {
        await open([A, B], { ...place(adapter), policy, maxLag: 0 });
        const gate = source.hold('x1');
        const before = A.get('x1');
        await gate.arrived(1);
        source.bump('x1');
        await change(A, labels);
        const after = A.get('x1');
        await caughtUp(A);
        gate.open();
        expect(await after).toBe(2);
        expect([1, 2]).toContain(await before);
        expect(await A.get('x1')).toBe(2);
        expect(await B.get('x1')).toBe(2);
      });

      test('in another process is for those alone who asked before', async () => {
        await open([A, B, C], { ...place(adapter), policy, maxLag: 0 });
        const gate = source.hold('x1');
        const before = B.get('x1');
        await gate.arrived(1);
        source.bump('x1');
        await change(A, labels);
        await tick();
        const after = B.get('x1');
        const inInvocation = invoke(B, 'x1');
        await caughtUp(B);
        gate.open();
        expect([1, 2]).toContain(await before);
        expect(await after).toBe(2);
        expect(await inInvocation).toEqual([2]);
        expect(await B.get('x1')).toBe(2);
        expect(await C.get('x1')).toBe(2);
      });

      test('behind the back of whoever got what is stale, in another process, is for nobody', async () => {
        const item = by === 'key' ? { items: ['brief1'] } : { tags: ['group brief'] };
        await open([A, B, C], { ...place(adapter), policy, maxLag: 0, stale: '1h' });
        await B.get('brief1');
        await finish(B);
        await tick(briefMs);
        const gate = source.hold('brief1');
        expect(await B.get('brief1')).toBe(1);
        await gate.arrived(1);
        source.bump('brief1');
        await change(A, item);
        await tick();
        const after = B.get('brief1');
        await caughtUp(B);
        gate.open();
        expect(await after).toBe(2);
        expect(await B.get('brief1')).toBe(2);
        expect(await C.get('brief1')).toBe(2);
      });

      test('under a lease, is loaded again by who waited for it', async () => {
        await open([A, B], { ...place(adapter), policy, maxLag: 0, lease: '3s' });
        const gate = source.hold('x1');
        const first = A.get('x1');
        await gate.arrived(1);
        source.bump('x1');
        await change(B, labels);
        await tick();
        const second = B.get('x1');
        await caughtUp(B);
        gate.open();
        expect(await second).toBe(2);
        await first;
        expect(await A.get('x1')).toBe(2);
      });
    });
  });

  test('an answer that was overtaken by a later one does not take back what this process has invalidated', async () => {
    const opening = place(adapter);
    await open([B], opening);
    await B.get('x1');
    await finish(B);
    const { store, end } = await storeAt(opening);
    onTestFinished(end);
    const { held, release, isHeld } = holdingReads(store);
    const cache = createCache({ l2: shareable(held), softLimit: '5s', hardLimit: '5s' });
    const items = cache.define<string, { version: number }>('item', {
      load: async (item) => ({ version: source.version(item) }),
      fresh: '1h',
    });
    const before = items.get('x1');
    await isHeld;
    source.bump('x1');
    await cache.invalidate({ keys: [items.key('x1')] });
    release();
    await before;
    expect(await items.get('x1')).toEqual({ version: 2 });
  });

  test('a value that is known to be invalid is not served for a load that fails', async () => {
    const opening = place(adapter);
    await open([B], opening);
    const { store, end } = await storeAt(opening);
    onTestFinished(end);
    let isDeaf = false;
    // It loses one question to the log alone, and answers the next one.
    const deaf: Store = {
      ...store,
      read: (keys, since) =>
        isDeaf && keys.length === 0 ? Promise.reject(new Error('That was lost.')) : store.read(keys, since),
    };
    const cache = createCache({ l2: shareable(deaf), softLimit: '5s', hardLimit: '5s', maxLag: 0 });
    let isDown = false;
    const items = cache.define<string, { version: number }>('item', {
      load: async (item) => {
        if (isDown) throw new Error('The source is down.');
        return { version: source.version(item) };
      },
      fresh: '1h',
    });
    expect(await items.get('x1')).toEqual({ version: 1 });
    source.bump('x1');
    await change(B, { items: ['x1'] });
    await tick();
    isDeaf = true;
    isDown = true;
    await expect(items.get('x1')).rejects.toThrow('The source is down.');
  });

  test.each([
    { why: 'there were more changes than one answer tells', opening: { maxChanges: 5 }, loads: 1 },
    { why: 'the log has forgotten some', opening: { logSize: 5 }, loads: 10 },
  ])('what a frozen process has in memory goes when $why', async ({ opening, loads }) => {
    const mine = Array.from({ length: 10 }, (_, index) => `mine${index}`);
    await open([A, B], { ...place(adapter), ...opening, maxLag: 0 });
    await B.ask({ do: 'get', items: mine, together: true });
    await finish(B);
    const before = await B.ask({ do: 'stats' });
    B.freeze();
    source.bump('mine3');
    await change(A, { items: ['mine3'] });
    for (let index = 0; index < 20; index++) await change(A, { items: [`other${index}`] });
    await tick();
    B.thaw();
    expect(await invoke(B, 'mine3')).toEqual([2]);
    const { l1 } = await B.ask({ do: 'stats' });
    expect(l1.entries).toBe(1);
    expect(l1.evictions.invalidated - before.l1.evictions.invalidated).toBe(before.l1.entries);
    source.loads.length = 0;
    const got = await B.ask({ do: 'get', items: mine });
    expect(got.map(({ version }) => version)).toEqual(mine.map((item) => (item === 'mine3' ? 2 : 1)));
    // What the second level has is judged by its own log: it needs no loader where that remembers.
    expect(source.loads.length).toBe(loads - 1);
  });

  describe('a hit in memory of what has tags', () => {
    const reads = async (one: Worker) => (await one.ask({ do: 'calls' })).read ?? 0;

    test('asks nobody for as long as maxLag', async () => {
      await open([A], { ...place(adapter), maxLag: '1h' });
      await A.get('x1');
      await finish(A);
      await A.ask({ do: 'calls' });
      for (let count = 0; count < 5; count++) expect(await invoke(A, 'x1', 'x1')).toEqual([1, 1]);
      await A.ask({ do: 'get', items: ['x1', 'x1', 'x1'] });
      expect(await A.ask({ do: 'calls' })).toEqual({ read: 0, write: 0 });
      expect(source.loadsOf('x1')).toBe(1);
    });

    test('asks once in each invocation beyond maxLag', async () => {
      await open([A], { ...place(adapter), maxLag: 0 });
      await A.get('x1');
      await finish(A);
      for (let count = 0; count < 5; count++) {
        await tick();
        await A.ask({ do: 'calls' });
        await invoke(A, 'x1', 'x1', 'x1');
        expect(await reads(A)).toBe(1);
      }
      expect(source.loadsOf('x1')).toBe(1);
    });

    test('asks once in each get without an invocation where maxLag is 0, and is a hit', async () => {
      await open([A], { ...place(adapter), maxLag: 0 });
      await A.get('x1');
      await finish(A);
      const { l1 } = await A.ask({ do: 'stats' });
      for (let count = 0; count < 5; count++) {
        await tick();
        await A.ask({ do: 'calls' });
        await A.get('x1');
        expect.soft(await reads(A)).toBe(1);
      }
      expect((await A.ask({ do: 'stats' })).l1.fresh - l1.fresh).toBe(5);
    });

    test('asks together with the first read of something else', async () => {
      await open([A], { ...place(adapter), maxLag: 0 });
      await A.get('x1');
      await finish(A);
      await tick();
      await A.ask({ do: 'calls' });
      expect(await invoke(A, 'y1', 'x1')).toEqual([1, 1]);
      expect(await reads(A)).toBe(1);
      await tick();
      await A.ask({ do: 'get', items: ['x1', 'y2', 'x1', 'y3'], together: true });
      expect(await reads(A)).toBe(1);
    });
  });

  describe('when all ask at once for a key that nobody has', () => {
    const callers = Array.from({ length: 50 }, () => 'cold');
    const slowly = (ms: number) => {
      source.onLoad = (load) => void setTimeout(load.release, ms);
    };

    test('one loads it, with a lease', async () => {
      await open(fleet, { ...place(adapter), lease: '2s' });
      slowly(150);
      const got = await Promise.all(fleet.map((one) => one.ask({ do: 'get', items: callers })));
      expect(got.flat().map(({ version }) => version)).toEqual(new Array(200).fill(1));
      expect(source.loadsOf('cold')).toBe(1);
    });

    test('one loads it in each process, without a lease', async () => {
      await open(fleet, place(adapter));
      slowly(150);
      const got = await Promise.all(fleet.map((one) => one.ask({ do: 'get', items: callers })));
      expect(got.flat().map(({ version }) => version)).toEqual(new Array(200).fill(1));
      const loaders = source.loads.filter(({ item }) => item === 'cold').map(({ worker }) => worker);
      expect(new Set(loaders).size).toBe(loaders.length);
    });

    test('the others load it after the lease of one that was killed', async () => {
      await open(fleet, { ...place(adapter), lease: '1s' });
      const gate = source.hold('cold');
      const asked = fleet.map((one) => ({ one, got: one.ask({ do: 'get', items: callers }) }));
      for (const { got } of asked) got.catch(() => {});
      await gate.arrived(1);
      const holder = gate.waiting[0]?.request.worker as Worker;
      await holder.kill();
      onTestFinished(() => holder.start());
      expect(source.loadsOf('cold')).toBe(1);
      source.recover();
      const others = await Promise.all(asked.filter(({ one }) => one !== holder).map(({ got }) => got));
      expect(others.flat().map(({ version }) => version)).toEqual(new Array(150).fill(1));
      expect(source.loadsOf('cold')).toBeGreaterThan(1);
      expect(source.loadsOf('cold')).toBeLessThanOrEqual(4);
    });

    test('a loader that fails runs once, and what it says reaches all', async () => {
      await open([A], place(adapter));
      source.fail();
      const got = await A.ask({ do: 'get', items: new Array(200).fill('cold') });
      expect(got.map(({ error }) => error)).toEqual(new Array(200).fill('The source is down.'));
      expect(source.loadsOf('cold')).toBe(1);
      expect(A.unhandled).toEqual([]);
    });
  });

  test('a process whose connection is gone when it thaws answers right from the first get on', async () => {
    await open([A, B], { ...place(adapter), maxLag: 0, connections: 1, fresh: '1h' });
    await B.ask({ do: 'get', items: ['x1', 'x2'] });
    await finish(B);
    const connection = await B.ask({ do: 'connection' });
    B.freeze();
    if (adapter === 'redis') await redis?.admin.call('CLIENT', ['KILL', 'ID', String(connection)]);
    else await database.run(`select pg_terminate_backend(${connection})`);
    source.bump('x1');
    await change(A, { items: ['x1'] });
    await tick();
    B.thaw();
    expect(await invoke(B, 'x1', 'x2')).toEqual([2, 1]);
    expect(await invoke(B, 'x1', 'x2')).toEqual([2, 1]);
    expect(B.unhandled).toEqual([]);
  });

  describe('an invocation', () => {
    const opening = () => ({ ...place(adapter), maxLag: '1h', stale: '1h' }) as const;

    test('waits for what it refreshes', async () => {
      await open([A, B], opening());
      await A.get('brief1');
      await finish(A);
      await tick(briefMs);
      source.bump('brief1');
      const gate = source.hold('brief1');
      let isOver = false;
      const invocation = invoke(A, 'brief1').finally(() => {
        isOver = true;
      });
      await gate.arrived(1);
      await caughtUp(A);
      expect(isOver).toBe(false);
      gate.open();
      expect(await invocation).toEqual([1]);
      // Both levels have it by then.
      source.fail();
      expect(await A.get('brief1')).toBe(2);
      expect(await B.get('brief1')).toBe(2);
    });

    test('drops what it has no time for, and tells the loader', async () => {
      await open([A], opening());
      await A.get('brief1');
      await finish(A);
      await tick(briefMs);
      const gate = source.hold('brief1');
      const { gets } = await A.ask({ do: 'invocation', steps: [{ get: 'brief1' }], remainingMs: 250 });
      expect(gets[0]?.version).toBe(1);
      expect(source.loadsOf('brief1')).toBe(2);
      expect((await A.ask({ do: 'stats' })).refreshes.dropped).toBe(1);
      expect(A.aborted).toEqual(['brief1']);
      gate.open();
      expect(await invoke(A, 'brief1')).toEqual([1]);
      expect(A.unhandled).toEqual([]);
    });

    test('does not leave a failure behind to the next one when it drops something', async () => {
      await open([A], { ...opening(), stale: 500, retryAfter: '1h' });
      await A.get('brief1');
      await finish(A);
      await tick(briefMs);
      const gate = source.hold('brief1');
      await A.ask({ do: 'invocation', steps: [{ get: 'brief1' }], remainingMs: 250 });
      expect(source.loadsOf('brief1')).toBe(2);
      gate.open();
      await tick(520);
      expect(await A.get('brief1')).toBe(1);
    });

    test('is the last thing that keeps a process whose clients are closed', async () => {
      const { url, space } = place(adapter);
      const program = fileURLToPath(new URL('fleet/exit.ts', import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [program, adapter, url, space], {
        timeout: 20_000,
      });
      expect(stdout).toBe('ended\n');
    });
  });

  test('the statistics of the fleet are the sums of those of its processes', async () => {
    const workers = fleet.slice(0, 3);
    const since = Date.now();
    const opening = place(adapter);
    await Promise.all(workers.map((one) => one.open(opening)));
    // Each has 400 keys, of which it shares 100 with the next one.
    for (const [index, one] of workers.entries()) {
      const items = Array.from({ length: 400 }, (_, key) => `x${300 * index + key}`);
      await one.ask({ do: 'get', items, together: true });
      await one.ask({ do: 'get', items: items.slice(0, 200 * index) });
      await finish(one);
    }
    await change(A, { items: ['x1'] });
    await A.get('x1');
    await finish(A);
    for (const one of workers) await one.ask({ do: 'fleetStats', since });
    const all = await Promise.all(workers.map((one) => one.ask({ do: 'fleetStats', since })));
    const each = await Promise.all(workers.map((one) => one.ask({ do: 'stats' })));
    const sum = (of: (stats: (typeof each)[number]) => number) => each.reduce((total, stats) => total + of(stats), 0);
    const gets = sum((stats) => stats.gets);
    const waits = sum((stats) => stats.waits);
    for (const stats of all) {
      expect(stats).toMatchObject({
        gets,
        waits,
        invalidations: 1,
        loads: { ok: sum(({ loads }) => loads.ok) },
        l1: { fresh: sum(({ l1 }) => l1.fresh), misses: sum(({ l1 }) => l1.misses) },
        l2: {
          fresh: sum(({ l2 }) => l2.fresh),
          misses: sum(({ l2 }) => l2.misses),
          writes: sum(({ l2 }) => l2.writes),
        },
      });
      expect(stats.hitRate).toBeCloseTo((gets - waits) / gets, 10);
      expect(Math.abs(stats.distinctKeys - 1_000)).toBeLessThan(150);
      expect(stats.l2.entries).toBe(1_000);
    }
    expect(gets).toBe(1_200 + 600 + 1);
    expect(source.loads.length).toBe(1_001);
  });

  describe('a process that alone is cut off', () => {
    /** A reaches its second level over a line, the others directly. */
    async function cutOff(options: Partial<Opening> = {}): Promise<Line> {
      const opening = { ...place(adapter), softLimit: 50, hardLimit: 250, cooldown: 50, maxLag: 50, ...options };
      const line = await Line.to(opening.url);
      onTestFinished(() => line.cut());
      await open([B, C], opening);
      await A.open({ ...opening, url: line.url });
      await reachL2(A);
      return line;
    }

    test('trusts its memory only for maxLag, and serves it where the loader fails', async () => {
      const line = await cutOff();
      const changed = Array.from({ length: 10 }, (_, index) => `x${index}`);
      await A.ask({ do: 'get', items: [...changed, 'y1'] });
      await finish(A);
      await line.cut();
      await delay(60);
      for (const item of changed) source.bump(item);
      await change(B, { tags: ['group x'] });
      await tick(50);
      const versions = async () => {
        const got = await A.ask({ do: 'get', items: changed });
        return got.map(({ version }) => version);
      };
      expect(await versions()).toEqual(new Array(10).fill(2));
      source.fail();
      await delay(60);
      expect(await versions()).toEqual(new Array(10).fill(2));
      expect(await A.get('y1')).toBe(1);
      expect(A.unhandled).toEqual([]);
    });

    test('serves it also to who meets a refresh that fails', async () => {
      const line = await cutOff({ stale: '1h', maxLag: 300 });
      await A.get('brief1');
      await finish(A);
      await line.cut();
      // The breaker opens: nothing waits for the line any more.
      for (let count = 0; count < 4; count++) await A.get(`other${count}`);
      await tick(briefMs);
      const gate = source.hold('brief1');
      await A.get('brief1');
      await gate.arrived(1);
      await delay(310);
      const joined = A.get('brief1');
      // It has asked the second level in vain by then.
      await delay(150);
      source.fail();
      for (const { request } of gate.waiting) request.fail('The source is down.');
      expect(await joined).toBe(1);
    });

    test('loads again what was under way for longer than maxLag', async () => {
      const line = await cutOff();
      await line.cut();
      const gate = source.hold('x1');
      const before = A.get('x1');
      await gate.arrived(1);
      source.bump('x1');
      await change(B, { items: ['x1'] });
      await tick(50);
      const after = A.get('x1');
      await caughtUp(A);
      await delay(100);
      gate.open();
      await before;
      expect(await after).toBe(2);
    });

    test('keeps each of two invalidations that it could not tell, also from what was loaded between them', async () => {
      const line = await cutOff();
      await line.cut();
      source.bump('x1');
      expect(await A.ask({ do: 'change', change: { items: ['x1'] } })).toMatchObject({ error: unreachable });
      const gate = source.hold('x1');
      const before = A.get('x1');
      await gate.arrived(1);
      source.bump('x1');
      expect(await A.ask({ do: 'change', change: { items: ['x1'] } })).toMatchObject({ error: unreachable });
      const after = A.get('x1');
      await caughtUp(A);
      gate.open();
      await before;
      expect(await after).toBe(3);
    });

    test('learns what others have invalidated as well while it could not tell the same', async () => {
      const line = await cutOff();
      await line.cut();
      source.bump('x1');
      expect(await A.ask({ do: 'change', change: { items: ['x1'] } })).toMatchObject({ error: unreachable });
      const gate = source.hold('x1');
      const before = A.get('x1');
      await gate.arrived(1);
      source.bump('x1');
      await change(B, { items: ['x1'] });
      await line.mend();
      await reachL2(A);
      await tick(50);
      const after = A.get('x1');
      await caughtUp(A);
      await delay(100);
      gate.open();
      await before;
      expect(await after).toBe(3);
    });

    test.each(['get', 'invalidation'] as const)('tells with the next %s what it could not tell', async (next) => {
      const line = await cutOff();
      await B.ask({ do: 'get', items: ['x1', 'x2', 'y1'] });
      await finish(B);
      await line.cut();
      source.bump('x1');
      source.bump('y1');
      expect(await A.ask({ do: 'change', change: { items: ['x1'] } })).toMatchObject({ error: unreachable });
      expect(await A.ask({ do: 'change', change: { tags: ['group y'] } })).toMatchObject({ error: unreachable });
      await line.mend();
      if (next === 'get') await reachL2(A);
      else await vi.waitFor(() => change(A, { items: ['other'] }), { timeout: 10_000, interval: 20 });
      await tick(50);
      const got = await B.ask({ do: 'get', items: ['x1', 'x2', 'y1'] });
      expect(got.map(({ version }) => version)).toEqual([2, 1, 2]);
    });
  });

  describe.each(outages(adapter))('while $name', ({ begin, end, url }) => {
    test('every get is answered, and all is well again afterwards', async () => {
      const opening = {
        ...place(adapter),
        softLimit: 50,
        hardLimit: 250,
        cooldown: 100,
        maxLag: 100,
        stale: '1h',
      } as const;
      const where = await url?.();
      await open([A, B], where === undefined ? opening : { ...opening, url: where });
      for (const one of [A, B]) await one.ask({ do: 'get', items: ['kept1', 'brief1'] });
      await Promise.all([finish(A), finish(B)]);

      await begin();
      const fresh = Array.from({ length: 20 }, (_, index) => `new${index}`);
      for (const one of [A, B, A, B]) {
        const got = await one.ask({ do: 'get', items: [...fresh, 'kept1', 'brief1'] });
        expect(got.map(({ version }) => version)).toEqual(new Array(22).fill(1));
      }
      await delay(110);
      expect(await A.get('kept1')).toBe(1);
      expect(await invoke(B, 'kept1', 'brief1', 'new1')).toEqual([1, 1, 1]);
      source.bump('kept1');
      expect(await A.ask({ do: 'change', change: { items: ['kept1'] } })).toMatchObject({ error: unreachable });
      expect(await A.get('kept1')).toBe(2);
      const sure = fleet.filter((one) => one.pending > 0);
      expect(sure).toEqual([]);

      await end();
      await Promise.all([reachL2(A), reachL2(B)]);
      await tick(100);
      expect(await B.get('kept1')).toBe(2);
      expect(await A.get('kept1')).toBe(2);
      for (const one of [A, B]) {
        expect((await one.ask({ do: 'stats' })).l2.breaker).toBe('closed');
        expect(one.unhandled).toEqual([]);
      }
      // It is shared again.
      await A.get('shared1');
      await finish(A);
      await B.get('shared1');
      expect(source.loadsOf('shared1')).toBe(1);
    });
  });
});

const unreachable = expect.stringMatching(/^level-unreachable: /);

interface Outage {
  name: string;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
  /** Where the second level is, if it is not at its usual place. */
  url?(): Promise<string>;
}

function outages(adapter: Adapter): Outage[] {
  if (adapter === 'redis') {
    return [
      {
        name: 'Redis does not answer',
        begin: async () => redis?.freeze(),
        end: async () => redis?.thaw(),
      },
      {
        name: 'Redis is gone',
        begin: async () => redis?.crash(),
        end: async () => redis?.begin(),
      },
    ];
  }
  let line: Line;
  return [
    {
      name: 'PostgreSQL cannot be connected to',
      url: async () => {
        line = await Line.to(database.url);
        onTestFinished(() => line.cut());
        return line.url;
      },
      begin: () => line.cut(),
      end: () => line.mend(),
    },
  ];
}

/** What can happen to the second level during a walk: one thing at a time. */
function harms(adapter: Adapter, space: string): Harm[] {
  let last: Promise<void> = Promise.resolve();
  const inTurn = (name: string, work: (ms: number) => Promise<unknown>): Harm => ({
    name,
    inflict(ms) {
      last = last.then(() => work(ms)).then(() => {});
      return last;
    },
  });
  if (adapter === 'redis' && redis) {
    return [
      inTurn('FLUSHALL', () => redis.admin.flushall()),
      inTurn('a crash', async (ms) => {
        await redis.crash();
        await delay(ms);
        await redis.begin();
      }),
      inTurn('a freeze', async (ms) => {
        redis.freeze();
        await delay(ms);
        redis.thaw();
      }),
      inTurn('lost connections', () => redis.admin.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])),
    ];
  }
  const schema = pg.escapeIdentifier(space);
  const unless = (sqlStates: string[], ...statements: string[]) =>
    database.run(...statements).catch((error) => {
      // Nobody has made them yet, or somebody is making them.
      if (!sqlStates.includes(error.code)) throw error;
    });
  const passing = ['3F000', '42P01', '40P01', 'XX000', '2BP01'];
  return [
    inTurn('truncate', () =>
      unless(
        passing,
        `truncate ${['state', 'log', 'entries', 'leases', 'counts'].map((table) => `${schema}.${table}`).join(', ')}`,
      ),
    ),
    inTurn('drop schema', () => unless(passing, `drop schema if exists ${schema} cascade`)),
    inTurn('drop table', () => unless(passing, `drop table if exists ${schema}.log`)),
    inTurn('lost connections', () =>
      database.run(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = ${pg.escapeLiteral(database.name)} and pid <> pg_backend_pid()`,
      ),
    ),
  ];
}

/** A store of the test's own process, whose connections are not in each other's way. */
async function storeAt({ adapter, url, space }: Opening): Promise<{ store: Store; end(): Promise<void> }> {
  if (adapter === 'redis') {
    const client = await connectRedis(url);
    return { store: redisStore(client, { namespace: space }), end: async () => client.disconnect() };
  }
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  return { store: postgresStore(pool, { schema: space }), end: () => pool.end() };
}

/** A store whose first read is carried out, and answered when it is released, as if that connection were slow. */
function holdingReads(store: Store): { held: Store; release(): void; isHeld: Promise<void> } {
  let release = () => {};
  let tell = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const isHeld = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const held: Store = {
    ...store,
    async read(keys, since): Promise<ReadReply> {
      const reply = await store.read(keys, since);
      tell();
      await released;
      return reply;
    },
  };
  return { held, release: () => release(), isHeld };
}
