import { plural } from '../advice/format.ts';
import type { IndexSnapshot } from './snapshot.ts';

const day = 86_400_000;

/** What a rule holds of counters younger than this many days: monthly jobs have not run yet. */
export const confidentAfterDays = 35;

/**
 * Days for which the counters have certainly counted: since the reset or, when there was none, since
 * the server started (they survive a clean restart, so they may well be older). Undefined when that is no time in the past.
 */
export function counterAge({ takenAt, server }: Pick<IndexSnapshot, 'takenAt' | 'server'>): number | undefined {
  return daysBetween(server.statisticsResetAt ?? server.startedAt, takenAt);
}

/** Days from one time to another; undefined when one is no time, or they are in the wrong order. */
export function daysBetween(from: string, to: string): number | undefined {
  const days = (Date.parse(to) - Date.parse(from)) / day;
  return Number.isFinite(days) && days >= 0 ? days : undefined;
}

/** Since when counters count, in words. */
export function sinceWhen({ takenAt, server }: Pick<IndexSnapshot, 'takenAt' | 'server'>): string {
  const age = counterAge({ takenAt, server });
  const days = age === undefined ? '' : age < 1 ? ' (less than a day)' : ` (${plural(age, 'day')})`;
  return server.statisticsResetAt
    ? `since the counters were reset on ${server.statisticsResetAt.slice(0, 10)}${days}`
    : `since counting began, at the latest when the server started${days}`;
}
