/** StreamGate as a construct for CDK apps: `import { StreamGate } from 'streamgate/infra'`. */
export type { Alarms } from './alarms.ts';
export type { Api, Endpoint } from './api.ts';
export type { Audits, DeployedAudit } from './audits.ts';
export type { RuleSettings } from './configuration.ts';
export {
  AuroraDatabase,
  type Database,
  databaseWithRole,
  databaseWithSecret,
  type Place,
  type RolePlace,
} from './database.ts';
export type { Edge } from './edge.ts';
export { IsolatedNetwork } from './network.ts';
export { ProxiedDatabase, type ProxyProps } from './proxy.ts';
export { StreamGate, type StreamGateProps } from './streamgate.ts';
