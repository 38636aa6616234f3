import { beforeAll, describe, expect, test } from 'vitest';
import type { Column, Relation } from '../../../../../../lib/queries/catalog.ts';
import { conditionColumns, orderKeys } from '../../../../../../lib/queries/plan/advice/conditions.ts';
import { type IndexSuggestion, suggestIndex } from '../../../../../../lib/queries/plan/advice/suggest-index.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';
import { column, relation, tableIndex } from '../../../../snapshots.ts';

beforeAll(loadParser);

/** A column with so many different values. */
const of = (name: string, distinct: number, overrides: Partial<Column> = {}): Column =>
  column(name, { ...overrides, statistics: { ...plain, distinct } });
const plain = {
  nullFraction: 0,
  averageBytes: 8,
  correlation: 0,
  commonestFraction: null,
  rarestListedFraction: null,
};

const orders = (overrides: Partial<Relation> = {}) =>
  relation('orders', {
    rows: 1_000_000,
    columns: [
      of('id', 1_000_000),
      of('customer_id', 50_000),
      of('status', 5, { type: 'character varying(20)' }),
      of('country', 100, { type: 'text' }),
      of('created_at', 900_000),
      of('amount', 10_000),
      column('email', { type: 'text', statistics: null }),
      column('deleted_at', { notNull: false, statistics: { ...plain, distinct: 10, nullFraction: 0.1 } }),
      column('kind', { statistics: { ...plain, distinct: 1 } }),
      of('data', 10, { type: 'json' }),
      column('body', { type: 'text', statistics: { ...plain, distinct: 900_000, averageBytes: 900 } }),
    ],
    ...overrides,
  });

const suggest = (condition: string, order: string[] = [], overrides: Partial<Relation> = {}) =>
  suggestIndex(orders(overrides), conditionColumns(condition), order.length > 0 ? orderKeys(order) : undefined);
const keysOf = (suggestion: IndexSuggestion) => (suggestion.kind === 'create' ? suggestion.keys : suggestion);

describe('the keys', () => {
  test.each([
    ['(customer_id = $1)', ['"customer_id"']],
    ['((status)::text = $1)', ['"status"']],
    ['(((status)::text = $1) AND (country = $2))', ['"country"', '"status"']],
    ['((created_at > $1) AND ((status)::text = $2))', ['"status"', '"created_at"']],
    ['((created_at > $1) AND (amount > $2))', ['"created_at"']],
    ['(ROW(created_at, id) < ROW($1, $2))', ['"created_at"', '"id"']],
    ['((created_at > $1) AND (created_at < $2))', ['"created_at"']],
    ['(lower(email) = $1)', ['lower("email")']],
    ['((country = $1) AND (email = $2))', ['"country"', '"email"']],
  ])('for %s', (condition, expected) => {
    expect(keysOf(suggest(condition))).toEqual(expected);
  });

  test('are no more than are needed to leave few rows', () => {
    expect(keysOf(suggest('((customer_id = $1) AND (status = $2) AND (created_at > $3))'))).toEqual(['"customer_id"']);
  });

  test('leave out a column that has one value', () => {
    expect(keysOf(suggest('((kind = $1) AND (country = $2))'))).toEqual(['"country"']);
  });

  test('are at most three', () => {
    const condition = '((kind = $1) AND (status = $2) AND (country = $3) AND (email = $4) AND (created_at > $5))';
    expect(keysOf(suggest(condition))).toHaveLength(3);
  });

  test.each([
    '(amount <> 1)',
    '((amount)::numeric = $1)',
    '((amount + 1) = $1)',
    '(lower((amount)::text) = $1)',
    '(reverse(country) = $1)',
    '(country ~~ $1)',
    '(((status)::text = $1) OR (country = $2))',
    '(data = $1)',
    '(body = $1)',
    '(unknown = $1)',
    '(hashed SubPlan 1)',
  ])('are none where it is not sure that they would be used: %s', (condition) => {
    expect(suggest(condition)).toEqual({ kind: 'none', reason: 'no test' });
  });
});

