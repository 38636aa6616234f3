import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { settings } from '../functions/environment.ts';
import { routes } from '../functions/routes.ts';
import { StreamGateError } from '../lib/errors.ts';
import { authorize } from '../lib/http/authentication.ts';
import type { Route } from '../lib/http/endpoint.ts';
import { type Answer, problem } from '../lib/http/problem.ts';
import type { Scope } from '../lib/settings.ts';
import { page } from './page.ts';

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<Answer>;

/**
 * A stand-in for API Gateway's HTTP API: turns a request into a payload 2.0 event, lets the authorizer
 * judge it, calls the very function that Lambda runs, and turns its result back into a response.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 *
 * @param isReady until it says so, every request is asked to come again: the settings are not complete yet
 */
export async function createGateway(isReady: () => boolean = () => true): Promise<Server> {
  const handlers = new Map<Route, Handler>();
  for (const route of routes) {
    const module = (await import(/* @vite-ignore */ `../functions/${route.entry}.ts`)) as { handler: Handler };
    handlers.set(route, module.handler);
  }
  return createServer(async (request, response) => {
    const answer = isReady() ? serve(request, handlers) : Promise.reject(starting());
    send(request, response, await answer.catch(problem));
  });
}

function starting(): StreamGateError {
  return new StreamGateError('history-empty', 'StreamGate is starting. Try again in a moment.');
}

/** Listens, or says which port is taken. Returns the port, which the system chose where 0 was asked for. */
export async function listen(gateway: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((done, fail) => {
    gateway.once('error', (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === 'EADDRINUSE'
          ? `Port ${port} is in use. End the program that listens there, or set PORT to another one.`
          : `Cannot listen at ${host}:${port} (${cause.code}). Set PORT or HOST to something else.`;
      fail(new StreamGateError('port-in-use', message, { cause }));
    });
    gateway.listen(port, host, done);
  });
  const address = gateway.address();
  return typeof address === 'object' && address ? address.port : port;
}

async function serve(request: IncomingMessage, handlers: ReadonlyMap<Route, Handler>): Promise<Answer> {
  const url = URL.parse(`http://localhost${request.url}`);
  if (!url) throw new StreamGateError('path-unknown', 'The path cannot be read. See GET /openapi.json.');
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  const file = method === 'GET' ? await page(url.pathname) : undefined;
  if (file) return file;
  const here = routes.filter(({ path }) => path === url.pathname);
  const route = here.find((candidate) => candidate.method === method);
  if (here.length === 0) {
    throw new StreamGateError('path-unknown', `There is nothing at ${url.pathname}. See GET /openapi.json.`);
  }
  const handler = route && handlers.get(route);
  if (!handler) {
    const allowed = here.map((candidate) => candidate.method).join(', ');
    const answer = problem(
      new StreamGateError('method-not-allowed', `${url.pathname} takes ${allowed}, not ${method}.`),
    );
    return { ...answer, headers: { ...answer.headers, allow: allowed } };
  }
  const scopes =
    route.scope === null ? undefined : authorize(request.headers.authorization, route.scope, (await settings()).tokens);
  return handler(toEvent(request, url, route, scopes, await readBody(request)), context(route));
}

/** API Gateway takes bodies of up to 10 MB; no endpoint needs a hundredth of that. */
const maxBodyBytes = 64 * 1024;

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Read to its end even when it is too large: who is still sending does not hear an answer.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (size > maxBodyBytes) {
    throw new StreamGateError('parameter-invalid', `The body is larger than ${maxBodyBytes} bytes. Send less.`);
  }
  return size === 0 ? undefined : Buffer.concat(chunks).toString();
}

function toEvent(
  request: IncomingMessage,
  url: URL,
  route: Route,
  scopes: Scope[] | undefined,
  body: string | undefined,
): APIGatewayProxyEventV2 {
  const routeKey = `${route.method} ${route.path}`;
  const now = new Date();
  // As API Gateway does it: several values of a name are joined with commas.
  const query = Object.fromEntries(
    [...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name).join()]),
  );
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join() : value]),
  );
  return {
    version: '2.0',
    routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    ...(Object.keys(query).length > 0 ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      domainName: request.headers.host ?? 'localhost',
      domainPrefix: 'local',
      http: {
        method: route.method,
        path: url.pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
      ...(scopes ? { authorizer: { lambda: { scopes: scopes.join(' ') } } } : {}),
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: false,
  };
}

/** Lambda gives an API's function at most 29 seconds. */
const invocationMs = 29_000;

function context(route: Route): Context {
  const deadline = Date.now() + invocationMs;
  const name = route.entry.replaceAll('/', '-');
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${name}`,
    memoryLimitInMB: '512',
    awsRequestId: randomUUID(),
    logGroupName: 'local',
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  // What a 304 says of its length would be said of the body that the client has.
  const length = answer.statusCode === 304 ? {} : { 'content-length': Buffer.byteLength(answer.body) };
  response.writeHead(answer.statusCode, { ...answer.headers, ...length });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}
