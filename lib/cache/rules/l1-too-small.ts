import * as z from 'zod';
import { count, milliseconds, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot, CacheStatistics } from '../snapshot.ts';
import { answeredByL2, enoughGets, evictedForRoom, percent } from './figures.ts';

/**
 * `cache/l1-too-small`: many gets make a round trip to the second level for what memory had and gave up for want of room.
 *
 * Their number is at most that of the gets which the second level answered, and at most that of the entries which
 * made room: the smaller of the two counts. What memory never had, because another process loaded it, or what
 * had expired there, is not held against it.
 */
export const l1TooSmall = defineRule({
  id: 'cache/l1-too-small',
  title: 'Memory too small for what is asked for',
  why: 'A hit in memory takes microseconds. The same value from the second level takes a round trip, and work there.',
  severity: 'warning',
  options: z.strictObject({
    /**
     * So much of all gets must go to the second level for want of room. The default is what a better policy alone can
     * change: 7 to 12 points with 1,000 entries, in our simulation of Zipf-distributed keys.
     */
    minL2Percent: z.number().min(0).max(100).default(10),
    /** With fewer gets there is nothing to judge. */
    minGets: z.number().int().min(1).default(enoughGets),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { gets, l1, l2, distinctKeys } = statistics;
    const answered = answeredByL2(statistics);
    const room = evictedForRoom(statistics);
    const returned = Math.min(answered, room);
    if (gets < options.minGets || returned === 0 || returned * 100 < gets * options.minL2Percent) return [];
    const { p50 } = l2.latencyMs;
    return [
      {
        subject: { database },
        title: `For up to ${percent(returned / gets)} of gets memory was too small`,
        detail: `${count(answered)} of ${count(gets)} gets were answered by the second level${p50 === null ? '' : `, which takes ${milliseconds(p50)} as a rule`}, while memory, ${count(l1.maxEntries)} entries in each process, gave up ${count(room)} that had not expired. About ${plural(distinctKeys, 'different key was', 'different keys were')} asked for.`,
        evidence: {
          answeredByL2: answered,
          evictedForCapacity: l1.evictions.capacity,
          evictedForBytes: l1.evictions.bytes,
          l1MaxEntries: l1.maxEntries,
          distinctKeys,
          gets,
          ...(p50 === null ? {} : { l2P50Ms: p50 }),
        },
        action: { kind: 'config', caution: larger(statistics) },
      },
    ];
  },
});

/** Which bound to move: the one that more entries ran into. */
function larger({ l1 }: CacheStatistics): string {
  const sieve = "In the room that there is, `l1.policy: 'sieve'` keeps more of what is popular than `lru` does.";
  if (l1.evictions.bytes > l1.evictions.capacity) {
    return `Raise \`l1.maxBytes\`, as far as the memory of the process allows. ${sieve}`;
  }
  return `Raise \`l1.maxEntries\`, as far as the memory of the process allows: \`l1.maxBytes\` bounds it. ${sieve}`;
}
