import { Match } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { audits, routes } from '../../../functions/routes.ts';
import { stageNames } from '../../../infra/stages.ts';
import { type Synthesis, synthesize } from './synthesize.ts';

/** What cannot be allowed for less than everything: https://docs.aws.amazon.com/service-authorization/latest/reference/ */
const withoutResources = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'cloudwatch:GetMetricData',
  'cloudwatch:ListMetrics',
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
}

/** A synth is an error of it that nobody has acknowledged, or what CloudFormation would refuse: then this throws. */
describe.each(stageNames())('the stage %s', (stageName) => {
  let made: Synthesis;

  beforeAll(async () => {
    made = await synthesize(stageName);
  }, 120_000);

  afterAll(() => made?.remove());

  const all = (type: string) =>
    made.templates.flatMap((template) =>
      Object.entries(template.findResources(type)).map(([id, { Properties }]) => ({ id, ...Properties })),
    );

  /** The functions whose code is ours. */
  const functions = () => all('AWS::Lambda::Function').filter(({ Handler }) => Handler === 'index.handler');

  const types = () =>
    made.templates.flatMap((template) =>
      Object.values(template.toJSON().Resources as Record<string, { Type: string }>).map(({ Type }) => Type),
    );

  test('allows no action by a wildcard, and no resource but where AWS takes nothing else', () => {
    const documents = [
      ...all('AWS::IAM::Policy').map(({ PolicyDocument }) => PolicyDocument),
      ...all('AWS::IAM::Role').flatMap(({ Policies = [] }) =>
        Policies.map(({ PolicyDocument }: { PolicyDocument: object }) => PolicyDocument),
      ),
    ];
    const statements: Statement[] = documents.flatMap(({ Statement }) => Statement);
    expect(statements.length).toBeGreaterThan(routes.length * 2);
    for (const { Effect, Action, Resource } of statements) {
      const actions = [Action].flat();
      expect(JSON.stringify(actions)).not.toContain('*');
      if (Effect === 'Allow' && JSON.stringify(Resource).includes('*'))
        expect(actions.filter((action) => !withoutResources.includes(action))).toEqual([]);
    }
    for (const role of all('AWS::IAM::Role')) expect(role.ManagedPolicyArns, role.id).toBeUndefined();
  });

  test('denies the code of a function what Lambda itself needs for the network', () => {
    const placed = all('AWS::Lambda::Function').filter(({ VpcConfig }) => VpcConfig);
    const policies = all('AWS::IAM::Role').flatMap(({ Policies = [] }) =>
      Policies.filter(({ PolicyName }: { PolicyName: string }) => PolicyName === 'Network'),
    );
    expect(policies).toHaveLength(placed.length);
    for (const { PolicyDocument } of policies) {
      const [allowed, denied] = PolicyDocument.Statement;
      expect(denied).toMatchObject({
        Effect: 'Deny',
        Action: allowed.Action,
        Resource: '*',
        Condition: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      });
    }
  });

  test('opens nothing to the internet but the API, or CloudFront alone where there is one', () => {
    for (const type of [
      'AWS::Lambda::Url',
      'AWS::EC2::InternetGateway',
      'AWS::EC2::NatGateway',
      'AWS::EC2::EIP',
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
    ])
      expect(types()).not.toContain(type);
    for (const { MapPublicIpOnLaunch } of all('AWS::EC2::Subnet')) expect(MapPublicIpOnLaunch).toBe(false);
    for (const { SecurityGroupIngress = [] } of all('AWS::EC2::SecurityGroup'))
      expect(SecurityGroupIngress).toEqual([]);
    for (const rule of all('AWS::EC2::SecurityGroupIngress')) expect(rule.SourceSecurityGroupId).toBeDefined();
    for (const { PubliclyAccessible } of all('AWS::RDS::DBInstance')) expect(PubliclyAccessible).toBe(false);
    for (const { ConnectionType } of all('AWS::ElastiCache::ServerlessCache'))
      expect(ConnectionType ?? 'private').toBe('private');
    for (const { PublicAccessBlockConfiguration } of all('AWS::S3::Bucket'))
      expect(Object.values(PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    const open = all('AWS::ApiGatewayV2::Route').filter(
      ({ AuthorizationType = 'NONE' }) => AuthorizationType === 'NONE',
    );
    const isBehindEdge = all('AWS::CloudFront::Distribution').length > 0;
    expect(open.map(({ RouteKey }) => RouteKey).sort()).toEqual(
      isBehindEdge
        ? []
        : routes
            .filter(({ scope }) => scope === null)
            .map(({ method, path }) => `${method} ${path}`)
            .sort(),
    );
  });

  test('lets nothing in or out by the default security group of a network that it makes', () => {
    const emptied = all('Custom::VpcRestrictDefaultSG').map(({ DefaultSecurityGroupId }) => DefaultSecurityGroupId);
    const groups = all('AWS::EC2::VPC').map(({ id }) => ({ 'Fn::GetAtt': [id, 'DefaultSecurityGroup'] }));
    expect(emptied).toEqual(groups);
    expect(groups.length).toBe(stageName === 'dev' ? 0 : 1);
    // What does it may do it to that group, and to no other.
    const allowed = all('AWS::IAM::Role')
      .flatMap(({ Policies = [] }) =>
        Policies.flatMap(({ PolicyDocument }: never) => (PolicyDocument as { Statement: Statement[] }).Statement),
      )
      .filter(({ Action }: Statement) => JSON.stringify(Action).includes('SecurityGroup'));
    expect(allowed).toHaveLength(groups.length);
    for (const [place, { Resource }] of allowed.entries())
      expect(JSON.stringify(Resource)).toContain(JSON.stringify(groups[place]));
  });

  test('lets nobody past CloudFront, whom every authorizer asks for its secret', () => {
    const [distribution] = all('AWS::CloudFront::Distribution');
    const identities = all('AWS::ApiGatewayV2::Authorizer').map(({ IdentitySource }) => IdentitySource);
    if (!distribution) {
      expect(identities.flat()).not.toContain('$request.header.x-streamgate-origin');
      return;
    }
    expect(identities).toHaveLength(2);
    for (const identity of identities) expect(identity).toContain('$request.header.x-streamgate-origin');
    const [origin] = distribution.DistributionConfig.Origins;
    expect(origin.OriginCustomHeaders).toEqual([
      { HeaderName: 'x-streamgate-origin', HeaderValue: expect.objectContaining({ 'Fn::Join': expect.anything() }) },
    ]);
    expect(JSON.stringify(origin.OriginCustomHeaders)).toContain('{{resolve:secretsmanager:');
    const told = functions().filter(({ Environment }) => Environment.Variables.STREAMGATE_ORIGIN_SECRET_ARN);
    expect(told).toHaveLength(1);
  });

  test('keeps answers for each token apart, finds their tags, and has a firewall', () => {
    const [distribution] = all('AWS::CloudFront::Distribution');
    if (!distribution) return;
    const { DistributionConfig: config } = distribution;
    expect(config.CacheTagConfig).toEqual({ HeaderName: 'cache-tag' });
    expect(config.WebACLId).toEqual({ 'Fn::GetStackOutput': expect.objectContaining({ Region: 'us-east-1' }) });
    expect(config.DefaultCacheBehavior).toMatchObject({ ViewerProtocolPolicy: 'https-only', Compress: true });
    expect(config.Origins[0].CustomOriginConfig).toMatchObject({ OriginProtocolPolicy: 'https-only' });
    const [policy] = all('AWS::CloudFront::CachePolicy');
    expect(policy?.CachePolicyConfig).toMatchObject({
      MinTTL: 0,
      DefaultTTL: 0,
      ParametersInCacheKeyAndForwardedToOrigin: {
        HeadersConfig: { HeaderBehavior: 'whitelist', Headers: ['Authorization'] },
        QueryStringsConfig: { QueryStringBehavior: 'all' },
        CookiesConfig: { CookieBehavior: 'none' },
      },
    });
    const labelled = functions().filter(
      ({ Environment }) => Environment.Variables.STREAMGATE_TAG_HEADER === 'cache-tag',
    );
    expect(labelled.length).toBeGreaterThanOrEqual(routes.filter(({ scope }) => scope).length);
  });

  test('encrypts what it keeps and what it sends', () => {
    for (const { StorageEncrypted } of all('AWS::RDS::DBCluster')) expect(StorageEncrypted).toBe(true);
    for (const { Parameters } of all('AWS::RDS::DBClusterParameterGroup'))
      expect(Parameters).toMatchObject({ 'rds.force_ssl': '1' });
    for (const { SqsManagedSseEnabled, KmsMasterKeyId } of all('AWS::SQS::Queue'))
      expect(SqsManagedSseEnabled ?? KmsMasterKeyId).toBeTruthy();
    for (const { KmsMasterKeyId } of all('AWS::SNS::Topic')) expect(KmsMasterKeyId).toBeDefined();
    for (const { BucketEncryption } of all('AWS::S3::Bucket')) expect(BucketEncryption).toBeDefined();
    for (const { EnableKeyRotation } of all('AWS::KMS::Key')) expect(EnableKeyRotation).toBe(true);
    for (const { Environment } of functions()) {
      const { DATABASE_URL, REDIS_URL } = Environment.Variables;
      if (DATABASE_URL) expect(DATABASE_URL).toMatch(/sslmode=verify-full$/);
      if (REDIS_URL) expect(JSON.stringify(REDIS_URL)).toContain('rediss://');
    }
    for (const { AuthenticationMode, AccessString, UserId, UserName } of all('AWS::ElastiCache::User')) {
      expect(AuthenticationMode).toEqual({ Type: 'iam' });
      expect(AccessString).not.toMatch(/~\*|\+@all|nopass/);
      expect(UserId).toBe(UserName);
    }
  });

  test('deletes every log some day, and every function has one of its own', () => {
    const groups = all('AWS::Logs::LogGroup');
    for (const { id, RetentionInDays } of groups) expect(RetentionInDays, id).toBeGreaterThan(0);
    const named = all('AWS::Lambda::Function').map(({ LoggingConfig }) => JSON.stringify(LoggingConfig.LogGroup));
    expect(new Set(named).size).toBe(all('AWS::Lambda::Function').length);
    expect(named).not.toContain(undefined);
    for (const type of types()) expect(type).not.toMatch(/^Custom::(?!StreamGateHistory|VpcRestrictDefaultSG$)/);
  });

  test('says of every alarm what no data means, and tells people through one of them', () => {
    const alarms = all('AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(audits.length * 2);
    for (const { id, TreatMissingData, AlarmDescription, AlarmActions } of alarms) {
      expect(TreatMissingData, id).toBe(id.includes('Missing') ? 'breaching' : 'notBreaching');
      expect(AlarmDescription, id).toMatch(/\.$/);
      expect(AlarmActions, id).toBeUndefined();
    }
    const [page, ...others] = all('AWS::CloudWatch::CompositeAlarm');
    expect(others).toEqual([]);
    for (const { id } of alarms) expect(JSON.stringify(page?.AlarmRule)).toContain(id);
    const [topic] = all('AWS::SNS::Topic');
    expect(page?.AlarmActions).toEqual([{ Ref: topic?.id }]);
  });

  test("watches CloudFront's hit rate where there is a CloudFront, by a metric of this region", () => {
    const [alarm, ...others] = all('AWS::CloudWatch::Alarm').filter(({ MetricName }) => MetricName === 'EdgeHitRate');
    expect(others).toEqual([]);
    if (all('AWS::CloudFront::Distribution').length === 0) {
      expect(alarm).toBeUndefined();
      return;
    }
    expect(alarm).toMatchObject({
      Namespace: 'StreamGate',
      Dimensions: [
        { Name: 'service', Value: 'streamgate' },
        { Name: 'stage', Value: stageName },
      ],
      Statistic: 'Minimum',
      Period: 3600,
      Threshold: 80,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'notBreaching',
    });
    // Who tells it has no network, and says so under the same stage.
    const [asker] = all('AWS::Lambda::Function').filter(({ Description }) => Description.startsWith('Asks AWS'));
    expect(asker?.Environment.Variables.STREAMGATE_STAGE).toBe(stageName);
    expect(asker?.VpcConfig).toBeUndefined();
    expect(JSON.stringify(all('AWS::CloudWatch::Dashboard')[0]?.DashboardBody)).toContain('EdgeHitRate');
  });

  test('watches every audit, and every route or all of them', () => {
    const alarms = JSON.stringify(all('AWS::CloudWatch::Alarm'));
    for (const { part } of audits) expect(alarms).toContain(`No audit of the ${part}`);
    const perRoute = routes.filter(({ path }) => alarms.includes(`"Value":"${path}"`));
    expect([0, routes.length]).toContain(perRoute.length);
    expect(perRoute.length > 0).toBe(stageName === 'prod');
    const [dashboard] = all('AWS::CloudWatch::Dashboard');
    const page = JSON.stringify(dashboard?.DashboardBody);
    for (const { method, path } of routes) expect(page).toContain(`${method} ${path}`);
  });

  test('brings the history up to date before the functions that read it', () => {
    const [schema] = all('Custom::StreamGateHistory');
    expect(schema).toMatchObject({ ServiceTimeout: '300', RemoveData: String(stageName === 'trial') });
    const readers = Object.values(made.template.findResources('AWS::Lambda::Function')).filter(
      ({ Properties }) =>
        Properties.Description.includes('/optimization/') || Properties.Description.startsWith('Audits'),
    );
    expect(readers.length).toBe(routes.length - 1 + audits.length);
    for (const { DependsOn } of readers) expect(DependsOn).toContain(schema?.id);
  });

  test('keeps what it holds when it is deleted, where it is to be protected', () => {
    const retained = stageName === 'prod' ? 'Retain' : 'Delete';
    made.template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: retained, UpdateReplacePolicy: retained });
    made.template.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: retained,
      Properties: { Description: Match.stringLikeRegexp('^Settings of StreamGate') },
    });
    for (const { DeletionPolicy } of Object.values(made.template.findResources('AWS::RDS::DBCluster')))
      expect(DeletionPolicy).toBe(stageName === 'prod' ? 'Snapshot' : 'Delete');
  });
});
