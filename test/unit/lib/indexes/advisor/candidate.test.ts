import fc from 'fast-check';
import { loadModule, parseSync } from 'libpg-query';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Candidate,
  candidateOn,
  columnKey,
  columnsOf,
  covers,
  definitionOf,
  expressionKey,
  methods,
  nameOf,
  notNull,
  sqlOf,
  storedColumns,
  undoSqlOf,
} from '../../../../../lib/indexes/advisor/candidate.ts';
import { as, names } from '../../../../../lib/queries/syntax/node.ts';

beforeAll(() => loadModule());

const on = (keys: Parameters<typeof candidateOn>[2], rest?: Parameters<typeof candidateOn>[3]) =>
  candidateOn('public', 'orders', keys, rest);
const active = { sql: '"active"', columns: ['active'], fraction: 0.1 };

/** Any name that PostgreSQL takes: at most 63 bytes, and no zero. */
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => Buffer.byteLength(text) <= 63 && !text.includes('\0'));

const key = fc.record({
  column: name,
  descending: fc.boolean(),
  nullsFirst: fc.boolean(),
  operatorClass: fc.option(name),
});

const candidates: fc.Arbitrary<Candidate> = fc
  .record({
    schema: name,
    table: name,
    method: fc.constantFrom(...methods),
    keys: fc.array(key, { minLength: 1, maxLength: 4 }),
    included: fc.array(name, { maxLength: 3 }),
    predicate: fc.option(name.map((column) => ({ sql: notNull(column), columns: [column], fraction: 0.5 }))),
  })
  .map(({ schema, table, keys, ...rest }) =>
    candidateOn(
      schema,
      table,
      keys.map(({ column, ...order }) => columnKey(column, order)),
      rest,
    ),
  );

/** A few candidates on few columns, so that one often covers another. */
const similar: fc.Arbitrary<Candidate> = fc
  .record({
    keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }),
    descending: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    included: fc.uniqueArray(fc.constantFrom('d', 'e'), { maxLength: 2 }),
    predicate: fc.constantFrom(null, active),
    method: fc.constantFrom('btree' as const, 'btree' as const, 'hash' as const),
  })
  .map(({ keys, descending, included, predicate, method }) =>
    on(
      keys.map((column, i) => columnKey(column, { descending: descending[i] ?? false })),
      { included, predicate, method },
    ),
  );

describe('the SQL of a candidate', () => {
  test('makes the index without stopping writes', () => {
    const candidate = on(['customer_id', columnKey('created_at', { descending: true })], {
      included: ['total'],
      predicate: active,
    });
    expect(sqlOf(candidate)).toBe(
      'CREATE INDEX CONCURRENTLY "orders_customer_id_created_at_total_idx_6893ca" ON "public"."orders" ("customer_id", "created_at" DESC) INCLUDE ("total") WHERE ("active")',
    );
    expect(undoSqlOf(candidate)).toBe(
      'DROP INDEX CONCURRENTLY IF EXISTS "public"."orders_customer_id_created_at_total_idx_6893ca"',
    );
  });

  test('says what differs from the default and no more', () => {
    const keys = [
      expressionKey('lower(email)', ['email'], { operatorClass: 'text_pattern_ops' }),
      columnKey('a', { descending: true, nullsFirst: false }),
      columnKey('b', { nullsFirst: true }),
    ];
    expect(sqlOf(on(keys), { concurrently: false, name: 'mine' })).toBe(
      'CREATE INDEX "mine" ON "public"."orders" ((lower(email)) "text_pattern_ops", "a" DESC NULLS LAST, "b" NULLS FIRST)',
    );
  });

  test('gives no order to an index that has none', () => {
    expect(sqlOf(on([columnKey('a', { descending: true })], { method: 'hash' }), { name: 'mine' })).toBe(
      'CREATE INDEX CONCURRENTLY "mine" ON "public"."orders" USING hash ("a")',
    );
  });

  test('is one statement that names exactly what the candidate names, whatever the names are', () => {
    fc.assert(
      fc.property(candidates, (candidate) => {
        const [statement, ...others] = parseSync(sqlOf(candidate)).stmts ?? [];
        const index = as('IndexStmt', statement?.stmt);
        expect(others).toEqual([]);
        expect([index?.relation?.schemaname, index?.relation?.relname]).toEqual([candidate.schema, candidate.table]);
        expect(index?.accessMethod ?? 'btree').toBe(candidate.method);
        expect(index?.indexParams?.map((param) => as('IndexElem', param)?.name)).toEqual(
          candidate.keys.map(({ column }) => column),
        );
        expect(index?.indexParams?.flatMap((param) => names(as('IndexElem', param)?.opclass))).toEqual(
          candidate.keys.flatMap(({ operatorClass }) => operatorClass ?? []),
        );
        expect(index?.indexIncludingParams?.map((param) => as('IndexElem', param)?.name) ?? []).toEqual(
          candidate.included,
        );
        expect(index?.whereClause === undefined).toBe(candidate.predicate === null);
        expect(Buffer.byteLength(index?.idxname ?? '')).toBeLessThanOrEqual(63);
        expect(index?.concurrent).toBe(true);
      }),
    );
  });

  test('takes away the very index that it makes', () => {
    fc.assert(
      fc.property(candidates, (candidate) => {
        const made = as('IndexStmt', parseSync(sqlOf(candidate)).stmts?.[0]?.stmt)?.idxname;
        const dropped = as('DropStmt', parseSync(undoSqlOf(candidate)).stmts?.[0]?.stmt)?.objects?.[0];
        expect(names(as('List', dropped)?.items)).toEqual([candidate.schema, made]);
      }),
    );
  });

  test('has another name where the first is taken', () => {
    expect(nameOf(on(['a']), ['orders_a_idx', 'orders_a_idx1'])).toBe('orders_a_idx2');
  });
});

