import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidateOn, columnKey, expressionKey } from '../../../../../lib/indexes/advisor/candidate.ts';
import type { ColumnUse } from '../../../../../lib/indexes/advisor/candidates.ts';
import { reasonsFor } from '../../../../../lib/indexes/advisor/reasons.ts';

const names = ['a', 'b', 'c'];
const use = (queryId: string, rest: Partial<ColumnUse> = {}): ColumnUse => ({
  queryId,
  schema: 'public',
  table: 't',
  equality: [],
  range: [],
  join: [],
  order: [],
  group: [],
  projected: null,
  predicates: [],
  expressions: [],
  ...rest,
});
const some = fc.subarray(names);
const uses = fc.array(
  fc
    .record({
      queryId: fc.constantFrom('1', '2', '3'),
      equality: some,
      range: some,
      join: some,
      group: some,
      projected: fc.option(some),
      order: some.map((columns) => columns.map((column) => ({ column, descending: false, nullsFirst: false }))),
    })
    .map(({ queryId, ...rest }) => use(queryId, rest)),
  { maxLength: 4 },
);
const whysOf = (...parameters: Parameters<typeof reasonsFor>) => reasonsFor(...parameters).map(({ why }) => why);

describe('the reasons of an index', () => {
  test('are one sentence for each part of it, in its order, whatever the statements do', () => {
    fc.assert(
      fc.property(
        uses,
        fc.shuffledSubarray(names, { minLength: 1 }),
        some,
        fc.boolean(),
        (all, keys, stored, isPartial) => {
          const included = stored.filter((name) => !keys.includes(name));
          const predicate = isPartial ? { sql: '"x" IS NULL', columns: ['x'], fraction: 0.1 } : null;
          const reasons = reasonsFor(candidateOn('public', 't', keys, { included, predicate }), all);
          expect(reasons.map(({ part, place }) => [part, place])).toEqual([
            ...keys.map((name) => [name, 'key']),
            ...included.map((name) => [name, 'included']),
            ...(isPartial ? [['"x" IS NULL', 'condition']] : []),
          ]);
          for (const { why } of reasons) expect(why).toMatch(/^[A-Z][^\n]*[^.]\.$/);
        },
      ),
    );
  });

  test('do not depend on what statements do with other tables, nor on their order', () => {
    fc.assert(
      fc.property(uses, (all) => {
        const index = candidateOn('public', 't', ['a', 'b']);
        const others = all.map((each) => ({ ...each, table: 'other' }));
        expect(reasonsFor(index, [...others, ...all.toReversed()])).toEqual(reasonsFor(index, all));
      }),
    );
  });

  test('count each statement once', () => {
    const twice = [use('1', { equality: ['a'] }), use('1', { equality: ['a'] }), use('2', { equality: ['a'] })];
    expect(whysOf(candidateOn('public', 't', ['a']), twice)).toEqual(['Compared for equality in 2 statements.']);
  });

  test('say why equality comes first and an order behind it', () => {
    const order = [{ column: 'b', descending: false, nullsFirst: false }];
    expect(whysOf(candidateOn('public', 't', ['a', 'b']), [use('1', { equality: ['a'], order })])).toEqual([
      'Compared for equality in 1 statement; first, because what is equal comes before ranges and orders.',
      'Sorted by in 1 statement; behind the columns that are equal, for among rows that agree in these its order is kept.',
    ]);
  });

  test('tell of an expression, of what is included, of a condition, and of the method', () => {
    const expressions = [{ sql: 'lower("a")', columns: ['a'], role: 'equality' as const }];
    const predicate = { sql: '"c" IS NULL', columns: ['c'], fraction: 0.0123 };
    const index = candidateOn('public', 't', [expressionKey('lower("a")', ['a'])], { included: ['b'], predicate });
    expect(whysOf(index, [use('1', { expressions, projected: ['a', 'b'] })])).toEqual([
      'Compared for equality in 1 statement.',
      'Read by 1 statement, which need not look into the table then.',
      'Only these rows, about 1.2 % of the table, are asked for.',
    ]);
    const hash = candidateOn('public', 't', [columnKey('a')], { method: 'hash' });
    expect(whysOf(hash, [use('1', { equality: ['a'] })])[0]).toContain('a hash of the wide value takes less space');
  });
});
