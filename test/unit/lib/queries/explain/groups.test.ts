import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyEdits } from '../../../../../lib/queries/explain/edits.ts';
import { shareParameters } from '../../../../../lib/queries/explain/groups.ts';
import { parametersIn, readSource } from '../../../../../lib/queries/explain/source.ts';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { statements } from './statements.ts';

beforeAll(loadParser);

function shared(text: string): string | undefined {
  const source = readSource(text);
  return source && applyEdits(text, shareParameters(source));
}

describe('shareParameters', () => {
  it.each([
    ['select f(a, $1), count(*) from t group by f(a, $2)', 'select f(a, $2), count(*) from t group by f(a, $2)'],
    [
      'select f(a, $1) from t group by f(a, $2) order by f(a, $3)',
      'select f(a, $2) from t group by f(a, $2) order by f(a, $2)',
    ],
    [
      'select f(a, $1) || $2 from t group by f(a, $3) having f(a, $4) > $5',
      'select f(a, $3) || $2 from t group by f(a, $3) having f(a, $3) > $5',
    ],
    [
      'select f(a, $1), f(a, $2) from t group by f(a, $3), f(a, $4)',
      'select f(a, $3), f(a, $4) from t group by f(a, $3), f(a, $4)',
    ],
    ['select distinct f(a, $1) from t order by f(a, $2)', 'select distinct f(a, $2) from t order by f(a, $2)'],
    [
      'select distinct on (a % $1) b from t order by a % $2, c',
      'select distinct on (a % $1) b from t order by a % $1, c',
    ],
    ['select a in ($1, $2), 1 from t group by a in ($3, $4)', 'select a in ($3, $4), 1 from t group by a in ($3, $4)'],
    ['select f(a, $1) from t group by rollup (f(a, $2), b)', 'select f(a, $2) from t group by rollup (f(a, $2), b)'],
    [
      'select x from (select f(a, $1) as x from t group by f(a, $2)) s where x = $3',
      'select x from (select f(a, $2) as x from t group by f(a, $2)) s where x = $3',
    ],
    [
      "select to_char(a, $1) from t group by to_char(a, 'YYYY')",
      'select to_char(a, $1) from t group by to_char(a, $1)',
    ],
  ])('%s', (text, expected) => {
    const found = shared(text);
    // Which of the two is taken makes no difference.
    expect(expected === found || sameParts(found ?? '', expected), found).toBe(true);
  });

  it.each([
    'select f(a, $1), g(a, $2) from t group by a, b',
    'select f(a, $1) from t where f(a, $2) > $3',
    'select $1, count(*) from t group by 1',
    'select f(a, $1) from t group by f(b, $2), f(a, $3, $4)',
    'select a from t order by a + $1 limit $2',
    'select (select f(a, $1) from u) from t group by a',
  ])('leaves alone what need not be the same: %s', (text) => {
    expect(shared(text)).toBe(text);
  });

  it('makes SQL of SQL, and of nothing but its parameters', () => {
    fc.assert(
      fc.property(statements, (sql) => {
        const { text } = readText(sql);
        const source = readSource(text);
        if (!source) return;
        const found = applyEdits(text, shareParameters(source));
        expect(readSource(found), found).toBeDefined();
        const known = parametersIn(text);
        expect([...parametersIn(found)].every((number) => known.has(number))).toBe(true);
        const shape = (each: string) => each.replace(/\$\d+(?:\s*,\s*\$\d+)*/g, '$');
        expect(shape(found)).toBe(shape(text));
      }),
    );
  });
});

/** Whether two texts name the same things as the same, by whatever parameter. */
function sameParts(one: string, other: string): boolean {
  const classes = (text: string) => {
    const seen = new Map<string, number>();
    return text.replace(/\$\d+|'[^']*'/g, (leaf) => {
      if (!seen.has(leaf)) seen.set(leaf, seen.size);
      return `#${seen.get(leaf)}`;
    });
  };
  return classes(one) === classes(other);
}
