import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pageBytes } from '../../../../../lib/indexes/advisor/btree-size.ts';
import { type Candidate, candidateOn } from '../../../../../lib/indexes/advisor/candidate.ts';
import { sizeOf } from '../../../../../lib/indexes/advisor/size.ts';
import type { Column, Relation } from '../../../../../lib/queries/catalog.ts';
import { column, relation } from '../../../snapshots.ts';

const types = ['integer', 'bigint', 'uuid', 'text', 'numeric', 'timestamp with time zone', 'boolean', 'jsonb'];

const columns = (rows: number): fc.Arbitrary<Column[]> =>
  fc.tuple(...['a', 'b', 'c'].map((name) => columnOf(name, rows)));

function columnOf(name: string, rows: number): fc.Arbitrary<Column> {
  return fc
    .record({
      type: fc.constantFrom(...types),
      averageBytes: fc.integer({ min: 1, max: 200 }),
      distinctShare: fc.double({ min: 0, max: 1, noNaN: true }),
      nullFraction: fc.constantFrom(0, 0, 0.1, 0.9),
      commonest: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    })
    .map(({ type, averageBytes, distinctShare, nullFraction, commonest }) =>
      column(name, {
        type,
        notNull: nullFraction === 0,
        statistics: {
          distinct: Math.max(1, Math.round(rows * distinctShare)),
          nullFraction,
          averageBytes,
          correlation: 0,
          commonestFraction: commonest === null ? null : commonest * (1 - nullFraction),
          rarestListedFraction: commonest === null ? null : (commonest * (1 - nullFraction)) / 10,
        },
      }),
    );
}

const tables: fc.Arbitrary<Relation> = fc
  .integer({ min: 0, max: 3_000_000 })
  .chain((rows) =>
    columns(rows).map((all) => relation('t', { rows, liveRows: rows, columns: all, sizeBytes: rows * 60 })),
  );
const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
const on = (columnNames: readonly string[], rest: Partial<Candidate> = {}) =>
  candidateOn('public', 't', columnNames, rest);
const partial = (fraction: number) => ({ sql: '"a" = 1', columns: ['a'], fraction });

describe('the size of an index that does not exist', () => {
  test('is a whole number of pages, at least one, whatever the statistics are', () => {
    fc.assert(
      fc.property(tables, keys, fc.constantFrom('btree', 'hash', 'brin'), (table, names, method) => {
        const bytes = sizeOf(on(method === 'btree' ? names : names.slice(0, 1), { method }), table);
        expect(bytes % pageBytes).toBe(0);
        expect(bytes).toBeGreaterThan(0);
        expect(Number.isFinite(bytes)).toBe(true);
      }),
    );
  });

  test('is no larger for fewer of the rows', () => {
    fc.assert(
      fc.property(tables, keys, fc.double({ min: 0.001, max: 1, noNaN: true }), (table, names, fraction) => {
        const whole = sizeOf(on(names), table);
        // Common values are spread over what is left: a page or two more than all of them may come of that.
        expect(sizeOf(on(names, { predicate: partial(fraction) }), table)).toBeLessThanOrEqual(
          whole * 1.02 + 2 * pageBytes,
        );
      }),
    );
  });

  test('grows with the rows of the table', () => {
    fc.assert(
      fc.property(tables, keys, fc.integer({ min: 2, max: 10 }), (table, names, factor) => {
        const larger = {
          ...table,
          rows: (table.rows ?? 0) * factor,
          columns: table.columns.map((each) => ({
            ...each,
            statistics: each.statistics && { ...each.statistics, distinct: each.statistics.distinct * factor },
          })),
        };
        expect(sizeOf(on(names), larger)).toBeGreaterThanOrEqual(sizeOf(on(names), table));
      }),
    );
  });

  test('is no smaller when it stores another column', () => {
    fc.assert(
      fc.property(tables, (table) => {
        // Of an entry whose width is a mean, how many fit on a page is less exact than of one whose width is known.
        expect(sizeOf(on(['a'], { included: ['b'] }), table)).toBeGreaterThanOrEqual(0.99 * sizeOf(on(['a']), table));
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 100) },
    );
  });

  test('is small where few values repeat, unless what is included keeps them apart', () => {
    const rows = 1_000_000;
    const few = { ...column('a').statistics, distinct: 10 } as NonNullable<Column['statistics']>;
    const table = relation('t', { rows, columns: [column('a', { statistics: few }), column('b')] });
    const [alone, covering] = [sizeOf(on(['a']), table), sizeOf(on(['a'], { included: ['b'] }), table)];
    // Six bytes for each row and a little, against a whole entry of 20.
    expect(alone / rows).toBeGreaterThan(6);
    expect(alone / rows).toBeLessThan(8);
    expect(covering).toBeGreaterThan(2.5 * alone);
  });
});
