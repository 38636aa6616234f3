import { describe, expect, test } from 'vitest';
import { type BuiltIndex, Effect, Effects, effectOf, effectsOf } from '../../../../lib/advice/effect.ts';
import type { Expectation } from '../../../../lib/advice/finding.ts';
import type { MeasuredWindow } from '../../../../lib/advice/proof.ts';
import { type AuditOutcome, follow, type Recommendation } from '../../../../lib/advice/recommendation.ts';
import { finding } from '../../snapshots.ts';

const minute = 60_000;
const lastSeen = Date.UTC(2026, 2, 10, 12);
const applied = lastSeen + 5 * minute;
const iso = (time: number) => new Date(time).toISOString();
const later = iso(applied + 60 * minute);

const expected = (statements: Partial<Expectation['statements'][number]>[]): Expectation => ({
  sizeBytes: 1_000_000,
  statements: statements.map((each) => ({ queryId: '1', costBefore: 100, costAfter: 10, together: [], ...each })),
});

function recommendation(overrides: Partial<Recommendation> = {}): Recommendation {
  return {
    ...finding({
      rule: 'indexes/missing',
      subject: { database: 'shop', schema: 'public', table: 't', index: 't_a_idx' },
      evidence: { queryIds: '1, 2' },
    }),
    expected: expected([{}]),
    status: 'applied',
    firstSeenAt: iso(lastSeen - 24 * 60 * minute),
    lastSeenAt: iso(lastSeen),
    appliedAt: iso(applied),
    proof: null,
    ...overrides,
  };
}

function windows(from: number, meanMs: number, count: number, calls: number): MeasuredWindow[] {
  return Array.from({ length: count }, (_, i) => ({
    from: iso(from + 5 * i * minute),
    to: iso(from + 5 * (i + 1) * minute),
    calls,
    meanMs,
  }));
}

const statement = (beforeMs: number, afterMs: number, { after = 6, calls = 100 } = {}) => [
  ...windows(lastSeen - 50 * minute, beforeMs, 10, calls),
  ...windows(applied, afterMs, after, calls),
];

const index: BuiltIndex = { index: 'public.mine', sizeBytes: 1_200_000 };
const built = (each: Recommendation) => new Map([[each.id, index]]);

function effect(
  each: Recommendation,
  of: Record<string, MeasuredWindow[]>,
  others: readonly Recommendation[] = [],
): Effect | undefined {
  const outcome = { at: later, built: built(each), windows: new Map(Object.entries(of)) };
  const found = effectOf(each, outcome, [each, ...others]).effect;
  return found && Effect.parse(found);
}

describe('the effect of an index that was recommended', () => {
  test('is its size alone before there are windows', () => {
    expect(effect(recommendation(), {})).toEqual({
      index: 'public.mine',
      sizeBytes: 1_200_000,
      expectedBytes: 1_000_000,
      measuredRatio: null,
      expectedRatio: null,
      statements: [],
    });
  });

  test('is the time after / before beside the cost after / before', () => {
    const found = effect(recommendation(), { 1: statement(50, 10) });
    expect(found?.measuredRatio).toBeCloseTo(0.2, 9);
    expect(found?.expectedRatio).toBeCloseTo(0.1, 9);
    expect(found?.statements).toMatchObject([{ queryId: '1', meanMsBefore: 50, meanMsAfter: 10, windowsAfter: 6 }]);
    expect(found?.statements[0]?.p).toBeLessThan(0.01);
  });

  test('weighs statements by the time that they took', () => {
    const both = recommendation({ expected: expected([{}, { queryId: '2', costAfter: 50 }]) });
    const found = effect(both, { 1: statement(90, 9), 2: statement(1, 1, { calls: 1_000 }) });
    // 9,000 ms became 900, and 1,000 stayed.
    expect(found?.measuredRatio).toBeCloseTo(0.19, 9);
    expect(found?.expectedRatio).toBeCloseTo(0.9 * 0.1 + 0.1 * 0.5, 9);
  });

  test('tells statements of which nothing was expected, and does not count them', () => {
    const found = effect(recommendation(), { 1: statement(50, 10), 2: statement(50, 50) });
    expect(found?.measuredRatio).toBeCloseTo(0.2, 9);
    expect(found?.statements.map(({ queryId, expectedRatio }) => [queryId, expectedRatio])).toEqual([
      ['1', 0.1],
      ['2', null],
    ]);
  });

  test('of an index that was expected to work with another is compared only if both came at once', () => {
    const other = (appliedAt: string | null) => recommendation({ id: 'other', appliedAt });
    const withOther = recommendation({ expected: expected([{ together: ['other'] }]) });
    const of = { 1: statement(50, 10) };
    expect(effect(withOther, of, [other(iso(applied))])?.expectedRatio).toBeCloseTo(0.1, 9);
    for (const others of [[], [other(null)], [other(later)]]) {
      expect(effect(withOther, of, others)).toMatchObject({ expectedRatio: null, measuredRatio: null });
      expect(effect(withOther, of, others)?.statements[0]?.measuredRatio).toBeCloseTo(0.2, 9);
    }
  });

  test('is that of no index that is not there', () => {
    const each = recommendation();
    expect(effectOf(each, { at: later, windows: new Map([['1', statement(50, 10)]]) }, [each])).toBe(each);
  });

  test('goes on being measured for days after it was verified, and then stays', () => {
    const each = recommendation({ status: 'verified' });
    const first = { ...each, effect: effect(each, { 1: statement(50, 10) }) as Effect };
    const outcome = (at: number) => ({ at: iso(at), windows: new Map([['1', statement(50, 20, { after: 20 })]]) });
    const next = effectOf(first, outcome(applied + 120 * minute), [first]);
    expect(next.effect?.measuredRatio).toBeCloseTo(0.4, 9);
    expect(effectOf(next, outcome(applied + 120 * minute), [next])).toBe(next);
    expect(effectOf(first, outcome(applied + 73 * 60 * minute), [first])).toBe(first);
    // What is not known this time does not take away what was.
    expect(effectOf(next, { at: later, windows: new Map() }, [next])).toBe(next);
  });
});

