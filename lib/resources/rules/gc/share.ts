import * as z from 'zod';
import { milliseconds } from '../../../advice/format.ts';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';

/** `gc/share`: much of the processor time goes into collecting garbage. */
export const gcShare = functionRule({
  id: 'gc/share',
  title: 'Much time spent on collecting garbage',
  why: 'It is time in which nothing is answered, and it grows as the heap comes near its limit.',
  severity: 'warning',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** Of the processor time. */
    maxPercent: z.number().positive().max(100).default(10),
    /** Less time in all is not worth a finding. */
    minTotalMs: z.number().nonnegative().default(1_000),
  }),
  judge({ cpu: { collections }, memory, ...resources }, { maxPercent, minTotalMs }) {
    const { sharePercent, totalMs, count, longestMs } = collections;
    if (sharePercent <= maxPercent || totalMs < minTotalMs) return undefined;
    const { heapBytes } = memory.limits;
    const usedPercent = heapBytes && (100 * (memory.heapFloorBytes?.p95 ?? memory.heapUsedBytes.p50)) / heapBytes;
    const isFull = usedPercent !== null && usedPercent >= 70;
    return {
      title: `${nameOf(resources)} spends ${percent(sharePercent)} of its processor time on collecting garbage`,
      detail: `${milliseconds(totalMs)} in all${count === null ? '' : `, ${milliseconds(totalMs / Math.max(1, count))} each time`}. ${because(usedPercent, isFull)}`,
      evidence: {
        collectionPercent: rounded(sharePercent),
        totalMs: rounded(totalMs),
        ...(count === null ? {} : { collections: count }),
        ...(longestMs === null ? {} : { longestMs: rounded(longestMs) }),
        ...(usedPercent === null ? {} : { heapUsedPercent: rounded(usedPercent) }),
      },
      action: isFull
        ? {
            kind: 'config',
            caution:
              'Give the function more memory, or V8 more of it (--max-old-space-size in NODE_OPTIONS); but see memory/leak first.',
          }
        : {
            kind: 'code',
            caution:
              'Make less garbage: stream instead of building whole texts, keep what is made anew in every invocation. A larger young generation (--max-semi-space-size in NODE_OPTIONS) lets most of it die before it is copied.',
          },
    };
  },
});

function because(usedPercent: number | null, isFull: boolean): string {
  if (usedPercent === null) return "V8's limit is in no metric: compare it with what remains after a collection first.";
  return isFull
    ? `What remains after a collection is ${percent(usedPercent)} of V8's limit, so that it collects again and again.`
    : 'The heap has room: it is the amount of garbage, not the lack of memory.';
}
