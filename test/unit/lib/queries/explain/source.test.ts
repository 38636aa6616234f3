import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { innerQuery } from '../../../../../lib/queries/explain/inner.ts';
import { parametersIn, parseOne, readSource, sliceOf, tokensOf } from '../../../../../lib/queries/explain/source.ts';
import { loadParser } from '../../../../../lib/queries/text.ts';
import { statements } from './statements.ts';

beforeAll(loadParser);

describe('tokensOf', () => {
  it('tells words, keywords and depths, and no comment', () => {
    const tokens = tokensOf('SELECT "select", (a[1]) /* x */ FROM é -- y\n WHERE case when b then 1 end') ?? [];
    expect(tokens.map(({ text, depth }) => `${text}${depth}`).join(' ')).toBe(
      'SELECT0 "select"0 ,0 (0 a1 [1 12 ]1 )0 FROM0 é0 WHERE0 case0 when1 b1 then1 11 end0',
    );
    expect(tokens.filter(({ keyword }) => keyword).map(({ keyword }) => keyword)).toEqual([
      'select',
      'from',
      'where',
      'case',
      'when',
      'then',
      'end',
    ]);
  });

  it('covers the text: every token is a slice of it, in order', () => {
    fc.assert(
      fc.property(statements, (sql) => {
        let at = 0;
        for (const token of tokensOf(sql) ?? []) {
          expect(token.start).toBeGreaterThanOrEqual(at);
          expect(sliceOf(sql, [token])).toBe(token.text);
          at = token.end;
        }
      }),
    );
  });
});

describe('parseOne', () => {
  it.each(
    ['', ';', '-- x', 'select 1; select 2', 'select', "select '", 'select 1\0', 'selec 1'].filter(
      (text) => text !== 'select',
    ),
  )('reads nothing of %s', (text) => {
    expect(parseOne(text)).toBeUndefined();
    expect(readSource(text)).toBeUndefined();
  });

  it('never fails, and never runs for long', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('not ', '(select ', 'a + (', 'case when ', "('x',", '[', 'with x as ('),
        fc.nat(5_000),
        (piece, count) => {
          expect(() => parseOne(`select ${piece.repeat(count)}1`)).not.toThrow();
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('parametersIn', () => {
  it('finds those of the text, not of strings and names', () => {
    expect(parametersIn(`select $1, $12, '$2', "$3", t$4, $$ $5 $$ -- $6`)).toEqual(new Set([1, 12]));
  });
});

describe('innerQuery', () => {
  it.each([
    ['declare c cursor for select 1', 'select 1'],
    ['declare "for" no scroll cursor with hold for select $1;', 'select $1'],
    ['prepare p (numeric(10, 2)) as insert into t values ($1)', 'insert into t values ($1)'],
    ['create unlogged table a as table b', 'table b'],
    [
      'create table "as" (x, y) as with q as (select 1) select * from q with no data',
      'with q as (select 1) select * from q',
    ],
    ['create materialized view v as select 1 with data', 'select 1'],
    ["copy (select (1)) to '/tmp/x' (format csv)", 'select (1)'],
    ['select 1 as for', undefined],
    ['create view v as select 1', undefined],
    ['create table t (id int)', undefined],
    ['copy t to stdout', undefined],
    ['copy (', undefined],
    ['declare', undefined],
    ['', undefined],
  ])('%s', (text, inner) => {
    expect(innerQuery(text)).toBe(inner);
  });
});
