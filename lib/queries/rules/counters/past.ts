/** The windows of the history that tell of a statement, and not of the server's troubles. */
import type { PastWindow, QueryInput, Statement } from '../../snapshot.ts';
import { blocksOf } from './figures.ts';

const hour = 3_600_000;

/** After a restart, a failover or a reset memory is cold, and what is read tells of that. A choice. */
const settlingMs = hour;

/** Audits are late at times: what is no longer than this between two windows is no gap. */
const slackMs = 60_000;

/** A window with its times in milliseconds since 1970. */
export interface UsableWindow extends PastWindow {
  start: number;
  end: number;
}

/**
 * When the server was not itself: for an hour after it started, and after each gap between the windows of all
 * statements, as a reset, a failover or a pause of the audits leaves. Spans of time in milliseconds since 1970.
 */
export function unsettledSpans(input: QueryInput): [start: number, end: number][] {
  const windows = [...(input.past?.windows.values() ?? [])].flatMap((each) => each.map(timed));
  const spans = windows.map(({ start, end }): [number, number] => [start, end]).sort(([a], [b]) => a - b);
  if (input.windowFrom !== null) spans.push([Date.parse(input.windowFrom), Date.parse(input.takenAt)]);
  const unsettled: [number, number][] = [after(Date.parse(input.server.startedAt))];
  let coveredTo = spans[0]?.[0] ?? 0;
  for (const [start, end] of spans) {
    if (start > coveredTo + slackMs) unsettled.push(after(start));
    coveredTo = Math.max(coveredTo, end);
  }
  return unsettled;
}

function after(moment: number): [number, number] {
  return [moment, moment + settlingMs];
}

/** The statement's windows with enough calls, the current one included, without those of unsettled times; oldest first. */
export function usableWindows(
  input: QueryInput,
  statement: Statement,
  minCalls: number,
  unsettled: readonly [number, number][],
): UsableWindow[] {
  const current = currentWindow(input, statement);
  const all = [...(input.past?.windows.get(statement.queryId) ?? []), ...(current ? [current] : [])].map(timed);
  return all.filter(
    ({ start, end, calls, meanMs }) =>
      calls >= minCalls && meanMs > 0 && end > start && !unsettled.some(([from, to]) => start < to && end > from),
  );
}

function currentWindow({ takenAt, windowFrom }: QueryInput, { window }: Statement): PastWindow | undefined {
  if (window === null || windowFrom === null) return undefined;
  const { calls, totalMs, meanMs, stddevMs, rows } = window;
  return { from: windowFrom, to: takenAt, calls, totalMs, meanMs, stddevMs, rows, blocks: blocksOf(window) };
}

function timed(window: PastWindow): UsableWindow {
  return { ...window, start: Date.parse(window.from), end: Date.parse(window.to) };
}
