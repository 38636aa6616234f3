import { expect, test } from 'vitest';
import { emfLine } from '../../../../lib/cache/emf.ts';

test('is a line that CloudWatch makes metrics of', () => {
  const line = emfLine(
    { sums: { 'l1.fresh': 5, 'l1.misses': 2, waits: 1, 'l2.timeOuts': 1, 'l2.errors': 2 }, maxima: {} },
    { namespace: 'Shop', dimensions: { service: 'api' } },
    1_000,
  );
  expect(line).not.toContain('\n');
  const { _aws, ...values } = JSON.parse(line);
  expect(values).toEqual({
    service: 'api',
    CacheGets: 7,
    CacheWaits: 1,
    CacheL1Hits: 5,
    CacheL2Hits: 0,
    CacheL2Misses: 0,
    CacheL2Failures: 3,
    CacheLoads: 0,
    CacheLoadsFailed: 0,
  });
  const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics;
  expect([_aws.Timestamp, Namespace, Dimensions]).toEqual([1_000, 'Shop', [['service']]]);
  expect(Metrics.map(({ Name }: { Name: string }) => Name).sort()).toEqual(
    Object.keys(values)
      .filter((name) => name !== 'service')
      .sort(),
  );
});
