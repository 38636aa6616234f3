import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { defineNodeRule, minSharePercent, type Sighting } from '../../../../../../lib/queries/plan/rules/define.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';
import { relation, statement, statementPlan, takenAt } from '../../../../snapshots.ts';
import { actual, check, checkPlans, estimate, orders, over, scan } from './plans.ts';

beforeAll(loadParser);

const sighting: Sighting = { weight: 1, title: 'Title', detail: 'Detail.', evidence: { rows: 1.23456 } };

/** Tells of every sequential scan; its rows are its weight. */
const rule = (tell: (sighting: Sighting, table: string | undefined) => Sighting = (same) => same) =>
  defineNodeRule({
    id: 'plans/test',
    title: 'Test',
    why: 'Because.',
    severity: 'warning',
    options: z.strictObject({ minSharePercent: minSharePercent.default(0) }),
    inspect: ({ node }, context) =>
      node.type === 'Seq Scan'
        ? tell(
            { ...sighting, weight: node.estimate.rows, evidence: { rows: node.estimate.rows } },
            context.tableOf(node)?.table,
          )
        : undefined,
  });

describe('a rule over plans', () => {
  test('tells a subject once, at its worst place, and says how many there are', () => {
    const found = check(
      rule(),
      over([scan('a', { estimate: estimate(5) }), scan('b', { estimate: estimate(7) })], { type: 'Append' }),
    );
    expect(found).toMatchObject([
      {
        subject: { database: 'shop', queryId: '1' },
        detail: 'Detail. The statement has 2 such places; this is the worst.',
        evidence: { rows: 7, places: 2 },
      },
    ]);
  });

  test('tells several subjects each', () => {
    const perTable = rule((same, table) => ({ ...same, table: { schema: 'public', table: table ?? '?' } }));
    const root = over([scan('a'), scan('b')], { type: 'Append' });
    const found = check(perTable, root, { relations: [relation('a'), relation('b')] });
    expect(found.map(({ subject }) => subject.table)).toEqual(['a', 'b']);
    expect(new Set(found.map(({ id }) => id)).size).toBe(2);
  });

  test('passes over statements without a plan, and over nothing', () => {
    expect(checkPlans(rule(), [])).toEqual([]);
    expect(checkPlans(rule(), [statementPlan(scan('a'), { plan: null })])).toEqual([]);
  });

  test('tells the statement, and whether the figures were measured', () => {
    expect(check(rule(), scan('a'), { statement: { query: 'select $1' } })[0]?.evidence).toMatchObject({
      statement: 'select $1',
      figures: 'estimated',
    });
    expect(check(rule(), scan('a', { actual: actual(1) }), { statement: null })[0]?.evidence).toEqual({
      figures: 'measured',
      rows: 1_000,
      sharePercent: 100,
    });
  });

  test('tells no number that is none', () => {
    const broken = rule((same) => ({
      ...same,
      evidence: { rows: Number.NaN, more: Number.POSITIVE_INFINITY, left: 1 / 3 },
    }));
    expect(check(broken, scan('a'))[0]?.evidence).toEqual({
      statement: 'select 1',
      figures: 'estimated',
      sharePercent: 100,
      left: 0.33,
    });
  });
});

describe('the share of the time', () => {
  const root = (cost: number) =>
    over([scan('a', { estimate: estimate(1, { totalCost: cost }) })], {
      type: 'Aggregate',
      estimate: estimate(1, { totalCost: 1_000 }),
    });

  test('below the least one says that a place does not matter', () => {
    expect(check(rule(), root(90), { options: { minSharePercent: 10 } })).toEqual([]);
    expect(check(rule(), root(100), { options: { minSharePercent: 10 } })).toMatchObject([
      { evidence: { sharePercent: 10 } },
    ]);
  });

  test('is of the measured time where there is one', () => {
    const measured = over([scan('a', { actual: actual(1, { totalMs: 30 }) })], {
      type: 'Aggregate',
      actual: actual(1, { totalMs: 40 }),
    });
    const found = check(rule(), measured, { plan: { executionMs: 60 } });
    expect(found[0]?.evidence.sharePercent).toBe(50);
  });

  test('counts the inner side of a nested loop once for each round', () => {
    const loop = over(
      [
        scan('a', { type: 'Index Scan', estimate: estimate(50, { totalCost: 100 }) }),
        scan('b', { estimate: estimate(1, { totalCost: 10 }) }),
      ],
      { type: 'Nested Loop', estimate: estimate(50, { totalCost: 1_000 }) },
    );
    expect(check(rule(), loop)[0]?.evidence.sharePercent).toBe(50);
  });

  test('is what the statement would gain in a day', () => {
    const since = new Date(Date.parse(takenAt) - 2 * 86_400_000).toISOString();
    expect(check(rule(), root(250), { statement: { calls: 10, totalMs: 8_000, since } })[0]?.impact).toEqual({
      msPerDay: 1_000,
    });
    expect(check(rule(), root(250), { statement: { since: null } })[0]).not.toHaveProperty('impact');
  });
});

describe('the table of a scan', () => {
  const told = rule((same, table) => ({ ...same, evidence: { table: table ?? 'unknown' } }));
  const tableOf = (...parameters: Parameters<typeof check> extends [unknown, ...infer Rest] ? Rest : never) =>
    check(told, ...parameters)[0]?.evidence.table;
  const twins = [relation('a', { schema: 'one' }), relation('a', { schema: 'two' })];

  test('is unknown where it was not collected, or the name means two', () => {
    expect(tableOf(scan('a'))).toBe('unknown');
    expect(tableOf(scan('a'), { relations: twins })).toBe('unknown');
  });

  test('is told by the schema in the plan, or in the statement', () => {
    expect(tableOf(scan('a', { relation: { schema: 'two', name: 'a', alias: 'a' } }), { relations: twins })).toBe('a');
    expect(tableOf(scan('a'), { relations: twins, statement: { query: 'select * from two.a' } })).toBe('a');
  });

  describe('for a partition', () => {
    const partition = (alias: string) => scan('orders_2026', { relation: { name: 'orders_2026', alias } });
    const relations = [orders({ table: 'orders_2026' }), orders({ kind: 'partitioned table' })];
    const statement = { query: 'select * from orders o' };

    test('is its parent, under the alias that the statement gave it', () => {
      expect(tableOf(partition('orders_1'), { relations })).toBe('orders');
      expect(tableOf(partition('o_1'), { relations, statement })).toBe('orders');
    });

    test('is itself where it was asked for by name, or has other columns', () => {
      const named = { query: 'select * from orders_2026' };
      expect(tableOf(partition('orders_2026'), { relations, statement: named })).toBe('orders_2026');
      const [child, parent] = [orders({ table: 'orders_2026' }), orders({ kind: 'partitioned table', columns: [] })];
      expect(tableOf(partition('o_1'), { relations: [child, parent], statement })).toBe('orders_2026');
    });
  });
});

test('a statement that was collected twice does not make it throw', () => {
  expect(statement().queryId).toBe('1');
  const plans = [statementPlan(scan('a')), statementPlan(scan('a'))];
  expect(checkPlans(rule(), plans)).toHaveLength(1);
});
