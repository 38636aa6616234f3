import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { z } from 'zod';
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
}

/** What a function answers: a status other than 200 only where the route says so. */
export interface Reply {
  status?: number;
  body: object;
}

/**
 * Makes a Lambda handler (HTTP API, payload 2.0) of a route and a function: middy lets the caller in,
 * checks the parameters, turns the reply into JSON and any error into a problem.
 *
 * @example export const handler = endpoint(slow, async ({ parameters }) => ({ body: await find(parameters.limit) }));
 */
export function endpoint<Parameters extends z.ZodType>(
  route: Route<Parameters>,
  respond: (request: EndpointRequest<z.infer<Parameters>>) => Promise<Reply>,
) {
  return middy<APIGatewayProxyEventV2, Answer>()
    .before(({ event }) => letIn(route, event))
    .onError((request) => {
      request.response = problem(request.error);
    })
    .handler(async (event) => {
      const parameters = readParameters(route, event.queryStringParameters ?? {});
      const { status = 200, body } = await respond({ parameters, headers: event.headers });
      return {
        statusCode: status,
        headers: { ...commonHeaders, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      };
    });
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
