import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { audits, routes } from '../../../functions/routes.ts';
import { bundle } from '../../../infra/bundle.ts';
import { auditEntry } from '../../../infra/entries.ts';
import { hashToken } from '../../../lib/http/authentication.ts';
import { createDatabase, rowsOf, type TestDatabase } from '../database.ts';
import { FakeCloudFront } from '../lib/cache/fake-cloudfront.ts';
import { FakeCloudWatch } from '../lib/metrics/fake-cloudwatch.ts';
import { type AroundLambda, aroundLambda } from './aws.ts';
import { apiEvent, authorizerEvent, customResourceEvent, destinationEvent, scheduledEvent } from './events.ts';

const run = promisify(execFile);

let directory: string;
let around: AroundLambda;
let shop: TestDatabase;
let kept: TestDatabase;
let cloudFront: FakeCloudFront;
let cloudWatch: FakeCloudWatch;
let variables: Record<string, string>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamgate-bundles-'));
  cloudFront = new FakeCloudFront('E1A2B3C4D5E6F7');
  cloudWatch = new FakeCloudWatch();
  [around, shop, kept] = await Promise.all([
    aroundLambda(),
    createDatabase(),
    createDatabase({ extensions: false }),
    bundle(directory),
  ]);
  await shop.run('create table t (a int)', 'create index one on t (a)', 'create index two on t (a)');
  around.secrets['arn:settings'] = {
    STREAMGATE_DATABASES: { shop: shop.url },
    STREAMGATE_HISTORY_URL: kept.url,
    STREAMGATE_TOKENS: { [hashToken('reader-token')]: ['read'] },
  };
  around.secrets['arn:origin'] = { current: 'of-cloudfront', previous: 'of-cloudfront-before' };
  around.secrets['arn:empty'] = null;
  variables = {
    STREAMGATE_SECRET_ARN: 'arn:settings',
    STREAMGATE_ORIGIN_SECRET_ARN: 'arn:origin',
    STREAMGATE_TAG_HEADER: 'cache-tag',
    STREAMGATE_STAGE: 'test',
    STREAMGATE_METRICS: 'none',
    STREAMGATE_DISTRIBUTION_ID: 'E1A2B3C4D5E6F7',
    PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(around.port),
    AWS_ENDPOINT_URL_CLOUDFRONT: await cloudFront.listen(),
    AWS_ENDPOINT_URL_CLOUDWATCH: await cloudWatch.listen(),
    AWS_LAMBDA_FUNCTION_NAME: 'function',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'session',
    NODE_OPTIONS: '--enable-source-maps',
  };
});

afterAll(async () => {
  await Promise.all([around?.close(), shop?.drop(), kept?.drop(), cloudFront?.close(), cloudWatch?.close()]);
  rmSync(directory, { recursive: true, force: true });
});

