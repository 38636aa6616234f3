import { median } from '../../../statistics/median.ts';
import type { UsableWindow } from './past.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * What a call usually takes at an hour of the day, in UTC: of the means of that hour on each day the median. A window is
 * compared to other days only, never to itself.
 */
export class Usual {
  /** By hour of the day and day since 1970. */
  readonly #means = new Map<number, Map<number, { calls: number; totalMs: number }>>();
  readonly #known = new Map<string, number | undefined>();

  constructor(windows: readonly UsableWindow[]) {
    for (const window of windows) {
      const days = this.#means.get(hourOf(window)) ?? new Map();
      const sum = days.get(dayOf(window)) ?? { calls: 0, totalMs: 0 };
      sum.calls += window.calls;
      sum.totalMs += window.meanMs * window.calls;
      days.set(dayOf(window), sum);
      this.#means.set(hourOf(window), days);
    }
  }

  /** In milliseconds; undefined where no other day has that hour. */
  at(window: UsableWindow): number | undefined {
    const [hour, day] = [hourOf(window), dayOf(window)];
    const key = `${hour} ${day}`;
    if (!this.#known.has(key)) this.#known.set(key, this.#ofOtherDays(hour, day));
    return this.#known.get(key);
  }

  #ofOtherDays(hour: number, day: number): number | undefined {
    const others = [...(this.#means.get(hour) ?? [])].filter(([each]) => each !== day);
    return others.length === 0 ? undefined : median(others.map(([, { calls, totalMs }]) => totalMs / calls));
  }
}

/** The day and the hour of a window are those of its middle. */
function middleOf({ start, end }: UsableWindow): number {
  return (start + end) / 2;
}

function dayOf(window: UsableWindow): number {
  return Math.floor(middleOf(window) / dayMs);
}

function hourOf(window: UsableWindow): number {
  return new Date(middleOf(window)).getUTCHours();
}

/** Whether a window is of the same hour a week before another. */
export function isWeekBefore(earlier: UsableWindow, later: UsableWindow): boolean {
  return Math.abs(middleOf(later) - middleOf(earlier) - 7 * dayMs) <= hourMs;
}
