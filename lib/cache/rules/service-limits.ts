import * as z from 'zod';
import { bytes, count } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot } from '../snapshot.ts';
import { percent } from './figures.ts';

/**
 * `cache/service-limits`: the service behind the second level comes near what it may keep or do, or refuses commands. Beyond the first limit it gives
 * up entries that have not expired; beyond the second it refuses commands.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.html
 */
export const serviceLimits = defineRule({
  id: 'cache/service-limits',
  title: 'Second level near a limit of its service',
  why: 'What does not fit is given up before its time, and what is refused is loaded from the database: both by everybody at once, when there is most to do.',
  severity: 'warning',
  options: z.strictObject({
    /** From this share of a limit on. The default leaves room for a fifth of growth until somebody has acted. */
    maxUsedPercent: z.number().min(1).max(100).default(80),
  }),
  check({ database, service }: CacheSnapshot, options): Draft[] {
    if (!service) return [];
    const { usedBytes, maxBytes, usedEcpuPerSecond, maxEcpuPerSecond, throttled, evictions } = service;
    const isNear = (used: number | null, limit: number | null) =>
      used !== null && limit !== null && used * 100 >= limit * options.maxUsedPercent;
    const refused = throttled ?? 0;
    const reasons = [
      ...(isNear(usedBytes, maxBytes)
        ? [
            `It held up to ${bytes(usedBytes ?? 0)} of ${bytes(maxBytes ?? 0)} (${percent((usedBytes ?? 0) / (maxBytes ?? 1))}).`,
          ]
        : []),
      ...(isNear(usedEcpuPerSecond, maxEcpuPerSecond)
        ? [`It did up to ${count(usedEcpuPerSecond ?? 0)} of ${count(maxEcpuPerSecond ?? 0)} ECPU a second.`]
        : []),
      ...(refused > 0 ? [`It refused ${count(refused)} commands since they were too many.`] : []),
    ];
    if (reasons.length === 0) return [];
    return [
      {
        subject: { database },
        title: refused > 0 ? 'The second level refuses commands' : 'The second level is near a limit of its service',
        detail: `In the last day, of the cache ${service.name} (${service.engine} ${service.version}): ${reasons.join(' ')}`,
        evidence: {
          ...(usedBytes === null ? {} : { usedBytes }),
          ...(maxBytes === null ? {} : { maxBytes }),
          ...(usedEcpuPerSecond === null ? {} : { usedEcpuPerSecond: Number(usedEcpuPerSecond.toFixed(1)) }),
          ...(maxEcpuPerSecond === null ? {} : { maxEcpuPerSecond }),
          refusedCommands: refused,
          ...(evictions === null ? {} : { evictions }),
        },
        action: {
          kind: 'config',
          caution:
            'Raise `cache.maxGb` or `cache.maxEcpuPerSecond` of the stage, and with it what it can cost; or keep less: a smaller `maxEntries` of the store, shorter times.',
        },
      },
    ];
  },
});
