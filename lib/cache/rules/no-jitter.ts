import * as z from 'zod';
import { count } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot } from '../snapshot.ts';
import { percent } from './figures.ts';

/**
 * `cache/no-jitter`: values whose `fresh` does not vary, so that what was loaded together expires together.
 * Only `jitter: 0` does that: the default is 0.1.
 */
export const noJitter = defineRule({
  id: 'cache/no-jitter',
  title: 'Values expire together',
  why: 'What a start, a deployment or an invalidation loads at one moment comes due at one moment, and hits the database in a wave each time.',
  severity: 'warning',
  options: z.strictObject({
    /** From this share of the values that were loaded. The default: a wave of less than a tenth is lost in the rest. */
    minPercent: z.number().min(0).max(100).default(10),
    /** So many values make a wave. The default is a choice: more than a database runs at once, by PostgreSQL's max_connections of 100. */
    minValues: z.number().int().min(1).default(100),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { unjitteredWrites, loads, hitRate, targetHitRate } = statistics;
    // What is `set` without a load counts, too.
    const made = Math.max(loads.ok, unjitteredWrites);
    if (unjitteredWrites < options.minValues || unjitteredWrites * 100 < made * options.minPercent) return [];
    return [
      {
        severity: hitRate !== null && hitRate < targetHitRate ? 'warning' : 'info',
        subject: { database },
        title: `${percent(unjitteredWrites / made)} of the values expire without jitter`,
        detail: `${count(unjitteredWrites)} values were kept for exactly the time that \`fresh\` says; ${count(loads.ok)} were loaded in all.`,
        evidence: { unjitteredWrites, loaded: loads.ok },
        action: {
          kind: 'config',
          caution:
            'Take `jitter: 0` out of the definitions: the default of 0.1 shortens `fresh` by up to a tenth, at random. Leave it where values must end at a moment of the clock, such as midnight.',
        },
      },
    ];
  },
});
