import { describe, expect, test } from 'vitest';
import { others, Statements } from '../../../../../lib/queries/track/statements.ts';
import { statisticsOf } from '../../../../../lib/queries/track/statistics.ts';

describe('statements by their texts', () => {
  test('texts that differ in constants alone are one', () => {
    const statements = new Statements(10);
    expect(statements.of('select 1')).toBe(statements.of('select  2'));
    expect(statements.of('select 1')).not.toBe(statements.of('select a'));
  });

  test('beyond the bound they are counted together', () => {
    const statements = new Statements(2);
    const [a, b] = [statements.of('select a'), statements.of('select b')];
    expect(statements.of('select c').query).toBe(others);
    expect(statements.of('select d')).toBe(statements.of('select c'));
    expect(statements.of('select a')).toBe(a);
    expect(statements.of('select b')).toBe(b);
    expect(statements.all()).toHaveLength(3);
  });

  test('an application that writes values into its texts does not fill the memory', () => {
    const statements = new Statements(2);
    for (let i = 0; i < 10_000; i++) statements.of(`select * from t where id = ${i}`);
    expect(statements.all()).toHaveLength(1);
  });

  test('a long text is read anew, and is the same statement', () => {
    const statements = new Statements(2);
    const text = `select '${'x'.repeat(10_000)}'`;
    expect(statements.of(text)).toBe(statements.of(text));
    expect(statements.of(text).query).toBe('select $1');
  });

  test.each([
    ['begin', true],
    ['BEGIN ISOLATION LEVEL SERIALIZABLE', true],
    ['/* x */ rollback', true],
    ['set app.user = 5', true],
    ['select 1', false],
    ['started', false],
    ['', false],
  ])('%s controls a transaction or a session: %s', (text, isControl) => {
    expect(new Statements(2).of(text).isControl).toBe(isControl);
  });
});

describe('statistics', () => {
  test('of the same statement in other words are joined', async () => {
    const statements = new Statements(10);
    for (const [text, ms] of [
      ['select a from t where b in (1, 2)', 10],
      ['SELECT a FROM t WHERE b IN (1, 2, 3)', 30],
      ['select b from t', 1],
    ] as const) {
      const tracked = statements.of(text);
      tracked.calls++;
      tracked.rows += 2;
      tracked.totalMs += ms;
      tracked.maxMs = ms;
      tracked.histogram.record(ms);
      tracked.repetition = { invocations: 1, mostCalls: ms, place: ms === 30 ? 'a.ts:1:1' : null };
    }
    const [first, second] = await statisticsOf(statements.all());
    expect(first).toMatchObject({
      query: 'select a from t where b in ($1, $2)',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      calls: 2,
      rows: 4,
      totalMs: 40,
      meanMs: 20,
      maxMs: 30,
      repeated: { invocations: 2, mostCalls: 30, place: 'a.ts:1:1' },
    });
    expect((first?.p50Ms ?? 0) / 10).toBeCloseTo(1, 0);
    expect((first?.p99Ms ?? 0) / 30).toBeCloseTo(1, 0);
    expect(second?.calls).toBe(1);
  });

  test('of texts that cannot be parsed are kept apart', async () => {
    const statements = new Statements(10);
    for (const text of ['selct a', 'selct b']) statements.of(text).calls = 1;
    statements.of('never called');
    expect(await statisticsOf(statements.all())).toMatchObject([
      { query: 'selct a', fingerprint: null, p95Ms: null, repeated: null },
      { query: 'selct b', fingerprint: null },
    ]);
  });
});
