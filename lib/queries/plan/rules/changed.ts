import * as z from 'zod';
import { milliseconds, plural } from '../../../advice/format.ts';
import type { Gain, PastPlan, PastWindow } from '../../snapshot.ts';
import type { PlanContext } from './context.ts';
import { definePlanRule } from './define.ts';
import { times } from './words.ts';

const day = 86_400_000;

/**
 * `plans/changed`: the statement is planned in another way than before, and takes longer since. A new plan that is as fast is no
 * fault, nor is a rise under the old plan.
 */
export const changed = definePlanRule({
  id: 'plans/changed',
  title: 'Plan changed, and the statement became slower',
  why: 'A plan changes when statistics, settings, indexes or the version change. One that is slower is a regression that no release of the application explains.',
  severity: 'warning',
  options: z.strictObject({
    /** The mean time since against that before. */
    minRise: z.number().min(1).default(1.5),
    /** Smaller rises of the mean time are noise. */
    minRiseMs: z.number().min(0).default(1),
    /** With fewer calls before or since, a mean tells little. */
    minCalls: z.number().int().min(1).default(20),
    /** An older change is how things are now. */
    withinDays: z.number().positive().default(7),
  }),
  *inspect(context, options) {
    const { explained, input, statement } = context;
    const shapes = input.past?.plans.get(explained.queryId) ?? [];
    const change = changeOf(explained.shape, shapes, context);
    if (!change || Date.parse(input.takenAt) - change.at > options.withinDays * day) return;
    const windows = input.past?.windows.get(explained.queryId) ?? [];
    // The window in which it changed tells of both.
    const before = meanOf(windows.filter(({ to }) => Date.parse(to) < change.at));
    const since = meanOf([...windows.filter(({ from }) => Date.parse(from) >= change.at), ...now(statement?.window)]);
    if (Math.min(before.calls, since.calls) < options.minCalls) return;
    const rise = since.ms / Math.max(before.ms, 1e-6);
    if (rise < options.minRise || since.ms - before.ms < options.minRiseMs) return;
    yield {
      weight: rise,
      title: `The plan changed, and the statement takes ${times(rise)} as long`,
      detail: `${milliseconds(before.ms)} a call before (${plural(before.calls, 'call')}), ${milliseconds(since.ms)} since ${new Date(change.at).toISOString().slice(0, 10)} (${plural(since.calls, 'call')}).`,
      evidence: {
        meanMsBefore: before.ms,
        meanMsSince: since.ms,
        callsBefore: before.calls,
        callsSince: since.calls,
        shapeBefore: change.from.shape,
        shape: explained.shape ?? '',
        changedAt: new Date(change.at).toISOString(),
      },
      action: {
        kind: 'code',
        caution:
          'Look at what changed at that time: an index that was dropped, a table that grew, an ANALYZE, a setting, a version. If the statistics are old, ANALYZE the tables; if the old plan is still possible, SET enable_… = off for the new one in one session shows what each takes.',
      },
    };
  },
});

/** When the shape of now was first seen, after another one. Without a record of it, it came since the last window began. */
function changeOf(
  shape: string | null,
  shapes: readonly PastPlan[],
  { input }: PlanContext,
): { at: number; from: PastPlan } | undefined {
  if (shape === null) return undefined;
  const first = Date.parse(
    shapes.find((past) => past.shape === shape)?.firstSeenAt ?? input.windowFrom ?? input.takenAt,
  );
  const [from] = shapes
    .filter((past) => past.shape !== shape && Date.parse(past.firstSeenAt) < first)
    .toSorted((a, b) => Date.parse(b.lastSeenAt) - Date.parse(a.lastSeenAt));
  return from && Number.isFinite(first) ? { at: first, from } : undefined;
}

function now(window: Gain | null | undefined): Pick<PastWindow, 'calls' | 'totalMs'>[] {
  return window ? [window] : [];
}

function meanOf(windows: readonly Pick<PastWindow, 'calls' | 'totalMs'>[]): { calls: number; ms: number } {
  const calls = windows.reduce((sum, window) => sum + window.calls, 0);
  return { calls, ms: calls > 0 ? windows.reduce((sum, window) => sum + window.totalMs, 0) / calls : 0 };
}