describe('the order', () => {
  test.each([
    [['created_at DESC'], ['"created_at"']],
    [
      ['created_at DESC', 'id DESC'],
      ['"created_at"', '"id"'],
    ],
    [
      ['created_at DESC', 'id'],
      ['"created_at"', '"id" DESC'],
    ],
    [
      ['created_at', 'id DESC'],
      ['"created_at"', '"id" DESC'],
    ],
    [['deleted_at DESC NULLS LAST'], ['"deleted_at" NULLS FIRST']],
    [['deleted_at NULLS FIRST'], ['"deleted_at" NULLS FIRST']],
  ])('%j', (order, expected) => {
    expect(keysOf(suggest('', order))).toEqual(expected);
  });

  test('comes behind the columns that are equal, and without them', () => {
    expect(keysOf(suggest('(status = $1)', ['created_at DESC']))).toEqual(['"status"', '"created_at"']);
    expect(keysOf(suggest('(status = $1)', ['status', 'created_at']))).toEqual(['"status"', '"created_at"']);
  });

  test('leaves no room for a range before it', () => {
    expect(keysOf(suggest('((status = $1) AND (amount > $2))', ['created_at']))).toEqual(['"status"', '"created_at"']);
  });

  test('cannot be had in part', () => {
    expect(suggest('', ['created_at', 'lower(email)', 'reverse(country)'])).toMatchObject({ kind: 'none' });
    expect(suggest('', ['created_at', 'id', 'country', 'amount'])).toMatchObject({ kind: 'none' });
  });
});

describe('an index that is there', () => {
  const indexed = (...indexes: Relation['indexes']) => ({ indexes });

  test.each([
    ['the same', ['status', 'created_at']],
    ['a longer one', ['status', 'created_at', 'id']],
  ])('is found: %s', (_, columns) => {
    expect(suggest('((status = $1) AND (created_at > $2))', [], indexed(tableIndex('i', columns)))).toEqual({
      kind: 'exists',
      index: 'i',
    });
  });

  test('may have the columns for equality in another order', () => {
    const condition = '((status = $1) AND (country = $2))';
    expect(suggest(condition, [], indexed(tableIndex('i', ['status', 'country'])))).toMatchObject({ kind: 'exists' });
    expect(suggest(condition, [], indexed(tableIndex('i', ['status', 'id', 'country'])))).toMatchObject({
      kind: 'create',
    });
  });

  test('of an expression is told by what it computes', () => {
    const index = tableIndex('i', [null], { expressions: ['lower(email)'] });
    expect(suggest('(lower(email) = $1)', [], indexed(index))).toMatchObject({ kind: 'exists' });
    expect(suggest('(upper(email) = $1)', [], indexed(index))).toMatchObject({ kind: 'create' });
    expect(suggest('(email = $1)', [], indexed(index))).toMatchObject({ kind: 'create' });
  });

  test.each([
    ['too short', tableIndex('i', ['status'])],
    ['another first column', tableIndex('i', ['created_at', 'status'])],
    ['invalid', tableIndex('i', ['status', 'created_at'], { valid: false })],
    ['no b-tree', tableIndex('i', ['status', 'created_at'], { method: 'brin' })],
    ['of a part of the rows', tableIndex('i', ['status', 'created_at'], { predicate: '(amount > 10)' })],
  ])('does not count where it is %s', (_, index) => {
    expect(suggest('((status = $1) AND (created_at > $2))', [], indexed(index))).toMatchObject({ kind: 'create' });
  });

  test('gives an order in both directions, but not a mixed one', () => {
    const both = indexed(tableIndex('i', ['created_at', 'id']));
    expect(suggest('', ['created_at DESC', 'id DESC'], both)).toMatchObject({ kind: 'exists' });
    expect(suggest('', ['created_at DESC', 'id'], both)).toMatchObject({ kind: 'create' });
    const mixed = indexed(tableIndex('i', ['created_at', 'id'], { descending: [false, true] }));
    expect(suggest('', ['created_at DESC', 'id'], mixed)).toMatchObject({ kind: 'exists' });
  });

  test('that is unique leaves one row', () => {
    const unique = indexed(tableIndex('orders_pkey', ['id'], { unique: true }));
    expect(suggest('((id = $1) AND (status = $2))', [], unique)).toEqual({ kind: 'exists', index: 'orders_pkey' });
  });
});

