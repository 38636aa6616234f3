import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import {
  apiMetric,
  cacheMetric,
  edgeHits,
  edgeMetric,
  findings,
  hitPercent,
  type Observed,
  ownMetric,
} from './metrics.ts';

/** Half of the width, which is 24. */
const half = 12;

/** The page in CloudWatch: made of the same tables as the functions, so that what is added there is seen here. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, observed: Observed & { alarms: Alarms }) {
    super(scope, id);
    const dashboard = new cloudwatch.Dashboard(this, 'Page', { defaultInterval: Duration.days(1) });
    dashboard.addWidgets(
      new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: [...observed.alarms.alarms], width: 24, height: 4 }),
    );
    dashboard.addWidgets(...apiWidgets(observed));
    dashboard.addWidgets(...auditWidgets(observed));
    dashboard.addWidgets(...cacheWidgets(observed));
  }
}

function graph(title: string, left: cloudwatch.IMetric[], more: Partial<cloudwatch.GraphWidgetProps> = {}) {
  return new cloudwatch.GraphWidget({ title, left, width: half, height: 8, leftYAxis: { min: 0 }, ...more });
}

function apiWidgets({ api, goals }: Observed): cloudwatch.IWidget[] {
  const ofEach = (metric: string, statistic: string) =>
    api.endpoints.map((endpoint) => {
      const { method, path } = endpoint.route;
      return apiMetric(api, metric, statistic, endpoint).with({ label: `${method} ${path}` });
    });
  return [
    graph('Latency, 95 % of the requests (ms)', ofEach('Latency', 'p95'), {
      leftAnnotations: [{ value: goals.latencyMs, label: 'Target' }],
    }),
    graph('Requests', ofEach('Count', 'Sum'), {
      right: [apiMetric(api, '4xx', 'Sum').with({ label: '4xx' }), apiMetric(api, '5xx', 'Sum').with({ label: '5xx' })],
    }),
  ];
}

function auditWidgets({ stage, audits }: Observed): cloudwatch.IWidget[] {
  const durations = audits.audits.map(({ part, function: { lambda } }) =>
    lambda.metricDuration({ statistic: 'Maximum', label: part }),
  );
  const failures = audits.audits.map(({ part, function: { lambda } }) =>
    lambda.metricErrors({ statistic: 'Sum', label: `${part} failed` }),
  );
  const counted = (['SlowStatements', 'Leaks', 'MemoryOverTarget', 'CpuOverTarget'] as const).map((metric) =>
    findings(stage, metric).with({ label: metric }),
  );
  return [graph('Audits (ms)', durations, { right: failures }), graph('Findings', counted)];
}

function cacheWidgets({ stage, goals, second, edge }: Observed): cloudwatch.IWidget[] {
  const hits = graph('Hit rate (%)', [hitPercent(stage)], {
    leftAnnotations: [{ value: goals.hitPercent, label: 'Target' }],
    ...(edge
      ? {
          right: [
            edgeMetric(edge, 'CacheHitRate', 'Average').with({ label: 'CloudFront' }),
            edgeHits(stage).with({ label: 'CloudFront, of the last day' }),
          ],
          rightAnnotations: [{ value: goals.edgeHitPercent, label: 'Target of CloudFront' }],
        }
      : {}),
  });
  const work = graph(
    'Second level',
    ['CacheL2Hits', 'CacheL2Misses', 'CacheL2Failures'].map((metric) => ownMetric(stage, metric)),
    second
      ? {
          right: ['BytesUsedForCache', 'ElastiCacheProcessingUnits', 'Evictions'].map((metric) =>
            cacheMetric(second, metric, metric === 'BytesUsedForCache' ? 'Maximum' : 'Sum'),
          ),
        }
      : {},
  );
  return [hits, work];
}
