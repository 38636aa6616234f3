import { expect, test, vi } from 'vitest';
import { type CacheOptions, createCache } from '../../../../../lib/cache/cache.ts';
import { emf } from '../../../../../lib/cache/emf.ts';
import { advance, useFakeClock, within } from '../clock.ts';
import { ChaosStore, FakeServer, FakeStore } from '../fake-store.ts';

useFakeClock();

function setUp(options: CacheOptions = {}) {
  const server = new FakeServer();
  const store = new ChaosStore(new FakeStore(server));
  const cache = createCache({ l2: store, ...options });
  const things = cache.define('thing', { jitter: 0, earlyRefresh: 0, load: (id: string) => id });
  const told = () => server.spans.reduce((sum, { sums }) => sum + (sums['l1.misses'] ?? 0), 0);
  return { store, server, cache, things, told };
}

test('tells what is new, at most so often, and with no timer', async () => {
  const { things, told, store } = setUp({ flushEvery: '5s' });
  await within(10, things.get('a'));
  await advance(60_000);
  expect(told()).toBe(0);
  await within(10, things.get('b'));
  await advance(1);
  expect(told()).toBeGreaterThan(0);
  const calls = store.callsOf('count');
  await within(10, things.get('c'));
  expect(store.callsOf('count')).toBe(calls);
});

test('what could not be told is told the next time, once', async () => {
  const { things, told, store, cache } = setUp({ flushEvery: 1_000 });
  store.alwaysThrow('count');
  for (let n = 0; n < 5; n++) {
    await within(10, things.get(String(n)));
    await advance(1_500);
  }
  expect(told()).toBe(0);
  store.neverThrow();
  await within(100, cache.close());
  expect(told()).toBe(5);
});

test('never, when it is told so', async () => {
  const { things, cache, store } = setUp({ flushEvery: false });
  await within(10, things.get('a'));
  await advance(100_000);
  await within(10, things.get('b'));
  await within(100, cache.close());
  expect(store.callsOf('count')).toBe(0);
});

test('writes lines for CloudWatch that add up, too', async () => {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  const { things, cache } = setUp({ reporters: [emf({ every: 1_000, dimensions: { service: 'api' } })] });
  for (let n = 0; n < 5; n++) {
    await within(10, things.get(String(n)));
    await advance(1_500);
  }
  await within(100, cache.close());
  const sum = (name: string) => lines.reduce((total, line) => total + JSON.parse(line)[name], 0);
  expect(lines.length).toBeGreaterThan(2);
  expect([sum('CacheGets'), sum('CacheLoads'), sum('CacheWaits')]).toEqual([5, 5, 5]);
});
