import type { APIGatewayRequestAuthorizerEventV2, APIGatewaySimpleAuthorizerWithContextResult } from 'aws-lambda';
import { StreamGateError } from '../lib/errors.ts';
import { authorize } from '../lib/http/authentication.ts';
import { settings } from './environment.ts';
import { routes } from './routes.ts';

/**
 * The Lambda authorizer of the HTTP API (simple responses, payload 2.0): lets the bearer of a token
 * with the route's scope in, and hands the scopes on to the endpoint.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export async function handler(
  event: APIGatewayRequestAuthorizerEventV2,
): Promise<APIGatewaySimpleAuthorizerWithContextResult<{ scopes: string }>> {
  const route = routes.find(({ method, path }) => `${method} ${path}` === event.routeKey);
  if (!route?.scope) return { isAuthorized: false, context: { scopes: '' } };
  const { tokens } = await settings();
  try {
    const scopes = authorize(event.headers?.authorization, route.scope, tokens);
    return { isAuthorized: true, context: { scopes: scopes.join(' ') } };
  } catch (error) {
    if (!(error instanceof StreamGateError)) throw error;
    return { isAuthorized: false, context: { scopes: '' } };
  }
}
