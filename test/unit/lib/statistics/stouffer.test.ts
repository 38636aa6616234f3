import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stouffer } from '../../../../lib/statistics/stouffer.ts';

const tests = fc.array(
  fc.record({ z: fc.double({ min: -5, max: 5, noNaN: true }), weight: fc.double({ min: 0.1, max: 10, noNaN: true }) }),
  { minLength: 1, maxLength: 20 },
);

/** scipy 1.17.1: scipy.stats.combine_pvalues([.01, .2, .3], method='stouffer', weights=…). */
test.each([
  [[1, 1, 1], 2.1317905942403854, 0.016512032608962935],
  [[1, 2, 3], 1.4920638910031998, 0.06784119842865152],
])('scipy finds the same with weights %j', (weights, z, p) => {
  const zs = [2.3263478740408408, 0.8416212335729142, 0.5244005127080409];
  const combined = stouffer(zs.map((each, place) => ({ z: each, weight: weights[place] ?? 0 })));
  expect(combined.z).toBeCloseTo(z, 12);
  expect(combined.p).toBeCloseTo(p, 12);
});

test('nothing shows nothing', () => {
  expect(stouffer([])).toEqual({ z: 0, p: 1 });
});

describe('laws', () => {
  test('a test alone is what it was, whatever its weight', () => {
    fc.assert(
      fc.property(tests, ([one = { z: 0, weight: 1 }]) => {
        expect(stouffer([one]).z).toBeCloseTo(one.z, 12);
      }),
    );
  });

  test('the order and the unit of the weights do not matter', () => {
    fc.assert(
      fc.property(tests, (several) => {
        const { z } = stouffer(several);
        expect(stouffer(several.toReversed()).z).toBeCloseTo(z, 9);
        expect(stouffer(several.map((one) => ({ ...one, weight: 7 * one.weight }))).z).toBeCloseTo(z, 9);
      }),
    );
  });

  test('several that agree are surer than each', () => {
    expect(stouffer(Array.from({ length: 9 }, () => ({ z: 1, weight: 2 }))).z).toBeCloseTo(3, 12);
  });
});
