import { expect, test } from 'vitest';
import { memoryMetrics } from '../../../../lib/metrics/memory.ts';
import { measurement, metricsContract, noon, query } from '../../../integration/lib/metrics/contract.ts';

const hour = 3_600_000;

metricsContract('memory', { open: (now) => memoryMetrics({ now }) });

const valuesOf = async (metrics: ReturnType<typeof memoryMetrics>, name = 'HeapUsed') => {
  const span = { from: noon - hour, to: noon + 12 * hour, periodMs: 60_000 };
  const { series } = await metrics.read([query('Sum', { name })], span);
  return series[0]?.points.map(({ value }) => value);
};

test('what is old goes, whether anything new comes or not', async () => {
  let now = noon;
  const metrics = memoryMetrics({ keepMs: hour, now: () => now });
  await metrics.write([measurement()]);
  now = noon + hour;
  expect(await valuesOf(metrics)).toEqual([1]);
  now = noon + hour + 60_000;
  expect(await valuesOf(metrics)).toEqual([]);
  await metrics.write([measurement({ at: now, values: [2] })]);
  now = noon;
  expect(await valuesOf(metrics)).toEqual([2]);
});

test('of too many metrics the one that was written to least recently goes', async () => {
  const metrics = memoryMetrics({ maxMetrics: 2, now: () => noon });
  for (const name of ['A', 'B', 'A', 'C']) await metrics.write([measurement({ name })]);
  expect(await valuesOf(metrics, 'A')).toEqual([2]);
  expect(await valuesOf(metrics, 'B')).toEqual([]);
  expect(await valuesOf(metrics, 'C')).toEqual([1]);
});
