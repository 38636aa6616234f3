import { beforeAll, describe, expect, test } from 'vitest';
import type { Recommendation } from '../../../../lib/advice/recommendation.ts';
import type { History } from '../../../../lib/postgres/history.ts';
import { queryRecord } from '../../../../lib/queries/record.ts';
import type { QuerySnapshot, Statement } from '../../../../lib/queries/snapshot.ts';
import { loadParser } from '../../../../lib/queries/text.ts';
import { withWindow } from '../../../../lib/queries/window.ts';
import { finding, planNode, querySnapshot, server, statement, statementPlan } from '../../snapshots.ts';

const at = (minutes: number) => new Date(Date.UTC(2026, 2, 1, 12, minutes)).toISOString();
const resetAt = at(-600);

beforeAll(() => loadParser());

/** A history that knows nothing of what was before. */
function historyOf(): History {
  const known: Partial<History> = {
    past: async () => ({ windows: new Map(), plans: new Map() }),
  };
  return known as History;
}

const about = (rule: string): Recommendation => ({
  ...finding({ rule, subject: { database: 'shop', queryId: '1' } }),
  status: 'open',
  firstSeenAt: at(-5),
  lastSeenAt: at(0),
  appliedAt: null,
  proof: null,
});

/** Whether an audit five minutes after another has seen the statement. */
async function sees(
  before: Partial<Statement> | null,
  now: Partial<Statement>,
  change: Partial<QuerySnapshot> = {},
  rule = 'queries/slow',
): Promise<boolean> {
  const usual = { resetAt, evictions: 0 };
  const first = before === null ? undefined : querySnapshot([statement(before)], { takenAt: at(0), ...usual });
  const second = querySnapshot([statement(now)], { takenAt: at(5), ...usual, ...change });
  return (await queryRecord(withWindow(second, first), first, 'shop', historyOf())).hasSeen(about(rule));
}

describe('a statement was seen', () => {
  const called = { calls: 11, totalMs: 11 };

  test('when it was called since the audit before, and not when it was not', async () => {
    expect(await sees({}, called)).toBe(true);
    expect(await sees({}, {})).toBe(false);
  });

  test('in the first audit of all', async () => {
    expect(await sees(null, {})).toBe(true);
  });

  test('after a restart only if its counters began since', async () => {
    const restarted = { server: server({ startedAt: at(2) }) };
    expect(await sees({}, called, restarted)).toBe(false);
    expect(await sees({ since: at(-60) }, { since: at(-60) }, restarted)).toBe(false);
    expect(await sees({ since: at(-60) }, { since: at(3) }, restarted)).toBe(true);
  });

  test('after a reset when it is there', async () => {
    const reset = { resetAt: at(2) };
    expect(await sees({ since: resetAt }, { since: at(2) }, reset)).toBe(true);
    expect(await sees({ since: resetAt }, { queryId: '2', since: at(2) }, reset)).toBe(false);
  });

  test('by the rules over plans when it was explained', async () => {
    expect(await sees({}, called, {}, 'plans/large-sort')).toBe(false);
    expect(await sees({}, {}, { plans: [statementPlan(planNode())] }, 'plans/large-sort')).toBe(true);
  });
});

test('a plan is kept without the constants of views', async () => {
  const plan = statementPlan(planNode({ conditions: { filter: "(word = 'geheim'::text)" } }));
  const { input, record } = await queryRecord(
    querySnapshot([statement()], { plans: [plan] }),
    undefined,
    'shop',
    historyOf(),
  );
  expect(JSON.stringify(record)).not.toContain('geheim');
  expect(input.plans).toEqual([plan]);
});
