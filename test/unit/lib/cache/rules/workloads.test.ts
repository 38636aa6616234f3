/** The rules over what real caches have counted: that a counter means what a rule takes it to mean. */
import { describe, expect, test } from 'vitest';
import { runRules } from '../../../../../lib/advice/configuration.ts';
import { type Cache, type CacheOptions, createCache } from '../../../../../lib/cache/cache.ts';
import type { Definition, DefinitionOptions } from '../../../../../lib/cache/definition.ts';
import { cacheRules } from '../../../../../lib/cache/rules/index.ts';
import { cacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { advance, useFakeClock } from '../clock.ts';
import { ChaosStore, FakeServer, FakeStore } from '../fake-store.ts';

useFakeClock();

const long = { fresh: '1h', stale: '1d' } as const;
const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Processes that share a second level and define `product`. */
class Fleet {
  readonly stores: ChaosStore[] = [];
  readonly caches: Cache[] = [];
  readonly #products: Definition<number, unknown>[] = [];
  readonly #l1MaxEntries: number;

  constructor(
    policy: Partial<DefinitionOptions<number, unknown>>,
    {
      processes = 2,
      l2MaxEntries = 10_000,
      ...options
    }: CacheOptions & { processes?: number; l2MaxEntries?: number } = {},
  ) {
    const server = new FakeServer({ maxEntries: l2MaxEntries });
    this.#l1MaxEntries = options.l1?.maxEntries ?? 1_000;
    for (let process = 0; process < processes; process++) {
      const store = new ChaosStore(new FakeStore(server));
      const cache = createCache({ ...options, l2: store });
      this.stores.push(store);
      this.caches.push(cache);
      this.#products.push(cache.define('product', { load: (id) => ({ id }), ...policy }));
    }
  }

  /** Asks a process for a product, and does not mind an error. */
  async get(id: number, process = 0): Promise<void> {
    await this.#products[process]?.get(id).catch(() => {});
  }

  /** Every process asks for so many products, so many times, with a pause after each time. */
  async rounds(rounds: number, products: number, pauseMs = 0, between = async (_round: number) => {}): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const process of this.caches.keys()) for (let id = 0; id < products; id++) await this.get(id, process);
      if (pauseMs > 0) await advance(pauseMs);
      await between(round);
    }
  }

  /** The rules that find something, with the cause of a low hit rate. */
  async findings(): Promise<string[]> {
    await advance(1);
    for (const cache of this.caches) await cache.close();
    const statistics = cacheStatistics(await (this.caches[0] as Cache).fleetStats(0), {
      since: new Date(0),
      store: 'fake',
      l1MaxEntries: this.#l1MaxEntries,
      targetHitRate: 0.98,
      edge: undefined,
    });
    return runRules(cacheRules, { takenAt: new Date().toISOString(), database: 'shop', statistics })
      .map(({ rule, evidence }) => (rule === 'cache/hit-rate' ? `${rule}: ${evidence.cause}` : rule))
      .sort();
  }
}

describe('nothing is found', () => {
  test('where everything fits and is served stale', async () => {
    const fleet = new Fleet({ fresh: '1m', stale: '1d' });
    await fleet.rounds(60, 50, 10_000);
    expect(await fleet.findings()).toEqual([]);
  });

  test('where every key is asked for once: nothing could be better', async () => {
    const fleet = new Fleet(long, { l1: { maxEntries: 100 }, l2MaxEntries: 500 });
    for (let id = 0; id < 5_000; id++) await fleet.get(id);
    expect(await fleet.findings()).toEqual([]);
  });

  test('where refreshes are dropped because their invocations are over', async () => {
    const fleet = new Fleet({ fresh: '1m', stale: '1d', load: () => after(500) }, { processes: 1 });
    for (let round = 0; round < 10; round++) {
      const scope = fleet.caches[0]?.scope({ getRemainingTimeInMillis: () => 100 });
      const gets = Array.from({ length: round === 0 ? 10 : 200 }, (_, id) => fleet.get(id % 10));
      if (round === 0) await advance(600);
      await Promise.all(gets);
      const end = scope?.end();
      await advance(120_000);
      await end;
    }
    expect(fleet.caches[0]?.stats()).toMatchObject({ refreshes: { dropped: 90 }, loads: { failed: 0, timedOut: 0 } });
    expect(await fleet.findings()).toEqual([]);
  });
});

