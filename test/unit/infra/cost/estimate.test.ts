import { describe, expect, test } from 'vitest';
import { estimate, type Template, total } from '../../../../infra/cost/estimate.ts';
import { priceList } from '../../../../infra/cost/prices.ts';
import { profiles, Traffic } from '../../../../infra/cost/traffic.ts';

const resources = (...all: [type: string, properties?: Record<string, unknown>][]): Template[] => [
  { Resources: Object.fromEntries(all.map(([Type, Properties = {}], place) => [`R${place}`, { Type, Properties }])) },
];

const every = (rate: string, Target: object = {}): [string, Record<string, unknown>] => [
  'AWS::Scheduler::Schedule',
  { ScheduleExpression: rate, Target },
];

const costOf = (templates: Template[], what: RegExp, traffic: object = {}) =>
  total(estimate(templates, Traffic.parse(traffic)).filter((line) => what.test(line.what)));

test('nothing costs nothing', () => {
  expect(estimate([{}], Traffic.parse(profiles.idle))).toEqual([]);
});

describe('what is there is paid for', () => {
  test('an interface endpoint by zone and hour, a gateway not at all', () => {
    const endpoints = resources(
      ['AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Interface', SubnetIds: ['a', 'b'] }],
      ['AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' }],
    );
    expect(total(estimate(endpoints, Traffic.parse(profiles.idle)))).toBeCloseTo(2 * 730 * 0.01, 6);
  });

  test('an alarm by the metrics in its expression', () => {
    const stat = { MetricStat: {} };
    const alarms = resources(
      ['AWS::CloudWatch::Alarm', { MetricName: 'Errors' }],
      ['AWS::CloudWatch::Alarm', { Metrics: [stat, stat, { Expression: 'm1 - m2' }] }],
    );
    expect(total(estimate(alarms, Traffic.parse(profiles.idle)))).toBeCloseTo(0.3, 6);
  });

  test('a proxy by the processors of the database behind it, two at least', () => {
    const proxy = resources(['AWS::RDS::DBProxy']);
    expect(total(estimate(proxy, Traffic.parse(profiles.idle)))).toBeCloseTo(2 * 730 * 0.015, 6);
    expect(costOf(proxy, /proxy/, { proxyVcpus: 8 })).toBeCloseTo(8 * 730 * 0.015, 6);
  });

  test('a firewall and each of its rules', () => {
    const firewall = resources(['AWS::WAFv2::WebACL', { Rules: [{}, {}, {}] }]);
    expect(total(estimate(firewall, Traffic.parse(profiles.idle)))).toBeCloseTo(8, 6);
  });
});

describe('an Aurora', () => {
  const aurora = (MinCapacity: number, rate: string) =>
    resources(['AWS::RDS::DBCluster', { ServerlessV2ScalingConfiguration: { MinCapacity } }], every(rate));

  test('that never sleeps is paid for all the time', () => {
    expect(costOf(aurora(0.5, 'rate(1 hour)'), /awake/)).toBeCloseTo(0.5 * 730 * 0.12, 6);
  });

  test('is awake for six minutes of every hour when it is asked once an hour', () => {
    expect(costOf(aurora(0, 'rate(1 hour)'), /awake/)).toBeCloseTo(0.1 * 0.5 * 730 * 0.12, 6);
  });

  test('cannot sleep when it is asked every five minutes', () => {
    expect(costOf(aurora(0, 'rate(5 minutes)'), /awake/)).toBeCloseTo(costOf(aurora(0.5, 'rate(1 hour)'), /awake/), 6);
  });
});

test('an audit is paid for by how often it runs', () => {
  const often = estimate(resources(every('rate(5 minutes)')), Traffic.parse(profiles.idle));
  expect(often.find(({ price }) => price === 'schedulerInvocation')?.quantity).toBe(8_760);
});

test('a schedule that is no rate is told, not guessed', () => {
  expect(() => estimate(resources(every('cron(0 3 * * ? *)')), Traffic.parse({}))).toThrow(/no rate: cron/);
});

test('CloudFront keeps requests away from everything behind it', () => {
  const api: [string] = ['AWS::ApiGatewayV2::Api'];
  const traffic = { requestsPerMonth: 1_000_000, edgeHitRate: 0.9 };
  expect(costOf(resources(api), /^The API/, traffic)).toBeCloseTo(1, 6);
  expect(costOf(resources(api, ['AWS::CloudFront::Distribution']), /^The API/, traffic)).toBeCloseTo(0.1, 6);
});

test('a purge after every hourly audit is within the 1,000 that are free, one every five minutes is not', () => {
  const purging = (rate: string) =>
    resources(
      ['AWS::CloudFront::Distribution'],
      [
        'AWS::Lambda::EventInvokeConfig',
        {
          FunctionName: { Ref: 'Audit' },
          DestinationConfig: { OnSuccess: { Destination: { 'Fn::GetAtt': ['EdgePurgeFunction', 'Arn'] } } },
        },
      ],
      ['AWS::Lambda::EventInvokeConfig', { FunctionName: { Ref: 'Other' }, DestinationConfig: { OnSuccess: {} } }],
      every(rate, { Arn: { 'Fn::GetAtt': ['Audit', 'Arn'] } }),
      every('rate(5 minutes)', { Arn: { 'Fn::GetAtt': ['Other', 'Arn'] } }),
    );
  expect(costOf(purging('rate(1 hour)'), /Purges/)).toBe(0);
  expect(costOf(purging('rate(5 minutes)'), /Purges/)).toBeCloseTo((8_760 - 1_000) * 0.005, 6);
});

test('more requests never cost less', () => {
  const all = resources(
    ['AWS::CloudFront::Distribution'],
    ['AWS::WAFv2::WebACL', { Rules: [] }],
    every('rate(1 hour)'),
  );
  const costs = [0, 1e5, 1e7, 1e9].map((requestsPerMonth) => total(estimate(all, Traffic.parse({ requestsPerMonth }))));
  expect(costs).toEqual([...costs].sort((a, b) => a - b));
});

test('every price says what it is for and where it is from, and the list says when', () => {
  expect(priceList.dated).toMatch(/^\d{4}-\d{2}$/);
  expect(priceList.source).toContain('not fetched');
  for (const [name, { price, per, source }] of Object.entries(priceList.prices)) {
    expect(price, name).toBeGreaterThan(0);
    expect(per, name).not.toBe('');
    expect(source, name).toMatch(/^https:\/\/(aws|docs\.aws)\.amazon\.com\//);
  }
});

test.each([{ requestsPerMonth: -1 }, { edgeHitRate: 2 }, { requests: 5 }])('the traffic %j is refused', (traffic) => {
  expect(() => Traffic.parse(traffic)).toThrow();
});
