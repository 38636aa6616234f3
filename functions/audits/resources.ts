import { resourceAuditHandler } from './audit.ts';
import { readFunctions } from './functions.ts';

/** Scheduled: audits the functions whose samples or metrics there are. */
export const handler = resourceAuditHandler(readFunctions);
