import * as z from 'zod';
import type { Action, Finding } from '../../../advice/finding.ts';
import { milliseconds, plural, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import { thresholds } from '../../../settings.ts';
import { riseIn } from '../../../statistics/change-point.ts';
import { mannWhitney } from '../../../statistics/mann-whitney.ts';
import { median } from '../../../statistics/median.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import { rounded, subjectOf } from './figures.ts';
import { type UsableWindow, unsettledSpans, usableWindows } from './past.ts';
import { isWeekBefore, Usual } from './usual.ts';

const hour = 3_600_000;

/** Where one window in twenty was half as much above the usual before, it is nothing new. */
const usualShare = 0.05;

/** A figure of the calls that rose by so much may be the cause. */
const muchMore = 1.5;

const Options = z.strictObject({
  /** The typical window takes at least so many times as long as before. */
  minRatio: z.number().min(1.05).default(1.5),
  /** And by so much longer. */
  minRiseMs: z.number().min(0).default(1),
  /** How likely a rise so clear may be by chance. */
  maxP: z.number().positive().max(1).default(0.01),
  /** Windows with fewer calls are left out: their means tell of one call or another. */
  minCalls: z.number().int().min(1).default(10),
  /** So many windows are needed before the rise, at hours that were seen on two days. */
  minWindowsBefore: z.number().int().min(4).default(24),
  /** And so many after it. */
  minWindowsAfter: z.number().int().min(4).default(4),
  /** Those cover so much time, at least: what is over sooner was an incident. */
  minHoursAfter: z.number().min(0).default(1),
});
type Options = z.infer<typeof Options>;

/**
 * `queries/regressed`: a statement that takes longer than it used to. Each of its windows is compared to what is usual at that
 * hour of the day, so that a busy morning or a batch at night is no news; then they are split where they rise most
 * clearly. All of this must hold:
 *
 * - such a split is not to be expected by chance: lib/statistics/change-point.ts, and the Mann–Whitney test of both sides;
 * - the windows after it are above the usual by a ratio and by an amount, and the last ones still are;
 * - hardly any window before it was even halfway up;
 * - they are above those of the same hour a week before, where those are known.
 */
export const regressed = defineRule({
  id: 'queries/regressed',
  title: 'Slower than before',
  why: 'Something has changed: the plan, the data, the load or the code. It is found soonest while one still knows what was done that day.',
  severity: 'warning',
  options: Options,
  check(input: QueryInput, options): Draft[] {
    if (input.past === undefined) return [];
    const unsettled = unsettledSpans(input);
    const judged = input.statements
      .filter(({ kind }) => kind !== 'utility')
      .map((statement) => ({ statement, windows: usableWindows(input, statement, options.minCalls, unsettled) }))
      .filter(({ windows }) => windows.length >= options.minWindowsBefore + options.minWindowsAfter);
    const found = judged.flatMap(({ statement, windows }) => {
      const rise = riseOf(windows, Date.parse(input.takenAt), options);
      return rise ? [{ statement, rise }] : [];
    });
    return found.map(({ statement, rise }) => draftOf(input, statement, rise, found.length, judged.length));
  },
});

interface Rise {
  before: UsableWindow[];
  after: UsableWindow[];
  /** How many times as long as usual the windows after it take: the median. */
  ratio: number;
  /** How much longer than usual a call takes: the median. */
  riseMs: number;
  p: number;
}

/** A window, and what was usual at its hour before the rise. */
interface Compared {
  window: UsableWindow;
  usualMs: number;
}

function riseOf(windows: readonly UsableWindow[], now: number, options: Options): Rise | undefined {
  // What was slow when it was last called, days ago, is no news.
  if ((windows.at(-1)?.end ?? 0) < now - 24 * hour) return undefined;
  const all = compared(windows, windows);
  const levels = all.map((each) => levelOf(each, options.minRatio));
  const split = riseIn(levels, options.minWindowsBefore, options.minWindowsAfter);
  const first = all[split?.at ?? Number.NaN]?.window;
  if (split === undefined || first === undefined) return undefined;
  const before = windows.filter(({ start }) => start < first.start);
  const after = windows.filter(({ start }) => start >= first.start);
  // Now that it is known when they rose, what was usual is told by the windows before alone.
  const low = compared(before, before);
  const high = compared(after, before);
  const recent = high.slice(-options.minWindowsAfter);
  if (low.length < options.minWindowsBefore || recent.length < options.minWindowsAfter) return undefined;
  const ratio = median(high.map(ratioOf));
  const riseMs = median(high.map(({ window, usualMs }) => window.meanMs - usualMs));
  const p = Math.max(split.p, mannWhitney(high.map(ratioOf), low.map(ratioOf), 'greater').p);
  const isRise =
    p <= options.maxP &&
    ratio >= options.minRatio &&
    riseMs >= options.minRiseMs &&
    median(recent.map(ratioOf)) >= options.minRatio &&
    hoursOf(after) >= options.minHoursAfter &&
    shareAbove(low, Math.sqrt(ratio)) <= usualShare &&
    isAboveLastWeek(before, recent, options.minRatio);
  return isRise ? { before, after, ratio, riseMs, p } : undefined;
}

/** The windows whose hour was seen on another day before. */
function compared(windows: readonly UsableWindow[], before: readonly UsableWindow[]): Compared[] {
  const usual = new Usual(before);
  return windows.flatMap((window) => {
    const usualMs = usual.at(window);
    return usualMs === undefined ? [] : [{ window, usualMs }];
  });
}

function ratioOf({ window, usualMs }: Compared): number {
  return window.meanMs / usualMs;
}

/** In steps of half a rise: whether an hour is a little above the usual must not decide where the rise began. */
function levelOf(window: Compared, minRatio: number): number {
  return Math.round((2 * Math.log(ratioOf(window))) / Math.log(minRatio));
}

function shareAbove(windows: readonly Compared[], ratio: number): number {
  return windows.filter((each) => ratioOf(each) >= ratio).length / windows.length;
}

/** A batch that comes once a week is unusual on every other day. */
function isAboveLastWeek(before: readonly UsableWindow[], recent: readonly Compared[], minRatio: number): boolean {
  const lastWeek = before.filter((earlier) => recent.some(({ window }) => isWeekBefore(earlier, window)));
  if (lastWeek.length === 0) return true;
  return median(recent.map(({ window }) => window.meanMs)) >= minRatio * median(lastWeek.map(({ meanMs }) => meanMs));
}

function hoursOf(windows: readonly UsableWindow[]): number {
  return ((windows.at(-1)?.end ?? 0) - (windows[0]?.start ?? 0)) / hour;
}

function draftOf(input: QueryInput, statement: Statement, rise: Rise, found: number, judged: number): Draft {
  const { before, after, ratio, riseMs, p } = rise;
  const since = after[0]?.from ?? input.takenAt;
  const meanMsAfter = median(after.map(({ meanMs }) => meanMs));
  const [was, is] = [perCall(before), perCall(after)];
  const planChangedAt = planChange(input, statement, before.at(-1)?.start ?? 0);
  const callsPerDay = (24 * is.calls) / hoursCovered(after);
  const isGeneral = found > 1 && 2 * found > judged;
  return {
    severity: meanMsAfter >= thresholds.queryTargetMs ? 'warning' : 'info',
    subject: subjectOf(input, statement),
    title: `A statement takes ${milliseconds(meanMsAfter)}, ${times(ratio)} times as long as usual: ${shortened(statement.query)}`,
    detail: `Since about ${since.slice(0, 16).replace('T', ' ')} UTC, by ${plural(after.length, 'window')} after it and ${plural(before.length, 'window')} before.${planChangedAt === undefined ? '' : ` Its plan changed at ${planChangedAt.slice(0, 16).replace('T', ' ')} UTC.`}${isGeneral ? ` So do ${found} of ${judged} statements: look at the server first.` : ''}`,
    evidence: {
      statement: statement.query,
      basis: 'windows',
      since,
      meanMsBefore: rounded(meanMsAfter / ratio),
      meanMsAfter: rounded(meanMsAfter),
      ratio: rounded(ratio),
      riseMs: rounded(riseMs),
      p: Number(p.toPrecision(2)),
      windowsBefore: before.length,
      windowsAfter: after.length,
      rowsPerCallBefore: rounded(was.rows),
      rowsPerCallAfter: rounded(is.rows),
      blocksPerCallBefore: rounded(was.blocks),
      blocksPerCallAfter: rounded(is.blocks),
      ...(planChangedAt === undefined ? {} : { planChangedAt }),
      regressedStatements: found,
    } satisfies Finding['evidence'],
    ...(Number.isFinite(callsPerDay) ? { impact: { msPerDay: Math.round(riseMs * callsPerDay) } } : {}),
    action: remedy(was, is, planChangedAt !== undefined),
  };
}

function times(ratio: number): string {
  return ratio.toLocaleString('en-US', { maximumSignificantDigits: 2 });
}

interface PerCall {
  calls: number;
  rows: number;
  blocks: number;
}

function perCall(windows: readonly UsableWindow[]): PerCall {
  const sum = (figure: 'calls' | 'rows' | 'blocks') => windows.reduce((all, window) => all + window[figure], 0);
  const calls = sum('calls');
  return { calls, rows: sum('rows') / calls, blocks: sum('blocks') / calls };
}

function hoursCovered(windows: readonly UsableWindow[]): number {
  return windows.reduce((all, { start, end }) => all + end - start, 0) / hour;
}

/** When the plan got a shape that it did not have before, not earlier than the last window before the rise. */
function planChange({ past }: QueryInput, { queryId }: Statement, notBefore: number): string | undefined {
  const plans = past?.plans.get(queryId) ?? [];
  return plans.slice(1).find(({ firstSeenAt }) => Date.parse(firstSeenAt) >= notBefore - hour)?.firstSeenAt;
}

/** What the figures of the calls point at. */
function remedy(was: PerCall, is: PerCall, planChanged: boolean): Action {
  const causes: [boolean, string][] = [
    [
      planChanged,
      'Its plan changed with it: compare the two, and ANALYZE the tables. A dropped index or a grown table is the usual cause.',
    ],
    [
      is.rows > muchMore * was.rows,
      'It returns more rows than before: what calls it, or the data, has changed. A LIMIT bounds it.',
    ],
    [
      is.blocks > muchMore * was.blocks,
      'It reads more blocks for the same: tables or indexes have grown or are full of dead rows, or the plan is another one. See the last VACUUM and ANALYZE of its tables.',
    ],
  ];
  const caution = causes.find(([holds]) => holds)?.[1];
  return {
    kind: 'code',
    caution:
      caution ??
      'It reads as much as before and waits for longer: look for locks, for a busy processor or disk, and for what was deployed at that time.',
  };
}