describe('the definition of a candidate', () => {
  test('is the same whatever the order of what is included, and whatever the share of its rows', () => {
    const one = on(['a'], { included: ['b', 'c'], predicate: active });
    const other = on(['a'], { included: ['c', 'b'], predicate: { ...active, fraction: 0.9 } });
    expect(definitionOf(one)).toBe(definitionOf(other));
  });

  test('differs where the SQL does', () => {
    fc.assert(
      fc.property(similar, similar, (one, other) => {
        const [sql, otherSql] = [one, other].map((each) =>
          sqlOf({ ...each, included: each.included.toSorted() }, { name: 'mine' }),
        );
        // A hash has no directions to show.
        if (one.method === 'btree') expect(definitionOf(one) === definitionOf(other)).toBe(sql === otherSql);
      }),
    );
  });
});

test('the columns of a candidate are all that it depends on, those that it stores only what can be read from it', () => {
  const candidate = on([expressionKey('lower(email)', ['email']), 'id'], { included: ['name'], predicate: active });
  expect(storedColumns(candidate)).toEqual(['id', 'name']);
  expect(columnsOf(candidate)).toEqual(['email', 'id', 'name', 'active']);
});

describe('one candidate covers another', () => {
  test.each([
    ['more keys behind its own', on(['a', 'b']), on(['a']), true],
    ['the same keys in another order', on(['b', 'a']), on(['a', 'b']), false],
    ['all keys in the opposite direction', on([columnKey('a', { descending: true })]), on(['a']), true],
    [
      'one of two keys in the opposite direction',
      on(['a', columnKey('b', { descending: true })]),
      on(['a', 'b']),
      false,
    ],
    ['what it includes', on(['a'], { included: ['b'] }), on(['a']), true],
    ['a key in the place of what is included', on(['a', 'b']), on(['a'], { included: ['b'] }), true],
    ['an included column in the place of a key', on(['a'], { included: ['b'] }), on(['a', 'b']), false],
    ['all rows instead of some', on(['a']), on(['a'], { predicate: active }), true],
    ['some rows instead of all', on(['a'], { predicate: active }), on(['a']), false],
    ['a hash instead of a tree', on(['a'], { method: 'hash' }), on(['a']), false],
    ['a hash of the same column', on(['a'], { method: 'hash' }), on(['a'], { method: 'hash' }), true],
    ['another table', candidateOn('public', 'other', ['a']), on(['a']), false],
    ['another operator class', on([columnKey('a', { operatorClass: 'text_pattern_ops' })]), on(['a']), false],
  ])('by %s', (_, wide, narrow, expected) => {
    expect(covers(wide, narrow)).toBe(expected);
  });

  test('is a partial order', () => {
    fc.assert(
      fc.property(similar, similar, similar, (a, b, c) => {
        expect(covers(a, a)).toBe(true);
        if (covers(a, b) && covers(b, c)) expect(covers(a, c)).toBe(true);
      }),
    );
  });
});
