import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trendOf } from '../../../../lib/resources/trend.ts';
import { noise } from '../../noise.ts';

const points = (ys: readonly number[]) => ys.map((y, place) => ({ x: place + 1, y }));
const wobbly = (slope: number, n = 20, deviation = 5, seed = 1) => {
  const random = noise(seed);
  return points(Array.from({ length: n }, (_, x) => slope * x + deviation * (random() - 0.5)));
};

describe('the verdict', () => {
  test.each([
    [3, 'rising'],
    [-3, 'falling'],
    [0, 'flat'],
  ])('of a slope of %d is %s', (slope, verdict) => {
    const trend = trendOf(wobbly(slope));
    expect(trend.verdict).toBe(verdict);
    expect(trend.slope).toBeCloseTo(slope, 0);
    expect(trend.interval[0]).toBeLessThanOrEqual(slope);
    expect(trend.interval[1]).toBeGreaterThanOrEqual(slope);
    expect(trend.n).toBe(20);
  });

  test('is flat where the slope is real but too small to matter', () => {
    expect(trendOf(wobbly(3), { minSlope: 2.5 }).verdict).toBe('rising');
    expect(trendOf(wobbly(3), { minSlope: 3.5 })).toMatchObject({ verdict: 'flat', p: expect.any(Number) });
    expect(trendOf(wobbly(-3), { minSlope: 3.5 }).verdict).toBe('flat');
  });

  test('needs enough points', () => {
    expect(trendOf(wobbly(3, 7))).toEqual({ verdict: 'insufficient-data', slope: 0, interval: [0, 0], p: 1, n: 7 });
    expect(trendOf(wobbly(3, 8)).verdict).toBe('rising');
    expect(trendOf([]).verdict).toBe('insufficient-data');
    expect(trendOf(points([1, 2, 3, 4, 5]), { minPoints: 5 }).verdict).toBe('rising');
  });

  test('needs points in different places', () => {
    expect(trendOf(Array.from({ length: 20 }, (_, y) => ({ x: 7, y }))).verdict).toBe('insufficient-data');
  });

  test('does not change with what is no number', () => {
    const spoilt = [...wobbly(3), { x: 21, y: Number.NaN }, { x: Number.POSITIVE_INFINITY, y: 1 }];
    expect(trendOf(spoilt)).toEqual(trendOf(wobbly(3)));
  });

  test('is as sure as it is asked to be', () => {
    const some = points([1, 3, 2, 5, 4, 3, 6, 5]);
    const { p } = trendOf(some);
    expect(trendOf(some, { significance: p * 1.01 }).verdict).toBe('rising');
    expect(trendOf(some, { significance: p * 0.99 }).verdict).toBe('flat');
  });

  test('refuses an option that it does not know', () => {
    expect(() => trendOf([], { minslope: 1 } as object)).toThrow(/minslope/);
  });
});

test('what wanders has a trend less often than it seems', () => {
  const random = noise(11);
  let rising = 0;
  for (let turn = 0; turn < 200; turn++) {
    let y = 0;
    const walk = Array.from({ length: 60 }, () => {
      y = 0.6 * y + random() - 0.5;
      return y;
    });
    if (trendOf(points(walk), { significance: 0.1 }).verdict === 'rising') rising++;
  }
  // Half of 10 % would be right; without a correction it is 20 %.
  expect(rising / 200).toBeLessThan(0.11);
});

test('thousands of points are judged by their blocks, with the same slope', () => {
  const trend = trendOf(wobbly(0.01, 20_000, 5));
  expect(trend).toMatchObject({ verdict: 'rising', n: 20_000 });
  expect(trend.slope).toBeCloseTo(0.01, 4);
});

