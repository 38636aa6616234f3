import * as z from 'zod';
import { bytes } from '../../../advice/format.ts';
import { thresholds } from '../../../settings.ts';
import { functionRule, nameOf } from '../function-rule.ts';

/** `memory/over-target`: a function that takes more memory than it should, whatever it is given. */
export const overTarget = functionRule({
  id: 'memory/over-target',
  title: 'More memory than the target',
  why: 'Memory is what a function is paid by; a large heap also takes longer to collect.',
  severity: 'warning',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** By the 95th percentile of the resident set. */
    maxBytes: z.number().positive().default(thresholds.memoryBytes),
  }),
  judge({ memory, ...resources }, { maxBytes }) {
    const { p50, p95 } = memory.rssBytes;
    if (p95 <= maxBytes) return undefined;
    const part = memory.externalBytes.p50 > memory.heapUsedBytes.p50 ? 'buffers outside of the heap' : 'the heap';
    return {
      title: `${nameOf(resources)} takes ${bytes(p95)} of memory`,
      detail: `The target is ${bytes(maxBytes)}. It takes ${bytes(p50)} in the middle; the larger part of what objects hold is ${part}.`,
      evidence: {
        rssBytesP50: p50,
        rssBytesP95: p95,
        heapUsedBytesP50: memory.heapUsedBytes.p50,
        externalBytesP50: memory.externalBytes.p50,
        targetBytes: maxBytes,
      },
      action: {
        kind: 'code',
        caution:
          'Take a heap snapshot (node --heapsnapshot-signal=SIGUSR2) and look at what is retained: caches without a bound, modules that are loaded for one function of theirs, bodies that are read as a whole instead of streamed. --max-semi-space-size and --max-old-space-size in NODE_OPTIONS keep V8 from letting garbage lie.',
      },
    };
  },
});
