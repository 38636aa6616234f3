import * as z from 'zod';
import type { Action } from '../../advice/finding.ts';
import { count, milliseconds, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot, CacheStatistics } from '../snapshot.ts';
import { enoughFailures, percent } from './figures.ts';

/**
 * `cache/load-failures`: loaders throw, or take longer than `loadTimeout`. Refreshes that were dropped because their
 * invocation was over are not among them: nothing is wrong with their loader.
 */
export const loadFailures = defineRule({
  id: 'cache/load-failures',
  title: 'Loads fail',
  why: 'Where there is no old value to serve, the caller gets the error; and what failed is tried again after a second.',
  severity: 'warning',
  options: z.strictObject({
    /** More than this share of the loads may not fail. The default: from one in a hundred on it shows in the 99th percentile. */
    maxFailedPercent: z.number().min(0).max(100).default(1),
    /** From this share on the finding is critical. The default: as many fail as succeed. */
    criticalPercent: z.number().min(0).max(100).default(50),
    /** With fewer failures there is nothing to judge. */
    minFailures: z.number().int().min(1).default(enoughFailures),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { loads } = statistics;
    const { failed, timedOut } = loads;
    const all = loads.ok + failed;
    if (failed < options.minFailures || failed * 100 <= all * options.maxFailedPercent) return [];
    const { p99 } = loads.latencyMs;
    return [
      {
        severity: failed * 100 >= all * options.criticalPercent ? 'critical' : 'warning',
        subject: { database },
        title: `${percent(failed / all)} of the loads failed`,
        detail: `Of ${plural(all, 'load')} ${count(failed)} failed, ${timedOut === 0 ? 'none' : count(timedOut)} of them by taking too long. ${loads.servedOnError === 0 ? 'No get was' : plural(loads.servedOnError, 'get was', 'gets were')} served an old value because of it${loads.rememberedErrors === 0 ? '' : `; ${plural(loads.rememberedErrors, 'get')} came right after a failure, for which nobody tried again`}.`,
        evidence: {
          failed,
          timedOut,
          loads: all,
          servedStale: loads.servedOnError,
          toldOfEarlierError: loads.rememberedErrors,
          ...(p99 === null ? {} : { loadP99Ms: p99 }),
        },
        action: whatToMend(statistics),
      },
    ];
  },
});

function whatToMend({ loads }: CacheStatistics): Action {
  const { failed, timedOut } = loads;
  const { p99 } = loads.latencyMs;
  const old = loads.servedOnError === 0 ? ' With `stale` there would be an old value to serve while loads fail.' : '';
  if (timedOut * 2 > failed) {
    const slow = p99 === null ? '' : ` The slowest take ${milliseconds(p99)} (99th percentile).`;
    return {
      kind: 'config',
      caution: `Make what the loader waits for faster; raise \`loadTimeout\` only if callers can wait that long.${slow}${old}`,
    };
  }
  return {
    kind: 'code',
    caution: `Look for what the loader throws. For what does not exist it should return null, which is kept as long as \`negative\` says.${old}`,
  };
}