describe('a proposal of the advisor', () => {
  const open = recommendation({ status: 'open', appliedAt: null });
  const outcome = (overrides: Partial<AuditOutcome>): AuditOutcome => ({
    at: later,
    findings: [],
    isJudged: () => true,
    windows: new Map(),
    ...overrides,
  });

  test('is applied when its index is there, even where the advisor could not be asked', () => {
    for (const isJudged of [() => true, () => false]) {
      expect(follow([open], outcome({ isJudged, built: built(open) }))).toMatchObject([
        { status: 'applied', appliedAt: later, effect: { index: 'public.mine' } },
      ]);
    }
  });

  test('is withdrawn when it is made no more and nobody has built it', () => {
    expect(follow([open], outcome({}))).toEqual([]);
    expect(follow([open], outcome({ isJudged: () => false }))).toEqual([open]);
  });

  test('is not withdrawn when somebody dismissed it, or it was applied or measured', () => {
    for (const kept of [
      recommendation({ status: 'dismissed', appliedAt: null }),
      recommendation(),
      recommendation({ status: 'verified' }),
      recommendation({
        status: 'open',
        proof: { queryId: '1', meanMsBefore: 1, meanMsAfter: 1, p: 0.5, windowsBefore: 20, windowsAfter: 20 },
      }),
    ]) {
      expect(follow([kept], outcome({}))).toEqual([kept]);
    }
  });

  test('loses its effect when it is made again', () => {
    const before = { ...recommendation(), effect: effect(recommendation(), {}) as Effect };
    const { status: _, firstSeenAt: __, lastSeenAt: ___, appliedAt: ____, proof: _____, ...again } = recommendation();
    const [reopened] = follow([before], outcome({ findings: [again] }));
    expect(reopened).toMatchObject({ status: 'open', appliedAt: null });
    expect(reopened).not.toHaveProperty('effect');
  });
});

describe('the effects of all', () => {
  const one = (ratios: Partial<Effect>) => ({ effect: { ...(effect(recommendation(), {}) as Effect), ...ratios } });

  test('are medians of what was measured / what was expected', () => {
    const all = effectsOf([
      one({ measuredRatio: 0.1, expectedRatio: 0.1, sizeBytes: 1_000_000 }),
      one({ measuredRatio: 0.3, expectedRatio: 0.1, sizeBytes: 1_100_000 }),
      one({ measuredRatio: 0.2, expectedRatio: 0.1, expectedBytes: null }),
      one({ measuredRatio: 0.9, expectedRatio: null, sizeBytes: 1_200_000 }),
      {},
    ]);
    expect(Effects.parse(all)).toMatchObject({ built: 4, measured: 3 });
    expect(all?.medianMeasuredToExpected).toBeCloseTo(2, 9);
    expect(all?.medianSizeToExpected).toBeCloseTo(1.1, 9);
  });

  test('are nothing where no index was built, and no ratios where none was measured', () => {
    expect(effectsOf([{}])).toBeUndefined();
    expect(effectsOf([one({ expectedBytes: null })])).toEqual({
      built: 1,
      measured: 0,
      medianMeasuredToExpected: null,
      medianSizeToExpected: null,
    });
  });
});
