/** The answers that several endpoints give: a list or an object out of the newest audit of a part. */
import type { Part } from '../lib/audit.ts';
import { StreamGateError } from '../lib/errors.ts';
import type { Reply } from '../lib/http/endpoint.ts';
import type { AuditHead, Page } from '../lib/postgres/history.ts';
import { chooseDatabase } from '../lib/settings.ts';
import { history, settings } from './environment.ts';

interface ListRequest {
  database?: string | undefined;
  limit: number;
}

/** The rows of the newest snapshot: its indexes, or its statements. */
export function answerRows(part: Part, request: ListRequest): Promise<Reply> {
  return answerPage(part, request, async (audit) => (await history()).rows(audit, request.limit));
}

/** What a rule found in the newest snapshot. */
export function answerFindings(part: Part, rule: string, request: ListRequest): Promise<Reply> {
  return answerPage(part, request, async (audit) => (await history()).findings(audit, rule, request.limit));
}

/** The figures over the newest snapshot. */
export async function answerSummary(part: Part, database: string | undefined): Promise<Reply> {
  const { name, audit } = await newest(part, database);
  return { body: { data: await (await history()).summary(audit), meta: metaOf(name, audit) } };
}

async function answerPage(
  part: Part,
  request: ListRequest,
  read: (audit: AuditHead) => Promise<Page<unknown>>,
): Promise<Reply> {
  const { name, audit } = await newest(part, request.database);
  const { rows, total } = await read(audit);
  return { body: { data: rows, meta: { ...metaOf(name, audit), total, limit: request.limit } } };
}

/** The newest audit of a part. @throws StreamGateError `database-unknown` or `history-empty` */
async function newest(part: Part, database: string | undefined): Promise<{ name: string; audit: AuditHead }> {
  const { name } = chooseDatabase((await settings()).databases, database);
  const audit = await (await history()).latest(name, part);
  if (audit) return { name, audit };
  throw historyEmpty(name, part);
}

/** Nothing to answer yet. */
export function historyEmpty(database: string, part?: Part): StreamGateError {
  const what = part ? `the ${part} of "${database}"` : `"${database}"`;
  return new StreamGateError('history-empty', `No audit of ${what} has finished yet. Try again after the next one.`);
}

function metaOf(database: string, { takenAt, notes }: AuditHead) {
  return { takenAt, database, notes };
}
