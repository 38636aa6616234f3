import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { conditionColumns, operandOf, orderKeys } from '../../../../../../lib/queries/plan/advice/conditions.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';

beforeAll(loadParser);

/** A test as `kind alias.column::cast`, which is all that most cases are about. */
const read = (condition: string, alias?: string) =>
  conditionColumns(condition, alias).map(({ kind, operands }) =>
    [
      kind,
      ...operands.map(({ alias: of, column, cast, call }) => {
        const name = `${of === null ? '' : `${of}.`}${column}${cast === null ? '' : `::${cast}`}`;
        return call === null ? name : `${call}(${name})`;
      }),
    ].join(' '),
  );

describe('a condition as EXPLAIN prints it', () => {
  test.each([
    ['(id = 1)', ['equality id']],
    ['(id = $1)', ['equality id']],
    ['($1 = id)', ['equality id']],
    ['(1 < id)', ['range id']],
    ["((status)::text = 'x'::text)", ['equality status::text']],
    ["((o.status)::text = ANY ('{a,b}'::text[]))", ['equality o.status::text']],
    ['(a = ANY ($1))', ['equality a']],
    ['(a > ANY ($1))', ['other']],
    ['(a = ALL ($1))', ['other']],
    ['(lower(email) = $1)', ['equality lower(email)']],
    ['(lower((email)::text) = lower($1))', ['equality lower(email::text)']],
    ["(date_trunc('day'::text, created_at) = $1)", ['equality date_trunc(created_at)']],
    ['((created_at)::date = $1)', ['equality created_at::date']],
    ['(created_at > (now() - $1))', ['range created_at']],
    ['((name)::text ~~ $1)', ['pattern name::text']],
    ['(name ~* $1)', ['pattern name']],
    ['(deleted_at IS NULL)', ['null deleted_at']],
    ['(deleted_at IS NOT NULL)', ['not null deleted_at']],
    ['active', ['true active']],
    ['(NOT active)', ['false active']],
    ['(active IS TRUE)', ['true active']],
    ['(active IS NOT TRUE)', ['other']],
    ['(a <> 1)', ['other']],
    ['(a IS DISTINCT FROM $1)', ['other']],
    ['(ROW(a, b) < ROW($1, $2))', ['range a b']],
    ['((a + 1) = $1)', ['other']],
    ['(a = b)', ['other']],
    ['(("Weird ""Col" = 1) AND ("order" > 2))', ['equality Weird "Col', 'range order']],
    ["(data @> '{}'::jsonb)", ['other']],
    ["((name)::text = ') AND ('::text)", ['equality name::text']],
    ['((a = 1) OR (a = 2))', ['equality a']],
    ['((a = 1) OR (b = 2))', ['or']],
    ['((a = 1) AND ((b = 2) OR (b = 3)) AND (c > 4))', ['equality a', 'equality b', 'range c']],
    ['((é = $1) AND (日本 = $2))', ['equality é', 'equality 日本']],
  ])('%s', (condition, expected) => {
    expect(read(condition)).toEqual(expected);
  });

  test('that is not SQL spoils only itself', () => {
    expect(read('((a = 1) AND (hashed SubPlan 1) AND (b > 2))')).toEqual(['equality a', 'other', 'range b']);
    expect(read('((a = 1) AND (NOT (ANY (b = (hashed SubPlan 1).col1))))')).toEqual(['equality a', 'other']);
    expect(read('(alternatives: SubPlan 1 or hashed SubPlan 2)')).toEqual(['other']);
  });

  test('takes the value of an InitPlan for a value', () => {
    expect(read('(a = (InitPlan 1).col1)')).toEqual(['equality a']);
    expect(read('(a = $0)')).toEqual(['equality a']);
    expect(read('(a = (SubPlan 1))')).toEqual(['other']);
  });

  test('tells all columns and parameters of what it cannot place', () => {
    expect(conditionColumns('((a = $1) OR (o.b = $3))')).toEqual([
      {
        kind: 'or',
        operands: [],
        columns: [
          { alias: null, column: 'a' },
          { alias: 'o', column: 'b' },
        ],
        parameters: [1, 3],
        against: null,
      },
    ]);
  });

  test('is nothing where there is none, and unknown where it cannot be read', () => {
    expect(conditionColumns(undefined)).toEqual([]);
    expect(conditionColumns('(1 = 1)')).toEqual([]);
    expect(read("(a = 'unterminated")).toEqual(['other']);
    expect(read(`${'('.repeat(500)}a = 1${')'.repeat(500)}`)).toEqual(['other']);
  });
});

describe('a join, as one of its tables sees it', () => {
  test.each([
    ['o', ['equality o.customer_id']],
    ['c', ['equality c.id']],
    [undefined, ['equality o.customer_id']],
  ])('%s', (alias, expected) => {
    expect(read('(o.customer_id = c.id)', alias)).toEqual(expected);
  });

  test('names the column that is compared to', () => {
    const [test] = conditionColumns('(o.customer_id = c.id)', 'c');
    expect(test?.against).toEqual({ alias: 'o', column: 'customer_id', cast: null, call: null });
  });

  test('is nothing to a third table', () => {
    expect(read('(o.customer_id = c.id)', 'x')).toEqual([]);
  });

  test('counts columns without an alias as its own', () => {
    expect(read('(customer_id = c.id)', 'o')).toEqual(['equality customer_id']);
  });
});

describe('a sort key', () => {
  test.each([
    ['created_at', 'created_at', false, false],
    ['o.created_at DESC', 'created_at', true, true],
    ['created_at DESC NULLS LAST', 'created_at', true, false],
    ['created_at NULLS FIRST', 'created_at', false, true],
  ])('%s', (key, column, descending, nullsFirst) => {
    expect(orderKeys([key])).toMatchObject([{ operand: { column }, descending, nullsFirst }]);
  });

  test.each(['(count(*))', 'a USING ~<~', '(a + b)', 'name COLLATE "C"', 'broken ('])(
    'that is no column spoils the order: %s',
    (key) => {
      expect(orderKeys(['id', key])).toBeUndefined();
    },
  );
});

test('an expression of an index is read like a condition', () => {
  expect(operandOf('lower((email)::text)')).toEqual({ alias: null, column: 'email', cast: 'text', call: 'lower' });
  expect(operandOf('(a + b)')).toBeUndefined();
  expect(operandOf('')).toBeUndefined();
});

test('no text makes it throw', () => {
  const fragments = ['(', ')', 'AND', 'OR', 'a', '=', '$1', "'", '"', 'ANY', 'SubPlan', '1', '::', 'NULL', 'IS', ','];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...fragments), { maxLength: 40 }).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(text, (condition) => {
      expect(Array.isArray(conditionColumns(condition, 'a'))).toBe(true);
      orderKeys([condition]);
      operandOf(condition);
    }),
    { numRuns: 200 },
  );
});
