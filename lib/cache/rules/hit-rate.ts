import * as z from 'zod';
import type { Action } from '../../advice/finding.ts';
import { count, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot, CacheStatistics } from '../snapshot.ts';
import {
  avoidableWaits,
  type Cause,
  causeOfWaits,
  enoughGets,
  evictedForRoom,
  percent,
  staleHits,
  unansweredReads,
  unkeptLoads,
} from './figures.ts';

/**
 * `cache/hit-rate`: fewer gets than the target are served without waiting for a load, although the workload would
 * allow it. A target that no cache could meet, because too many keys are asked for once, is no finding.
 *
 * The finding names what most of the waits go back to (`causeOfWaits` in figures.ts); the other rules look at
 * each cause by itself. The target is the snapshot's: 98 % unless it was set.
 */
export const hitRate = defineRule({
  id: 'cache/hit-rate',
  title: 'Hit rate below its target',
  why: 'Whoever waits for a load waits for the database, and the database does again what it has done before.',
  severity: 'warning',
  options: z.strictObject({
    /** With fewer gets there is nothing to judge. */
    minGets: z.number().int().min(1).default(enoughGets),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { gets, waits, hitRate: rate, attainableHitRate: attainable, targetHitRate: target } = statistics;
    if (gets < options.minGets || rate === null || attainable === null) return [];
    if (rate >= target || attainable < target) return [];
    const cause = causeOfWaits(statistics);
    return [
      {
        subject: { database },
        title: `The hit rate is ${floored(rate)}; its target is ${percent(target)}`,
        detail: `${count(waits)} of ${count(gets)} gets waited for a load. About ${plural(statistics.distinctKeys, 'different key was', 'different keys were')} asked for, so that ${floored(attainable)} could be had. ${because[cause](statistics)}`,
        evidence: {
          cause,
          hitRatePercent: Number((rate * 100).toFixed(2)),
          attainablePercent: Number((attainable * 100).toFixed(2)),
          targetPercent: Number((target * 100).toFixed(2)),
          gets,
          waits,
          avoidableWaits: avoidableWaits(statistics),
          distinctKeys: statistics.distinctKeys,
          evictedForRoom: evictedForRoom(statistics),
          evictedExpired: statistics.l1.evictions.expired,
          evictedInvalidated: statistics.l1.evictions.invalidated,
          staleHits: staleHits(statistics),
        },
        action: remedy(cause, statistics),
      },
    ];
  },
});

const because: Record<Cause, (statistics: CacheStatistics) => string> = {
  unreachable: (statistics) =>
    `Most waits beyond the first of each key are the second level's doing: ${plural(unansweredReads(statistics), 'read')} brought no answer, and ${plural(statistics.l2.writesFailed, 'value')} did not get there.`,
  failing: (statistics) =>
    `Most waits beyond the first of each key were for values that could not be loaded: ${plural(statistics.loads.failed, 'attempt')} failed, and what fails is tried again.`,
  unkept: (statistics) =>
    `Most waits beyond the first of each key were for values that nobody may keep: ${plural(unkeptLoads(statistics), 'load')} brought one whose \`fresh\` or \`negative\` is 0.`,
  room: (statistics) =>
    `Most waits beyond the first of each key were for values that had to make room: in the second level ${count(statistics.l2.entries)} of ${count(statistics.l2.maxEntries)} places are taken, so what memory gives up is lost.`,
  expired: ({ l1 }) =>
    `Most waits beyond the first of each key were for values that had expired, ${l1.evictions.expired === 0 ? 'none' : count(l1.evictions.expired)} of them while still in memory.`,
  invalidated: ({ l1, invalidations }) =>
    `Most waits beyond the first of each key were for values that had been invalidated: ${plural(invalidations, 'invalidation')} took ${plural(l1.evictions.invalidated, 'entry', 'entries')} out of memory.`,
  together: ({ loads }) =>
    `Memory lost no value, so several processes load the same ones at once, or end sooner than what they hold${loads.joined === 0 ? '' : `; ${plural(loads.joined, 'get')} joined one that was under way`}.`,
};

function remedy(cause: Cause, statistics: CacheStatistics): Action {
  switch (cause) {
    case 'unreachable':
      return {
        kind: 'config',
        caution:
          'First see that the second level can be read within `softLimit` and written within `hardLimit`: until then no other option helps.',
      };
    case 'failing':
      return { kind: 'code', caution: 'First mend the loader: a value that never comes cannot be kept.' };
    case 'unkept':
      return {
        kind: 'config',
        caution:
          'Give these values a `fresh` of a few seconds at least, and what does not exist a `negative`. What must never be old can still be invalidated when it changes.',
      };
    case 'room':
      return {
        kind: 'config',
        caution: `Let ${storeOf(statistics)} keep more: each entry takes the size of its value there. Or keep less: what is asked for once need not be cached.`,
      };
    case 'expired':
      return staleHits(statistics) === 0
        ? {
            kind: 'config',
            caution:
              'A longer `fresh` means fewer loads, and values that are older: give them `tags`, and invalidate those when the data change.',
          }
        : {
            kind: 'config',
            caution:
              '`stale` ends before the next get comes: make it longer than the pause between two gets of a key, an hour or a day. What is invalidated is not served, however long it is.',
          };
    case 'invalidated':
      return {
        kind: 'code',
        caution:
          'Invalidate less at a time: a tag for each thing that changes, not one for all. Where the new value is at hand, `set` puts it in the place of the old one and spares the load.',
      };
    case 'together':
      return {
        kind: 'config',
        caution:
          "With `lease`, such as `lease: '5s'`, one process loads a key for all; the others wait for its value, and load it themselves when it takes longer than that.",
      };
  }
}

function storeOf({ l2 }: CacheStatistics): string {
  return `\`${l2.store}Store\``;
}

/** Rounded down, so that what is below the target does not read as if it met it. */
function floored(rate: number): string {
  return percent(Math.floor(rate * 1_000 + 1e-9) / 1_000);
}
