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
    const usedPercent = (100 * (memory.heapFloorBytes?.p95 ?? memory.heapUsedBytes.p50)) / memory.limits.heapBytes;
    const isFull = usedPercent >= 70;
    return {
      title: `${nameOf(resources)} spends ${percent(sharePercent)} of its processor time on collecting garbage`,
      detail: `${milliseconds(totalMs)} in all, ${milliseconds(totalMs / Math.max(1, count))} each time. ${isFull ? `What remains after a collection is ${percent(usedPercent)} of V8's limit, so that it collects again and again.` : 'The heap has room: it is the amount of garbage, not the lack of memory.'}`,
      evidence: {
        collectionPercent: rounded(sharePercent),
        collections: count,
        totalMs: rounded(totalMs),
        longestMs: rounded(longestMs),
        heapUsedPercent: rounded(usedPercent),
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
