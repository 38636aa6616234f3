import { RemovalPolicy } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { ServiceFunction } from './function.ts';

/**
 * What CloudFront says to the API, and nobody else can: an HTTP API has no firewall, no policy and no private address, so this is what keeps
 * requests from going round CloudFront. The authorizer compares it (functions/origin.ts).
 */
export class OriginLock extends Construct {
  readonly #secret: secretsmanager.Secret;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.#secret = new secretsmanager.Secret(this, 'Secret', {
      description: 'What CloudFront says to the API of StreamGate: current, and previous while it is changed.',
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'current',
        passwordLength: 48,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(this.#secret, {
      'AwsSolutions-SMG4':
        'A new value has to be given to CloudFront, which takes minutes to know it everywhere: docs/deploy.md has the three steps, with two values accepted meanwhile. Whoever knows it still needs a token to read anything.',
    });
  }

  /** The value, as a reference that CloudFormation resolves. */
  get value(): string {
    return this.#secret.secretValueFromJson('current').unsafeUnwrap();
  }

  /** Lets the authorizer compare it. */
  bind(to: ServiceFunction): void {
    to.bindSecret('STREAMGATE_ORIGIN_SECRET_ARN', this.#secret);
  }
}
