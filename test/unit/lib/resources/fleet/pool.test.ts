import { describe, expect, test } from 'vitest';
import { poolMeasures } from '../../../../../lib/resources/fleet/pool.ts';
import { type Measures, measure } from '../../../../../lib/resources/leak/growth.ts';

const usual: Measures = measure(
  Array.from({ length: 9 }, (_, place) => ({ x: 100 * (place + 2), y: 1_000 * place + (place % 3) })),
  1,
);
const of = (overrides: Partial<Measures>): Measures => ({ ...usual, ...overrides });

/** By hand: z are 2.3263 and −0.6745, so that the sum is (5 · 2.3263 − 2 · 0.6745) / √29 = 1.9094, and its two-sided p is 0.0562. */
test('trends add up by Stouffer, each with its direction and its weight', () => {
  const rising = of({ p: 0.02, perInvocation: 300, n: 25 });
  const falling = of({ p: 0.5, perInvocation: -100, n: 4 });
  expect(poolMeasures([rising, falling]).p).toBeCloseTo(0.0562, 4);
});

/** By hand: z are 1.2816 and 0, so that 3 of 5 parts of the weight leave 1.2816 · 3/5 = 0.7690, and its p is 0.2210. */
test('so do the other tests, one-sided', () => {
  const names = ['pStopped', 'pSlower', 'pSlowerSteps', 'pResting', 'pLast', 'pLastStep', 'pWandering'] as const;
  for (const name of names) {
    const pooled = poolMeasures([of({ [name]: 0.1, n: 9 }), of({ [name]: 0.5, n: 16 })]);
    expect([name, pooled[name].toFixed(4)]).toEqual([name, '0.2210']);
  }
});

describe('all else', () => {
  const pooled = poolMeasures([
    of({ perInvocation: 1, from: 300, to: 900, early: 5 }),
    of({ perInvocation: 2, from: 200, to: 600, early: 6 }),
    of({ perInvocation: 9, from: 250, to: 700, early: 1 }),
  ]);

  test('is the median, and its interval', () => {
    expect(pooled).toMatchObject({ perInvocation: 2, interval: [1, 9], early: 5 });
  });

  test('counts environments, and spans their lives', () => {
    expect(pooled).toMatchObject({ n: 3, from: 200, to: 900 });
  });
});

test('certainty of one is no certainty of all', () => {
  const { p } = poolMeasures([of({ p: 0, perInvocation: 1 }), ...Array.from({ length: 30 }, () => of({ p: 1 }))]);
  expect(p).toBeGreaterThan(0.1);
});

test('nothing shows nothing, in numbers', () => {
  const pooled = poolMeasures([]);
  expect(pooled).toMatchObject({ n: 0, p: 1, perInvocation: 0, from: 0, to: 0 });
  expect(Object.values(pooled).flat().every(Number.isFinite)).toBe(true);
});
