import { defineStage } from '../stage.ts';

/**
 * From an empty account to a dashboard with one command: a network and a small Aurora of its own, which sleeps between two
 * audits. No second level but PostgreSQL, no CloudFront, one set of alarms.
 */
export default defineStage({
  network: { kind: 'isolated' },
  database: { kind: 'aurora' },
  auditEveryMinutes: { queries: 60, resources: 60 },
  logRetentionDays: 7,
  removeData: true,
});
