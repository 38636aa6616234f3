import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { originHeader } from '../functions/origin.ts';
import { acknowledge } from './acknowledge.ts';
import { purgeEntry } from './entries.ts';
import { type Service, ServiceFunction } from './function.ts';
import type { OriginLock } from './origin-lock.ts';

/** The response header in which CloudFront finds the tags of an object. */
export const tagHeader = 'cache-tag';

/** What stands before and behind it. */
export interface EdgeProps {
  service: Service;
  /** The host of the API. */
  origin: string;
  lock: OriginLock;
  /** Where purges end that were given up. */
  failed: sqs.Queue;
  domain?: { name: string; certificateArn: string } | undefined;
  /** Of WAF, for CloudFront. */
  webAclArn?: string | undefined;
}

/**
 * The third level of the cache: CloudFront before the API. An answer is kept for as long as its `Cache-Control` says, under the token
 * that asked for it, and purged by its tags.
 *
 * - https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html
 * - `Authorization` stands in the cache policy: an origin request policy may not have it, and answers must never be shared between tokens.
 *   https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html#add-origin-custom-headers-forward-authorization
 */
export class Edge extends Construct {
  readonly distribution: cloudfront.Distribution;
  /** Where the service answers, without a slash at the end. */
  readonly url: string;
  /** Purges what an audit made old: the destination of its success. */
  readonly purge: ServiceFunction;

  constructor(scope: Construct, id: string, props: EdgeProps) {
    super(scope, id);
    const { service, domain, webAclArn } = props;
    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: `StreamGate ${service.stage.name}`,
      defaultBehavior: {
        origin: new HttpOrigin(props.origin, {
          protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
          originSslProtocols: [cloudfront.OriginSslPolicy.TLS_V1_2],
          customHeaders: { [originHeader]: props.lock.value },
        }),
        allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
        cachePolicy: this.cachePolicy(),
        originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        responseHeadersPolicy: this.headers(),
        compress: true,
      },
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      priceClass: cloudfront.PriceClass.PRICE_CLASS_100,
      // The hit rate is one of them.
      publishAdditionalMetrics: true,
      enableLogging: true,
      logBucket: this.logBucket(service),
      ...(webAclArn ? { webAclId: webAclArn } : {}),
      ...(domain
        ? {
            minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            domainNames: [domain.name],
            certificate: acm.Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
          }
        : {}),
    });
    const resource = this.distribution.node.defaultChild as cloudfront.CfnDistribution;
    resource.addPropertyOverride('DistributionConfig.CacheTagConfig', { HeaderName: tagHeader });
    this.url = `https://${domain?.name ?? this.distribution.distributionDomainName}`;
    acknowledge(this.distribution, {
      'AwsSolutions-CFR1': 'Who asks is known by a token; from which country does not matter.',
      ...(webAclArn
        ? {}
        : {
            'AwsSolutions-CFR2':
              'The stage was configured without a firewall (edge.firewall in its file), to save its price. Requests are throttled by the API, and need a token.',
          }),
      ...(domain
        ? {}
        : {
            'AwsSolutions-CFR4':
              "Without a name of one's own there is only the certificate of *.cloudfront.net, for which CloudFront chooses the protocol; its clients negotiate TLS 1.2 or 1.3. A stage with edge.domain has TLSv1.2_2021.",
          }),
    });
    this.purge = this.purger(service, props.failed);
  }

  private cachePolicy(): cloudfront.CachePolicy {
    return new cloudfront.CachePolicy(this, 'ByToken', {
      comment: 'As long as Cache-Control says, for each token apart',
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.days(1),
      headerBehavior: cloudfront.CacheHeaderBehavior.allowList('Authorization'),
      queryStringBehavior: cloudfront.CacheQueryStringBehavior.all(),
      cookieBehavior: cloudfront.CacheCookieBehavior.none(),
      enableAcceptEncodingBrotli: true,
      enableAcceptEncodingGzip: true,
    });
  }

  private headers(): cloudfront.ResponseHeadersPolicy {
    return new cloudfront.ResponseHeadersPolicy(this, 'SecurityHeaders', {
      comment: 'What browsers are told',
      securityHeadersBehavior: {
        strictTransportSecurity: { accessControlMaxAge: Duration.days(365), includeSubdomains: true, override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: cloudfront.HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: cloudfront.HeadersReferrerPolicy.NO_REFERRER, override: true },
        // A page may say more than JSON needs.
        contentSecurityPolicy: { contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'", override: false },
      },
    });
  }

  /** CloudFront writes its log of requests as the owner of the objects, by access control list: that is its interface. */
  private logBucket({ stage }: Service): s3.IBucket {
    const bucket = new s3.Bucket(this, 'Log', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: s3.ObjectOwnership.OBJECT_WRITER,
      lifecycleRules: [{ expiration: Duration.days(stage.logRetentionDays) }],
      // One that holds anything cannot be deleted with the stack.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(bucket, {
      'AwsSolutions-S1': 'It is itself the bucket of a log; nobody reads it but the owner of the account.',
    });
    return bucket as s3.IBucket;
  }

  private purger(service: Service, failed: sqs.Queue): ServiceFunction {
    const purge = new ServiceFunction(this, 'Purge', {
      service,
      entry: purgeEntry,
      description: 'Tells CloudFront what an audit made old.',
      memoryMb: 256,
      timeout: Duration.minutes(2),
      events: { maxEventAge: Duration.minutes(5), retryAttempts: 2, onFailure: new SqsDestination(failed) },
    });
    const arn = Stack.of(this).formatArn({
      service: 'cloudfront',
      region: '',
      resource: 'distribution',
      resourceName: this.distribution.distributionId,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    const variables = { STREAMGATE_DISTRIBUTION_ID: this.distribution.distributionId };
    purge.bindResource(variables, ['cloudfront:CreateInvalidation'], [arn]);
    return purge;
  }
}
