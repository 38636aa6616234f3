import { beforeEach, describe, expect, test } from 'vitest';
import type { Dimensions, Measurement, Metrics, SeriesQuery, Statistic } from '../../../../lib/metrics/metrics.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** What a store of metrics is tested with. */
export interface Subject {
  /** An empty store, by this clock. */
  open(now: () => number): Metrics;
}

/** A whole hour, far enough from now for nothing. */
export const noon = Date.UTC(2026, 5, 1, 12);

export const shop = { service: 'shop', function: 'checkout', stage: 'prod' };

export const measurement = (overrides: Partial<Measurement> = {}): Measurement => ({
  name: 'HeapUsed',
  unit: 'Bytes',
  dimensions: shop,
  at: noon,
  values: [1],
  ...overrides,
});

const resident = (dimensions: Dimensions) => measurement({ name: 'ResidentMemory', dimensions });

export const query = (statistic: Statistic = 'Sum', overrides: Partial<SeriesQuery> = {}): SeriesQuery => ({
  name: 'HeapUsed',
  dimensions: shop,
  statistic,
  ...overrides,
});

/** What every store of metrics does. */
export function metricsContract(name: string, { open }: Subject): void {
  describe(`metrics in ${name}`, () => {
    let now = noon;
    let metrics: Metrics;

    beforeEach(() => {
      now = noon;
      metrics = open(() => now);
    });

    const lately = { from: noon - hour, to: noon + hour, periodMs: minute };
    const valuesOf = async (...queries: SeriesQuery[]) =>
      (await metrics.read(queries, lately)).series.map(({ points }) => points.map(({ value }) => value));

    test('has nothing of a metric that nobody wrote', async () => {
      const { series, periodMs } = await metrics.read([query()], lately);
      expect(series).toEqual([{ query: query(), points: [], isComplete: true }]);
      expect(periodMs).toBe(minute);
    });

    test('gives back what was written, by the minute and in the order of time', async () => {
      await metrics.write([
        measurement({ at: noon + minute + 1_000, values: [5] }),
        measurement({ at: noon - 59_000, values: [3] }),
        measurement({ at: noon + 59_000, values: [4] }),
      ]);
      const { series } = await metrics.read([query()], lately);
      expect(series[0]?.points).toEqual([
        { at: noon - minute, value: 3 },
        { at: noon, value: 4 },
        { at: noon + minute, value: 5 },
      ]);
    });

    test.each([
      ['Sum', 110],
      ['Average', 11],
      ['Minimum', 2],
      ['Maximum', 20],
      ['SampleCount', 10],
      ['p50', 10],
      ['p99', 20],
      ['p0', 2],
      ['p100', 20],
    ] as const)('tells the %s of the values of a period', async (statistic, expected) => {
      await metrics.write([measurement({ values: [2, 4, 6, 8, 10] }), measurement({ values: [12, 14, 16, 18, 20] })]);
      expect(await valuesOf(query(statistic))).toEqual([[expected]]);
    });

    test('counts a value as often as it came', async () => {
      await metrics.write([measurement({ values: [7, 7, 7] })]);
      await metrics.write([measurement({ values: [7] })]);
      expect(await valuesOf(query('SampleCount'), query('Sum'))).toEqual([[4], [28]]);
    });

    test('sums up over longer periods, of which the first and the last are whole', async () => {
      await metrics.write([
        measurement({ at: noon, values: [1] }),
        measurement({ at: noon + 4 * minute, values: [2] }),
        measurement({ at: noon + 5 * minute, values: [4] }),
        measurement({ at: noon + 10 * minute, values: [8] }),
      ]);
      const span = { from: noon + 2 * minute, to: noon + 7 * minute, periodMs: 5 * minute };
      const { series } = await metrics.read([query()], span);
      expect(series[0]?.points).toEqual([
        { at: noon, value: 3 },
        { at: noon + 5 * minute, value: 4 },
      ]);
    });

    test('tells metrics apart by their names and by each dimension', async () => {
      const others = [
        { name: 'CpuTime' },
        { dimensions: { ...shop, service: 'blog' } },
        { dimensions: { ...shop, function: 'cart' } },
        { dimensions: { ...shop, stage: 'dev' } },
      ];
      await metrics.write([
        measurement({ values: [1] }),
        ...others.map((other, place) => measurement({ ...other, values: [place + 2] })),
      ]);
      expect(await valuesOf(query(), ...others.map((other) => query('Sum', other)))).toEqual([[1], [2], [3], [4], [5]]);
    });

    test('answers many queries in their order', async () => {
      const names = Array.from({ length: 501 }, (_, place) => `M${place}`);
      await metrics.write(names.map((name, place) => measurement({ name, values: [place] })));
      expect(await valuesOf(...names.map((name) => query('Sum', { name })))).toEqual(names.map((_, place) => [place]));
    });

    test('takes more metrics and values than fit in one request', async () => {
      const values = Array.from({ length: 400 }, (_, place) => place / 7);
      const names = Array.from({ length: 1_500 }, (_, place) => `M${place % 300}`);
      await metrics.write(names.map((name, place) => measurement({ name, at: noon + (place % 5) * 1_000, values })));
      expect(await valuesOf(query('SampleCount', { name: 'M7' }))).toEqual([[2_000]]);
    });

    test('takes nothing when there is nothing', async () => {
      await metrics.write([]);
      expect(await metrics.read([], lately)).toMatchObject({ series: [] });
    });

    test.each([-(2 ** 360), 0, 1e-300, 2 ** 360])('takes %d', async (value) => {
      await metrics.write([measurement({ values: [value] })]);
      expect(await valuesOf(query('Maximum'))).toEqual([[value]]);
    });

    test.each([
      ['a value that is not a number', { values: [1, Number.NaN] }],
      ['an infinite value', { values: [Number.POSITIVE_INFINITY] }],
      ['an infinite negative value', { values: [Number.NEGATIVE_INFINITY] }],
      ['a value beyond 2^360', { values: [2 ** 361] }],
      ['no values', { values: [] }],
      ['a time more than two weeks ago', { at: noon - 14 * day - 1 }],
      ['a time more than two hours from now', { at: noon + 2 * hour + 1 }],
      ['no time', { at: Number.NaN }],
      ['an empty name', { name: '' }],
      ['a name that is too long', { name: 'x'.repeat(256) }],
      ['an empty dimension', { dimensions: { ...shop, stage: '' } }],
      ['a dimension that is not ASCII', { dimensions: { ...shop, stage: 'prød' } }],
    ])('refuses %s, and keeps nothing of what came with it', async (_, overrides) => {
      const writing = metrics.write([measurement({ name: 'Good' }), measurement(overrides)]);
      await expect(writing).rejects.toMatchObject({ name: 'MetricsError', code: 'measurement-invalid' });
      expect(await valuesOf(query('Sum', { name: 'Good' }))).toEqual([[]]);
    });

    test.each([
      ['a span without an end', { to: lately.from }, {}],
      ['a period that is no multiple of a minute', { periodMs: 90_000 }, {}],
      ['no period', { periodMs: 0 }, {}],
      ['a statistic that there is not', {}, { statistic: 'Median' as Statistic }],
      ['a percentile beyond 100', {}, { statistic: 'p101' as const }],
      ['an empty name', {}, { name: '' }],
    ])('refuses %s', async (_, span, overrides) => {
      const reading = metrics.read([query('Sum', overrides)], { ...lately, ...span });
      await expect(reading).rejects.toMatchObject({ name: 'MetricsError', code: 'query-invalid' });
    });

    test('lists the functions whose samples were written, each once', async () => {
      const functions = [shop, { ...shop, service: 'blog' }, { ...shop, function: 'cart' }, { ...shop, stage: 'dev' }];
      await metrics.write(functions.flatMap((dimensions) => [resident(dimensions), resident(dimensions)]));
      await metrics.write([measurement({ dimensions: { ...shop, function: 'other' } })]);
      const { functions: found, isComplete } = await metrics.functions(noon - hour);
      expect(isComplete).toBe(true);
      expect(found).toEqual([
        { service: 'blog', function: 'checkout', stage: 'prod' },
        { service: 'shop', function: 'cart', stage: 'prod' },
        { service: 'shop', function: 'checkout', stage: 'dev' },
        { service: 'shop', function: 'checkout', stage: 'prod' },
      ]);
    });

    test('lists no function of long ago', async () => {
      await metrics.write([resident(shop)]);
      now = noon + 2 * hour;
      expect(await metrics.functions(now - 3 * hour)).toMatchObject({ functions: [shop] });
      now = noon + 4 * hour;
      expect(await metrics.functions(now - 3 * hour)).toEqual({ functions: [], isComplete: true });
    });

    test.each([
      [500, true],
      [501, false],
    ])('of %i functions lists 500 at most, and says whether those are all', async (count, isComplete) => {
      const names = Array.from({ length: count }, (_, place) => `F${place}`);
      await metrics.write(names.map((name) => resident({ ...shop, function: name })));
      const list = await metrics.functions(noon - hour);
      expect(list).toMatchObject({ isComplete });
      expect(new Set(list.functions.map(({ function: name }) => name)).size).toBe(500);
    });

    test.each([
      [14, minute],
      [16, 5 * minute],
      [64, hour],
    ])('reads what is %i days old by the period that it is kept by', async (days, periodMs) => {
      now = noon + days * day;
      expect(await metrics.read([query()], lately)).toMatchObject({ periodMs });
    });
  });
}
