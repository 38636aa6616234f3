import * as z from 'zod';
import { count, milliseconds } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot } from '../snapshot.ts';
import { causeOfWaits, enoughGets, percent, repeatedWaits, staleHits, toleratedWaits } from './figures.ts';

/**
 * `cache/no-stale`: gets wait for values that had expired, and not one was served stale.
 *
 * That is inferred: nothing stale was served, more gets waited for a value that had been loaded before than the target
 * leaves for waits of any kind, those are most of the waits, and expiry is what ended most values in memory. Serving stale is what
 * brings most caches to 98 %: without it that takes 49 gets of a key within each `fresh`.
 */
export const noStale = defineRule({
  id: 'cache/no-stale',
  title: 'Nothing is served stale',
  why: 'Each time a value expires somebody waits for the load, although the old value was at hand and would mostly have done.',
  severity: 'warning',
  options: z.strictObject({
    /** With fewer gets there is nothing to judge. */
    minGets: z.number().int().min(1).default(enoughGets),
    /** At least this share of the waits must be for a key that was loaded before. The default is: half. */
    minRepeatedPercent: z.number().min(0).max(100).default(50),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { gets, waits, l1, loads } = statistics;
    const repeated = repeatedWaits(statistics);
    if (
      gets < options.minGets ||
      staleHits(statistics) > 0 ||
      repeated <= toleratedWaits(statistics) ||
      repeated * 100 < waits * options.minRepeatedPercent ||
      causeOfWaits(statistics) !== 'expired' ||
      // What left memory for want of room and ended unseen is no proof.
      l1.evictions.expired <= l1.evictions.invalidated
    ) {
      return [];
    }
    const { p50 } = loads.latencyMs;
    return [
      {
        subject: { database },
        title: `${percent(repeated / gets)} of gets wait for a value that was there a moment ago`,
        detail: `At least ${count(repeated)} of ${count(waits)} waits were for a key that had been loaded before${p50 === null ? '' : `, ${milliseconds(p50)} each as a rule`}. Not one get was served a stale value.`,
        evidence: {
          waits,
          repeatedWaits: repeated,
          staleHits: 0,
          expired: l1.evictions.expired,
          ...(p50 === null ? {} : { loadP50Ms: p50 }),
        },
        action: {
          kind: 'config',
          caution:
            "Set `stale`, such as `stale: '1d'`: after `fresh` the old value is served at once and refreshed behind the caller's back. Leave it out where a value that is a little old does harm; what was invalidated is never served.",
        },
      },
    ];
  },
});
