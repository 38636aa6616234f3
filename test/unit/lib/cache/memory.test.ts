import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Entry } from '../../../../lib/cache/entry.ts';
import { type EvictionPolicyName, evictionPolicies } from '../../../../lib/cache/eviction.ts';
import { type EvictionCause, Memory, sizeOf } from '../../../../lib/cache/memory.ts';
import { type Place, type Places, placeIn } from '../../../../lib/cache/place.ts';

function entry(id: string, end = 1_000, value: unknown = id): Entry {
  const kept = { value, tags: [], freshUntil: end, staleUntil: end, loadMs: 0, position: 0 };
  return new Entry(kept, `thing:${id}`, end, 0);
}

function setUp(limits: { maxEntries?: number; maxBytes?: number; policy?: EvictionPolicyName }) {
  const evicted: EvictionCause[] = [];
  const memory = new Memory(
    { maxEntries: 1_000, maxBytes: Number.POSITIVE_INFINITY, policy: 'lru', ...limits },
    (cause) => {
      evicted.push(cause);
    },
  );
  return { memory, evicted };
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      home: fc.nat(1),
      id: fc.nat(9),
      ms: fc.integer({ min: 1, max: 50 }),
      size: fc.nat(600),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hit' as const), home: fc.nat(1), id: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), home: fc.nat(1), id: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
);

describe.each(evictionPolicies.map((policy) => [policy]))('%s', (policy) => {
  test.each([
    [5, Number.POSITIVE_INFINITY],
    [1_000, 2_500],
    [4, 2_500],
    [0, Number.POSITIVE_INFINITY],
    [1, 1],
  ])('within %d entries and %d bytes after every step, and nothing is lost track of', (maxEntries, maxBytes) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const { memory, evicted } = setUp({ maxEntries, maxBytes, policy });
        const homes: readonly [Places, Places] = [new Map(), new Map()];
        const all = () => homes.flatMap((home) => [...home.values()]);
        let now = 0;
        let added = 0;
        let replaced = 0;
        for (const step of steps) {
          if (step.do === 'add') {
            const home = homes[step.home] as Places;
            const id = String(step.id);
            const made = entry(id, now + step.ms, 'x'.repeat(step.size));
            if (home.has(id)) replaced++;
            memory.add(placeIn(home, id), made, now);
            if (home.get(id)?.entry === made) added++;
            else expect(home.has(id), 'what does not fit takes the old one with it').toBe(false);
          } else if (step.do === 'hit') {
            const found = homes[step.home]?.get(String(step.id));
            if (found) memory.hit(found);
          } else if (step.do === 'remove') {
            const found = homes[step.home]?.get(String(step.id));
            if (found) {
              memory.remove(found, 'invalidated');
              memory.remove(found, 'invalidated');
            }
          } else if (step.do === 'wait') now += step.ms;
          else memory.clear('invalidated');
          const kept = all();
          expect(memory.size).toBe(kept.length);
          expect(memory.size).toBeLessThanOrEqual(maxEntries);
          expect(memory.bytes).toBe(kept.reduce((sum, { bytes }) => sum + bytes, 0));
          expect(memory.bytes).toBeLessThanOrEqual(maxBytes);
          expect(evicted.length + replaced).toBe(added - kept.length);
          const links = kept.filter(({ older }) => older === undefined).length;
          expect(links, 'one list, with one end').toBe(Math.min(1, kept.length));
          for (const one of kept) {
            if (one.newer) expect(one.newer.older).toBe(one);
            expect(one.entry).toBeDefined();
          }
        }
        memory.clear();
        expect([memory.size, memory.bytes, all().length]).toEqual([0, 0, 0]);
      }),
    );
  });
});

test('what has expired goes with the writes that follow, whether it is asked for or not', () => {
  const { memory, evicted } = setUp({});
  const home: Places = new Map();
  for (let n = 0; n < 50; n++) memory.add(placeIn(home, `old ${n}`), entry(`old ${n}`, 100), 0);
  for (let n = 0; n < 60; n++) memory.add(placeIn(home, `new ${n}`), entry(`new ${n}`, 10_000), 200);
  expect(memory.size).toBe(60);
  expect(evicted.filter((cause) => cause === 'expired').length).toBe(50);
});

test('says why an entry had to go', () => {
  const { memory, evicted } = setUp({ maxEntries: 2 });
  const home: Places = new Map();
  for (const id of ['a', 'b', 'c']) memory.add(placeIn(home, id), entry(id), 0);
  memory.add(placeIn(home, 'c'), entry('c'), 0);
  expect(evicted).toEqual(['capacity']);
  expect([...home.keys()]).toEqual(['b', 'c']);
  const weighed = setUp({ maxBytes: 1_000 });
  const other: Places = new Map();
  for (const id of ['a', 'b', 'c']) weighed.memory.add(placeIn(other, id), entry(id, 1_000, 'x'.repeat(100)), 0);
  expect(weighed.evicted).toEqual(['bytes']);
});

test('a place whose entry had to go stays as long as somebody is on the way to it, and holds on to nothing', () => {
  const { memory } = setUp({ maxEntries: 1 });
  const home: Places = new Map();
  const place = placeIn(home, 'a');
  memory.add(place, entry('a'), 0);
  place.flight = {} as Place['flight'];
  memory.add(placeIn(home, 'b'), entry('b'), 0);
  expect([...home.keys()]).toEqual(['a', 'b']);
  expect([place.entry, place.older, place.newer]).toEqual([undefined, undefined, undefined]);
  memory.add(place, entry('a'), 0);
  expect([...home.keys()], 'the other had nothing but its entry').toEqual(['a']);
  memory.remove(place);
  place.flight = undefined;
  place.tidy();
  expect(home.size).toBe(0);
});

describe('the size of a value', () => {
  test('grows with what it holds', () => {
    expect(sizeOf('x'.repeat(1_000))).toBeGreaterThanOrEqual(2_000);
    expect(sizeOf(Buffer.alloc(5_000))).toBeGreaterThanOrEqual(5_000);
    expect(sizeOf(new ArrayBuffer(5_000))).toBeGreaterThanOrEqual(5_000);
    expect(sizeOf(new Map([['a', 'x'.repeat(500)]]))).toBeGreaterThan(1_000);
    expect(sizeOf(new Set(['x'.repeat(500)]))).toBeGreaterThan(1_000);
    expect(sizeOf({ a: { b: ['x'.repeat(500)] } })).toBeGreaterThan(1_000);
  });

  test('is told of anything, also of cycles', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(sizeOf(value)).toBeGreaterThan(0);
      }),
    );
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(sizeOf(cycle)).toBeGreaterThan(0);
  });

  test('also of a list that is chained very long', () => {
    let chain: unknown;
    for (let n = 0; n < 100_000; n++) chain = { chain };
    expect(sizeOf(chain)).toBeGreaterThan(100_000);
  });
});
