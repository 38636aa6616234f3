import { defineStage } from '../stage.ts';

/**
 * Everything. Where the database to watch stands in a network of yours, say so instead:
 *
 *   network: { kind: 'existing', vpcId: 'vpc-…', availabilityZones: ['eu-central-1a'], subnetIds: ['subnet-…'], routeTableIds: ['rtb-…'] },
 *   database: { kind: 'iam', host: '….rds.amazonaws.com', name: 'shop', user: 'streamgate', resourceId: 'cluster-…' },
 */
export default defineStage({
  logRetentionDays: 365,
  requestsPerSecond: 200,
  requestBurst: 400,
  protect: true,
  network: { kind: 'isolated' },
  database: { kind: 'aurora', minCapacity: 0.5, maxCapacity: 2 },
  cache: { kind: 'elasticache' },
  edge: {},
  alarms: { everyRoute: true },
});