/** What Lambda does: a new process, the import, one event. */
async function invoke(entry: string, event: object, more: Record<string, string> = {}) {
  const script = `
    const { handler } = await import('./index.mjs');
    const answer = await handler(${JSON.stringify(event)}, {
      functionName: 'function', awsRequestId: 'r', getRemainingTimeInMillis: () => 20_000,
    }).catch((error) => ({ thrown: error.message }));
    process.stdout.write('\\nANSWER' + JSON.stringify(answer), () => process.exit());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(directory, entry),
    env: { ...variables, ...more },
  });
  const [log = '', answer = ''] = stdout.split('ANSWER');
  return { log, answer: JSON.parse(answer) };
}

/** What Lambda does with an event that nobody waits for: it tries twice more. */
async function send(entry: string, event: object) {
  let last = await invoke(entry, event);
  for (let retry = 0; retry < 2 && 'thrown' in last.answer; retry++) last = await invoke(entry, event);
  return last;
}

const migrated = () => rowsOf<{ version: number }>(kept, 'select version from streamgate.migrations order by 1');
const schemas = () =>
  rowsOf<{ nspname: string }>(kept, "select nspname from pg_namespace where nspname like 'streamgate%' order by 1");

describe('the bytes that are deployed', () => {
  test('a first deployment, whose secret nobody could fill yet, does not fail', async () => {
    const event = customResourceEvent('Create', around.responseUrl, { RemoveData: 'false' });
    const { answer } = await invoke('migrate', event, { STREAMGATE_SECRET_ARN: 'arn:empty' });
    expect(answer).toEqual({ outcome: 'no-settings-yet' });
    expect(around.answers.pop()).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'streamgate-history' });
  });

  test('two deployments at a time bring the history up to date once', async () => {
    const event = customResourceEvent('Update', around.responseUrl, { RemoveData: 'false' });
    const both = await Promise.all([invoke('migrate', event), invoke('migrate', event)]);
    expect(both.map(({ answer }) => answer)).toEqual([{ outcome: 'migrated' }, { outcome: 'migrated' }]);
    expect(around.answers.splice(0)).toMatchObject([{ Status: 'SUCCESS' }, { Status: 'SUCCESS' }]);
    const versions = (await migrated()).map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, place) => place + 1));
    expect(versions.length).toBeGreaterThan(0);
  });

  test('a deployment whose history does not answer fails, and says why without a password', async () => {
    around.secrets['arn:wrong'] = {
      DATABASE_URL: 'postgres://u:s3cret@127.0.0.1:1/d',
      STREAMGATE_HISTORY_URL: 'postgres://u:s3cret@127.0.0.1:1/d',
    };
    const event = customResourceEvent('Update', around.responseUrl, { RemoveData: 'false' });
    const { answer } = await invoke('migrate', event, { STREAMGATE_SECRET_ARN: 'arn:wrong' });
    expect(answer.thrown).toContain('Nothing listens at');
    const told = around.answers.pop();
    expect(told).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('127.0.0.1:1') });
    expect(JSON.stringify(told)).not.toContain('s3cret');
  });

  test.each(audits)('the audit of the $part takes what the scheduler sends', async (audit) => {
    const { answer, log } = await send(auditEntry(audit), scheduledEvent(audit.part));
    expect(answer).toEqual({ shop: { kept: expect.any(Boolean), findings: expect.any(Number) } });
    const found = await rowsOf<{ part: string }>(kept, 'select part from streamgate.audits');
    expect(found.map(({ part }) => part)).toContain(audit.part);
    if (audit.part === 'queries' && answer.shop.kept) expect(log).toMatch(/"SlowStatements":\d/);
    // Sent again, as schedulers do.
    const again = await invoke(auditEntry(audit), scheduledEvent(audit.part));
    expect(again.answer.shop.kept).toBe(false);
  });

  test.each(routes)('$method $path answers what API Gateway sends', async (route) => {
    const { answer } = await invoke(route.entry, apiEvent(route));
    expect(answer, answer.body).toMatchObject({ statusCode: 200 });
    expect(route.response.safeParse(JSON.parse(answer.body)).error).toBeUndefined();
    // What CloudFront may keep it can also be told to forget.
    expect('cache-tag' in answer.headers).toBe(String(answer.headers['cache-control']).includes('s-maxage'));
  });

  test('a login without a password is answered as one, at once', async () => {
    const url = new URL(kept.url);
    url.password = '';
    around.secrets['arn:no-password'] = {
      STREAMGATE_DATABASES: { shop: url.href },
      STREAMGATE_HISTORY_URL: url.href,
    };
    const route = routes.find(({ path }) => path === '/optimization/indexes/unused');
    if (!route) throw new Error('no route');
    const { answer } = await invoke(route.entry, apiEvent(route), { STREAMGATE_SECRET_ARN: 'arn:no-password' });
    expect(answer).toMatchObject({ statusCode: 503, body: expect.stringContaining('database-') });
    expect(answer.body).not.toContain('internal');
  });

  const known = 'Bearer reader-token';
  const guarded = routes.find(({ scope }) => scope === 'read') ?? routes[0];
  const open = routes.find(({ scope }) => scope === null) ?? routes[0];
  test.each([
    ['a token, through CloudFront', guarded, { authorization: known, 'x-streamgate-origin': 'of-cloudfront' }, true],
    [
      'while the secret is changed',
      guarded,
      { authorization: known, 'x-streamgate-origin': 'of-cloudfront-before' },
      true,
    ],
    ['past CloudFront', guarded, { authorization: known }, false],
    ['with a guess', guarded, { authorization: known, 'x-streamgate-origin': 'of-cloudfronT' }, false],
    ['no token', guarded, { 'x-streamgate-origin': 'of-cloudfront' }, false],
    ['a public route, through CloudFront', open, { 'x-streamgate-origin': 'of-cloudfront' }, true],
    ['a public route, past CloudFront', open, {}, false],
  ])('the authorizer: %s', async (_, route, headers, isAuthorized) => {
    if (!route) throw new Error('no route');
    const { answer } = await invoke('authorizer', authorizerEvent(route, headers as Record<string, string>));
    expect(answer.isAuthorized).toBe(isAuthorized);
  });

  test('CloudFront forgets what an audit made old', async () => {
    const event = destinationEvent('indexes', {
      shop: { kept: true, findings: 1 },
      bills: { kept: true, findings: 0 },
    });
    const { answer } = await invoke('purge', event);
    expect(answer).toEqual({ purged: ['audit:indexes:shop', 'audit:indexes:bills'] });
    expect(cloudFront.invalidations.at(-1)).toMatchObject({
      distributionId: 'E1A2B3C4D5E6F7',
      items: ['#audit:indexes:shop', '#audit:indexes:bills'],
    });
    // By the very tag that the answers carry.
    const route = routes.find(({ path }) => path === '/optimization/indexes/unused');
    if (!route) throw new Error('no route');
    const unused = await invoke(route.entry, apiEvent(route));
    expect(unused.answer.headers['cache-tag'].split(',')).toContain('audit:indexes:shop');
  });

  test("CloudFront's hit rate becomes a metric of ours, and goes to the audit", async () => {
    const edge = (MetricName: string, value: number) =>
      cloudWatch.publish(
        'AWS/CloudFront',
        {
          MetricName,
          Dimensions: [
            { Name: 'DistributionId', Value: 'E1A2B3C4D5E6F7' },
            { Name: 'Region', Value: 'Global' },
          ],
        },
        [{ atMs: Date.now() - 3_600_000, value }],
      );
    edge('Requests', 2_000);
    edge('CacheHitRate', 75);
    const { answer, log } = await invoke('facts', scheduledEvent('cache'));
    expect(answer).toMatchObject({ edge: { hits: 1_500, misses: 500 }, unknown: [] });
    const line = JSON.parse(log.split('\n').find((each) => each.includes('EdgeHitRate')) ?? '{}');
    expect(line).toMatchObject({ service: 'streamgate', stage: 'test', EdgeHitRate: 75 });
  });

  test('what AWS does not tell keeps nobody from the audit of the cache', async () => {
    const { answer } = await invoke('facts', scheduledEvent('cache'), {
      AWS_ENDPOINT_URL_CLOUDWATCH: 'http://127.0.0.1:1',
    });
    expect(answer).toEqual({ time: '2026-11-23T12:00:00Z', unknown: [expect.stringContaining('CloudFront')] });
  });

  test('the audit of the cache judges what AWS tells of its service', async () => {
    const service = {
      ...{ name: 'shop', engine: 'valkey', version: '8.1', maxBytes: 1e9, maxEcpuPerSecond: 5_000 },
      ...{ usedBytes: 9.5e8, usedEcpuPerSecond: 10, throttled: 0, evictions: 0 },
    };
    const facts = { time: '2026-11-23T13:00:00Z', service, edge: { hits: 900, misses: 100 }, unknown: [] };
    const { answer } = await send('audits/cache', destinationEvent('cache', facts));
    expect(answer.shop).toBeDefined();
    const [found] = await rowsOf<{ rule: string }>(
      kept,
      "select rule from streamgate.findings where rule like 'cache/%'",
    );
    expect(found?.rule).toBe('cache/service-limits');
    const summary =
      "select summary->'l3'->>'hitRate' as rate from streamgate.audits where part = 'cache' order by id desc";
    expect((await rowsOf<{ rate: string }>(kept, summary))[0]?.rate).toBe('0.9');
  });

  test('a removal keeps the history, unless it is told otherwise', async () => {
    const remove = (RemoveData: string) =>
      invoke('migrate', customResourceEvent('Delete', around.responseUrl, { RemoveData }));
    expect((await remove('false')).answer).toEqual({ outcome: 'kept' });
    expect((await schemas()).map(({ nspname }) => nspname)).toContain('streamgate');
    expect((await remove('true')).answer).toEqual({ outcome: 'removed' });
    expect(await schemas()).toEqual([]);
    expect(around.answers.splice(0)).toMatchObject([{ Status: 'SUCCESS' }, { Status: 'SUCCESS' }]);
  });
});
