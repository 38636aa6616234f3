import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Bundle } from './entries.ts';
import { FirewallStack } from './firewall.ts';
import { vpcOf } from './network.ts';
import type { Stage } from './stage.ts';
import { databaseOf } from './stage-database.ts';
import { StreamGate } from './streamgate.ts';

/** A stage in one stack, for any account and region unless its file says which; with a firewall in another one, where it has one. */
export class StreamGateStack extends Stack {
  readonly streamgate: StreamGate;

  constructor(scope: Construct, stage: Stage, bundles: readonly Bundle[]) {
    const { account, region } = stage;
    super(scope, `StreamGate-${stage.name}`, {
      env: { ...(account ? { account } : {}), ...(region ? { region } : {}) },
      description: 'StreamGate: audits a PostgreSQL database and serves what it found.',
      terminationProtection: stage.protect,
      tags: { service: 'streamgate', stage: stage.name },
    });
    const { name, network, database: _, account: __, region: ___, ...settings } = stage;
    const vpc = vpcOf(this, stage);
    const metricsEndpoint = network.kind !== 'none' && network.metricsEndpoint;
    const endpoints = network.kind !== 'existing' || network.endpoints;
    const database = databaseOf(this, stage, vpc);
    const webAclArn = this.firewall(scope, stage);
    this.streamgate = new StreamGate(this, 'StreamGate', {
      ...(settings as Omit<typeof settings, 'edge'>),
      ...(settings.edge ? { edge: settings.edge } : {}),
      ...{ name, database, vpc, endpoints, metricsEndpoint, webAclArn, bundles },
    });
  }

  private firewall(scope: Construct, stage: Stage): string | undefined {
    if (!stage.edge?.firewall) return undefined;
    this.addStackDependency(new FirewallStack(scope, stage, stage.edge.requestsPerFiveMinutes));
    return FirewallStack.arnOf(stage);
  }
}
