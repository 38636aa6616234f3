import { describe, expect, test } from 'vitest';
import { epochsOf } from '../../../../../lib/indexes/advisor/epochs.ts';
import type { Planner } from '../../../../../lib/indexes/advisor/hypopg.ts';
import type { Known } from '../../../../../lib/indexes/advisor/prepare.ts';
import type { Plan } from '../../../../../lib/queries/plan/tree.ts';
import { column, planNode, plannerSettings, relation, server, statementPlan, tableIndex } from '../../../snapshots.ts';

const planner = (sql = 'explain …'): Planner => ({
  plan: async () => null,
  sqlFor: (queryId) => ({ prepare: `${queryId} ${sql}` }) as never,
});

const scan = (table: string, totalCost: number) => {
  const node = planNode({ relation: { schema: 'public', name: table, alias: table } });
  return statementPlan({ ...node, estimate: { ...node.estimate, totalCost } }).plan as Plan;
};

const known = (changes: Partial<Known> = {}, cost = 1_000): Known => ({
  plans: new Map([
    ['1', scan('orders', cost)],
    ['2', scan('people', 500)],
  ]),
  uses: [],
  relations: [orders(), relation('people', { columns: [column('id')] })],
  settings: plannerSettings(),
  ...changes,
});

const orders = (changes: Parameters<typeof relation>[1] = {}) =>
  relation('orders', { columns: [column('id')], analyzedAt: '2026-03-01T12:00:00.000Z', ...changes });

const of = (what: Known, sql?: string, method = 'hypopg') => epochsOf(server(), what, planner(sql), method);

describe('what is known of the costs of a statement is worth as much as before', () => {
  test('when nothing has changed', () => {
    expect(of(known())).toEqual(of(known()));
  });

  test('when its table is a little larger', () => {
    const grown = { relations: [orders({ rows: 1_010, sizeBytes: 90_000 }), ...known().relations.slice(1)] };
    expect(of(known(grown, 1_005))).toEqual(of(known()));
  });
});

describe('it is forgotten', () => {
  const other = known().relations.slice(1);
  test.each([
    [
      'when its table is analyzed',
      of(known({ relations: [orders({ analyzedAt: '2026-03-02T12:00:00.000Z' }), ...other] })),
    ],
    [
      'when its table gets an index',
      of(known({ relations: [orders({ indexes: [tableIndex('i', ['id'])] }), ...other] })),
    ],
    ['when it costs a tenth more as it is', of(known({}, 1_100))],
  ])('%s, and what is known of other tables is not', (_, now) => {
    const before = of(known());
    expect(now.get('1')).not.toBe(before.get('1'));
    expect(now.get('2')).toBe(before.get('2'));
  });

  test.each([
    [
      'when a setting of the planner is another one',
      of(known({ settings: { ...plannerSettings(), randomPageCost: 1.1 } })),
    ],
    ['when the server is asked in other words', of(known(), 'explain …, another way')],
    ['when costs come from elsewhere', of(known(), undefined, 'estimate')],
    ['when the server is another one', epochsOf(server({ version: '19.0' }), known(), planner(), 'hypopg')],
  ])('%s', (_, now) => {
    const before = of(known());
    for (const queryId of ['1', '2']) expect(now.get(queryId)).not.toBe(before.get(queryId));
  });
});
