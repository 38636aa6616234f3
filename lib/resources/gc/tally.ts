import type { Collections } from '../sample.ts';

/** How many, how long in all, and how long the longest: nothing yet. */
export function noDurations(): Collections {
  return { count: 0, totalMs: 0, longestMs: 0 };
}

/** Adds one more, in milliseconds. */
export function addDuration(durations: Collections, durationMs: number): void {
  durations.count++;
  durations.totalMs += durationMs;
  durations.longestMs = Math.max(durations.longestMs, durationMs);
}
