import { resourceAuditHandler } from './audit.ts';

/** Scheduled: audits the functions whose samples there are. */
export const handler = resourceAuditHandler();
