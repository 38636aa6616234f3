import * as z from 'zod';
import { Finding } from '../advice/finding.ts';
import { Statement, StatementPlan } from './snapshot.ts';

/** What a statement did in a window that is over. */
const HistoricWindow = z.strictObject({
  from: z.string(),
  to: z.string(),
  calls: z.number(),
  totalMs: z.number(),
  meanMs: z.number(),
  stddevMs: z.number(),
  rows: z.number(),
  blocks: z.number(),
});

/** One statement over time. */
export const StatementHistory = z
  .strictObject({
    /** As the newest audit saw it. */
    statement: Statement,
    /** Those of the last day one by one, older ones by the hour; oldest first. Empty ones are left out. */
    windows: z.array(HistoricWindow),
    /** Every shape that its plan has had, with the newest plan of that shape; the one that was seen last comes first. */
    plans: z.array(StatementPlan.extend({ firstSeenAt: z.string(), lastSeenAt: z.string() })),
    /** What the newest audit found about it. */
    findings: z.array(Finding),
  })
  .meta({ id: 'StatementHistory', description: 'One statement over time: its windows, plans and findings.' });
export type StatementHistory = z.infer<typeof StatementHistory>;
