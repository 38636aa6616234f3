import * as z from 'zod';
import { type BuiltIndex, Effect, effectOf } from './effect.ts';
import { Finding } from './finding.ts';
import { type MeasuredWindow, Proof, prove } from './proof.ts';

/**
 * The life of a recommendation. `open`: the last audit found it. `applied`: a later audit that could
 * have found it did not. `verified`: measured to have helped. `dismissed`: somebody decided against it. One that was
 * applied and measured not to have helped is open again.
 */
export const statuses = ['open', 'applied', 'verified', 'dismissed'] as const;

/** One of {@link statuses}. */
export type Status = (typeof statuses)[number];

/** A finding with a life. */
export const Recommendation = Finding.extend({
  status: z.enum(statuses),
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
  /** When an audit first missed it; null while it is found. */
  appliedAt: z.string().nullable(),
  /** What was measured since; null before it is decided. */
  proof: Proof.nullable(),
  /** Of an index that was recommended and is there: what it has brought. Absent before it is, and for other advice. */
  effect: Effect.optional(),
}).meta({ id: 'Recommendation', description: 'A finding with a life: open, applied, verified or dismissed.' });
export type Recommendation = z.infer<typeof Recommendation>;

/** What an audit says to the recommendations that are known. */
export interface AuditOutcome {
  at: string;
  findings: readonly Finding[];
  /** Whether the audit could have found something again: only then does its silence mean anything. */
  isJudged(recommendation: Recommendation): boolean;
  /** What the statements of those that were applied did before and after, by query id; oldest first. */
  windows: ReadonlyMap<string, readonly MeasuredWindow[]>;
  /** The indexes that were recommended and are there, by the ids of the recommendations. */
  built?: ReadonlyMap<string, BuiltIndex>;
}

/**
 * Follows the recommendations of one part of one database through an audit: what is found is opened or
 * stays open, what is found no more was applied, what was applied is measured, what was dismissed stays dismissed. What
 * is found of a statement that was not seen since, in its old counters, does not open again what was applied. A recommendation of which
 * the audit says nothing is handed back as the very same object.
 *
 * What the advisor proposes no more was applied only if the index is there. If it is not, the proposal is withdrawn and left out: another
 * choice has taken its place, and nobody should build it any more.
 */
export function follow(known: readonly Recommendation[], outcome: AuditOutcome): Recommendation[] {
  const before = new Map(known.map((recommendation) => [recommendation.id, recommendation]));
  const found = new Set(outcome.findings.map(({ id }) => id));
  const seen = outcome.findings.map((finding): Recommendation => {
    const old = before.get(finding.id);
    if (old && restsOnThePast(old, outcome)) return missed(old, outcome);
    return {
      ...finding,
      status: old?.status === 'dismissed' ? 'dismissed' : 'open',
      firstSeenAt: old?.firstSeenAt ?? outcome.at,
      lastSeenAt: outcome.at,
      appliedAt: null,
      proof: null,
    };
  });
  const others = known.filter(
    (recommendation) => !found.has(recommendation.id) && !isWithdrawn(recommendation, outcome),
  );
  const followed = [...seen, ...others.map((recommendation) => missed(recommendation, outcome))];
  return followed.map((recommendation) => effectOf(recommendation, outcome, followed));
}

/** A choice of indexes that go together changes with the workload: that it is not proposed any more says nothing of what was built. */
const appliedWhenBuilt: ReadonlySet<string> = new Set(['indexes/missing']);

function isWithdrawn(recommendation: Recommendation, { isJudged, built }: AuditOutcome): boolean {
  const { id, rule, status, proof } = recommendation;
  return (
    appliedWhenBuilt.has(rule) && status === 'open' && proof === null && !built?.has(id) && isJudged(recommendation)
  );
}

/** The counters of a statement remember what was mended: it is not back before the audit has seen the statement anew. */
function restsOnThePast(old: Recommendation, { isJudged }: AuditOutcome): boolean {
  const wasMended = old.status === 'applied' || old.status === 'verified';
  return wasMended && old.subject.queryId !== undefined && !isJudged(old);
}

function missed(recommendation: Recommendation, outcome: AuditOutcome): Recommendation {
  const { at, windows } = outcome;
  if (recommendation.status === 'applied') {
    const { status, proof } = prove(recommendation, windows);
    return proof === null ? recommendation : { ...recommendation, status, proof };
  }
  // What was measured not to have helped stays open until it is found, and missed, again.
  const isGone = recommendation.status === 'open' && recommendation.proof === null && isMended(recommendation, outcome);
  return isGone ? { ...recommendation, status: 'applied', appliedAt: at } : recommendation;
}

/** An index that is there is there, even where the advisor could not be asked. */
function isMended(recommendation: Recommendation, { isJudged, built }: AuditOutcome): boolean {
  return appliedWhenBuilt.has(recommendation.rule) ? built?.has(recommendation.id) === true : isJudged(recommendation);
}
