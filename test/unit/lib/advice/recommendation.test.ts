import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuditOutcome, follow, type Recommendation, statuses } from '../../../../lib/advice/recommendation.ts';
import { findings } from '../../generated.ts';
import { finding } from '../../snapshots.ts';

const monday = '2026-01-05T00:00:00.000Z';
const tuesday = '2026-01-06T00:00:00.000Z';
const rules = ['indexes/unused', 'queries/slow'];

/** Audits whose rules, of those named, could have found something. */
const judging = (ids: readonly string[]) => (recommendation: Recommendation) => ids.includes(recommendation.rule);

const known: fc.Arbitrary<Recommendation[]> = fc.uniqueArray(
  fc.tuple(findings, fc.constantFrom(...statuses)).map(([found, status]) => ({
    ...found,
    status,
    firstSeenAt: monday,
    lastSeenAt: monday,
    appliedAt: status === 'applied' || status === 'verified' ? monday : null,
    proof: null,
  })),
  { selector: ({ id }) => id },
);
const outcomes: fc.Arbitrary<AuditOutcome> = fc.record({
  at: fc.constant(tuesday),
  findings: fc.uniqueArray(findings, { selector: ({ id }) => id }),
  isJudged: fc.subarray(rules).map(judging),
  windows: fc.constant(new Map()),
});

function law(check: (before: Map<string, Recommendation>, outcome: AuditOutcome, after: Recommendation[]) => void) {
  fc.assert(
    fc.property(known, outcomes, (list, outcome) =>
      check(new Map(list.map((each) => [each.id, each])), outcome, follow(list, outcome)),
    ),
  );
}

describe('following recommendations through an audit', () => {
  test('loses none and makes up none', () => {
    law((before, outcome, after) => {
      const expected = new Set([...before.keys(), ...outcome.findings.map(({ id }) => id)]);
      expect(after.length).toBe(expected.size);
      expect(new Set(after.map(({ id }) => id))).toEqual(expected);
    });
  });

  test('opens everything that is found, unless somebody dismissed it', () => {
    law((before, outcome, after) => {
      for (const { id } of outcome.findings) {
        const { status, lastSeenAt, appliedAt } = after.find((each) => each.id === id) ?? {};
        expect(status).toBe(before.get(id)?.status === 'dismissed' ? 'dismissed' : 'open');
        expect([lastSeenAt, appliedAt]).toEqual([tuesday, null]);
      }
    });
  });

  test('keeps the day when each was seen first', () => {
    law((before, _, after) => {
      for (const { id, firstSeenAt } of after) expect(firstSeenAt).toBe(before.has(id) ? monday : tuesday);
    });
  });

  test('takes what was open, is found no more and was looked for as applied', () => {
    law((before, { findings: found, isJudged }, after) => {
      for (const old of before.values()) {
        if (old.status !== 'open' || !isJudged(old) || found.some(({ id }) => id === old.id)) continue;
        expect(after).toContainEqual({ ...old, status: 'applied', appliedAt: tuesday });
      }
    });
  });

  test('leaves alone what was not looked for, and what is not open', () => {
    law((before, { findings: found, isJudged }, after) => {
      for (const old of before.values()) {
        if (found.some(({ id }) => id === old.id) || (old.status === 'open' && isJudged(old))) continue;
        expect(after).toContainEqual(old);
      }
    });
  });

  test('says the same when the same audit is followed twice', () => {
    law((before, outcome, after) => {
      expect(follow(after, outcome)).toEqual(after);
      expect(follow([...before.values()], outcome)).toEqual(after);
    });
  });

  test('takes the evidence of the newest audit', () => {
    const first = follow([], {
      at: monday,
      findings: [finding({ evidence: { scans: 0 } })],
      isJudged: judging(rules),
      windows: new Map(),
    });
    const second = follow(first, {
      at: tuesday,
      findings: [finding({ evidence: { scans: 7 } })],
      isJudged: judging(rules),
      windows: new Map(),
    });
    expect(second).toMatchObject([{ evidence: { scans: 7 }, firstSeenAt: monday, lastSeenAt: tuesday }]);
  });

  test('opens again what came back after it was applied', () => {
    const isJudged = judging(rules);
    const opened = follow([], { at: monday, findings: [finding()], isJudged, windows: new Map() });
    const applied = follow(opened, { at: tuesday, findings: [], isJudged, windows: new Map() });
    const again = follow(applied, {
      at: '2026-01-07T00:00:00.000Z',
      findings: [finding()],
      isJudged,
      windows: new Map(),
    });
    expect(applied).toMatchObject([{ status: 'applied', appliedAt: tuesday, lastSeenAt: monday }]);
    expect(again).toMatchObject([{ status: 'open', appliedAt: null, firstSeenAt: monday }]);
  });

  test.each(['applied', 'verified'] as const)(
    'leaves a statement %s that is found in its old counters, until it is seen anew',
    (status) => {
      const slow = finding({ rule: 'queries/slow', subject: { database: 'shop', queryId: '1' } });
      const mended: Recommendation = {
        ...slow,
        status,
        firstSeenAt: monday,
        lastSeenAt: monday,
        appliedAt: monday,
        proof: null,
      };
      const outcome = { at: tuesday, findings: [slow], windows: new Map() };
      expect(follow([mended], { ...outcome, isJudged: () => false })).toEqual([mended]);
      expect(follow([mended], { ...outcome, isJudged: () => true })).toMatchObject([
        { status: 'open', appliedAt: null, lastSeenAt: tuesday },
      ]);
    },
  );
});
