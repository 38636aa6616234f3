import type { APIGatewayRequestAuthorizerEventV2, APIGatewaySimpleAuthorizerWithContextResult } from 'aws-lambda';
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
  try {
    const scopes = authorize(event.headers?.authorization, route.scope, settings().tokens);
    return { isAuthorized: true, context: { scopes: scopes.join(' ') } };
  } catch {
    return { isAuthorized: false, context: { scopes: '' } };
  }
}
