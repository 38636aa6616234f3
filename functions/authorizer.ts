import type { APIGatewayRequestAuthorizerEventV2, APIGatewaySimpleAuthorizerWithContextResult } from 'aws-lambda';
import { StreamGateError } from '../lib/errors.ts';
import { authorize } from '../lib/http/authentication.ts';
import { settings } from './environment.ts';
import { isFromOrigin, originSecretArn } from './origin.ts';
import { routes } from './routes.ts';

const refused = { isAuthorized: false, context: { scopes: '' } };

/**
 * The Lambda authorizer of the HTTP API (simple responses, payload 2.0): lets the bearer of a token
 * with the route's scope in, and hands the scopes on to the endpoint. Behind CloudFront it first asks whether the request came through that; then it
 * stands before public routes too.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export async function handler(
  event: APIGatewayRequestAuthorizerEventV2,
): Promise<APIGatewaySimpleAuthorizerWithContextResult<{ scopes: string }>> {
  const route = routes.find(({ method, path }) => `${method} ${path}` === event.routeKey);
  const arn = originSecretArn();
  if (!route || (arn && !(await isFromOrigin(event.headers, arn)))) return refused;
  if (route.scope === null) return arn ? { ...refused, isAuthorized: true } : refused;
  const { tokens } = await settings();
  try {
    const scopes = authorize(event.headers?.authorization, route.scope, tokens);
    return { isAuthorized: true, context: { scopes: scopes.join(' ') } };
  } catch (error) {
    if (!(error instanceof StreamGateError)) throw error;
    return refused;
  }
}
