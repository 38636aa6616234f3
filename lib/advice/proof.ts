/**
 * Whether what was applied has helped: the windows of the statement in which the finding was there, compared to those since.
 *
 * Faster counts as proved when the times of its windows are lower by the Mann–Whitney test (p below 0.05, and less while windows are
 * few) and their median by a tenth at least. Windows in which it was
 * seldom called tell of one call or another, and are left out. The hours of the day are matched where a whole day is
 * known: a quiet night proves nothing against a busy noon.
 */
import * as z from 'zod';
import { mannWhitney } from '../statistics/mann-whitney.ts';
import { median } from '../statistics/median.ts';
import type { Recommendation, Status } from './recommendation.ts';

/** What a statement did in a window that is over. Times are ISO 8601. */
export interface MeasuredWindow {
  from: string;
  to: string;
  calls: number;
  meanMs: number;
}

/** What was measured before and after a recommendation was applied. */
export const Proof = z
  .strictObject({
    queryId: z.string(),
    /** The medians of the means of the windows. */
    meanMsBefore: z.number(),
    meanMsAfter: z.number(),
    /** How likely a difference so clear would be if nothing had changed; of the direction that was found. */
    p: z.number(),
    windowsBefore: z.number(),
    windowsAfter: z.number(),
  })
  .meta({ id: 'Proof', description: 'What was measured before and after a recommendation was applied.' });
export type Proof = z.infer<typeof Proof>;

/** The status that a recommendation is to have, and what was measured; no proof while nothing is decided. */
export interface Verdict {
  status: Status;
  proof: Proof | null;
}

/** A window with fewer calls does not count. */
const minCalls = 10;

/** Fewer windows prove nothing. */
const minWindows = 5;

/** So many after it are enough to say that nothing has changed. */
const enoughWindows = 12;

/** With so many it is decided either way. */
const mostWindows = 24;

/** A median that is lower by less is no improvement worth the name. */
const minGain = 0.1;

const hour = 3_600_000;

/** What these ask for is fewer calls or another use of transactions: the time of a call neither proves nor disproves it. */
const notMeasuredInTime: ReadonlySet<string> = new Set([
  'queries/blocked',
  'queries/high-share',
  'queries/idle-in-transaction',
  'queries/long-transaction',
  'queries/n-plus-one',
  'queries/wal-heavy',
]);

/**
 * Decides about a recommendation that was applied: `verified` when a statement of it has become faster and none slower, `open`
 * again when one has become slower or none faster, and `applied` as long as the windows do not tell. Any other
 * stays as it is, and so does one that names no statement.
 *
 * @param windows of each statement, by query id, oldest first
 */
export function prove(
  recommendation: Recommendation,
  windows: ReadonlyMap<string, readonly MeasuredWindow[]>,
): Verdict {
  const { status, rule, appliedAt } = recommendation;
  if (status !== 'applied' || appliedAt === null || notMeasuredInTime.has(rule)) return { status, proof: null };
  const ids = queryIdsOf(recommendation);
  const outcomes = ids.flatMap((queryId) => {
    const outcome = compare(queryId, split(recommendation, appliedAt, windows.get(queryId) ?? []), ids.length);
    return outcome ? [outcome] : [];
  });
  const slower = clearest(outcomes, 'slower');
  if (slower) return { status: 'open', proof: slower };
  const faster = clearest(outcomes, 'faster');
  if (faster) return { status: 'verified', proof: faster };
  const same = clearest(outcomes, 'same');
  return same && outcomes.length === ids.length ? { status: 'open', proof: same } : { status, proof: null };
}

/** The statements that a recommendation is about: its subject, or those that `evidence.queryIds` lists, separated by commas. */
export function queryIdsOf({ subject, evidence }: Pick<Recommendation, 'subject' | 'evidence'>): string[] {
  if (subject.queryId !== undefined) return [subject.queryId];
  const listed = typeof evidence.queryIds === 'string' ? evidence.queryIds.split(',').map((id) => id.trim()) : [];
  return [...new Set(listed.filter((id) => id !== ''))];
}

/** The times of a statement before and after, whether or not they tell anything. */
export interface Measurement extends Proof {
  /** How often it was called before. */
  callsPerHour: number;
}

/**
 * What was measured of each statement of a recommendation that was applied: those that have enough windows on both sides.
 *
 * @param windows of each statement, by query id, oldest first
 */
export function measure(
  recommendation: Recommendation,
  windows: ReadonlyMap<string, readonly MeasuredWindow[]>,
): Measurement[] {
  const { appliedAt } = recommendation;
  if (appliedAt === null) return [];
  return queryIdsOf(recommendation).flatMap((queryId) => {
    const sides = split(recommendation, appliedAt, windows.get(queryId) ?? []);
    const measured = measuredBetween(queryId, sides);
    if (!measured) return [];
    const { lower, higher, ...proof } = measured;
    return [{ ...proof, p: Math.min(lower, higher), callsPerHour: sides.callsPerHour }];
  });
}

