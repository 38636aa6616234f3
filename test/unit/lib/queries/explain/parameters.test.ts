import type { Node } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { comparedIn } from '../../../../../lib/queries/explain/parameters.ts';
import { parseOne } from '../../../../../lib/queries/explain/source.ts';
import { loadParser } from '../../../../../lib/queries/text.ts';

beforeAll(loadParser);

/** What is compared, as `$1 = t.a`. */
const compared = (text: string) =>
  comparedIn(parseOne(text) as Node).map(
    ({ parameter, column, relations, isArray }) =>
      `$${parameter}${isArray ? '[]' : ''} = ${relations.map(({ relname }) => relname).join('|')}.${column}`,
  );

describe('comparedIn', () => {
  it.each([
    ['select * from t where a = $1', ['$1 = t.a']],
    ['select * from t where $1 = a', ['$1 = t.a']],
    ['select * from t where a = $1::int and b = ($2::text)', ['$1 = t.a', '$2 = t.b']],
    ['select * from t x, u where x.a = $1 and b = $2', ['$1 = t.a', '$2 = t|u.b']],
    ['select * from t where a in ($2, $3)', ['$2 = t.a']],
    ['select * from t where a = any ($1)', ['$1[] = t.a']],
    ['select * from t join u on u.b = $1 where t.a > $2', ['$1 = u.b']],
    ['select * from t where exists (select from u where c = $1) and a = $2', ['$2 = t.a', '$1 = u.c']],
    ['with x as (select * from t where a = $1) select * from x', ['$1 = t.a']],
    ['select * from t where not (a = $1 or b = $2)', ['$1 = t.a', '$2 = t.b']],
    ['select * from t where a <> $1 and b < $2 and c like $3 and $4 = $5 and lower(d) = $6', []],
    ['select a = $1 from t', []],
    ['select * from t where a = all ($1) and b not in ($2)', []],
  ])('%s', (text, expected) => {
    expect(compared(text)).toEqual(expected);
  });
});
