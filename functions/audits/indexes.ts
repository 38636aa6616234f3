import { auditHandler } from './audit.ts';

/** Scheduled: audits the indexes of every configured database. */
export const handler = auditHandler('indexes');
