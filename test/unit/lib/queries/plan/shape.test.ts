import { describe, expect, test } from 'vitest';
import { readJsonPlan } from '../../../../../lib/queries/plan/json.ts';
import { shapeOf } from '../../../../../lib/queries/plan/shape.ts';
import type { PlanNode } from '../../../../../lib/queries/plan/tree.ts';
import { planNode } from '../../../snapshots.ts';
import { jsonAnswers, versions } from './corpus.ts';

const relation = (name: string) => ({ name, alias: name });
const scan = (name: string, overrides: Partial<PlanNode> = {}) => planNode({ relation: relation(name), ...overrides });
const shape = (root: PlanNode) => shapeOf({ root });
const append = (...children: PlanNode[]) =>
  planNode({ type: 'Append', children: children.map((child) => ({ ...child, relationship: 'Member' })) });

test('a shape is 16 hexadecimal digits', () => {
  expect(shape(scan('t'))).toMatch(/^[0-9a-f]{16}$/);
});

test('statements that do different things have different shapes', () => {
  for (const version of versions) {
    const shapes = jsonAnswers(version).map((answer) => shapeOf(readJsonPlan(answer)));
    expect(new Set(shapes).size).toBe(shapes.length);
  }
});

describe('a plan keeps its shape', () => {
  test.each<[string, Partial<PlanNode>]>([
    ['with other costs and rows', { estimate: { startupCost: 9, totalCost: 99, rows: 9, width: 9 } }],
    ['when it is run', { actual: { rows: 1, loops: 2, startupMs: 3, totalMs: 4 }, removed: { filter: 5 } }],
    ['with other literals', { conditions: { filter: '(a = 7)' } }],
    ['with another alias', { relation: { name: 't', alias: 'x' } }],
    ['when VERBOSE tells the schema', { relation: { schema: 's', name: 't', alias: 't' } }],
    ['whether or not EXPLAIN tells that the inner side is unique', { innerUnique: true }],
    ['with more blocks and workers', { workers: { planned: 4, launched: 1 }, heapFetches: 7 }],
  ])('%s', (_, overrides) => {
    expect(shape(scan('t', overrides))).toBe(shape(scan('t')));
  });

  test('when its subplans get other numbers and parameters', () => {
    const init = (subplan: string) => scan('t', { children: [scan('u', { relationship: 'InitPlan', subplan })] });
    expect(shape(init('InitPlan 3'))).toBe(shape(init('InitPlan 1 (returns $0)')));
  });

  test('when partitions come and go', () => {
    const partitions = (...names: string[]) => append(...names.map((name) => scan(name)));
    const one = shape(partitions('events_1'));
    expect(shape(partitions('events_1', 'events_2'))).toBe(one);
    expect(shape(partitions('events_7', 'events_8', 'events_9'))).toBe(one);
  });

  test('when partitions that are read in several ways come and go', () => {
    const indexed = (name: string) => scan(name, { type: 'Index Scan', index: `${name}_at_idx` });
    const merge = (...children: PlanNode[]) => planNode({ type: 'Sort', children: [append(...children)] });
    expect(shape(merge(scan('a'), indexed('b'), scan('c')))).toBe(shape(merge(indexed('x'), scan('y'))));
    expect(shape(merge(scan('a'), indexed('b')))).not.toBe(shape(merge(scan('a'))));
  });

  test('when partitions below partitions come and go', () => {
    const joined = (name: string) =>
      planNode({ type: 'Hash Join', joinType: 'Inner', children: [scan(name), append(scan(`${name}_1`))] });
    expect(shape(append(joined('a'), joined('b')))).toBe(shape(append(joined('c'))));
  });
});

describe('a plan has another shape', () => {
  const join = planNode({ type: 'Hash Join', joinType: 'Inner', children: [scan('t'), scan('u')] });

  test.each<[string, PlanNode]>([
    ['with another node', { ...join, type: 'Merge Join' }],
    ['with another join', { ...join, joinType: 'Left' }],
    ['with its sides exchanged', { ...join, children: join.children.toReversed() }],
    ['with another relation', { ...join, children: [scan('t'), scan('v')] }],
    ['with an index', { ...join, children: [scan('t'), scan('u', { type: 'Index Scan', index: 'i' })] }],
    ['with a node more', planNode({ type: 'Sort', children: [join] })],
    ['with a node deeper', { ...join, children: [scan('t', { children: [scan('u')] })] }],
    [
      'with a subplan',
      { ...join, children: [scan('t'), scan('u', { relationship: 'SubPlan', subplan: 'SubPlan 1' })] },
    ],
  ])('%s', (_, other) => {
    expect(shape(other)).not.toBe(shape(join));
  });

  test.each<[string, Partial<PlanNode>, Partial<PlanNode>]>([
    ['index', { type: 'Index Scan', index: 'i' }, { type: 'Index Scan', index: 'j' }],
    ['strategy', { type: 'Aggregate', strategy: 'Sorted' }, { type: 'Aggregate', strategy: 'Hashed' }],
    [
      'part of an aggregate',
      { type: 'Aggregate', partialMode: 'Partial' },
      { type: 'Aggregate', partialMode: 'Finalize' },
    ],
    ['CTE', { type: 'CTE Scan', cteName: 'a' }, { type: 'CTE Scan', cteName: 'b' }],
    ['change', { type: 'ModifyTable', operation: 'Update' }, { type: 'ModifyTable', operation: 'Delete' }],
    ['extension', { type: 'Custom Scan', provider: 'a' }, { type: 'Custom Scan', provider: 'b' }],
    ['parallel scan', {}, { parallelAware: true }],
  ])('with another %s', (_, one, other) => {
    expect(shape(planNode(one))).not.toBe(shape(planNode(other)));
  });
});