interface Sides {
  before: number[];
  after: number[];
  callsPerHour: number;
}

/**
 * The times before and after. Before are the windows in which it was found, and as many as are needed; those from when it
 * was last found until it was first missed are neither.
 */
function split(
  { firstSeenAt, lastSeenAt }: Recommendation,
  appliedAt: string,
  windows: readonly MeasuredWindow[],
): Sides {
  const telling = windows.filter(({ calls, meanMs }) => calls >= minCalls && Number.isFinite(meanMs));
  const after = telling.filter(({ from }) => Date.parse(from) >= Date.parse(appliedAt));
  const earlier = telling.filter(({ to }) => Date.parse(to) <= Date.parse(lastSeenAt));
  const found = earlier.filter(({ to }) => Date.parse(to) >= Date.parse(firstSeenAt));
  const before = atHoursOf(after, earlier.slice(-Math.max(minWindows, found.length)));
  return { before: before.map(meanOf), after: after.map(meanOf), callsPerHour: callsPerHourOf(before) };
}

function callsPerHourOf(windows: readonly MeasuredWindow[]): number {
  const calls = windows.reduce((sum, window) => sum + window.calls, 0);
  const ms = windows.reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0);
  return ms > 0 ? (calls * hour) / ms : 0;
}

/** Of the earlier windows those of the same hours of the day; all where they are of less than a day. */
function atHoursOf(after: readonly MeasuredWindow[], before: readonly MeasuredWindow[]): readonly MeasuredWindow[] {
  const covered = Date.parse(before.at(-1)?.to ?? '') - Date.parse(before[0]?.from ?? '');
  if (!(covered >= 24 * hour)) return before;
  const hours = new Set(after.map(hourOf));
  return before.filter((window) => hours.has(hourOf(window)));
}

function hourOf({ from, to }: MeasuredWindow): number {
  return new Date((Date.parse(from) + Date.parse(to)) / 2).getUTCHours();
}

function meanOf({ meanMs }: MeasuredWindow): number {
  return meanMs;
}

interface Outcome {
  change: 'faster' | 'slower' | 'same';
  proof: Proof;
}

/** The figures of both sides, with how likely a time so low, and so high, would be; undefined where windows are too few. */
function measuredBetween(
  queryId: string,
  { before, after: all }: Sides,
): (Omit<Proof, 'p'> & { lower: number; higher: number }) | undefined {
  const after = all.slice(0, windowsToLookAt(all.length));
  if (before.length < minWindows || after.length < minWindows) return undefined;
  return {
    queryId,
    meanMsBefore: median(before),
    meanMsAfter: median(after),
    windowsBefore: before.length,
    windowsAfter: after.length,
    lower: mannWhitney(after, before, 'less').p,
    higher: mannWhitney(after, before, 'greater').p,
  };
}

/** @param comparisons so many are made: the more, the clearer each must be (Bonferroni) */
function compare(queryId: string, sides: Sides, comparisons: number): Outcome | undefined {
  const measured = measuredBetween(queryId, sides);
  if (!measured) return undefined;
  const { lower, higher, ...figures } = measured;
  const { meanMsBefore, meanMsAfter, windowsAfter } = figures;
  const limit = maxP(windowsAfter) / comparisons;
  const outcome = (change: Outcome['change'], p: number): Outcome => ({ change, proof: { ...figures, p } });
  const isLower = meanMsAfter <= (1 - minGain) * meanMsBefore;
  if (isLower && lower < limit) return outcome('faster', lower);
  if (meanMsAfter >= (1 + minGain) * meanMsBefore && higher < limit) return outcome('slower', higher);
  const isOpen = windowsAfter < enoughWindows || (isLower && windowsAfter < mostWindows);
  return isOpen ? undefined : outcome('same', lower);
}

/** Every look is one more chance to see something by chance: once there are enough windows, it is looked at twice. */
function windowsToLookAt(windows: number): number {
  return [mostWindows, enoughWindows].find((enough) => windows >= enough) ?? windows;
}

/** So that all looks together see what is not there in about one of fifteen cases, even where times vary by half. */
function maxP(windows: number): number {
  if (windows < enoughWindows) return 0.005;
  return windows < mostWindows ? 0.025 : 0.05;
}

/** Of the outcomes of a kind that which is the least likely by chance. */
function clearest(outcomes: readonly Outcome[], change: Outcome['change']): Proof | undefined {
  return outcomes
    .filter((outcome) => outcome.change === change)
    .map(({ proof }) => proof)
    .sort((a, b) => a.p - b.p)
    .at(0);
}
