import * as z from 'zod';
import { count } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot } from '../snapshot.ts';
import { answeredReads, enoughGets, fullPercent, isL2Full, mostKeys, percent, toleratedWaits } from './figures.ts';

/**
 * `cache/l2-full`: the second level has as many entries as it may, and misses what it had before.
 *
 * The first miss of a key cannot be helped, so as many misses as there are different keys, and the error of their estimate, are left out. What remains must
 * be more than the hit-rate target leaves for misses. And more keys than fit must have been asked for: otherwise it is
 * full of what nobody asks for, which goes first, and its misses have another cause.
 */
export const l2Full = defineRule({
  id: 'cache/l2-full',
  title: 'Second level full',
  why: 'It is what all processes share: a value that it had to give up is loaded again, for all of them.',
  severity: 'warning',
  options: z.strictObject({
    /** It is full from here on. The default follows from the 5 % within which a store keeps to its size. */
    fullPercent: z.number().min(1).max(100).default(fullPercent),
    /** With fewer keys that it was asked for there is nothing to judge. */
    minReads: z.number().int().min(1).default(enoughGets),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { l2, distinctKeys, gets } = statistics;
    const reads = answeredReads(statistics);
    const repeated = l2.misses - mostKeys(statistics);
    if (
      reads < options.minReads ||
      !isL2Full(statistics, options.fullPercent) ||
      distinctKeys <= l2.maxEntries ||
      repeated <= toleratedWaits(statistics)
    ) {
      return [];
    }
    return [
      {
        subject: { database },
        title: `The second level is full and misses what it had: ${percent(repeated / reads)} of its reads`,
        detail: `It holds ${count(l2.entries)} entries and may hold ${count(l2.maxEntries)}; about ${count(distinctKeys)} different keys were asked for. Of ${count(reads)} reads ${count(l2.misses)} found nothing, ${count(repeated)} or more of them for a key that had been there before.`,
        evidence: {
          entries: l2.entries,
          maxEntries: l2.maxEntries,
          differentKeys: distinctKeys,
          reads,
          misses: l2.misses,
          repeatedMisses: repeated,
          gets,
        },
        action: {
          kind: 'config',
          caution: `Raise \`maxEntries\` of \`${l2.store}Store\` towards ${count(distinctKeys)}, for every process that shares it. It needs the memory or disk space for them.`,
        },
      },
    ];
  },
});
