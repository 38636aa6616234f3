import { expect, test } from 'vitest';
import { withStatements } from '../../../../lib/indexes/statements.ts';
import { index, planNode, statementPlan } from '../../snapshots.ts';

const scan = (name: string, relation: { schema?: string; name: string }, type = 'Index Scan') =>
  planNode({ type, index: name, relation: { alias: relation.name, ...relation } });
const usedBy = (indexes: ReturnType<typeof index>[], ...plans: ReturnType<typeof statementPlan>[]) =>
  withStatements(indexes, plans).map((each) => each.usedBy);

test('an index is used by the statements whose plans name it, each once', () => {
  const root = planNode({ children: [scan('i', { name: 't' }), scan('i', { name: 't' }, 'Index Only Scan')] });
  const plans = [statementPlan(root, { queryId: '2' }), statementPlan(scan('i', { name: 't' }), { queryId: '1' })];
  expect(usedBy([index('i'), index('other')], ...plans)).toEqual([['1', '2'], []]);
});

test('a bitmap names its index below the table', () => {
  const root = planNode({
    type: 'Bitmap Heap Scan',
    relation: { name: 't', alias: 'x' },
    children: [planNode({ type: 'BitmapAnd', children: [planNode({ type: 'Bitmap Index Scan', index: 'i' })] })],
  });
  expect(usedBy([index('i'), index('i', { table: 'u' })], statementPlan(root))).toEqual([['1'], []]);
});

test('where the schema is not told, indexes of the same name are all taken to be meant', () => {
  const indexes = [index('i'), index('i', { schema: 's' })];
  expect(usedBy(indexes, statementPlan(scan('i', { name: 't' })))).toEqual([['1'], ['1']]);
  expect(usedBy(indexes, statementPlan(scan('i', { name: 't', schema: 's' })))).toEqual([[], ['1']]);
});

test('a statement without a plan uses nothing that is known', () => {
  expect(usedBy([index('i')], { ...statementPlan(planNode()), plan: null })).toEqual([[]]);
});
