import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ColumnUse } from '../../../../../lib/indexes/advisor/candidates.ts';
import { columnUsesOf } from '../../../../../lib/indexes/advisor/column-uses.ts';
import { parse } from '../../../../../lib/queries/syntax/syntax.ts';
import { loadParser } from '../../../../../lib/queries/text.ts';
import { column, relation } from '../../../snapshots.ts';

beforeAll(() => loadParser());

const few = (name: string, type: string) =>
  column(name, {
    type,
    statistics: { ...(column(name).statistics as NonNullable<ReturnType<typeof column>['statistics']>), distinct: 3 },
  });
const relations = [
  relation('orders', {
    columns: [
      ...['id', 'customer_id', 'total', 'number'].map((name) => column(name)),
      few('status', 'text'),
      few('paid', 'boolean'),
      column('created_at', { type: 'timestamp with time zone' }),
      column('deleted_at', { type: 'timestamp with time zone', notNull: false }),
      column('document', { type: 'jsonb' }),
    ],
  }),
  relation('customers', { columns: [column('id'), column('email', { type: 'text' }), column('region')] }),
];

function usesOf(sql: string, valuesAllowed = false): ColumnUse[] {
  const syntax = parse(sql);
  if (!syntax) throw new Error(`not parsed: ${sql}`);
  return columnUsesOf('1', syntax, relations, { valuesAllowed });
}

/** What is done with the columns of one table, without what is not done. */
function of(table: string, sql: string, valuesAllowed = false) {
  const use = usesOf(sql, valuesAllowed).find((each) => each.table === table);
  const { equality, range, join, group, order } = use as ColumnUse;
  const roles = {
    equality,
    range,
    join,
    group,
    order: order.map((key) => `${key.column}${key.descending ? ' desc' : ''}`),
  };
  return Object.fromEntries(Object.entries(roles).filter(([, columns]) => columns.length > 0));
}

describe('the roles of columns', () => {
  test.each<[string, string, object]>([
    ['a value', 'select * from orders where customer_id = $1', { equality: ['customer_id'] }],
    ['a value on the left', 'select * from orders o where $1 = o.customer_id', { equality: ['customer_id'] }],
    ['a list', 'select * from orders where id in ($1, $2) and number = any($3)', { equality: ['id', 'number'] }],
    [
      'a range',
      'select * from orders where total > $1 and created_at between $2 and $3',
      { range: ['total', 'created_at'] },
    ],
    ['a prefix', 'select * from orders where status like $1', { range: ['status'] }],
    ['NULL', 'select * from orders where deleted_at is null', { equality: ['deleted_at'] }],
    ['a truth value', 'select * from orders where paid and not paid', { equality: ['paid'] }],
    [
      'an order',
      'select id from orders where status = $1 order by created_at desc, id limit 5',
      { equality: ['status'], order: ['created_at desc', 'id'] },
    ],
    [
      'an order by number and by name',
      'select created_at as c, id from orders order by 1, id',
      { order: ['created_at', 'id'] },
    ],
    ['groups', 'select customer_id, count(*) from orders group by 1', { group: ['customer_id'] }],
    ['distinct values', 'select distinct status from orders', { group: ['status'] }],
    [
      'the greatest value',
      'select max(created_at) from orders where customer_id = $1',
      { equality: ['customer_id'], order: ['created_at'] },
    ],
    ['a change', 'update orders set total = $1 where number = $2', { equality: ['number'] }],
    ['a removal', 'delete from orders where created_at < now()', { range: ['created_at'] }],
    ['what is not equal', 'select * from orders where status <> $1 and not (number = $2)', {}],
  ])('are read from %s', (_, sql, roles) => {
    expect(of('orders', sql)).toEqual(roles);
  });

  test.each<[string, string]>([
    ['ON', 'select 1 from customers c join orders o on o.customer_id = c.id where c.region = $1'],
    ['WHERE', 'select 1 from customers c, orders o where o.customer_id = c.id and c.region = $1'],
    ['an outer join', 'select 1 from customers c left join orders o on o.customer_id = c.id where c.region = $1'],
    [
      'EXISTS',
      'select 1 from customers c where c.region = $1 and exists (select from orders o where o.customer_id = c.id)',
    ],
    ['IN', 'select 1 from customers where region = $1 and id in (select customer_id from orders)'],
    [
      'a subquery for each row',
      'select (select max(total) from orders where customer_id = c.id) from customers c where c.region = $1',
    ],
  ])('of two tables that %s links are those of a join', (_, sql) => {
    expect(of('orders', sql)).toMatchObject({ join: ['customer_id'] });
    expect(of('customers', sql)).toEqual({ equality: ['region'], join: ['id'] });
  });

  test('are those of the table behind a subquery and a WITH query', () => {
    expect(of('orders', 'select * from (select id, customer_id as c from orders) s where s.c = $1')).toEqual({
      equality: ['customer_id'],
    });
    expect(of('orders', 'with w as (select * from orders) select * from w where w.customer_id = $1')).toEqual({
      equality: ['customer_id'],
    });
  });

  test('of two tables in one order are not those of an index', () => {
    const sql = 'select 1 from orders o join customers c on c.id = o.customer_id order by o.total, c.region';
    expect(of('orders', sql)).toEqual({ join: ['customer_id'] });
  });

  test('of the sides of an OR are uses of their own, beside what holds for both', () => {
    const uses = usesOf('select * from orders where status = $1 and (customer_id = $2 or number = $3)');
    expect(uses.map(({ equality }) => equality)).toEqual([['status'], ['status', 'customer_id'], ['status', 'number']]);
  });
});

