import * as z from 'zod';
import { milliseconds } from '../../../advice/format.ts';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';

/** `eventloop/blocked`: something keeps the event loop busy for so long that answers and timers are late. */
export const loopBlocked = functionRule({
  id: 'eventloop/blocked',
  title: 'Event loop blocked',
  why: 'While a piece of code computes, nothing else happens in the process: no answer is read, no timer fires, no other request is served.',
  severity: 'warning',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** So late, by the 99th percentile within a sample, in one sample of twenty: a single time is a coincidence. */
    maxDelayMs: z.number().positive().default(50),
  }),
  judge({ cpu, ...resources }, { maxDelayMs }) {
    const { loopDelayMs, longestLoopDelayMs, loopPercent } = cpu;
    if (!loopDelayMs || loopDelayMs.p95 <= maxDelayMs) return undefined;
    return {
      title: `The event loop of ${nameOf(resources)} is blocked for ${milliseconds(loopDelayMs.p95)}`,
      detail: `So late it was in one sample of twenty, and at most by ${milliseconds(longestLoopDelayMs)}. It is busy for ${percent(loopPercent.mean)} of the time.`,
      evidence: {
        delayMsP50: rounded(loopDelayMs.p50),
        delayMsP95: rounded(loopDelayMs.p95),
        longestDelayMs: rounded(longestLoopDelayMs),
        busyPercent: rounded(loopPercent.mean),
      },
      action: {
        kind: 'code',
        caution:
          'Find what computes so long (node --cpu-prof): calls that end in Sync, JSON.parse of megabytes, regular expressions that backtrack. Split it, or hand it to a worker thread. A Lambda function that has less than 1,769 MB gets its processor in slices, which looks the same.',
      },
    };
  },
});
