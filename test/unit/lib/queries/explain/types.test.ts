import fc from 'fast-check';
import type { Node } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { blamedFor } from '../../../../../lib/queries/explain/blame.ts';
import { applyEdits } from '../../../../../lib/queries/explain/edits.ts';
import { parametersIn, parseOne } from '../../../../../lib/queries/explain/source.ts';
import { castEdits, type Guesses, isTypeError, nextGuesses } from '../../../../../lib/queries/explain/types.ts';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { statements } from './statements.ts';

beforeAll(loadParser);

const tree = (text: string) => parseOne(text) as Node;

/** The parameters that are to blame where PostgreSQL points at the sign `^`, which is taken out of the text. */
function blamed(marked: string, suspected: number[] = []): number[] {
  const place = marked.indexOf('^');
  const statement = tree(marked.replace('^', ''));
  return [...blamedFor(statement, { place: place < 0 ? undefined : place, parameter: undefined }, new Set(suspected))];
}

describe('blamedFor', () => {
  it.each([
    ['select a ^- $1 from t', [1]],
    ['select $1 ^- $2', [1, 2]],
    ['select ^sum(case when a then $1 else $2 end) from t', [1, 2]],
    ['select ^generate_series($1, $2)', [1, 2]],
    ['select ^to_char($1, $2)', [1]],
    ['select ^date_trunc($1, $2)', [2]],
    ['select ^coalesce($1, f($2), (select $3)) + a', [1, 2, 3]],
    ['select a ^+ x.b from (select $1 as b, $2 as c) x', [1]],
    ['with x as (select $1 as b), y(d, e) as (values ($2, $3)) select a ^+ x.b, y.e from x, y', [1]],
    ['with x as (select $1 as b), y(d, e) as (values ($2, $3)) select a ^+ y.e from x, y', [3]],
    ['with recursive x(n) as (select $1 union all select n + $2 from x) select n ^+ m from x', [1, 2]],
    ['select $1 = $2 and a ^> $3', [3]],
    ['select case ^a when $1 then 2 when $2 then 3 end', []],
    ['select $1 union select $2 union select ^a from t', [1, 2]],
    ['select 1, $1 union select 2, ^a from t', [1]],
    ['select ^a from t where b = $1', []],
    ['select f($1), g($2)', [1]],
  ])('%s', (text, numbers) => {
    expect(blamed(text)).toEqual(numbers);
  });

  it('goes from function to function where there is no place', () => {
    expect(blamed('select f($1), g($2, $3), h(a)', [1])).toEqual([2, 3]);
    expect(blamed('select f($1), g($2, $3), h(a)', [1, 2, 3])).toEqual([]);
  });

  it('takes the parameter that is named, and those beside it', () => {
    const statement = tree('select json_build_object($1, a, $2), $3');
    expect([...blamedFor(statement, { place: undefined, parameter: 2 })].sort()).toEqual([1, 2]);
    expect([...blamedFor(statement, { place: undefined, parameter: 3 })]).toEqual([3]);
  });
});

describe('nextGuesses', () => {
  const refusal = { code: '42883', place: 9, parameter: undefined };

  it('tries one type after the other, and then gives up', () => {
    const statement = tree('select a - $1 from t');
    const tried: string[] = [];
    let guesses: Guesses | undefined = new Map();
    for (
      guesses = nextGuesses(statement, guesses, refusal);
      guesses;
      guesses = nextGuesses(statement, guesses, refusal)
    ) {
      tried.push(applyEdits('select a - $1 from t', castEdits(statement, guesses)));
    }
    expect(tried.slice(0, 2)).toEqual(['select a - ($1::integer) from t', 'select a - ($1::interval) from t']);
    expect(new Set(tried).size).toBe(tried.length);
    expect(tried).toHaveLength(10);
  });

  it('makes a text of what nobody asks anything of', () => {
    const next = nextGuesses(tree('select to_json($1)'), new Map(), { code: '42P18', place: undefined, parameter: 1 });
    expect(next?.get(1)).toEqual(['text']);
  });

  it('ends, wherever the error is', () => {
    fc.assert(
      fc.property(statements, fc.nat(200), fc.constantFrom('42883', '42804', '42P18'), (sql, place, code) => {
        const statement = parseOne(readText(sql).text);
        if (!statement) return;
        let guesses: Guesses | undefined = new Map();
        let rounds = 0;
        for (; guesses && rounds < 1_000; rounds++)
          guesses = nextGuesses(statement, guesses, { code, place, parameter: undefined });
        expect(rounds).toBeLessThan(20);
      }),
    );
  });
});

describe('castEdits', () => {
  it('leaves what is cast already', () => {
    const text = 'select $1::date, cast($2 as int), $2, $3';
    const guesses: Guesses = new Map([1, 2, 3].map((number) => [number, ['uuid'] as const]));
    expect(applyEdits(text, castEdits(tree(text), guesses))).toBe(
      'select $1::date, cast($2 as int), ($2::uuid), ($3::uuid)',
    );
  });

  it('makes SQL of SQL, with the same parameters', () => {
    fc.assert(
      fc.property(statements, fc.constantFrom('integer', 'integer[]', 'timestamptz'), (sql, type) => {
        const { text } = readText(sql);
        const statement = parseOne(text);
        if (!statement) return;
        const guesses: Guesses = new Map([...parametersIn(text)].map((number) => [number, [type] as const]));
        const cast = applyEdits(text, castEdits(statement, guesses));
        expect(parseOne(cast), cast).toBeDefined();
        expect(parametersIn(cast)).toEqual(parametersIn(text));
      }),
    );
  });
});

describe('isTypeError', () => {
  it('is about types only', () => {
    expect(['42883', '42P18', '42804'].map(isTypeError)).toEqual([true, true, true]);
    expect(['42P01', '55P03', undefined].map(isTypeError)).toEqual([false, false, false]);
  });
});