describe('what is read of a table', () => {
  test.each<[string, string, string[] | null]>([
    [
      'the columns that are named',
      'select id from orders where customer_id = $1 order by total',
      ['customer_id', 'id', 'total'],
    ],
    ['all of them for a star', 'select * from orders', null],
    ['all of them for the name of the table', 'select to_jsonb(o) from orders o', null],
    ['all of them where rows are changed', 'update orders set total = 1 where id = $1', null],
    [
      'only what is asked for existence',
      'select 1 from customers c where exists (select * from orders where customer_id = c.id)',
      ['customer_id'],
    ],
  ])('is %s', (_, sql, columns) => {
    const { projected } = usesOf(sql).find(({ table }) => table === 'orders') as ColumnUse;
    expect(projected?.toSorted() ?? null).toEqual(columns);
  });
});

describe('what an index may leave out or compute', () => {
  const predicates = (sql: string, valuesAllowed = false) =>
    usesOf(sql, valuesAllowed).flatMap((use) => use.predicates.map((predicate) => predicate.sql));

  test('is told by null tests and truth values', () => {
    expect(predicates('select 1 from orders where deleted_at is null and number is not null and not paid')).toEqual([
      '"deleted_at" IS NULL',
      '"number" IS NOT NULL',
      'NOT "paid"',
    ]);
    expect(predicates('select 1 from orders where paid = true')).toEqual(['"paid"']);
  });

  test('is told by constants only when they may be shown, and only by kinds of rows', () => {
    const sql = "select 1 from orders where status = 'it''s open' and customer_id = 4711";
    expect(predicates(sql)).toEqual([]);
    expect(predicates(sql, true)).toEqual([`"status" = 'it''s open'`]);
    expect(predicates("select 1 from orders where status in ('a', 'b')", true)).toEqual([`"status" IN ('a', 'b')`]);
  });

  test('is never told by a condition on an outer join, or on one side of an OR alone', () => {
    expect(predicates('select 1 from customers c left join orders o on o.deleted_at is null')).toEqual([]);
    const [whole, ...branches] = usesOf('select 1 from orders where paid or deleted_at is null');
    expect(whole?.predicates).toEqual([]);
    expect(branches.map((branch) => branch.predicates.map(({ sql }) => sql))).toEqual([
      ['"paid"'],
      ['"deleted_at" IS NULL'],
    ]);
  });

  test('is an immutable function of a text', () => {
    const [use] = usesOf('select 1 from customers where lower(email) = $1 and random() < $2');
    expect(use?.expressions).toEqual([{ sql: 'lower("email")', columns: ['email'], role: 'equality' }]);
    expect(usesOf('select 1 from orders where lower(total) = $1')[0]?.expressions).toEqual([]);
  });

  test('is the key of a document only when constants may be shown', () => {
    const sql = "select 1 from orders where document ->> 'sku' = $1";
    expect(usesOf(sql)[0]?.expressions).toEqual([]);
    expect(usesOf(sql, true)[0]?.expressions).toEqual([
      { sql: `"document" ->> 'sku'`, columns: ['document'], role: 'equality' },
    ]);
  });
});

test('no constant of a statement is in its uses unless it is allowed', () => {
  const secret = fc.stringMatching(/^[a-z]{12}$/);
  fc.assert(
    fc.property(secret, (word) => {
      const sql = `select * from orders o join customers c on c.id = o.customer_id
        where status = '${word}' and (email like '${word}%' or document ->> '${word}' = '${word}') and o.status in ('${word}', 'b')
        and lower(email) = '${word}' order by coalesce(status, '${word}')`;
      expect(JSON.stringify(usesOf(sql))).not.toContain(word);
    }),
    { numRuns: 20 },
  );
});

test('names that are nobody’s, or two tables’, are nothing', () => {
  expect(usesOf('select 1 from elsewhere where id = $1')).toEqual([]);
  expect(of('orders', 'select 1 from orders, customers where id = $1')).toEqual({});
});
