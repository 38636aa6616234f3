/** Events as AWS sends them, recorded from its documentation with the names replaced. */
import type { Route } from '../../../lib/http/endpoint.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, payload 2.0 */
export function apiEvent({ method, path, scope }: Route, query: Record<string, string> = {}): object {
  const rawQueryString = new URLSearchParams(query).toString();
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString,
    headers: {
      accept: '*/*',
      'accept-encoding': 'gzip, br',
      authorization: 'Bearer reader-token',
      'content-length': '0',
      host: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
      'user-agent': 'Amazon CloudFront',
      via: '2.0 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)',
      'x-amz-cf-id': 'YeNYeT0AzQmDAvAdOCPMhVLYWDzNHoXa1M0RTTGzgkmZjg3iyAiAEQ==',
      'x-amzn-trace-id': 'Root=1-65f0c1a2-0123456789abcdef01234567',
      'x-forwarded-for': '192.0.2.17, 130.176.0.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      'x-streamgate-origin': 'of-cloudfront',
    },
    ...(rawQueryString ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      ...(scope ? { authorizer: { lambda: { scopes: 'read operate' } } } : {}),
      domainName: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'a1b2c3d4e5',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.17', userAgent: 'Amazon CloudFront' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '23/Nov/2026:12:00:00 +0000',
      timeEpoch: 1795435200000,
    },
    isBase64Encoded: false,
  };
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html, payload 2.0 */
export function authorizerEvent(route: Route, headers: Record<string, string>): object {
  const { requestContext, ...event } = apiEvent(route) as { requestContext: { authorizer?: object } };
  const { authorizer: _, ...context } = requestContext;
  return {
    ...event,
    type: 'REQUEST',
    routeArn: `arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/$default/${route.method}${route.path}`,
    identitySource: Object.values(headers),
    headers: { host: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com', ...headers },
    requestContext: context,
    stageVariables: {},
  };
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html: the input of infra/audits.ts, filled in */
export function scheduledEvent(part: string): object {
  return { time: '2026-11-23T12:00:00Z', part };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
export function destinationEvent(part: string, responsePayload: object): object {
  return {
    version: '1.0',
    timestamp: '2026-11-23T12:00:04.000Z',
    requestContext: {
      requestId: 'e4b46cbf-b738-4a6d-8a3b-0c5a5d0a8e0f',
      functionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:audits:$LATEST',
      condition: 'Success',
      approximateInvokeCount: 1,
    },
    requestPayload: scheduledEvent(part),
    responseContext: { statusCode: 200, executedVersion: '$LATEST' },
    responsePayload,
  };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html */
export function customResourceEvent(
  RequestType: 'Create' | 'Update' | 'Delete',
  ResponseURL: string,
  properties: Record<string, string>,
): object {
  return {
    RequestType,
    ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:migrate',
    ResponseURL,
    StackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/StreamGate-prod/0a1b2c3d',
    RequestId: 'b6e9cd2e-1111-2222-3333-444455556666',
    ResourceType: 'Custom::StreamGateHistory',
    LogicalResourceId: 'StreamGateMigrationsSchema',
    ...(RequestType === 'Create' ? {} : { PhysicalResourceId: 'streamgate-history' }),
    ResourceProperties: { ServiceToken: 'arn', Schema: '0123456789abcdef', ...properties },
  };
}
