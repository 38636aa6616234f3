import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import type { z } from 'zod';
import { type Lifetime, respond as respondCacheable } from '../cache/http.ts';
import { StreamGateError } from '../errors.ts';
import { type Scope, scopes } from '../settings.ts';
import { type Answer, commonHeaders, problem } from './problem.ts';

/** One endpoint of the API: all that its function, its infrastructure and its documentation need to know. */
export interface Route<Parameters extends z.ZodType = z.ZodType> {
  method: 'GET' | 'POST';
  path: `/${string}`;
  /** The file under functions/, without its ending. */
  entry: string;
  summary: string;
  /** What the caller's token must allow; null for everybody. */
  scope: Scope | null;
  /** The query parameters; an unknown one is refused. */
  parameters: Parameters;
  /** The body of a 200 answer. */
  response: z.ZodType;
  /** Other statuses with the same body. */
  otherStatuses?: number[];
}

/** A request that has been let in and checked. */
export interface EndpointRequest<Parameters> {
  parameters: Parameters;
  headers: Record<string, string | undefined>;
  context: Context;
}

/** What a function answers, once: a status other than 200 only where the route says so. */
export interface OneReply {
  status?: number;
  body: object;
}

/** What a function answers, and others may keep: a JSON text, and how. */
export interface CacheableReply {
  text: string;
  keep: Lifetime & {
    /** The keys and tags that it is purged by. */
    labels: readonly string[];
    /** The header in which the CDN looks for them; none without a CDN. */
    tagHeader: string | undefined;
  };
}

/** One or the other. */
export type Reply = OneReply | CacheableReply;

/**
 * Makes a Lambda handler (HTTP API, payload 2.0) of a route and a function: middy lets the caller in,
 * checks the parameters, turns the reply into JSON and any error into a problem.
 *
 * @param around middlewares, the outermost first
 * @example export const handler = endpoint(slow, async ({ parameters }) => ({ body: await find(parameters.limit) }));
 */
export function endpoint<Parameters extends z.ZodType>(
  route: Route<Parameters>,
  respond: (request: EndpointRequest<z.infer<Parameters>>) => Promise<Reply>,
  around: readonly MiddlewareObj[] = [],
) {
  return middy<APIGatewayProxyEventV2, Answer>()
    .use([...around])
    .before(({ event }) => letIn(route, event))
    .onError((request) => {
      request.response = problem(request.error);
    })
    .handler(async (event, context) => {
      const parameters = readParameters(route, event.queryStringParameters ?? {});
      return toAnswer(await respond({ parameters, headers: event.headers, context }), event.headers['if-none-match']);
    });
}

const contentType = 'application/json';

function toAnswer(reply: Reply, ifNoneMatch: string | undefined): Answer {
  if ('body' in reply) {
    const { status = 200, body } = reply;
    return {
      statusCode: status,
      headers: { ...commonHeaders, 'content-type': contentType },
      body: JSON.stringify(body),
    };
  }
  const { text, keep } = reply;
  // What one caller may see another one may not.
  const answer = respondCacheable({ ...keep, body: text, contentType, ifNoneMatch, vary: ['authorization'] });
  return { ...answer, headers: { ...commonHeaders, ...answer.headers } };
}

/** The authorizer has judged already; a route that was deployed without one stays shut all the same. */
function letIn(route: Route, event: APIGatewayProxyEventV2): void {
  if (route.scope === null) return;
  const context = event.requestContext as { authorizer?: { lambda?: { scopes?: string } } };
  const granted = context.authorizer?.lambda?.scopes?.split(' ') ?? [];
  if (scopes.some((scope) => scope === route.scope && granted.includes(scope))) return;
  throw new StreamGateError('scope-missing', `This needs a token with the scope "${route.scope}".`);
}

function readParameters<Parameters extends z.ZodType>(route: Route<Parameters>, given: object): z.infer<Parameters> {
  const parsed = route.parameters.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = issue?.path.join('.') || (issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : '');
  throw new StreamGateError(
    'parameter-invalid',
    `${name}: ${issue?.message}. See GET /openapi.json for what this path takes.`,
  );
}
