import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyEdits } from '../../../../../lib/queries/explain/edits.ts';
import { readRepaired, repairTokens, repairTree, widenLists } from '../../../../../lib/queries/explain/repair.ts';
import { parametersIn, parseOne } from '../../../../../lib/queries/explain/source.ts';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { statements } from './statements.ts';

beforeAll(loadParser);

/** All repairs, as they are made for a version. */
function repaired(text: string, versionNumber = 180_000): string | undefined {
  const source = readRepaired(text);
  return (
    source && applyEdits(source.text, [...repairTree(source, versionNumber), ...widenLists(source, versionNumber)])
  );
}

describe('repairing', () => {
  it.each([
    ['select interval $1', 'select cast($1 as interval)'],
    ['select interval $1 day', 'select cast($1 as interval day)'],
    ['select interval $1 year to month, 2', 'select cast($1 as interval year to month), 2'],
    ['select interval($1) $2', 'select cast($2 as interval)'],
    ['select interval $1 second($2)', 'select cast($1 as interval second)'],
    ['select date $1 - interval $2', 'select cast($1 as date) - cast($2 as interval)'],
    ['select timestamp with time zone $1', 'select cast($1 as timestamp with time zone)'],
    ['select timestamp($1) without time zone $2', 'select cast($2 as timestamp without time zone)'],
    ['select double precision $1, "char" $2', 'select cast($1 as double precision), cast($2 as "char")'],
    ['select public.mood $1', 'select cast($1 as public.mood)'],
    ['select extract($1 from x)', 'select pg_catalog.extract($1::text, x)'],
    [
      'select EXTRACT ( $1 FROM now() ) + extract($2 from x)',
      'select pg_catalog.extract ( $1::text, now() ) + pg_catalog.extract($2::text, x)',
    ],
    ['select x::varchar($1), x::numeric($2, $3)', 'select x::varchar, x::numeric'],
    ['select cast(x as character varying($1))', 'select cast(x as character varying)'],
    ['select x::char($1), x::national character($2)', 'select x::bpchar, x::bpchar'],
    ['select x::vector($1)', 'select x::vector'],
    ['select x::timestamp($1) with time zone', 'select x::timestamp with time zone'],
    ['select $1 || $2 uescape $3 from t', 'select $1 || $2  from t'],
    ['select $1 uescape $2', 'select $1 '],
    ['select a from t where c like$1and b=$2or d', 'select a from t where c like $1 and b=$2 or d'],
    ['select N$1, n$2', 'select $1, $2'],
    ['select date$1', 'select cast($1 as date)'],
    ['select $1as x', 'select $1 as x'],
  ])('%s', (text, expected) => {
    expect(repaired(text)).toBe(expected);
  });

  it('calls date_part before PostgreSQL 14, which has no other function', () => {
    expect(repaired('select extract($1 from x)', 130_000)).toBe('select pg_catalog.date_part($1::text, x)');
  });

  it.each([
    'select a from t where id = $1 limit $2',
    'select extract(year from x), date_trunc($1, x)',
    'select x::varchar(10), numeric_col($1), varchar from t',
    "select interval '1 day', date '2026-01-01'",
    'select t$1.a from t$1',
    'select "like$1and" from t where b = $2',
    "select 'like$1and', $$date$1$$",
    'select a as date$1 from t where b = $1',
    'select $1::interval, cast($2 as date)',
    'select json_build_object($1, $2)',
  ])('leaves alone what is right: %s', (text) => {
    expect(repaired(text, 170_000)).toBe(text);
  });

  it.each([
    ['select a from t where id in ($1 )', 'select a from t where id = any ($1 )'],
    ['select a from t where id not in ($1 )', 'select a from t where id <> all ($1 )'],
    ['select a from t where id = any (array[$1 ])', 'select a from t where id = any ($1)'],
    ['select array[$1 ]::int[]', 'select $1::int[]'],
  ])('makes a list of unknown length of one that PostgreSQL 18 has cut: %s', (text, expected) => {
    expect(repaired(text)).toBe(expected);
    expect(repaired(text, 170_000)).toBe(text);
  });

  it.each(['select a from t where id in ($1)', 'select a from t where id in ($1, $2)', 'select array[$1]::int[]'])(
    'leaves a list that is whole: %s',
    (text) => {
      expect(repaired(text)).toBe(text);
    },
  );

  it('keeps the parameters and everything else of the statements of others', () => {
    fc.assert(
      fc.property(statements, fc.constantFrom(130_000, 150_000, 180_000), (sql, version) => {
        const masked = readText(sql).text;
        const text = repaired(masked, version);
        expect(text === undefined ? undefined : parseOne(text), masked).toBeDefined();
        const lost = [...parametersIn(masked)].filter((number) => !parametersIn(text ?? '').has(number));
        // Only lengths and escape characters are taken out.
        expect(lost.length, masked).toBeLessThanOrEqual(
          (masked.match(/\(\$\d+(?:, ?\$\d+)?\)|uescape/g) ?? []).length * 2,
        );
      }),
    );
  });

  it('gives no answer to what is no SQL, rather than to fail', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(() => repaired(text)).not.toThrow();
        expect(() => repairTokens(text)).not.toThrow();
      }),
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            'select',
            '$1',
            'interval',
            '(',
            ')',
            ',',
            'extract',
            'from',
            'date',
            '::varchar',
            'in',
            'uescape',
            'json_table',
            'as',
            'case',
            'end',
            'columns',
            'path',
            "'x",
          ),
          { maxLength: 30 },
        ),
        (words) => {
          expect(() => repaired(words.join(' '))).not.toThrow();
          expect(() => repaired(words.join(''))).not.toThrow();
        },
      ),
    );
  });
});
