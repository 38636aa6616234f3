import { expect, test } from 'vitest';
import { edgeHitsLine } from '../../../functions/edge-hits.ts';

test('what CloudFront answered by itself is told in percent', () => {
  expect(JSON.parse(edgeHitsLine({ hits: 900, misses: 100 }, 'prod', 7) ?? '')).toEqual({
    service: 'streamgate',
    stage: 'prod',
    EdgeHitRate: 90,
    _aws: {
      Timestamp: 7,
      CloudWatchMetrics: [
        {
          Namespace: 'StreamGate',
          Dimensions: [['service', 'stage']],
          Metrics: [{ Name: 'EdgeHitRate', Unit: 'Percent' }],
        },
      ],
    },
  });
});

test('that it answered nothing is told, too', () => {
  expect(edgeHitsLine({ hits: 0, misses: 1_000 }, 'prod', 7)).toContain('"EdgeHitRate":0');
});

test.each([
  [0, 0],
  [999, 0],
])('of %d hits and %d misses nothing is told', (hits, misses) => {
  expect(edgeHitsLine({ hits, misses }, 'prod', 7)).toBeUndefined();
});
