import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mannKendall } from '../../../../lib/statistics/mann-kendall.ts';
import { inflationBy, rankCorrelation, varianceInflation } from '../../../../lib/statistics/serial-correlation.ts';
import { theilSen } from '../../../../lib/statistics/theil-sen.ts';
import { noise } from '../../noise.ts';
import { nile } from './nile.ts';

/** The values without their trend. */
function residuals(values: readonly number[]): number[] {
  const slope = theilSen(values.map((y, x) => ({ x, y })))?.slope ?? 0;
  return values.map((y, x) => y - slope * x);
}

/** What Hamed and Rao do themselves: correlations within 1.96 standard deviations of 0 do not count. */
function published(values: readonly number[]): number {
  const n = values.length;
  return inflationBy(n, (lag) => {
    const correlation = rankCorrelation(values, lag);
    return Math.abs(correlation) > 1.959963984540054 / Math.sqrt(n) ? correlation : 0;
  });
}

/** R package modifiedmk 1.6, documentation of mmkh: "N/N*", "Corrected Zc", "new P-value". */
test('the Nile remembers: by the rule of Hamed and Rao, R finds the same', () => {
  const inflation = published(residuals(nile));
  expect(inflation).toBeCloseTo(2.1428983271, 9);
  const { z, p } = mannKendall(nile, 'either', inflation);
  expect(z).toBeCloseTo(-2.81997919565, 9);
  expect(p).toBeCloseTo(0.00480267631, 9);
});

describe('of 1,000 series of 60 values without a trend, at 5 %', () => {
  const falseAlarms = (memory: number, correction: (residuals: readonly number[]) => number) => {
    const random = noise(7);
    const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let alarms = 0;
    for (let turn = 0; turn < 1_000; turn++) {
      let last = gauss();
      const values = Array.from({ length: 60 }, () => {
        last = memory * last + Math.sqrt(1 - memory ** 2) * gauss();
        return last;
      });
      if (mannKendall(values, 'rising', correction(residuals(values))).p < 0.05) alarms++;
    }
    return alarms / 1_000;
  };

  test('as many show one as should, when values do not depend on each other', () => {
    expect(falseAlarms(0, () => 1)).toBeLessThan(0.07);
    expect(falseAlarms(0, varianceInflation)).toBeLessThan(0.07);
  });

  test('far too many do when values wander, and the correction leaves few of them', () => {
    expect(falseAlarms(0.6, () => 1)).toBeGreaterThan(0.18);
    expect(falseAlarms(0.6, published)).toBeGreaterThan(0.12);
    expect(falseAlarms(0.6, varianceInflation)).toBeLessThan(0.09);
  });
});

describe('laws', () => {
  test('it is at least 1, and 1 for what says nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 60 }), (values) => {
        const inflation = varianceInflation(values);
        expect(inflation).toBeGreaterThanOrEqual(1);
        expect(Number.isFinite(inflation)).toBe(true);
        if (values.length < 10) expect(inflation).toBe(1);
      }),
    );
  });

  test('backwards and scaled it is the same', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 10, maxLength: 40 }), (values) => {
        const inflation = varianceInflation(values);
        expect(varianceInflation(values.toReversed())).toBeCloseTo(inflation, 9);
        expect(varianceInflation(values.map((value) => 3 * value - 7))).toBeCloseTo(inflation, 9);
      }),
    );
  });

  test('values that do not depend on each other inflate nothing', () => {
    expect(inflationBy(50, () => 0)).toBe(1);
  });
});
