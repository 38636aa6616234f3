import * as z from 'zod';
import { count, milliseconds, plural } from '../../../advice/format.ts';
import { definePlanRule } from './define.ts';
import { percent } from './words.ts';

/**
 * `plans/jit-cost`: compiling took a large part of the time of a plan that was run; `queries/jit-time` tells of the calls that are
 * counted. https://www.postgresql.org/docs/current/jit-decision.html
 */
export const jitCost = definePlanRule({
  id: 'plans/jit-cost',
  title: 'Compiling takes longer than it saves',
  why: 'JIT compiles the expressions of a statement anew in each execution: that pays for long reports, and never for statements of some milliseconds.',
  severity: 'warning',
  options: z.strictObject({
    /** Of the execution time. */
    minJitPercent: z.number().min(0).max(100).default(25),
    /** Shorter is not worth a word. */
    minJitMs: z.number().min(0).default(5),
  }),
  *inspect({ plan, input }, options) {
    const { executionMs = 0, jit, root } = plan;
    const ms = jit?.totalMs ?? 0;
    const share = Math.min(1, ms / executionMs);
    if (executionMs <= 0 || ms < options.minJitMs || share * 100 < options.minJitPercent) return;
    const above = input.settings?.jitAboveCost;
    const cost = root.estimate.totalCost;
    yield {
      weight: ms,
      share,
      title: `Compiling takes ${percent(share)} of the statement's time`,
      detail: `JIT took ${milliseconds(ms)} of ${milliseconds(executionMs)} to compile ${plural(jit?.functions ?? 0, 'function')}.${above === undefined ? '' : ` The plan's cost is ${count(cost)}; jit_above_cost is ${count(above)}.`}`,
      evidence: {
        jitMs: ms,
        executionMs,
        planCost: cost,
        ...(above === undefined ? {} : { jitAboveCost: above }),
      },
      action: {
        kind: 'config',
        sql: 'SET jit = off;',
        undoSql: 'RESET jit;',
        caution:
          'For one session, to compare. To keep it: ALTER ROLE … SET jit = off for the role of the application (connections that are opened later take it over), or raise jit_above_cost well over the costs of its statements. Reports that run for seconds may take longer without. A cost that is far too high comes from estimates that are too high: ANALYZE the tables.',
      },
    };
  },
});
