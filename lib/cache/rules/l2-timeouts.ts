import * as z from 'zod';
import { count, milliseconds, plural } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot, CacheStatistics } from '../snapshot.ts';
import { answeredReads, enoughFailures, percent, unansweredReads } from './figures.ts';

/**
 * `cache/l2-timeouts`: the second level does not answer, or not within `softLimit`. What the breaker spared for
 * that reason counts, too: of an outage it is all that can be seen but for a few probes.
 *
 * A time-out or an error counts once for all keys that were asked for together, an answer once for each key; and
 * the question what was invalidated, with no key, can time out but is no read. So the share is an estimate.
 */
export const l2TimeOuts = defineRule({
  id: 'cache/l2-timeouts',
  title: 'Second level does not answer in time',
  why: 'Each get that asks in vain waits for the whole limit, and then for a load all the same.',
  severity: 'warning',
  options: z.strictObject({
    /** More than this share of the reads may not go without an answer. The default is half of what a target of 98 % leaves for misses. */
    maxUnansweredPercent: z.number().min(0).max(100).default(1),
    /** If the breaker opened more often than this there is a finding in any case: only information, when few reads were concerned. */
    maxBreakerOpened: z.number().int().min(0).default(0),
    /** With fewer such reads there is nothing to judge. */
    minUnanswered: z.number().int().min(1).default(enoughFailures),
  }),
  check({ database, statistics }: CacheSnapshot, options): Draft[] {
    const { l2 } = statistics;
    const answered = answeredReads(statistics);
    const unanswered = unansweredReads(statistics);
    const isOften = unanswered * 100 > (answered + unanswered) * options.maxUnansweredPercent;
    const isOpened = l2.breakerOpened > options.maxBreakerOpened;
    if (unanswered < options.minUnanswered || !(isOften || isOpened)) return [];
    const { p99 } = l2.latencyMs;
    return [
      {
        severity: isOften ? 'warning' : 'info',
        subject: { database },
        title: isOften
          ? `${percent(unanswered / (answered + unanswered))} of the reads from the second level brought no answer`
          : `The second level had to be left alone ${l2.breakerOpened === 1 ? 'once' : plural(l2.breakerOpened, 'time')}`,
        detail: `${plural(l2.timeOuts, 'read')} took longer than \`softLimit\` and ${count(l2.errors)} met an error, beside ${count(answered)} that were answered. The breaker opened ${plural(l2.breakerOpened, 'time')}, and ${plural(l2.notAsked, 'key')} went straight to the loader meanwhile.`,
        evidence: {
          timeOuts: l2.timeOuts,
          errors: l2.errors,
          answered,
          notAsked: l2.notAsked,
          breakerOpened: l2.breakerOpened,
          writesFailed: l2.writesFailed,
          ...(p99 === null ? {} : { l2P99Ms: p99 }),
        },
        action: { kind: 'config', caution: whereToLook(statistics) },
      },
    ];
  },
});

function whereToLook({ l2 }: CacheStatistics): string {
  if (l2.errors > l2.timeOuts) {
    return `Look at the connection to ${l2.store}: its address, credentials, TLS, security group and limit of connections. \`breaker\` only decides how long it is left alone after that.`;
  }
  const { p99 } = l2.latencyMs;
  const usual =
    p99 === null
      ? ''
      : ` Those answers that came took up to ${milliseconds(p99)} (99th percentile, late ones included).`;
  return `See whether ${l2.store} is overloaded, or far away.${usual} Raise \`softLimit\` above that only if a load takes longer still: until it is over, a get waits for both.`;
}
