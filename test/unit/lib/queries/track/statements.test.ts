import { describe, expect, test } from 'vitest';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { others, Statements } from '../../../../../lib/queries/track/statements.ts';
import { statisticsOf } from '../../../../../lib/queries/track/statistics.ts';

const fill = (statements: Statements, texts: Iterable<string>) => {
  for (const text of texts) statements.of(text);
};

describe('statements by their texts', () => {
  const statementOf = (statements: Statements, text: string) => statements.of(text).statement;

  test('texts that differ in constants alone are one', () => {
    const statements = new Statements(10);
    expect(statementOf(statements, 'select 1')).toBe(statementOf(statements, 'select  2'));
    expect(statementOf(statements, 'select 1')).not.toBe(statementOf(statements, 'select a'));
  });

  test.each([
    ['select a from t where b in ($1, $2) and c = $3', 'select a from t where b in ($1,$2,$3) and c = $4'],
    ['select a from t where b = any (array[$1])', 'select a from t where b = any (array[$1, $2])'],
    ["insert into t (a, b) values (1, 'x')", "insert into t (a, b) values (1, 'x'), (2, 'y'), (3, 'z')"],
    ['insert into t values ($1, $2)', 'insert into t values ($1, $2), ($3, $4)'],
  ])('texts that differ in the lengths of lists are one: %s', async (one, other) => {
    const statements = new Statements(10);
    expect(statementOf(statements, other)).toBe(statementOf(statements, one));
    await loadParser();
    expect(readText(other).fingerprint).toBe(readText(one).fingerprint);
  });

  test.each([
    ['select f($1)', 'select f($1, $2)'],
    ['insert into t values ($1)', 'insert into t values ($1, $2)'],
    ['select a from t where b in ($1, $2)', 'select a from t where b in ($1, c)'],
    ['select "in ($1)"', 'select "in ($2)", a'],
  ])('texts that differ in other lists are two: %s', (one, other) => {
    const statements = new Statements(10);
    expect(statementOf(statements, other)).not.toBe(statementOf(statements, one));
  });

  test('beyond the bound they are counted together', () => {
    const statements = new Statements(2);
    const [a, b] = [statements.of('select a'), statements.of('select b')];
    expect(statementOf(statements, 'select c').query).toBe(others);
    expect(statementOf(statements, 'select d')).toBe(statementOf(statements, 'select c'));
    expect(statements.of('select a')).toBe(a);
    expect(statements.of('select b')).toBe(b);
    expect(statements.all()).toHaveLength(3);
  });

  test('an application that writes values into its texts does not fill the memory', () => {
    const statements = new Statements(2);
    fill(
      statements,
      Array.from({ length: 10_000 }, (_, i) => `select * from t where id = ${i}`),
    );
    expect(statements.all()).toHaveLength(1);
  });

  test('what was forgotten is the same statement when it comes again', () => {
    const statements = new Statements(2);
    const first = statementOf(statements, 'select a from t');
    fill(
      statements,
      Array.from({ length: 100 }, (_, i) => `select a${' '.repeat(i + 2)}from t`),
    );
    expect(statementOf(statements, 'select a from t')).toBe(first);
  });

  test('a long text is read anew, and is the same statement', () => {
    const statements = new Statements(2);
    const text = `select '${'x'.repeat(10_000)}'`;
    expect(statementOf(statements, text)).toBe(statementOf(statements, text));
    expect(statementOf(statements, text).query).toBe('select $1');
  });

  test('constants are told apart, and are the same when they are', () => {
    const statements = new Statements(2);
    const constants = (text: string) => statements.of(text).constants;
    expect(constants('select 1, 2')).toBe(constants('select  1,  2 -- x'));
    expect(constants('select 1, 2')).not.toBe(constants('select 2, 1'));
    expect(constants('select 1, 2')).not.toBe(constants('select 12, 2'));
    expect(constants(`select '${'x'.repeat(10_000)}'`)).not.toBe(constants(`select '${'x'.repeat(9_999)}y'`));
  });

  test.each([
    ['begin', 'other'],
    ['BEGIN ISOLATION LEVEL SERIALIZABLE', 'other'],
    ['/* x */ rollback', 'other'],
    ['set app.user = 5', 'other'],
    ["select set_config('a', $1, true)", 'other'],
    ['started', 'other'],
    ['', 'other'],
    ['fetch 10 from c', 'other'],
    ['select 1', 'read'],
    ['(select a) union (select b)', 'read'],
    ['with a as (insert into t values ($1) returning b), c (d) as (select 1) select * from a', 'read'],
    ['values (1)', 'read'],
    ['WITH "select" as (select 1) INSERT INTO t select * from "select"', 'write'],
    ['insert into t values (1)', 'write'],
    ['with recursive a as (select 1) delete from t using a', 'write'],
    ['MERGE INTO t using s on a = b when matched then delete', 'write'],
  ])('%s: %s', (text, purpose) => {
    expect(statementOf(new Statements(2), text).purpose).toBe(purpose);
  });
});

describe('statistics', () => {
  test('of the same statement in other words are joined', async () => {
    const statements = new Statements(10);
    for (const [text, ms] of [
      ['select a from t where b = 1', 10],
      ['SELECT a FROM t WHERE b = 2', 30],
      ['select b from t', 1],
    ] as const) {
      const { statement } = statements.of(text);
      statement.calls++;
      statement.rows += 2;
      statement.totalMs += ms;
      statement.maxMs = ms;
      statement.times.record(ms);
      statement.repetition = { invocations: 1, mostCalls: ms, kind: 'n-plus-one', place: `a.ts:${ms}:1` };
    }
    const [first, second] = await statisticsOf(statements.all());
    expect(first).toMatchObject({
      query: 'select a from t where b = $1',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      calls: 2,
      rows: 4,
      totalMs: 40,
      meanMs: 20,
      maxMs: 30,
      repeated: { invocations: 2, mostCalls: 30, kind: 'n-plus-one', place: 'a.ts:30:1' },
    });
    expect(first?.p50Ms).toBeCloseTo(10, 0);
    // No percentile is longer than the longest call.
    expect(first?.p99Ms).toBe(30);
    expect(second?.calls).toBe(1);
  });

  test('of texts that cannot be parsed are kept apart', async () => {
    const statements = new Statements(10);
    for (const text of ['selct a', 'selct b']) statements.of(text).statement.calls = 1;
    statements.of('never called');
    expect(await statisticsOf(statements.all())).toMatchObject([
      { query: 'selct a', fingerprint: null, meanMs: null, p95Ms: null, repeated: null },
      { query: 'selct b', fingerprint: null },
    ]);
  });
});
