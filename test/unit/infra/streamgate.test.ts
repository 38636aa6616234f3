import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { audits, routes } from '../../../functions/routes.ts';
import { type Synthesis, synthesize } from './synthesize.ts';

/** A password that the environment of the synth has, and the template must not. */
const password = 'hunter2-in-the-environment';

let made: Synthesis;

beforeAll(async () => {
  vi.stubEnv('DATABASE_URL', `postgres://auditor:${password}@db.example/shop`);
  vi.stubEnv('STREAMGATE_HISTORY_URL', `postgres://keeper:${password}@db.example/history`);
  vi.stubEnv('STREAMGATE_TOKENS', JSON.stringify({ [password]: ['read'] }));
  made = await synthesize('dev');
  vi.unstubAllEnvs();
}, 120_000);

afterAll(() => made?.remove());

const all = (type: string) =>
  Object.entries(made.template.findResources(type)).map(([id, { Properties }]) => ({ id, ...Properties }));

/** The logical id that a reference such as `{ "Fn::GetAtt": [id, "Arn"] }` or `{ Ref: id }` names. */
const idIn = (reference: unknown) => /"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/.exec(JSON.stringify(reference))?.[1];

const functionOf = (reference: unknown) => all('AWS::Lambda::Function').find(({ id }) => id === idIn(reference));

/** Whether a deployed function is the one that was built from an entry. */
function isBuiltFrom(entry: string, deployed: { Code: { S3Key: string } } | undefined): boolean {
  const built = made.bundles.find((candidate) => candidate.entry === entry);
  if (!built || !deployed) return false;
  return made.asset(deployed.Code.S3Key, 'index.mjs').equals(readFileSync(join(built.directory, 'index.mjs')));
}

function routeOf(method: string, path: string) {
  const route = all('AWS::ApiGatewayV2::Route').find(({ RouteKey }) => RouteKey === `${method} ${path}`);
  const integration = all('AWS::ApiGatewayV2::Integration').find(({ id }) => id === idIn(route?.Target));
  return { route, target: functionOf(integration?.IntegrationUri) };
}

test('the API has the routes of the route table, and no other', () => {
  const deployed = all('AWS::ApiGatewayV2::Route').map(({ RouteKey }) => RouteKey);
  expect(deployed.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
});

test('each route calls a function of its own, built from its file', () => {
  const targets = routes.map(({ method, path, entry }) => {
    const { target } = routeOf(method, path);
    expect(isBuiltFrom(entry, target), entry).toBe(true);
    return target?.id;
  });
  expect(new Set(targets).size).toBe(routes.length);
});

test('there are no functions but those of the routes, the audits, the authorizer and the migration', () => {
  expect(all('AWS::Lambda::Function')).toHaveLength(routes.length + audits.length + 2);
});

test.each(routes)('$method $path: the authorizer stands before it exactly when it has a scope', (wanted) => {
  const { route } = routeOf(wanted.method, wanted.path);
  const [authorizer] = all('AWS::ApiGatewayV2::Authorizer');
  if (wanted.scope === null) {
    expect(route?.AuthorizationType ?? 'NONE').toBe('NONE');
    expect(route?.AuthorizerId).toBeUndefined();
  } else {
    expect(route).toMatchObject({ AuthorizationType: 'CUSTOM', AuthorizerId: { Ref: authorizer?.id } });
  }
});

test('the authorizer answers for one token on one route, and is kept for some minutes', () => {
  const authorizers = all('AWS::ApiGatewayV2::Authorizer');
  expect(authorizers).toHaveLength(1);
  expect(authorizers[0]).toMatchObject({
    AuthorizerPayloadFormatVersion: '2.0',
    EnableSimpleResponses: true,
    IdentitySource: ['$request.header.Authorization', '$context.routeKey'],
    AuthorizerResultTtlInSeconds: 300,
  });
  expect(isBuiltFrom('authorizer', functionOf(authorizers[0]?.AuthorizerUri['Fn::Join'][1][5]))).toBe(true);
});

test('the API lets through what the stage says, and logs every request without its token', () => {
  const [stage] = all('AWS::ApiGatewayV2::Stage');
  expect(stage?.DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 });
  const fields = Object.values(JSON.parse(stage?.AccessLogSettings.Format));
  expect(fields).toContain('$context.requestId');
  expect(fields.filter((field) => /header|querystring|path$/i.test(String(field)))).toEqual([]);
});

