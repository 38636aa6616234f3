import * as z from 'zod';
import { bytes, count, plural } from '../../../advice/format.ts';
import { raiseWorkMem } from '../advice/memory.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { shareOfTree } from './share.ts';
import { percent } from './words.ts';

/**
 * `plans/memoize-evictions`: a Memoize keeps the answers of a nested loop's inner side, and had to forget them for want of memory
 * before they were asked for again. Only a plan that was run tells.
 * https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-ENABLE-MEMOIZE
 */
export const memoizeEvictions = defineNodeRule({
  id: 'plans/memoize-evictions',
  title: 'Memoize forgets too early',
  why: 'What was forgotten is looked up again: the nested loop was chosen in the belief that most answers would be kept.',
  severity: 'info',
  options: z.strictObject({
    /** Answers that were not there when asked for. */
    minMisses: z.number().int().min(1).default(1_000),
    /** Of the answers that were kept, those that were forgotten. */
    minEvictedPercent: z.number().min(0).max(100).default(50),
    /** With more of the questions answered, it does its work. */
    maxHitPercent: z.number().min(0).max(100).default(80),
    /** Of the statement's time, with what is looked up. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { memoize } = place.node;
    if (!memoize || memoize.misses < options.minMisses) return undefined;
    const { hits, misses, evictions, overflows, memoryKilobytes } = memoize;
    if (evictions * 100 < misses * options.minEvictedPercent) return undefined;
    if (hits * 100 > (hits + misses) * options.maxHitPercent) return undefined;
    const { settings } = context.input;
    const workMem = settings?.workMemKilobytes;
    // As if every answer had been kept.
    const kept = Math.max(1, misses - evictions);
    const needed = (memoryKilobytes * misses) / kept;
    return {
      share: shareOfTree(place, context.plan),
      weight: evictions,
      title: `A Memoize had to forget ${count(evictions)} of ${plural(misses, 'answer')}`,
      detail: `It answered ${percent(hits / (hits + misses))} of what it was asked, with ${bytes(memoryKilobytes * 1024)} of memory; about ${bytes(needed * 1024)} would hold all answers.${overflows > 0 ? ` ${plural(overflows, 'answer')} were too large to be kept.` : ''}`,
      evidence: { hits, misses, evictions, overflows, memoryKilobytes, neededKilobytes: needed },
      action: raiseWorkMem(Math.ceil(needed / (settings?.hashMemMultiplier ?? 1)), workMem) ?? {
        kind: 'code',
        caution:
          'More memory than may be asked for. See in one session whether a hash join is faster: SET enable_memoize = off.',
      },
    };
  },
});
