import * as z from 'zod';

/** An index that the advisor proposes. No value of the database is in it. */
export const Proposal = z.strictObject({
  schema: z.string(),
  table: z.string(),
  name: z.string(),
  /** The keys: columns, or expressions as SQL. */
  columns: z.array(z.string()),
  sql: z.string(),
  undoSql: z.string(),
  caution: z.string(),
  /** Expected. */
  sizeBytes: z.number(),
  /** Of the cost of the workload: what it saves, and what those who write pay for it. */
  savedPercent: z.number(),
  writePercent: z.number(),
  /** The ids of the statements that it helps. */
  helps: z.array(z.string()),
  /** What their calls cost today, and with all that is proposed; those of the statements that it helps. */
  costs: z.array(z.strictObject({ queryId: z.string(), costBefore: z.number(), costAfter: z.number() })).optional(),
  /** Why each part of it is there, a sentence each. */
  why: z.array(z.string()),
});
export type Proposal = z.infer<typeof Proposal>;
