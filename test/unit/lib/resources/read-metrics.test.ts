import { describe, expect, test } from 'vitest';
import { MetricsError } from '../../../../lib/metrics/errors.ts';
import { memoryMetrics } from '../../../../lib/metrics/memory.ts';
import type { Dimensions, Metrics } from '../../../../lib/metrics/metrics.ts';
import { metricsOfSamples } from '../../../../lib/resources/pooled.ts';
import { readFromMetrics } from '../../../../lib/resources/read-metrics.ts';
import { environment, sample } from './leak-series.ts';

const now = Date.UTC(2026, 0, 1, 12);
const minute = 60_000;
const options = { isKnown: () => false, now: () => now };

async function write(metrics: Metrics, name: string, minutesAgo: number, service = 'shop') {
  await metricsOfSamples(metrics, service).append({
    environment: environment({ function: name }),
    samples: [sample(1, { at: new Date(now - minutesAgo * minute).toISOString() })],
  });
}

const stored = async (...functions: [name: string, minutesAgo: number, service?: string][]) => {
  const metrics = memoryMetrics({ now: () => now, maxMetrics: 100_000 });
  for (const [name, minutesAgo, service] of functions) await write(metrics, name, minutesAgo, service);
  return metrics;
};

const namesIn = ({ functions }: { functions: readonly { dimensions: Dimensions }[] }) =>
  functions.map(({ dimensions }) => dimensions.function);

describe('functions that have metrics', () => {
  test('are read by five minutes', async () => {
    const reading = await readFromMetrics(await stored(['cart', 4], ['cart', 20]), options);
    expect(reading).toMatchObject({ notes: [], isComplete: true });
    expect(reading.functions).toMatchObject([{ dimensions: { service: 'shop', function: 'cart', stage: 'prod' } }]);
    expect(reading.functions[0]?.points.map(({ at }) => at)).toEqual([
      '2026-01-01T11:40:00.000Z',
      '2026-01-01T11:55:00.000Z',
    ]);
  });

  test('are not asked for when they are known', async () => {
    const metrics = await stored(['cart', 4], ['checkout', 4]);
    const asked = new Set<string>();
    const read: Metrics['read'] = (queries, span) => {
      for (const { dimensions } of queries) asked.add(dimensions.function);
      return metrics.read(queries, span);
    };
    const reading = await readFromMetrics(
      { ...metrics, read },
      { ...options, isKnown: (dimensions) => dimensions.function === 'cart' },
    );
    expect(namesIn(reading)).toEqual(['checkout']);
    expect([...asked]).toEqual(['checkout']);
  });

  test('are left out when they wrote nothing for three hours', async () => {
    const metrics = await stored(['old', 181], ['new', 170]);
    expect(namesIn(await readFromMetrics(metrics, options))).toEqual(['new']);
  });

  test('count once where two services have one of the same name: the one that wrote last', async () => {
    const metrics = await stored(['cart', 4, 'a'], ['cart', 60, 'b']);
    const { functions } = await readFromMetrics(metrics, options);
    expect(functions.map(({ dimensions }) => dimensions.service)).toEqual(['a']);
  });

  test('are read some at a time, and 500 in all', async () => {
    const names = Array.from({ length: 510 }, (_, place): [string, number] => [`F${place}`, 4]);
    const metrics = await stored(...names);
    const sizes: number[] = [];
    const read: Metrics['read'] = (queries, span) => {
      sizes.push(queries.length);
      return metrics.read(queries, span);
    };
    const reading = await readFromMetrics({ ...metrics, read }, options);
    expect(reading.functions).toHaveLength(500);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    // What is left out is no failure, for which all would be read again.
    expect(reading).toMatchObject({ isComplete: true, notes: [{ code: 'metrics-cut', rules: [] }] });
  });
});

describe('what could not be read is noted:', () => {
  const failing = async () => {
    throw new MetricsError('store-failed', 'Allow cloudwatch:ListMetrics.');
  };

  test('the list', async () => {
    const reading = await readFromMetrics({ ...(await stored()), functions: failing }, options);
    expect(reading).toMatchObject({
      functions: [],
      isComplete: false,
      notes: [{ code: 'metrics-unreadable', rules: [], message: expect.stringContaining('cloudwatch:ListMetrics') }],
    });
  });

  test('some of the functions; the others are told of', async () => {
    const names = Array.from({ length: 60 }, (_, place): [string, number] => [`F${place}`, 4]);
    const metrics = await stored(...names);
    let calls = 0;
    const read: Metrics['read'] = (...given) => (++calls > 1 ? failing() : metrics.read(...given));
    const reading = await readFromMetrics({ ...metrics, read }, options);
    expect(reading.functions).toHaveLength(38);
    expect(reading).toMatchObject({ isComplete: false, notes: [{ code: 'metrics-unreadable' }] });
  });

  test('a function without all of its figures', async () => {
    const metrics = await stored(['cart', 4], ['checkout', 4]);
    const read: Metrics['read'] = async (...given) => {
      const readings = await metrics.read(...given);
      const series = readings.series.map((one, place) => ({ ...one, isComplete: place !== 3 }));
      return { ...readings, series, notes: ['Trouble'] };
    };
    const reading = await readFromMetrics({ ...metrics, read }, options);
    expect(namesIn(reading)).toEqual(['checkout']);
    expect(reading).toMatchObject({
      isComplete: false,
      notes: [{ code: 'metrics-incomplete', message: expect.stringContaining('of 1 function (Trouble)') }],
    });
  });

  test('that it took too long', async () => {
    const functions = () => new Promise<never>(() => {});
    const reading = await readFromMetrics({ ...(await stored()), functions }, { ...options, timeoutMs: 20 });
    expect(reading.notes).toMatchObject([
      { code: 'metrics-unreadable', message: expect.stringContaining('did not answer within 0.02 s') },
    ]);
  });

  test('but not a mistake of ours', async () => {
    const functions = async () => {
      throw new TypeError('oops');
    };
    await expect(readFromMetrics({ ...(await stored()), functions }, options)).rejects.toThrow('oops');
  });
});
