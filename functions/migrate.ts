import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { StreamGateError } from '../lib/errors.ts';
import { openPool } from '../lib/postgres/pool.ts';
import { settings } from './environment.ts';
import { keptHistory } from './kept-history.ts';

/** What became of the schema. */
export type Outcome = 'migrated' | 'no-settings-yet' | 'kept' | 'removed';

/** The name under which CloudFormation knows it: with another one it would be another resource, and this one deleted. */
const physicalId = 'streamgate-history';

/**
 * Brings the history's schema up to date before the functions that use it are replaced. CloudFormation calls it as a custom resource, when
 * what it is to know has changed, and waits for the answer at `ResponseURL`: a place in S3, which a network without a way out reaches through a
 * gateway endpoint. Two deployments at a time are safe: the one that comes second waits for the lock of the first.
 *
 * - https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requesttypes.html
 * - A delete keeps the data, unless `RemoveData` is `true`; and it never fails, since a stack that cannot be deleted helps nobody.
 */
export async function handler(event: CloudFormationCustomResourceEvent): Promise<{ outcome: Outcome }> {
  try {
    const outcome = event.RequestType === 'Delete' ? await remove(event.ResourceProperties) : await migrate();
    await answer(event, { Status: 'SUCCESS', Data: { outcome } });
    return { outcome };
  } catch (error) {
    const { message } = error as Error;
    // Messages of ours hold no password; what else there is may hold anything.
    const Reason = error instanceof StreamGateError ? message : 'Something unforeseen. The log of the function has it.';
    await answer(event, { Status: 'FAILED', Reason });
    throw error;
  }
}

async function migrate(): Promise<Outcome> {
  // A first deployment makes the secret that the settings are then put into; the audits migrate, too.
  if (!(await areThereSettings())) return 'no-settings-yet';
  await (await keptHistory()).migrate();
  return 'migrated';
}

async function areThereSettings(): Promise<boolean> {
  try {
    await settings();
    return true;
  } catch (error) {
    if (error instanceof StreamGateError && error.code === 'configuration-invalid') {
      console.warn(error.message);
      return false;
    }
    throw error;
  }
}

async function remove({ RemoveData }: Record<string, string>): Promise<Outcome> {
  if (RemoveData !== 'true') return 'kept';
  try {
    const pool = openPool((await settings()).historyUrl);
    try {
      await pool.query('drop schema if exists streamgate, streamgate_cache, streamgate_orders cascade');
    } finally {
      await pool.end();
    }
    return 'removed';
  } catch (error) {
    console.error(error);
    return 'kept';
  }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html */
async function answer(
  { StackId, RequestId, LogicalResourceId, ResponseURL }: CloudFormationCustomResourceEvent,
  result: { Status: 'SUCCESS'; Data: Record<string, string> } | { Status: 'FAILED'; Reason: string },
): Promise<void> {
  const body = JSON.stringify({ ...result, PhysicalResourceId: physicalId, StackId, RequestId, LogicalResourceId });
  // The signature is over an empty content type.
  const response = await fetch(ResponseURL, {
    method: 'PUT',
    body,
    headers: { 'content-type': '' },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`CloudFormation's address for the answer said ${response.status}.`);
}
