import { describe, expect, test } from 'vitest';
import { weightsOf } from '../../../../../lib/indexes/advisor/weights.ts';
import { workloadOf, workloadOfFile } from '../../../../../lib/indexes/advisor/workload.ts';
import { writesOf } from '../../../../../lib/indexes/advisor/write-load.ts';
import { relation, statement } from '../../../snapshots.ts';

describe('a workload file', () => {
  test('is split at the semicolons that stand outside of constants and comments', async () => {
    const { statements, notes } = await workloadOfFile(
      "select ';' from a; -- one; two\nselect 2 from b /* ; */;\n\n;select é from c where x = $1",
    );
    expect(statements.map(({ text }) => text)).toEqual([
      "select ';' from a",
      'select 2 from b',
      'select é from c where x = $1',
    ]);
    expect(notes).toEqual([]);
  });

  test('counts the same text as often as it stands there, and tells statements apart that differ in constants', async () => {
    const { statements } = await workloadOfFile(
      'select 1 from a where b = 1; select 1 from a where b = 1; select 1 from a where b = 2',
    );
    expect(statements.map(({ calls }) => calls)).toEqual([2, 1]);
    expect(new Set(statements.map(({ queryId }) => queryId)).size).toBe(2);
  });

  test('shows no constant', async () => {
    const { statements, notes } = await workloadOfFile("select 'hidden' from a; create role x password 'hidden'");
    expect(statements.map(({ shown }) => shown)).toEqual(['select $1 from a']);
    expect(JSON.stringify(notes)).not.toContain('hidden');
  });

  test('says how much of it is no query', async () => {
    const { notes } = await workloadOfFile(
      'select 1 from a; create rule r as on insert to a do (select 1; select 2); selekt 2',
    );
    expect(notes).toMatchObject([{ code: 'workload-incomplete', message: expect.stringContaining('2 statements') }]);
  });

  test.each(['', ';;', '-- nothing', "select 'hidden", 'vacuum', 'hidden hidden'])(
    'without a query is refused: %s',
    async (sql) => {
      await expect(workloadOfFile(sql)).rejects.toMatchObject({
        code: 'statement-refused',
        message: expect.not.stringContaining('hidden'),
      });
    },
  );
});

describe('a workload that was counted', () => {
  test('is planned as far as it takes nearly all the time', () => {
    const counted = [
      statement({ queryId: 'rare', totalMs: 1 }),
      statement({ queryId: 'heavy', totalMs: 900 }),
      statement({ queryId: 'known', totalMs: 95 }),
      statement({ queryId: 'utility', kind: 'utility', totalMs: 5_000 }),
    ];
    const { heavy, statements } = workloadOf(counted, new Map([['heavy', 'select the_whole_text']]), 0);
    expect(heavy.map(({ queryId }) => queryId)).toEqual(['heavy', 'known']);
    expect(statements).toHaveLength(3);
    expect(heavy[0]?.text).toBe('select the_whole_text');
  });
});

describe('the weight of a statement', () => {
  const of = (queryId: string, calls: number, totalMs: number | null) => ({
    queryId,
    text: '',
    shown: '',
    calls,
    totalMs,
    rows: null,
  });

  test('is its calls where nothing was measured', () => {
    const costs = new Map([
      ['a', 10],
      ['b', 1],
    ]);
    expect(weightsOf([of('a', 3, null), of('b', 5, null), of('without a plan', 1, null)], costs)).toEqual([
      { queryId: 'a', weight: 3 },
      { queryId: 'b', weight: 5 },
    ]);
  });

  test('makes its part of the cost its part of the time', () => {
    const weights = weightsOf(
      [of('a', 10, 300), of('b', 10, 100)],
      new Map([
        ['a', 1],
        ['b', 1],
      ]),
    );
    expect(weights.map(({ weight }) => weight)).toEqual([15, 5]);
  });

  test('is moved by no measurement farther than ten times', () => {
    const [locked] = weightsOf(
      [of('locked', 1, 1e9), of('b', 1e6, 1e3)],
      new Map([
        ['locked', 1],
        ['b', 1],
      ]),
    );
    expect(locked?.weight).toBe(10);
  });
});

describe('what a workload writes', () => {
  const orders = relation('orders', { updates: 100, hotUpdates: 25 });
  const of = (text: string, calls: number, rows: number | null) => ({
    queryId: text,
    text,
    shown: '',
    calls,
    totalMs: null,
    rows,
  });

  test('is added up by table, and by the columns that are set', () => {
    const statements = [
      of('insert into orders values ($1)', 10, 30),
      of('update orders set status = $1, total = $2 where id = $3', 5, 8),
      of('update orders set status = $1', 1, 4),
      of('delete from orders', 2, null),
      of('select * from orders', 100, 100),
    ];
    expect(writesOf(statements, [orders], 60).get(orders)).toEqual({
      inserts: 30,
      updates: 12,
      hotUpdates: 3,
      deletes: 2,
      updatesOf: { status: 12, total: 8 },
      seconds: 60,
    });
  });
});
