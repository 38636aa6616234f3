import { Names } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import { Construct } from 'constructs';
import type { ServiceFunction } from './function.ts';
import type { Network } from './network.ts';

/**
 * What the user may do, and to which keys: what lib/cache/redis.ts does, and nothing else. A test runs it on a server with this very rule.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html#Access-string
 */
export const accessString =
  'on ~{streamgate}:* ~{streamgate-orders}:* resetchannels -@all +@connection +@read +@write +@scripting -@dangerous -@admin +time +cluster|slots';

/** What it may cost at most, in what AWS counts. */
export interface SecondLevelProps {
  network: Network;
  /** The most that it keeps, in GB. */
  maxGb: number;
  /** The most ElastiCache processing units a second. */
  maxEcpuPerSecond: number;
}

/**
 * The second level of the cache: ElastiCache Serverless for Valkey, encrypted at rest and on the way, with one user who is a function's role. What it
 * may keep and do is bounded, and with that what it can cost.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.html
 */
export class SecondLevel extends Construct {
  readonly cache: elasticache.CfnServerlessCache;
  readonly #user: elasticache.CfnUser;

  constructor(scope: Construct, id: string, { network, maxGb, maxEcpuPerSecond }: SecondLevelProps) {
    super(scope, id);
    const name = Names.uniqueResourceName(this, { maxLength: 40, separator: '-' }).toLowerCase();
    const securityGroup = new ec2.SecurityGroup(this, 'Server', {
      vpc: network.vpc,
      description: 'The second level of the cache',
      allowAllOutbound: false,
    });
    network.allow(6379, 'Valkey', securityGroup);
    // With IAM the name and the id of a user must be the same.
    this.#user = new elasticache.CfnUser(this, 'User', {
      engine: 'valkey',
      userId: name,
      userName: name,
      authenticationMode: { Type: 'iam' },
      accessString,
    });
    const group = new elasticache.CfnUserGroup(this, 'Users', {
      engine: 'valkey',
      userGroupId: name,
      userIds: [this.#user.ref],
    });
    this.cache = new elasticache.CfnServerlessCache(this, 'Cache', {
      engine: 'valkey',
      majorEngineVersion: '8',
      serverlessCacheName: name,
      description: 'The second level of the cache of StreamGate',
      cacheUsageLimits: {
        dataStorage: { unit: 'GB', maximum: maxGb },
        ecpuPerSecond: { maximum: maxEcpuPerSecond },
      },
      subnetIds: network.vpc.selectSubnets(network.subnets).subnetIds,
      securityGroupIds: [securityGroup.securityGroupId],
      userGroupId: group.ref,
      // It can be made again at any time.
      snapshotRetentionLimit: 0,
    });
  }

  /** Lets a function log in. */
  bind(to: ServiceFunction): void {
    const { attrEndpointAddress: host, attrEndpointPort: port, serverlessCacheName: name } = this.cache;
    const variables = {
      REDIS_URL: `rediss://${this.#user.userName}@${host}:${port}`,
      STREAMGATE_ELASTICACHE_NAME: name,
    };
    to.bindResource(variables, ['elasticache:Connect'], [this.cache.attrArn, this.#user.attrArn]);
  }

  /** The name that its metrics stand under. */
  get cacheName(): string {
    return this.cache.serverlessCacheName;
  }
}
