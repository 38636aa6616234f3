import { expect, test } from 'vitest';
import type { Recommendation } from '../../../lib/advice/recommendation.ts';
import { type CollectedFunctions, runResourceAudit } from '../../../lib/audit.ts';
import type { AuditRecord, History } from '../../../lib/postgres/history.ts';
import type { PooledPoint } from '../../../lib/resources/pooled.ts';
import { resourceRules, rulesOverMetrics } from '../../../lib/resources/rules/index.ts';
import { series } from './resources/leak-series.ts';

const point: PooledPoint = {
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

/** What an audit keeps. */
async function kept(collected: Partial<CollectedFunctions>): Promise<AuditRecord> {
  let record: AuditRecord | undefined;
  const history: Pick<History, 'hasAudit' | 'keep'> = {
    hasAudit: async () => false,
    keep: async (given) => {
      record = given;
      return true;
    },
  };
  const collect = async () => ({ series: [], pooled: [], notes: [], ...collected });
  await runResourceAudit('shop', new Date(0), history as History, {}, collect);
  return record ?? expect.fail('nothing was kept');
}

const ids = resourceRules.map(({ id }) => id).sort();

/** The rules whose findings about a function are over when they are not found again. */
const judging = (record: AuditRecord, name: string) =>
  ids.filter((rule) => record.isJudged({ rule, subject: { database: 'shop', function: name } } as Recommendation));

test('what only samples can tell is not taken for mended by metrics', async () => {
  const pooled = [{ dimensions: { service: 's', function: 'cart', stage: 'default' }, points: [point] }];
  const record = await kept({ series: [series()], pooled });
  expect(judging(record, 'shop (prod)')).toEqual(ids);
  expect(judging(record, 'cart')).toEqual(rulesOverMetrics.toSorted());
  expect(judging(record, 'gone')).toEqual([]);
});

test('functions stand in the order of their names, and points in that of time, wherever they come from', async () => {
  const functions = ['zebra', 'ant'].map((name) => ({
    dimensions: { service: 's', function: name, stage: 'prod' },
    points: [point, { ...point, at: '2026-01-02T00:00:00.000Z' }],
  }));
  const { summary, rows } = await kept({ series: [series({ invocations: 10 })], pooled: functions });
  const { functions: told } = summary as { functions: { function: string }[] };
  expect(told.map(({ function: name }) => name)).toEqual(['ant', 'shop', 'zebra']);
  const times = (rows as { at: string }[]).map(({ at }) => at);
  expect(times).toEqual(times.toSorted().reverse());
  expect(times).toHaveLength(5);
});
