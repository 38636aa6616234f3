import { expect, test } from 'vitest';
import { isNamed } from '../../../../lib/advice/rule.ts';
import type { CollectedFunctions } from '../../../../lib/audit.ts';
import { withSamplesMissing } from '../../../../lib/resources/missing.ts';
import type { PooledPoint } from '../../../../lib/resources/pooled.ts';
import { resourceRules } from '../../../../lib/resources/rules/index.ts';
import { series } from './leak-series.ts';

const dimensions = { service: 's', function: 'cart', stage: 'prod' };
const nothing: CollectedFunctions = { series: [], pooled: [], notes: [] };
const other = { code: 'metrics-unreadable', rules: [], message: 'CloudWatch does not answer.' };

const period: PooledPoint = {
  at: '2026-01-01T00:00:00.000Z',
  samples: 10,
  meanHeapUsedBytes: 1,
  meanHeapFloorBytes: null,
  meanExternalBytes: 1,
  p95RssBytes: 1,
  largestRssBytes: 1,
  cpuMs: 1,
  wallMs: 1,
  cpuPercent: 100,
  meanLoopPercent: 1,
  longestLoopDelayMs: 1,
  collectionMs: 1,
  collectionPercent: 100,
  mostDescriptors: 1,
  mostResources: 1,
};

test('where no function is known, the note says what to do, beside the others', () => {
  const { notes } = withSamplesMissing({ ...nothing, notes: [other] });
  expect(notes).toEqual([other, expect.objectContaining({ code: 'samples-missing' })]);
  expect(notes[1]?.message).toMatch(/monitor\(\).*docs\/guides\/monitor\.md.*cloudwatch:ListMetrics/);
});

test('then the silence of no rule over functions means anything', () => {
  const [note] = withSamplesMissing(nothing).notes;
  expect(resourceRules.filter(({ id }) => !isNamed(id, note?.rules ?? []))).toEqual([]);
});

test.each([
  { what: 'an environment without a sample', known: { ...nothing, series: [{ ...series(), samples: [] }] } },
  { what: 'a function without a period', known: { ...nothing, pooled: [{ dimensions, points: [] }] } },
  {
    what: 'a function whose periods lack a figure',
    known: { ...nothing, pooled: [{ dimensions, points: [{ ...period, cpuMs: null }] }] },
  },
])('$what tells nothing', ({ known }) => {
  expect(withSamplesMissing(known).notes).toMatchObject([{ code: 'samples-missing' }]);
});

test.each([
  { what: 'samples', known: { ...nothing, series: [series({ invocations: 10 })] } },
  { what: 'metrics', known: { ...nothing, pooled: [{ dimensions, points: [period] }] } },
])('where there are $what there is no note', ({ known }) => {
  expect(withSamplesMissing(known)).toBe(known);
});
