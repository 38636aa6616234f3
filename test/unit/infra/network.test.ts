import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { audits } from '../../../functions/routes.ts';
import { checkStage } from '../../../infra/stage.ts';
import { type Synthesis, synthesize } from './synthesize.ts';

describe.each([false, true])('an isolated network, with an endpoint for metrics: %s', (metricsEndpoint) => {
  let made: Synthesis;

  beforeAll(async () => {
    const network = { kind: 'isolated', metricsEndpoint } as const;
    made = await synthesize(checkStage('shop', { network, alarms: false }));
  }, 120_000);

  afterAll(() => made?.remove());

  const all = (type: string) => Object.values(made.template.findResources(type)).map(({ Properties }) => Properties);

  test('has endpoints for what functions ask, and no other', () => {
    const services = all('AWS::EC2::VPCEndpoint').map(({ ServiceName }) => JSON.stringify(ServiceName));
    expect(services).toHaveLength(metricsEndpoint ? 3 : 2);
    for (const service of ['s3', 'secretsmanager', ...(metricsEndpoint ? ['monitoring'] : [])])
      expect(services.filter((name) => name.includes(`.${service}"`))).toHaveLength(1);
    for (const { VpcEndpointType, PrivateDnsEnabled, SubnetIds, SecurityGroupIds } of all('AWS::EC2::VPCEndpoint')) {
      if (VpcEndpointType !== 'Interface') continue;
      expect(PrivateDnsEnabled).toBe(true);
      expect(SubnetIds).toHaveLength(2);
      expect(SecurityGroupIds).toHaveLength(1);
    }
  });

  test('lets one audit read metrics where it reaches them, and tells it where it does not', () => {
    const found = all('AWS::Lambda::Function').filter(({ Environment }) => Environment?.Variables.STREAMGATE_METRICS);
    expect(found.map(({ Description }) => Description)).toEqual(
      metricsEndpoint ? [] : ['Audits the resources of every configured database.'],
    );
    const readers = all('AWS::IAM::Policy').filter(({ PolicyDocument }) =>
      JSON.stringify(PolicyDocument).includes('cloudwatch:ListMetrics'),
    );
    expect(readers).toHaveLength(metricsEndpoint ? 1 : 0);
    expect(audits.map(({ part }) => part)).toContain('resources');
  });
});
