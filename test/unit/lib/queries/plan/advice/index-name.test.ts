import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  definedName,
  indexName,
  type NewDefinition,
  statisticsName,
} from '../../../../../../lib/queries/plan/advice/index-name.ts';

test.each([
  ['orders', ['customer_id', 'created_at'], [], 'orders_customer_id_created_at_idx'],
  ['orders', ['a'], ['orders_a_idx'], 'orders_a_idx1'],
  ['orders', ['a'], ['orders_a_idx', 'orders_a_idx1'], 'orders_a_idx2'],
  ['t'.repeat(40), ['c'.repeat(40)], [], `${'t'.repeat(29)}_${'c'.repeat(29)}_idx`],
  ['t'.repeat(60), ['abc'], [], `${'t'.repeat(55)}_abc_idx`],
])('%s (%j)', (table, columns, taken, expected) => {
  expect(indexName(table, columns, taken)).toBe(expected);
});

test('statistics are named as PostgreSQL names them', () => {
  expect(statisticsName('orders', ['a', 'b'])).toBe('orders_a_b_stat');
});

test('a name is never longer than PostgreSQL keeps, holds no half of a character, and is free', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 63 }),
      fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 63 }), { minLength: 1, maxLength: 5 }),
      fc.nat(20),
      (table, columns, used) => {
        const taken: string[] = [];
        for (let i = 0; i <= used; i++) taken.push(indexName(table, columns, taken));
        const name = taken.at(-1) ?? '';
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
        expect(name).not.toContain('\uFFFD');
        expect(new Set(taken).size).toBe(taken.length);
      },
    ),
  );
});

test('an index of columns in their usual order has the name that PostgreSQL would choose', () => {
  const keys = [{ column: 'a' }, { column: 'b', descending: false, nullsFirst: false, expression: null }];
  expect(definedName({ table: 't', keys, included: [], predicate: null })).toBe('t_a_b_idx');
  expect(definedName({ table: 't', method: 'btree', keys, predicate: null }, ['t_a_b_idx'])).toBe('t_a_b_idx1');
});

test('indexes that differ have names that differ, and the same index has the same name', () => {
  const keys = [{ column: 'a' }];
  const definitions: NewDefinition[] = [
    { table: 't', keys },
    { table: 't', keys, method: 'brin' },
    { table: 't', keys, method: 'hash' },
    { table: 't', keys, predicate: '"b" IS NULL' },
    { table: 't', keys, predicate: '"b" IS NOT NULL' },
    { table: 't', keys: [{ column: 'a', descending: true }] },
    { table: 't', keys: [{ column: 'a', nullsFirst: true }] },
    { table: 't', keys: [{ column: 'a', operatorClass: 'text_pattern_ops' }] },
    { table: 't', keys: [{ column: 'a' }, { column: 'b' }] },
    { table: 't', keys, included: ['b'] },
    { table: 't', keys: [{ expression: 'lower("a")' }] },
    { table: 't', keys: [{ expression: 'lower("b")' }] },
    { table: 't', keys: [{ expression: `"a" ->> 'k'` }] },
  ];
  const names = definitions.map((each) => definedName(each));
  expect(new Set(names).size).toBe(definitions.length);
  for (const name of names.filter((each) => each !== 't_a_idx' && each !== 't_a_b_idx')) {
    expect(name).toMatch(/^t_(?:a|a_b|lower|expr)_idx_[0-9a-f]{6}$/);
  }
  const order = (included: string[]) => definedName({ table: 't', keys, included }).slice(-6);
  expect(order(['b', 'c'])).toBe(order(['c', 'b']));
  // The direction of nulls that an order has by default need not be said.
  const down = (key: object) => definedName({ table: 't', keys: [{ column: 'a', descending: true, ...key }] });
  expect(down({ nullsFirst: true })).toBe(down({}));
});
