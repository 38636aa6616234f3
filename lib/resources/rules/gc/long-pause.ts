import * as z from 'zod';
import { milliseconds } from '../../../advice/format.ts';
import { functionRule, nameOf, rounded } from '../function-rule.ts';

/** `gc/long-pause`: a collection that stopped the function for as long as an answer may take. Forced ones are not counted. */
export const gcPause = functionRule({
  id: 'gc/long-pause',
  title: 'Long pause for a collection',
  why: 'V8 stops everything while it moves objects: the invocation that it falls into is late by so much.',
  severity: 'info',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    maxMs: z.number().positive().default(100),
  }),
  judge({ cpu: { collections }, memory, ...resources }, { maxMs }) {
    const { longestMs, count } = collections;
    if (longestMs === null || count === null || longestMs <= maxMs) return undefined;
    return {
      title: `${nameOf(resources)} was stopped for ${milliseconds(longestMs)} by a collection`,
      detail: `The longest of ${count} collections. What has to be marked and moved is what is alive: the heap holds ${Math.round(memory.heapUsedBytes.p50 / 2 ** 20)} MB in the middle.`,
      evidence: { longestMs: rounded(longestMs), collections: count, heapUsedBytesP50: memory.heapUsedBytes.p50 },
      action: {
        kind: 'code',
        caution:
          'Keep less in the heap: large tables as buffers or in the shared level of the cache. On Lambda a function with little memory has little of a processor to collect with: more memory makes pauses shorter.',
      },
    };
  },
});
