import * as z from 'zod';
import { count } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot } from '../snapshot.ts';
import { answeredByL2, evictedForRoom, percent } from './figures.ts';

/**
 * `cache/evictions`: most entries leave memory for want of room before they expire, and some of them, not many, are
 * fetched back. So memory is filled by what is asked for once, and what is popular has to make room for it. Where
 * many are fetched back, `cache/l1-too-small` says so; where none is, nothing is lost.
 */
export const evictions = defineRule({
  id: 'cache/evictions',
  title: 'Entries leave memory before their time',
  why: 'What is asked for once takes the place of what is asked for often, and `fresh` promises a time that memory does not keep.',
  severity: 'info',
  options: z.strictObject({
    /** More than this share of what leaves memory must leave for want of room. The default is: most. */
    maxEvictedPercent: z.number().min(0).max(100).default(50),
    /** So much of all gets must fetch back what had to make room. The default is half of what a target of 98 % leaves for misses. */
    minL2Percent: z.number().min(0).max(100).default(1),
    /** From this share on it is for `cache/l1-too-small` to say. The default is the same as there. */
    belowL2Percent: z.number().min(0).max(100).default(10),
    /** With fewer entries that left for want of room there is nothing to judge. The default is what memory holds by default. */
    minEvicted: z.number().int().min(1).default(1_000),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { gets, l1 } = statistics;
    const room = evictedForRoom(statistics);
    const all = room + l1.evictions.expired + l1.evictions.invalidated;
    const returned = Math.min(answeredByL2(statistics), room);
    if (
      room < options.minEvicted ||
      room * 100 <= all * options.maxEvictedPercent ||
      returned * 100 < gets * options.minL2Percent ||
      returned * 100 >= gets * options.belowL2Percent
    ) {
      return [];
    }
    return [
      {
        subject: { database },
        title: `${percent(room / all)} of what leaves memory leaves before its time`,
        detail: `Of ${count(all)} entries ${count(room)} went because others needed their place, ${count(l1.evictions.expired)} because they had expired and ${count(l1.evictions.invalidated)} because they were invalidated. ${count(returned)} of those that made room were fetched back, at most.`,
        evidence: {
          leftForRoom: room,
          leftExpired: l1.evictions.expired,
          leftInvalidated: l1.evictions.invalidated,
          fetchedBack: returned,
          maxEntriesOfMemory: l1.maxEntries,
        },
        action: {
          kind: 'config',
          caution:
            "`l1.policy: 'sieve'` lets what is asked for once go first. If long scans fill memory, such as an export or a nightly job, let them read past the cache, or through a cache of their own with a small `l1.maxEntries`: against more keys than fit no policy here helps.",
        },
      },
    ];
  },
});
