/**
 * The words of the advice:
 *
 * - snapshot: what a database looked like at one moment; plain data, JSON-safe.
 * - rule: a pure function from a snapshot to findings, with an id such as `indexes/unused`.
 * - finding: one thing that is wrong, with its evidence in numbers and, where there is one, an action.
 * - recommendation: a finding with a life: open, applied, verified, dismissed.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';

/** How much a finding matters, worst first. */
export const severities = ['critical', 'warning', 'info'] as const;

/** One of {@link severities}. */
export type Severity = (typeof severities)[number];

/** What a finding is about. `index` is the index that the action concerns. */
export const Subject = z
  .strictObject({
    database: z.string(),
    schema: z.string().optional(),
    table: z.string().optional(),
    index: z.string().optional(),
    queryId: z.string().optional(),
    function: z.string().optional(),
    sequence: z.string().optional(),
  })
  .meta({ id: 'Subject', description: 'What the finding is about.' });
export type Subject = z.infer<typeof Subject>;

/** What to do: `undoSql` reverses `sql`; `caution` says what to check or expect first. */
export const Action = z
  .strictObject({
    kind: z.enum(['sql', 'config', 'code']),
    sql: z.string().optional(),
    undoSql: z.string().optional(),
    caution: z.string().optional(),
  })
  .meta({ id: 'Action', description: 'What to do about the finding.' });
export type Action = z.infer<typeof Action>;

/** What would be gained: disk space, database time a day, and cost after / cost before. */
export const Impact = z
  .strictObject({
    bytes: z.number().optional(),
    msPerDay: z.number().optional(),
    costRatio: z.number().optional(),
  })
  .meta({ id: 'Impact', description: 'What the action would gain.' });
export type Impact = z.infer<typeof Impact>;

/** What an index that is to be created is expected to bring. Costs are the planner's, of one call. */
export const Expectation = z
  .strictObject({
    /** Right after it is built. */
    sizeBytes: z.number(),
    statements: z.array(
      z.strictObject({
        queryId: z.string(),
        costBefore: z.number(),
        costAfter: z.number(),
        /** The ids of other findings whose indexes must be there as well for it to cost so little. */
        together: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Expectation', description: 'What an index that is to be created is expected to bring.' });
export type Expectation = z.infer<typeof Expectation>;

/** One thing that is wrong. A contract: other programs read this shape. */
export const Finding = z
  .strictObject({
    id: z.string().describe('Stable hash of the rule and the subject.'),
    rule: z.string(),
    severity: z.enum(severities),
    subject: Subject,
    title: z.string(),
    detail: z.string(),
    evidence: z.record(z.string(), z.union([z.number(), z.string()])),
    impact: Impact.optional(),
    action: Action.optional(),
    expected: Expectation.optional(),
  })
  .meta({ id: 'Finding', description: 'One thing that is wrong, with its evidence in numbers.' });
export type Finding = z.infer<typeof Finding>;

/**
 * The id of the finding of a rule about a subject: the same at every audit, so that a
 * recommendation can be followed. 64 bits of SHA-256 in hex.
 */
export function findingId(rule: string, subject: Subject): string {
  const { database, schema, table, index, queryId, function: fn, sequence } = subject;
  // A part that came later stands behind the others, and only where there is one: ids are for ever.
  const parts = [rule, database, schema, table, index, queryId, fn].map((part) => part ?? null);
  const key = JSON.stringify(sequence === undefined ? parts : [...parts, sequence]);
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/** Worst first; among equals the larger gain first, then by id, so that the order never wavers. */
export function bySeverity(a: Finding, b: Finding): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    (b.impact?.msPerDay ?? 0) - (a.impact?.msPerDay ?? 0) ||
    (b.impact?.bytes ?? 0) - (a.impact?.bytes ?? 0) ||
    (a.id < b.id ? -1 : Number(a.id !== b.id))
  );
}

/** Whether a severity is at least as bad as a bound. */
export function atLeast(severity: Severity, bound: Severity): boolean {
  return severities.indexOf(severity) <= severities.indexOf(bound);
}
