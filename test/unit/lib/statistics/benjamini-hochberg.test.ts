import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { falseDiscoveryRates } from '../../../../lib/statistics/benjamini-hochberg.ts';

const ps = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

/** Benjamini and Hochberg 1995, section 3.2: thrombolysis, 15 hypotheses. Their procedure rejects four at 5 %, Bonferroni's three. */
test('the example of the paper', () => {
  const published = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ];
  const rates = falseDiscoveryRates(published);
  expect(rates.filter((rate) => rate <= 0.05)).toHaveLength(4);
  // scipy 1.17.1: scipy.stats.false_discovery_control.
  expect(rates[3]).toBeCloseTo(0.035625, 12);
  expect(rates[4]).toBeCloseTo(0.0603, 12);
  expect(rates[5]).toBeCloseTo(0.06385714285714286, 12);
});

test('the order of the values stays', () => {
  const rates = falseDiscoveryRates([0.01, 0.04, 0.03, 0.5, 0.2]);
  for (const [place, expected] of [0.05, 0.2 / 3, 0.2 / 3, 0.5, 0.25].entries()) {
    expect(rates[place]).toBeCloseTo(expected, 12);
  }
});

describe('laws', () => {
  test('no value becomes smaller than it was, or larger than Bonferroni makes it', () => {
    fc.assert(
      fc.property(ps, (values) => {
        falseDiscoveryRates(values).forEach((rate, place) => {
          const p = values[place] ?? 0;
          expect(rate).toBeGreaterThanOrEqual(p - 1e-15);
          expect(rate).toBeLessThanOrEqual(Math.min(1, p * values.length) + 1e-15);
        });
      }),
    );
  });

  test('smaller values stay smaller', () => {
    fc.assert(
      fc.property(ps, (values) => {
        const rates = falseDiscoveryRates(values);
        const order = values.map((_, place) => place).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
        const inOrder = order.map((place) => rates[place] ?? 0);
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      }),
    );
  });

  test('one value alone is what it was', () => {
    expect(falseDiscoveryRates([0.3])).toEqual([0.3]);
    expect(falseDiscoveryRates([])).toEqual([]);
  });
});
