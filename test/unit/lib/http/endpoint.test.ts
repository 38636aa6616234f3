import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { StreamGateError } from '../../../../lib/errors.ts';
import { endpoint, type Reply, type Route } from '../../../../lib/http/endpoint.ts';
import { listParameters, noParameters, recommendationParameters } from '../../../../lib/http/parameters.ts';

const log = vi.spyOn(console, 'error').mockImplementation(() => {});

const listRoute = {
  method: 'GET',
  path: '/things',
  entry: 'things',
  summary: 'Things.',
  scope: 'read',
  parameters: listParameters,
  response: z.object({}),
} as const satisfies Route;

interface Sent {
  query?: Record<string, string>;
  scopes?: string | undefined;
  headers?: Record<string, string>;
}

/** A request as API Gateway hands it on after the authorizer let it in. */
function event({ query, scopes, headers = {} }: Sent): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    rawPath: '/things',
    headers,
    ...(query === undefined ? {} : { queryStringParameters: query }),
    requestContext: scopes === undefined ? {} : { authorizer: { lambda: { scopes } } },
  } as unknown as APIGatewayProxyEventV2;
}

async function call(
  sent: Sent = {},
  respond: (request: { parameters: unknown; headers: object }) => Promise<Reply> = async (body) => ({ body }),
  route: Route = listRoute,
) {
  const answer = await endpoint(route, respond)(event({ scopes: 'read', ...sent }), {} as Context);
  return { ...answer, body: JSON.parse(answer.body) };
}

describe('an endpoint', () => {
  test('answers JSON for no cache', async () => {
    expect(await call({}, async () => ({ body: { data: [1] } }))).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
      body: { data: [1] },
    });
  });

  test('answers another status where its function says so', async () => {
    expect(await call({}, async () => ({ status: 503, body: {} }))).toMatchObject({ statusCode: 503 });
  });

  test('hands on the parameters, checked, and the headers', async () => {
    const { body } = await call({ query: { database: 'shop', limit: '7' }, headers: { authorization: 'x' } });
    expect(body).toMatchObject({ parameters: { database: 'shop', limit: 7 }, headers: { authorization: 'x' } });
  });

  test('knows the defaults', async () => {
    expect((await call()).body.parameters).toEqual({ limit: 50 });
    const { body } = await call({ query: {} }, undefined, { ...listRoute, parameters: recommendationParameters });
    expect(body.parameters).toEqual({ limit: 50, status: 'open' });
  });

  test.each(['1', '500', '050'])('takes the limit %s', async (limit) => {
    expect((await call({ query: { limit } })).statusCode).toBe(200);
  });

  test.each(['0', '501', '-1', '1.5', '1e2', 'ten', '', ' 5', '5 ', '1,2', '0x10', '9'.repeat(400), '٣'])(
    'refuses the limit "%s"',
    async (limit) => {
      const { statusCode, body } = await call({ query: { limit } });
      expect(statusCode).toBe(400);
      expect(body).toMatchObject({ code: 'parameter-invalid', detail: expect.stringMatching(/^limit: /) });
    },
  );

  test('refuses a parameter that it does not know, naming it', async () => {
    const { statusCode, headers, body } = await call({ query: { limti: '5' } });
    expect(statusCode).toBe(400);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toMatchObject({ code: 'parameter-invalid', detail: expect.stringMatching(/^limti: .*openapi\.json/) });
  });

  test('refuses any parameter where it takes none', async () => {
    const route = { ...listRoute, parameters: noParameters };
    expect((await call({ query: { limit: '5' } }, undefined, route)).statusCode).toBe(400);
    expect((await call({}, undefined, route)).statusCode).toBe(200);
  });

  test('refuses an empty name of a database and a status that there is not', async () => {
    const route = { ...listRoute, parameters: recommendationParameters };
    expect((await call({ query: { database: '' } })).body.detail).toMatch(/^database: /);
    expect((await call({ query: { status: 'closed' } }, undefined, route)).body.detail).toMatch(/^status: /);
  });
});

describe('the door', () => {
  const respond = vi.fn(async () => ({ body: {} }));

  test.each([undefined, '', 'operate', 'reading', 'read,operate'])('stays shut for the scopes %j', async (scopes) => {
    respond.mockClear();
    const { statusCode, body } = await call({ scopes }, respond);
    expect([statusCode, body.code]).toEqual([403, 'scope-missing']);
    expect(respond).not.toHaveBeenCalled();
  });

  test.each(['read', 'read operate', 'operate read'])('opens for the scopes "%s"', async (scopes) => {
    expect((await call({ scopes }, respond)).statusCode).toBe(200);
  });

  test('is judged before the parameters: a stranger learns nothing of them', async () => {
    expect((await call({ scopes: undefined, query: { limti: '5' } })).statusCode).toBe(403);
  });

  test('is open where the route needs no scope', async () => {
    expect((await call({ scopes: undefined }, respond, { ...listRoute, scope: null })).statusCode).toBe(200);
  });
});

describe('a failure', () => {
  test('that was foreseen is answered with its code and words', async () => {
    const { statusCode, body } = await call({}, async () => {
      throw new StreamGateError('history-empty', 'Wait for the first audit.');
    });
    expect([statusCode, body.code, body.detail]).toEqual([503, 'history-empty', 'Wait for the first audit.']);
  });

  test('that was not foreseen is answered with no word of it, and logged', async () => {
    const error = new Error('geheim');
    const answer = await call({}, async () => {
      throw error;
    });
    expect([answer.statusCode, answer.body.code]).toEqual([500, 'internal']);
    expect(JSON.stringify(answer)).not.toContain('geheim');
    expect(log).toHaveBeenCalledWith(error);
  });

  test('to write the answer is a failure like any other', async () => {
    const circular: { self?: object } = {};
    circular.self = circular;
    expect((await call({}, async () => ({ body: circular }))).body.code).toBe('internal');
  });
});
