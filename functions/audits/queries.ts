import { auditHandler } from './audit.ts';

/** Scheduled: audits the queries of every configured database. */
export const handler = auditHandler('queries');
