import { Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { originHeader } from '../functions/origin.ts';
import { routes } from '../functions/routes.ts';
import type { Route } from '../lib/http/endpoint.ts';
import { acknowledge } from './acknowledge.ts';
import { authorizerEntry } from './entries.ts';
import { idOf, type Service, ServiceFunction } from './function.ts';
import type { OriginLock } from './origin-lock.ts';

/** A third of a CPU: what an endpoint does is wait for the history. */
const endpointMemoryMb = 512;

/**
 * More than the 25 s for which the history lets itself be waited for, so that the caller gets its
 * error; less than the 30 s after which API Gateway gives up.
 */
const endpointTimeout = Duration.seconds(28);

/** API Gateway waits 10 s for an authorizer; by then the caller has long gone. */
const authorizerTimeout = Duration.seconds(5);

/** For so long a token that has been taken back still opens what it opened before. */
const authorizerCacheTtl = Duration.minutes(5);

/** An endpoint and the function that answers it. */
export interface Endpoint {
  route: Route;
  function: ServiceFunction;
}

/** The HTTP API: one route and one function for each endpoint in functions/routes.ts. */
export class Api extends Construct {
  /** Where the API answers, without a slash at the end. */
  readonly url: string;
  /** The host of it. */
  readonly host: string;
  /** The id that its metrics stand under. */
  readonly id: string;
  readonly endpoints: readonly Endpoint[];
  readonly authorizer: ServiceFunction;
  readonly #httpApi: apigateway.HttpApi;

  /** @param lock what CloudFront says; without it the API is open to everybody who has a token */
  constructor(scope: Construct, id: string, service: Service, lock?: OriginLock) {
    super(scope, id);
    this.#httpApi = new apigateway.HttpApi(this, 'HttpApi', {
      apiName: `streamgate-${service.stage.name}`,
      createDefaultStage: false,
    });
    this.url = this.#httpApi.apiEndpoint;
    this.host = Fn.select(2, Fn.split('/', this.url));
    this.id = this.#httpApi.apiId;
    this.publish(service);
    this.authorizer = new ServiceFunction(this, 'Authorizer', {
      service,
      entry: authorizerEntry,
      description: "Lets the bearer of a token with the route's scope in.",
      memoryMb: endpointMemoryMb,
      timeout: authorizerTimeout,
    });
    lock?.bind(this.authorizer);

    const origin = lock ? [`$request.header.${originHeader}`] : [];
    // Without the route the answer for one that asks for less would be kept for one that asks for more.
    const guarded = this.authorizerBy('TokenAuthorizer', [
      '$request.header.Authorization',
      '$context.routeKey',
      ...origin,
    ]);
    const open = lock ? this.authorizerBy('OriginAuthorizer', ['$context.routeKey', ...origin]) : undefined;
    this.endpoints = routes.map((route) => this.endpoint(service, route, route.scope === null ? open : guarded));
  }

  private authorizerBy(id: string, identitySource: string[]): HttpLambdaAuthorizer {
    return new HttpLambdaAuthorizer(id, this.authorizer.lambda, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      identitySource,
      resultsCacheTtl: authorizerCacheTtl,
    });
  }

  private endpoint(service: Service, route: Route, authorizer: HttpLambdaAuthorizer | undefined): Endpoint {
    const { method, path, entry, summary } = route;
    const endpoint = new ServiceFunction(this, idOf(entry), {
      service,
      entry,
      description: `${method} ${path}: ${summary}`,
      memoryMb: endpointMemoryMb,
      timeout: endpointTimeout,
    });
    const [added] = this.#httpApi.addRoutes({
      path,
      methods: [apigateway.HttpMethod[method]],
      integration: new HttpLambdaIntegration(`${idOf(entry)}Integration`, endpoint.lambda),
      ...(authorizer ? { authorizer } : {}),
    });
    if (added && !authorizer) {
      acknowledge(added, {
        'AwsSolutions-APIG4': `${method} ${path} is public on purpose (scope null in functions/routes.ts): it tells a stranger nothing about a database, and monitors and clients need it before they have a token. It is throttled and logged like every route.`,
      });
    }
    return { route, function: endpoint };
  }

  /** The one stage of the API: what it lets through, and the log of who asked for what. */
  private publish({ stage }: Service): void {
    const accessLog = new logs.LogGroup(this, 'AccessLog', {
      retention: stage.logRetentionDays,
      removalPolicy: stage.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    new apigateway.HttpStage(this, 'Stage', {
      httpApi: this.#httpApi,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: stage.requestsPerSecond, burstLimit: stage.requestBurst },
      // Metrics for each route, which alarms on one endpoint need.
      detailedMetricsEnabled: true,
      accessLogSettings: {
        destination: new apigateway.LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
      },
    });
  }
}

/** A line of the access log. No query string and no header: a token or a customer's name may be in them. */
const accessLogFields = {
  time: '$context.requestTimeEpoch',
  requestId: '$context.requestId',
  ip: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  functionMs: '$context.integrationLatency',
  responseBytes: '$context.responseLength',
  error: '$context.error.message',
  authorizerError: '$context.authorizer.error',
  integrationError: '$context.integrationErrorMessage',
};
