import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handler } from '../../../functions/authorizer.ts';
import { routes } from '../../../functions/routes.ts';
import { configure, letGo, tokens } from '../api.ts';

beforeAll(() =>
  configure({ DATABASE_URL: 'postgres://u@127.0.0.1:1/d', STREAMGATE_HISTORY_URL: 'postgres://u@127.0.0.1:1/h' }),
);

afterAll(letGo);

/** What API Gateway sends to a Lambda authorizer, payload 2.0. */
function event(routeKey: string, authorization: string | undefined): APIGatewayRequestAuthorizerEventV2 {
  const [method = '', path = ''] = routeKey.split(' ');
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: `arn:aws:execute-api:eu-central-1:000000000000:api/$default/${method}${path}`,
    identitySource: authorization === undefined ? [] : [authorization],
    routeKey,
    rawPath: path,
    rawQueryString: '',
    cookies: [],
    headers: { host: 'api', ...(authorization === undefined ? {} : { authorization }) },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'r',
      routeKey,
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    pathParameters: {},
    stageVariables: {},
  };
}

const refused = { isAuthorized: false, context: { scopes: '' } };

const guarded = routes
  .filter(({ scope }) => scope !== null)
  .map(({ method, path, scope }) => ({ key: `${method} ${path}`, scope }));

describe('the authorizer', () => {
  it.each(guarded)('judges $key', async ({ key, scope }) => {
    const right = scope === 'read' ? tokens.reader : tokens.operator;
    const wrong = scope === 'read' ? tokens.operator : tokens.reader;
    expect(await handler(event(key, `Bearer ${right}`))).toEqual({ isAuthorized: true, context: { scopes: scope } });
    expect(await handler(event(key, `Bearer ${wrong}`))).toEqual(refused);
    expect(await handler(event(key, `Bearer ${tokens.nothing}`))).toEqual(refused);
    expect(await handler(event(key, 'Bearer nobody-knows-this'))).toEqual(refused);
    expect(await handler(event(key, undefined))).toEqual(refused);
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic cmVhZGVyOnRva2Vu',
    tokens.reader,
    `Bearer ${tokens.reader} x`,
    `Bearer ${tokens.reader.toUpperCase()}`,
  ])('refuses the header %j', async (header) => {
    expect(await handler(event('GET /optimization/indexes/metrics', header))).toEqual(refused);
  });

  it('takes the word Bearer in any case, as RFC 7235 has it', async () => {
    expect(await handler(event('GET /optimization/indexes/metrics', `bEARER   ${tokens.reader} `))).toMatchObject({
      isAuthorized: true,
    });
  });

  it.each([
    'GET /optimization/none',
    '$default',
    'POST /optimization/indexes/metrics',
    'GET /optimization/indexes/metrics/',
  ])('refuses the unknown route %s', async (key) => {
    expect(await handler(event(key, `Bearer ${tokens.reader}`))).toEqual(refused);
  });

  it('refuses routes that need no token: they are deployed without it', async () => {
    for (const { method, path } of routes.filter(({ scope }) => scope === null))
      expect(await handler(event(`${method} ${path}`, `Bearer ${tokens.reader}`))).toEqual(refused);
  });

  it('refuses an event without headers', async () => {
    const { headers: _, ...bare } = event('GET /optimization/indexes/metrics', undefined);
    expect(await handler(bare as APIGatewayRequestAuthorizerEventV2)).toEqual(refused);
  });
});
