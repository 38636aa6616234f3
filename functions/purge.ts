import { type CloudFrontOptions, cloudFront } from '../lib/cache/cloudfront.ts';
import type { Cdn } from '../lib/cache/index.ts';
import { StreamGateError } from '../lib/errors.ts';
import type { Part } from '../lib/parts.ts';
import type { AuditReport } from './audits/audit.ts';
import { answerTag } from './tags.ts';

/**
 * What Lambda sends when an audit has succeeded: what the schedule had sent, and what the audit answered.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export interface AuditDone {
  /** Of the cache's audit, what it was told instead of what was scheduled. */
  requestPayload: { part: Part } | { requestPayload: { part: Part } };
  responsePayload: AuditReport;
}

let cdn: Cdn | undefined;

/**
 * Tells CloudFront to forget what an audit made old. A function of its own, because an audit stands in a network with no way to CloudFront's
 * API, which has no endpoint in it: Lambda itself carries the message, as the destination of the audit's success.
 */
export async function handler({ requestPayload, responsePayload }: AuditDone): Promise<{ purged: string[] }> {
  const { part } = 'part' in requestPayload ? requestPayload : requestPayload.requestPayload;
  const tags = Object.keys(responsePayload).map((database) => answerTag(part, database));
  cdn ??= cloudFront(distribution());
  await cdn.purge(tags);
  return { purged: tags };
}

function distribution(): CloudFrontOptions {
  const distributionId = process.env.STREAMGATE_DISTRIBUTION_ID;
  if (distributionId) return { distributionId };
  throw new StreamGateError(
    'configuration-invalid',
    'STREAMGATE_DISTRIBUTION_ID is missing. Set it to the CloudFront distribution before the API.',
  );
}
