import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from '../../../../lib/cache/histogram.ts';

const ms = fc.double({ min: 0.001, max: 1e7, noNaN: true });

test('a percentile is off by 9 % at most', () => {
  fc.assert(
    fc.property(fc.array(ms, { minLength: 1, maxLength: 200 }), (durations) => {
      const histogram = new Histogram();
      for (const duration of durations) histogram.record(duration);
      const sorted = [...durations].sort((a, b) => a - b);
      const found = histogram.percentiles();
      for (const [share, estimate] of [
        [0.5, found.p50],
        [0.95, found.p95],
        [0.99, found.p99],
      ] as const) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1] as number;
        // And half a unit of the third digit.
        expect(Math.abs((estimate as number) - exact) / exact).toBeLessThanOrEqual(2 ** (1 / 8) - 1 + 0.006);
      }
    }),
  );
});

test('histograms add up', () => {
  fc.assert(
    fc.property(fc.array(ms), fc.array(ms), (one, other) => {
      const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()];
      for (const duration of one) a.record(duration);
      for (const duration of other) b.record(duration);
      for (const duration of [...one, ...other]) both.record(duration);
      for (const [bucket, count] of b.counts) a.add(bucket, count);
      expect(a.counts).toEqual(both.counts);
    }),
  );
});

test('no time at all is a time; of nothing there is no percentile', () => {
  const histogram = new Histogram();
  histogram.record(0);
  expect(histogram.percentiles().p99).toBeLessThanOrEqual(0.001);
  expect(new Histogram().percentiles()).toEqual({ p50: null, p95: null, p99: null });
});
