import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countsOf, countsSince, statisticsOf } from '../../../../../lib/cache/shared/counts.ts';
import { Statistics, summarize } from '../../../../../lib/cache/statistics.ts';
import type { Counts } from '../../../../../lib/cache/store.ts';

/** Puts counts together as a store does. */
function addUp(all: readonly Counts[]): Counts {
  const sums: Record<string, number> = {};
  const maxima: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, n] of Object.entries(counts.sums)) sums[name] = (sums[name] ?? 0) + n;
    for (const [name, n] of Object.entries(counts.maxima)) maxima[name] = Math.max(maxima[name] ?? 0, n);
  }
  return { sums, maxima };
}

const happening = fc.oneof(
  fc.record({
    level: fc.constantFrom('l1', 'l2'),
    counter: fc.constantFrom('fresh', 'stale', 'misses'),
    by: fc.nat(5),
  }),
  fc.record({ timer: fc.constantFrom('l1', 'l2', 'loads'), ms: fc.double({ min: 0, max: 1e5, noNaN: true }) }),
  fc.record({ evicted: fc.constantFrom('capacity', 'expired') }),
  fc.record({ key: fc.string() }),
  fc.record({ report: fc.constant(true) }),
);

test('what is told in parts adds up to the whole, over processes too', () => {
  fc.assert(
    fc.property(fc.array(fc.array(happening, { maxLength: 60 }), { maxLength: 4 }), (processes) => {
      const told: Counts[] = [];
      const whole: Counts[] = [];
      for (const happenings of processes) {
        const statistics = new Statistics();
        let last: Counts | undefined;
        const report = () => {
          const now = countsOf(statistics);
          told.push(countsSince(now, last));
          last = now;
        };
        for (const one of happenings) {
          if ('counter' in one) statistics.counters[one.level as 'l1'][one.counter as 'fresh'] += one.by;
          else if ('timer' in one) statistics.timers[one.timer as 'l1'].record(one.ms);
          else if ('evicted' in one) statistics.counters.l1.evictions[one.evicted as 'capacity']++;
          else if ('key' in one) statistics.keys.add(one.key);
          else report();
        }
        report();
        whole.push(countsOf(statistics));
      }
      expect(summarize(statisticsOf(addUp(told)))).toEqual(summarize(statisticsOf(addUp(whole))));
      const [only] = whole;
      if (only && whole.length === 1) expect(countsOf(statisticsOf(only))).toEqual(only);
    }),
  );
});

test('nothing new is nothing', () => {
  const statistics = new Statistics();
  statistics.counters.loads.ok = 5;
  statistics.keys.add('a');
  const counts = countsOf(statistics);
  expect(countsSince(counts, counts)).toEqual({ sums: {}, maxima: {} });
});

test('names of another version, or of nobody, do no harm', () => {
  const counts = { sums: { 'l1.nonsense': 1, x: 2, 'l9Ms.4': 1, 'l1.fresh': 3 }, maxima: { 'keys.9999': 3, 'x.1': 5 } };
  expect(summarize(statisticsOf(counts))).toMatchObject({ gets: 3, l1: { fresh: 3 } });
});
