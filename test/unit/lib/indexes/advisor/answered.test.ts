import { describe, expect, test } from 'vitest';
import { withoutWide } from '../../../../../lib/indexes/advisor/answered.ts';
import type { ColumnUse } from '../../../../../lib/indexes/advisor/candidates.ts';
import type { Plan } from '../../../../../lib/queries/plan/tree.ts';
import { planNode, relation, statementPlan } from '../../../snapshots.ts';

const use = (queryId: string): ColumnUse => ({
  queryId,
  schema: 'public',
  table: 'orders',
  equality: ['state'],
  range: ['day'],
  join: [],
  order: [{ column: 'day', descending: false, nullsFirst: false }],
  group: [],
  projected: null,
  predicates: [],
  expressions: [],
});
const scan = (name: string) => planNode({ relation: { schema: 'public', name, alias: name } });
const plan = (...tables: string[]): Plan =>
  statementPlan(planNode({ type: 'Sort', children: tables.map(scan) })).plan as Plan;
const orders = relation('orders', { rows: 1_000, liveRows: 1_000 });

function left(counted: { rows: number | null; calls: number }, planned: Plan | undefined = plan('orders')) {
  const statement = { queryId: '1', text: '', shown: '', totalMs: 1, ...counted };
  return withoutWide([use('1'), use('2')], [statement], new Map(planned ? [['1', planned]] : []), [orders]);
}

describe('a statement that answers most rows of its table', () => {
  test('is helped by no index to the rows, but by one for their order', () => {
    const [narrowed, other] = left({ rows: 9_000, calls: 10 });
    expect(narrowed).toEqual({ ...use('1'), equality: [], range: [] });
    expect(other).toEqual(use('2'));
  });
});

describe('nothing is known against an index', () => {
  test.each([
    ['where few rows are answered', left({ rows: 4_000, calls: 10 })],
    ['where nobody counted', left({ rows: null, calls: 10 })],
    ['where it was never called', left({ rows: 0, calls: 0 })],
    [
      'where two tables are read: their rows may have been multiplied',
      left({ rows: 9_000, calls: 10 }, plan('orders', 'orders')),
    ],
    ['where the table is not known', left({ rows: 9_000, calls: 10 }, plan('elsewhere'))],
    ['where there is no plan', left({ rows: 9_000, calls: 10 }, plan())],
  ])('%s', (_, uses) => expect(uses).toEqual([use('1'), use('2')]));
});