test.each(audits)('the audit of the $part runs every $everyMinutes minutes, alone', ({ part, everyMinutes }) => {
  const rate = everyMinutes === 60 ? 'rate(1 hour)' : `rate(${everyMinutes} minutes)`;
  const schedule = all('AWS::Scheduler::Schedule').find(({ Description }) => Description.endsWith(`the ${part}.`));
  expect(schedule?.ScheduleExpression).toBe(rate);
  expect(JSON.parse(schedule?.Target.Input)).toEqual({ time: '<aws.scheduler.scheduled-time>', part });
  const target = functionOf(schedule?.Target.Arn);
  expect(isBuiltFrom(`audits/${part}`, target)).toBe(true);
  expect(target?.ReservedConcurrentExecutions).toBe(1);
  expect(target?.Timeout).toBeLessThanOrEqual(everyMinutes * 60);
});

test('an audit that fails ends in the queue, whether the scheduler or Lambda gave it up', () => {
  const queues = all('AWS::SQS::Queue');
  expect(queues).toHaveLength(1);
  const arn = { 'Fn::GetAtt': [queues[0]?.id, 'Arn'] };
  const schedules = all('AWS::Scheduler::Schedule');
  expect(schedules).toHaveLength(audits.length);
  for (const { Target } of schedules) {
    expect(Target.DeadLetterConfig).toEqual({ Arn: arn });
    expect(Target.RetryPolicy.MaximumRetryAttempts).toBe(2);
    const invoked = all('AWS::Lambda::EventInvokeConfig').find(
      (config) => idIn(config.FunctionName) === idIn(Target.Arn),
    );
    expect(invoked).toMatchObject({
      DestinationConfig: { OnFailure: { Destination: arn } },
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: Target.RetryPolicy.MaximumEventAgeInSeconds,
    });
  }
});

test('every function has what all have, and writes to a log of its own that is deleted some day', () => {
  const functions = all('AWS::Lambda::Function');
  const logGroups = all('AWS::Logs::LogGroup');
  for (const { retention } of logGroups.map(({ RetentionInDays }) => ({ retention: RetentionInDays })))
    expect(retention).toBe(30);
  for (const deployed of functions) {
    expect(deployed, deployed.id).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: expect.any(Number),
      Timeout: expect.any(Number),
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogFormat: 'JSON' },
    });
    expect(logGroups.map(({ id }) => id)).toContain(idIn(deployed.LoggingConfig.LogGroup));
  }
  expect(new Set(functions.map(({ LoggingConfig }) => idIn(LoggingConfig.LogGroup))).size).toBe(functions.length);
});

test('every function has a role of its own, without managed policies', () => {
  const functions = all('AWS::Lambda::Function');
  expect(new Set(functions.map(({ Role }) => idIn(Role))).size).toBe(functions.length);
  for (const role of all('AWS::IAM::Role')) expect(role.ManagedPolicyArns, role.id).toBeUndefined();
});

test('no secret is in the template: the functions get the name of one', () => {
  const text = JSON.stringify(made.template.toJSON());
  expect(text).not.toContain(password);
  expect(text).not.toMatch(/postgres(ql)?:\/\/|\{\{resolve:/);
  const [secret] = all('AWS::SecretsManager::Secret');
  expect(secret).not.toHaveProperty('SecretString');
  // With a new one CloudFormation would write over what the owner has put in.
  expect(secret).not.toHaveProperty('GenerateSecretString');
  for (const { id, Environment } of all('AWS::Lambda::Function')) {
    const { NODE_OPTIONS, STREAMGATE_STAGE, STREAMGATE_SECRET_ARN, STREAMGATE_RETENTION_DAYS, ...others } =
      Environment.Variables;
    expect(STREAMGATE_STAGE).toBe('dev');
    // The rest is how the secrets extension is set up.
    const named = Object.keys(others).filter(
      (name) => !/^(PARAMETERS_SECRETS|SECRETS_MANAGER|SSM_PARAMETER)_/.test(name),
    );
    expect(named, id).toEqual([]);
    expect(NODE_OPTIONS).toBe('--enable-source-maps --max-semi-space-size=2');
    expect([undefined, '40']).toContain(STREAMGATE_RETENTION_DAYS);
    if (STREAMGATE_SECRET_ARN) expect(STREAMGATE_SECRET_ARN).toEqual({ Ref: secret?.id });
  }
});

test('a function may read the secret exactly when it is told its name', () => {
  const readers = all('AWS::IAM::Policy')
    .filter(({ PolicyDocument }) => JSON.stringify(PolicyDocument).includes('secretsmanager:GetSecretValue'))
    .flatMap(({ Roles }) => Roles.map(idIn));
  const told = all('AWS::Lambda::Function').filter(({ Environment }) => Environment.Variables.STREAMGATE_SECRET_ARN);
  expect(told.map(({ Role }) => idIn(Role)).sort()).toEqual(readers.sort());
  expect(told.some((deployed) => isBuiltFrom('openapi', deployed))).toBe(false);
  expect(told.some((deployed) => isBuiltFrom('optimization/health', deployed))).toBe(true);
});
