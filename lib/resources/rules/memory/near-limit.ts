import * as z from 'zod';
import { bytes } from '../../../advice/format.ts';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';

/**
 * `memory/near-limit`: a function that has nearly used up the memory that it is given. Lambda ends it when it has.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
 */
export const nearLimit = functionRule({
  id: 'memory/near-limit',
  title: 'Memory nearly used up',
  why: 'Lambda ends an environment that asks for more than it is given: the invocation fails, and the next one is a cold start.',
  severity: 'warning',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** Of the memory of the function, by the 95th percentile of the resident set. */
    minPercent: z.number().positive().max(100).default(85),
    /** From here on it is critical. */
    criticalPercent: z.number().positive().max(100).default(95),
  }),
  judge({ memory, ...resources }, { minPercent, criticalPercent }) {
    const { memoryBytes } = memory.limits;
    if (memoryBytes === null) return undefined;
    const used = (100 * memory.rssBytes.p95) / memoryBytes;
    if (used < minPercent) return undefined;
    return {
      severity: used >= criticalPercent ? 'critical' : 'warning',
      title: `${nameOf(resources)} uses ${percent(used)} of its memory`,
      detail: `In one sample of twenty it takes ${bytes(memory.rssBytes.p95)} or more of ${bytes(memoryBytes)}, and at most ${bytes(memory.rssBytes.max)}.`,
      evidence: {
        usedPercent: rounded(used),
        rssBytesP95: memory.rssBytes.p95,
        rssBytesMax: memory.rssBytes.max,
        memoryBytes,
      },
      action: {
        kind: 'config',
        caution:
          'Give it more memory, and with that more processor time. First see whether memory/leak is found as well: then more memory only buys time.',
      },
    };
  },
});
