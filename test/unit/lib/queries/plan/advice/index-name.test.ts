import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexName, statisticsName } from '../../../../../../lib/queries/plan/advice/index-name.ts';

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