describe('a partial index', () => {
  test('is suggested where few rows pass a condition that no parameter decides', () => {
    expect(suggest('((status = $1) AND (deleted_at IS NULL))')).toMatchObject({
      keys: ['"status"'],
      predicate: '"deleted_at" IS NULL',
      action: { sql: expect.stringMatching(/\("status"\) WHERE "deleted_at" IS NULL;$/) },
    });
  });

  test('is not, where most rows pass', () => {
    expect(suggest('((status = $1) AND (deleted_at IS NOT NULL))')).toMatchObject({ predicate: null });
    expect(suggest('(deleted_at IS NULL)')).toEqual({ kind: 'none', reason: 'no test' });
  });

  test('of the condition alone holds very few rows', () => {
    const rare = column('deleted_at', { statistics: { ...plain, distinct: 10, nullFraction: 0.01 } });
    expect(suggest('(deleted_at IS NULL)', [], { columns: [rare] })).toMatchObject({
      keys: ['"deleted_at"'],
      predicate: '"deleted_at" IS NULL',
    });
  });

  test('that is there already is found', () => {
    const index = tableIndex('i', ['status'], { predicate: '(deleted_at IS NULL)' });
    expect(suggest('((status = $1) AND (deleted_at IS NULL))', [], { indexes: [index] })).toMatchObject({
      kind: 'exists',
    });
  });
});

describe('the action', () => {
  test('builds without stopping anybody, and can be undone', () => {
    expect(suggest('(customer_id = $1)', [], { schema: 'Shop', inserts: 10, updates: 5, hotUpdates: 3 })).toMatchObject(
      {
        name: 'orders_customer_id_idx',
        action: {
          kind: 'sql',
          sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "orders_customer_id_idx" ON "Shop"."orders" ("customer_id");',
          undoSql: 'DROP INDEX CONCURRENTLY IF EXISTS "Shop"."orders_customer_id_idx";',
          caution: expect.stringMatching(/1 MB.*12 such writes.*EXPLAIN/s),
        },
      },
    );
  });

  test('says that a partitioned table is locked, and how to go round that', () => {
    expect(suggest('(customer_id = $1)', [], { kind: 'partitioned table' })).toMatchObject({
      action: {
        sql: 'CREATE INDEX IF NOT EXISTS "orders_customer_id_idx" ON "public"."orders" ("customer_id");',
        undoSql: 'DROP INDEX IF EXISTS "public"."orders_customer_id_idx";',
        caution: expect.stringMatching(/stops writes.*ON ONLY.*ATTACH PARTITION/s),
      },
    });
  });

  test('quotes every name', () => {
    const columns = [of('we"ird', 100)];
    expect(suggest('("we""ird" = $1)', [], { table: 'a"b', columns })).toMatchObject({
      action: { sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "a""b_we""ird_idx" ON "public"."a""b" ("we""ird");' },
    });
  });

  test.each([
    ['small', { rows: 999 }],
    ['small', { rows: null, liveRows: 10 }],
    ['no table', { kind: 'view' }],
    ['no table', { kind: 'foreign table' }],
  ] satisfies [string, Partial<Relation>][])('is none: %s', (reason, overrides) => {
    expect(suggest('(customer_id = $1)', [], overrides)).toEqual({ kind: 'none', reason });
  });
});
