import { cacheAuditHandler } from './audit.ts';

/** Scheduled: audits the cache that the endpoints are served from. */
export const handler = cacheAuditHandler();