describe('a low hit rate is put down to', () => {
  test('values that expire, none of which is served stale', async () => {
    const fleet = new Fleet({ fresh: '1m' });
    await fleet.rounds(50, 50, 20_000);
    expect(await fleet.findings()).toEqual(['cache/hit-rate: expired', 'cache/no-stale']);
  });

  test('values that are stale for too short a time', async () => {
    const fleet = new Fleet({ fresh: '10s', stale: '10s' });
    await fleet.rounds(50, 50, 15_000);
    await fleet.rounds(50, 50, 30_000);
    expect(await fleet.findings()).toEqual(['cache/hit-rate: expired']);
  });

  test('values that are invalidated', async () => {
    const fleet = new Fleet({ ...long, tags: ['all'] });
    await fleet.rounds(50, 50, 2_000, async (round) => {
      if (round % 10 === 0) await fleet.caches[0]?.invalidate({ tags: ['all'] });
    });
    expect(await fleet.findings()).toEqual(['cache/hit-rate: invalidated']);
  });

  test('values that have to make room at both levels', async () => {
    const fleet = new Fleet(long, { l1: { maxEntries: 50 }, l2MaxEntries: 100 });
    await fleet.rounds(30, 150);
    expect(await fleet.findings()).toEqual(['cache/hit-rate: room', 'cache/l2-full']);
  });

  test('values that have to make room at the second level alone', async () => {
    const fleet = new Fleet(long, { processes: 10, l2MaxEntries: 100 });
    await fleet.rounds(10, 150);
    expect(await fleet.findings()).toEqual(['cache/hit-rate: room', 'cache/l2-full']);
  });

  test('values that nobody may keep', async () => {
    const fleet = new Fleet({ load: () => null, negative: 0 });
    await fleet.rounds(60, 50);
    expect(await fleet.findings()).toEqual(['cache/hit-rate: unkept']);
  });

  test('loads that fail', async () => {
    const fleet = new Fleet({ load: () => Promise.reject(new Error('No such table.')), retryAfter: 0 });
    await fleet.rounds(60, 50);
    expect(await fleet.findings()).toEqual(['cache/hit-rate: failing', 'cache/load-failures']);
  });

  test('a second level that refuses now and then', async () => {
    const fleet = new Fleet(long, { l1: { maxEntries: 10 } });
    await fleet.rounds(30, 50, 5_000, async (round) => {
      for (const store of fleet.stores) round % 2 === 0 ? store.alwaysThrow('read', 'write') : store.neverThrow();
    });
    expect(await fleet.findings()).toEqual(['cache/hit-rate: unreachable', 'cache/l1-too-small', 'cache/l2-timeouts']);
  });

  test('many processes that load the same values at once', async () => {
    const fleet = new Fleet({ ...long, load: () => after(100) }, { processes: 50 });
    const gets = Array.from({ length: 1_000 }, (_, at) => fleet.get(at % 20, at % 50));
    await advance(200);
    await Promise.all(gets);
    await fleet.rounds(2, 20);
    expect(await fleet.findings()).toEqual(['cache/hit-rate: together']);
  });
});

describe('while the hit rate is good', () => {
  test('a memory that is too small is found', async () => {
    const fleet = new Fleet(long, { l1: { maxEntries: 10 } });
    await fleet.rounds(50, 50);
    expect(await fleet.findings()).toEqual(['cache/l1-too-small']);
  });

  test('what is popular is found to make room for what is asked for once', async () => {
    const fleet = new Fleet(long, { l1: { maxEntries: 100 }, processes: 1 });
    for (let round = 0; round < 20; round++) {
      // Five that are popular, each many times, then a scan that memory cannot hold.
      for (let get = 0; get < 2_000; get++) await fleet.get(get % 5);
      for (let id = 0; id < 150; id++) await fleet.get(100 + id);
    }
    expect(await fleet.findings()).toEqual(['cache/evictions']);
  });

  test('values without jitter are found', async () => {
    const fleet = new Fleet({ fresh: '1m', stale: '1d', jitter: 0 });
    await fleet.rounds(60, 50, 10_000);
    expect(await fleet.findings()).toEqual(['cache/no-jitter']);
  });
});

test('a second level that hangs is found, and so is what its time-outs and its breaker spared', async () => {
  const fleet = new Fleet(long, { l1: { maxEntries: 0 }, processes: 1 });
  await fleet.rounds(5, 50);
  fleet.stores[0]?.alwaysHang('read', 'write');
  for (let id = 0; id < 50; id++) {
    const get = fleet.get(id);
    await advance(60);
    await get;
  }
  fleet.stores[0]?.neverThrow();
  await advance(60_000);
  await fleet.rounds(15, 50);
  const { timeOuts, notAsked, breakerOpened } = (fleet.caches[0] as Cache).stats().l2;
  expect(timeOuts + notAsked).toBe(50);
  expect(breakerOpened).toBeGreaterThan(0);
  expect(await fleet.findings()).toContain('cache/l2-timeouts');
});
