import { withSamplesMissing } from '../../lib/resources/missing.ts';
import { resourceAuditHandler } from './audit.ts';
import { readFunctions } from './functions.ts';

/** Scheduled: audits the functions whose samples or metrics there are. */
export const handler = resourceAuditHandler(async () => withSamplesMissing(await readFunctions()));