describe('the forecast', () => {
  test('says when the limit is reached', () => {
    const { forecast } = trendOf(points(Array.from({ length: 10 }, (_, x) => 2 * (x + 1))), { limit: 100 });
    expect(forecast).toEqual({ limit: 100, x: 50, interval: [50, 50] });
  });

  test('is wider the less is known', () => {
    const { forecast } = trendOf(wobbly(3, 30, 20), { limit: 1_000 });
    const [earliest = 0, latest = 0] = forecast?.interval ?? [];
    expect(earliest).toBeLessThan(forecast?.x ?? 0);
    expect(latest).toBeGreaterThan(forecast?.x ?? 0);
    expect(earliest).toBeLessThan(1 + 1_000 / 3);
    expect(latest).toBeGreaterThan(1 + 1_000 / 3);
  });

  test('goes down to a limit as well', () => {
    expect(trendOf(points([9, 8, 7, 6, 5, 4, 3, 2]), { limit: 0 }).forecast?.x).toBe(10);
  });

  test.each([
    ['there is no trend', wobbly(0), 100],
    ['the trend leads away from the limit', wobbly(-3), 1_000],
    ['the limit is behind', wobbly(3), -50],
  ])('is missing where %s', (_, some, limit) => {
    expect(trendOf(some, { limit })).not.toHaveProperty('forecast');
  });

  test('is missing where nobody asked', () => {
    expect(trendOf(wobbly(3))).not.toHaveProperty('forecast');
  });
});

describe('laws', () => {
  const clouds = fc.array(
    fc.record({ x: fc.integer({ min: 0, max: 10_000 }), y: fc.integer({ min: -1_000, max: 1_000 }) }),
    { maxLength: 40 },
  );

  test('upside down, rising is falling', () => {
    const opposite = { rising: 'falling', falling: 'rising', flat: 'flat', 'insufficient-data': 'insufficient-data' };
    fc.assert(
      fc.property(clouds, (some) => {
        const [up, down] = [trendOf(some), trendOf(some.map(({ x, y }) => ({ x, y: -y })))];
        expect(down.verdict).toBe(opposite[up.verdict]);
        expect(down.slope).toBeCloseTo(-up.slope, 9);
        expect(down.p).toBeCloseTo(up.p, 9);
      }),
    );
  });

  test('the order of the points does not matter, nor where the axis begins', () => {
    fc.assert(
      fc.property(clouds, fc.integer({ min: 0, max: 1e6 }), (some, shift) => {
        const trend = trendOf(some);
        expect(trendOf(some.toReversed())).toEqual(trend);
        expect(trendOf(some.map(({ x, y }) => ({ x: x + shift, y }))).slope).toBeCloseTo(trend.slope, 9);
      }),
    );
  });

  test('the forecast lies ahead and within its interval, which has no end when the trend may be none', () => {
    fc.assert(
      fc.property(clouds, fc.integer({ min: -2_000, max: 2_000 }), (some, limit) => {
        const { slope, interval, forecast } = trendOf(some, { limit, significance: 1 });
        if (!forecast) return;
        const [earliest, latest] = forecast.interval;
        expect(earliest).toBeGreaterThanOrEqual(Math.max(...some.map(({ x }) => x)));
        expect(earliest).toBeLessThanOrEqual(forecast.x);
        expect(latest === null).toBe(interval[0] * interval[1] <= 0);
        expect(latest ?? forecast.x).toBeGreaterThanOrEqual(forecast.x);
        const [low, high] = [Math.min(...interval), Math.max(...interval)];
        const missing = (forecast.x - Math.max(...some.map(({ x }) => x))) * slope;
        expect((earliest - Math.max(...some.map(({ x }) => x))) * (slope > 0 ? high : low)).toBeCloseTo(missing, 6);
      }),
      { numRuns: 500 },
    );
  });

  test('all of it can be written as JSON', () => {
    fc.assert(
      fc.property(clouds, fc.integer({ min: -2_000, max: 2_000 }), (some, limit) => {
        const trend = trendOf(some, { limit });
        expect(JSON.parse(JSON.stringify(trend))).toEqual(trend);
      }),
    );
  });
});
