import * as z from 'zod';
import { milliseconds, plural } from '../../../advice/format.ts';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';

/** `cpu/cold-starts`: many invocations come to an environment that has only just begun, and wait for its init phase. */
export const coldStarts = functionRule({
  id: 'cpu/cold-starts',
  title: 'Many cold starts',
  why: 'Whoever comes first to a new environment waits until its modules are loaded.',
  severity: 'info',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** Of the invocations. */
    minPercent: z.number().positive().max(100).default(5),
    /** A function that is there sooner keeps nobody waiting. */
    minInitMs: z.number().nonnegative().default(100),
  }),
  judge({ coldStarts, invocations, ...resources }, { minPercent, minInitMs }) {
    if (!coldStarts || invocations === null) return undefined;
    const { count, meanInitMs } = coldStarts;
    const share = invocations > 0 ? (100 * count) / invocations : 0;
    if (share < minPercent || meanInitMs === null || meanInitMs < minInitMs) return undefined;
    return {
      title: `${percent(share)} of the invocations of ${nameOf(resources)} are cold starts`,
      detail: `${plural(count, 'environment')} began, and took ${milliseconds(meanInitMs)} to. Environments that end before their first sample are not among them.`,
      evidence: { coldStarts: count, coldStartPercent: rounded(share), meanInitMs: rounded(meanInitMs) },
      action: {
        kind: 'code',
        caution:
          'Make the bundle smaller and load at the top of a module only what every invocation needs. Where that is not enough: provisioned concurrency, which costs for as long as it is there.',
      },
    };
  },
});
