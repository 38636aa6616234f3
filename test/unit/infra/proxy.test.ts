import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identifierIn } from '../../../infra/rds-host.ts';
import { checkStage, type StageSettings } from '../../../infra/stage.ts';
import { poolConfig } from '../../../lib/postgres/pool.ts';
import { type Synthesis, synthesize } from './synthesize.ts';

const network = {
  kind: 'existing',
  vpcId: 'vpc-0a1b2c3d',
  availabilityZones: ['eu-central-1a', 'eu-central-1b'],
  subnetIds: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'],
  routeTableIds: ['rtb-0a1b2c3d', 'rtb-1a1b2c3d'],
} as const;
const writer = 'shop.cluster-abc123.eu-central-1.rds.amazonaws.com';
const who = { name: 'shop', user: 'streamgate', proxy: true } as const;
const withRole = { ...who, kind: 'iam', host: writer, resourceId: 'cluster-ABC' } as const;
const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:login-AbCdEf';
const withSecret = { ...who, kind: 'secret', secretArn } as const;

describe.each([
  ['with IAM, at a cluster', { ...withRole, securityGroupId: 'sg-0a1b2c3d' }],
  ['with a secret, at an instance', { ...withSecret, host: 'shop.abc123.eu-central-1.rds.amazonaws.com' }],
] satisfies [string, StageSettings['database']][])('a proxy that logs in %s', (_, database) => {
  let made: Synthesis;

  beforeAll(async () => {
    made = await synthesize(checkStage('shop', { network, database }));
  }, 120_000);

  afterAll(() => made?.remove());

  const all = (type: string) =>
    Object.entries(made.template.findResources(type)).map(([id, { Properties }]) => ({ id, ...Properties }));
  const isRole = database.kind === 'iam';

  test('stands in the subnets, takes TLS alone, and logs in as it was told', () => {
    const [proxy] = all('AWS::RDS::DBProxy');
    expect(proxy).toMatchObject({ EngineFamily: 'POSTGRESQL', RequireTLS: true, VpcSubnetIds: network.subnetIds });
    expect(proxy?.DebugLogging).toBeUndefined();
    if (isRole) expect(proxy).toMatchObject({ DefaultAuthScheme: 'IAM_AUTH' });
    else expect(proxy?.Auth).toEqual([{ AuthScheme: 'SECRETS', IAMAuth: 'REQUIRED', SecretArn: secretArn }]);
    const [group] = all('AWS::RDS::DBProxyTargetGroup');
    expect(group).toMatchObject(isRole ? { DBClusterIdentifiers: ['shop'] } : { DBInstanceIdentifiers: ['shop'] });
    expect(group?.ConnectionPoolConfigurationInfo).toEqual({ InitQuery: 'SET statement_timeout = 15000' });
  });

  test('may do nothing but log in', () => {
    const [role] = all('AWS::IAM::Role').filter(
      ({ Description }) => Description === 'Logs in to the database, for the proxy.',
    );
    const policies = all('AWS::IAM::Policy').filter(({ Roles }) => JSON.stringify(Roles).includes(role?.id ?? '?'));
    const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    expect(statements).toHaveLength(1);
    if (isRole) {
      expect(statements[0]).toMatchObject({ Action: 'rds-db:connect' });
      expect(JSON.stringify(statements[0].Resource)).toContain(':dbuser:cluster-ABC/streamgate');
    } else expect(statements[0]).toMatchObject({ Resource: secretArn });
  });

  test('is where functions keep and read the history, as their roles; what is watched they ask directly', () => {
    const [proxy] = all('AWS::RDS::DBProxy');
    const endpoint = { 'Fn::GetAtt': [proxy?.id, 'Endpoint'] };
    const readers = all('AWS::Lambda::Function').filter(
      ({ Environment }) => Environment.Variables.STREAMGATE_HISTORY_URL,
    );
    expect(readers.length).toBeGreaterThan(18);
    for (const { Environment, Role } of readers) {
      const { STREAMGATE_HISTORY_URL, DATABASE_URL, STREAMGATE_HISTORY_SECRET_ARN } = Environment.Variables;
      expect(STREAMGATE_HISTORY_URL).toEqual({
        'Fn::Join': ['', ['postgres://streamgate@', endpoint, '/shop?sslmode=verify-full']],
      });
      expect(STREAMGATE_HISTORY_SECRET_ARN).toBeUndefined();
      expect(DATABASE_URL).toContain(database.host);
      const [policy] = all('AWS::IAM::Policy').filter(
        ({ Roles }) => JSON.stringify(Roles) === JSON.stringify([{ Ref: Role['Fn::GetAtt'][0] }]),
      );
      const connects = policy?.PolicyDocument.Statement.filter(
        ({ Action }: { Action: string }) => Action === 'rds-db:connect',
      );
      expect(JSON.stringify(connects)).toMatch(/DBProxyArn.*\/streamgate/);
    }
  });

  test('lets in the functions, and is let in by the server where that is known', () => {
    const [proxy] = all('AWS::RDS::DBProxy');
    const [group] = proxy?.VpcSecurityGroupIds.map((reference: object) => JSON.stringify(reference)) ?? [];
    const own = all('AWS::EC2::SecurityGroupIngress');
    const into = own.filter(({ GroupId }) => JSON.stringify(GroupId) === group);
    expect(into).toMatchObject([{ FromPort: 5432, ToPort: 5432, SourceSecurityGroupId: expect.anything() }]);
    const intoServer = own
      .filter(({ GroupId }) => GroupId === 'sg-0a1b2c3d')
      .map(({ SourceSecurityGroupId }) => JSON.stringify(SourceSecurityGroupId));
    if (isRole) expect(intoServer).toContain(group);
    else expect(intoServer).toEqual([]);
    const out = [
      ...all('AWS::EC2::SecurityGroup')
        .filter(({ GroupDescription }) => GroupDescription.startsWith('The proxy'))
        .flatMap(({ SecurityGroupEgress = [] }) => SecurityGroupEgress),
      ...all('AWS::EC2::SecurityGroupEgress').filter(({ GroupId }) => JSON.stringify(GroupId) === group),
    ].filter(({ CidrIp }) => CidrIp !== '255.255.255.255/32');
    expect(out).toMatchObject([{ FromPort: 5432, ToPort: 5432 }]);
  });
});

test.each([
  [{ database: withRole }, /where the database does/],
  [{ network: { kind: 'isolated' }, database: withRole }, /where the database does/],
  [
    {
      network: {
        ...network,
        subnetIds: ['subnet-0a1b2c3d'],
        routeTableIds: ['rtb-0a1b2c3d'],
        availabilityZones: ['a'],
      },
      database: withRole,
    },
    /two zones/,
  ],
  [{ network, database: withSecret }, /give `host`, `name` and `user`/],
  [{ network, database: { ...withRole, resourceId: 'prx-1' } }, /that of the database/],
  [{ network, database: { ...withRole, host: writer.replace('cluster-', 'cluster-ro-') } }, /neither the writer/],
] as [StageSettings, RegExp][])('%j is refused', (settings, message) => {
  expect(() => checkStage('shop', settings)).toThrow(message);
});

test.each([
  [writer, { cluster: 'shop' }],
  ['shop-1.abc.cn-north-1.rds.amazonaws.com.cn', { instance: 'shop-1' }],
])('the server at %s is known by its name', (host, identifier) => {
  expect(identifierIn(host)).toEqual(identifier);
});

test.each([
  'shop.cluster-custom-abc.eu-central-1.rds.amazonaws.com',
  'x.proxy-abc.eu-central-1.rds.amazonaws.com',
  'db.shop.example',
  '',
])('there is no proxy before "%s"', (host) => {
  expect(() => identifierIn(host)).toThrow(/neither the writer of a cluster nor an instance/);
});

test.each([
  ['x.proxy-abc123.eu-central-1.rds.amazonaws.com', undefined],
  ['ro.endpoint.proxy-abc123.eu-central-1.rds.amazonaws.com', undefined],
  [writer, 15_000],
  ['db.shop.example', 15_000],
])('a login at %s gives the server a time limit of %s ms', (host, limit) => {
  expect(poolConfig(`postgres://u@${host}/d`).statement_timeout).toBe(limit);
});
