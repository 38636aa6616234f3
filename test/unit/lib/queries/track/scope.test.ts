import { setImmediate } from 'node:timers/promises';
import middy from '@middy/core';
import { describe, expect, test } from 'vitest';
import { queryScope } from '../../../../../lib/queries/track/middleware.ts';
import type { RepeatedStatement } from '../../../../../lib/queries/track/repetition.ts';
import {
  type InvocationContext,
  type Scope,
  type ScopeReport,
  Scopes,
} from '../../../../../lib/queries/track/scope.ts';
import { Statements, type Tracked } from '../../../../../lib/queries/track/statements.ts';

function setUp(repeats = 3) {
  const reports: ScopeReport[] = [];
  const scopes = new Scopes(repeats, (report) => reports.push(report));
  const statements = new Statements(100);
  /** Asks within the scope of here and now. */
  function ask(text: string, values?: unknown): Tracked {
    const known = statements.of(text);
    const scope = scopes.current();
    scope?.ask(known, values, ask);
    scope?.answer(known.statement, 2, false);
    return known.statement;
  }
  return { scopes, ask, reports };
}

describe('a statement that is asked again and again', () => {
  const repeatedBy = (calls: [text: string, values?: unknown][], repeats = 3): RepeatedStatement[] => {
    const { scopes, ask } = setUp(repeats);
    const scope = scopes.begin(undefined);
    for (const [text, values] of calls) ask(text, values);
    return scope.end().repeated;
  };

  test('is told with its calls, their time and where they come from', () => {
    expect(
      repeatedBy([
        ['select $1', [1]],
        ['select $1', [2]],
        ['select $1', [3]],
      ]),
    ).toEqual([
      {
        query: 'select $1',
        kind: 'n-plus-one',
        calls: 3,
        totalMs: 6,
        place: expect.stringMatching(/scope\.test\.ts:\d+:\d+$/),
      },
    ]);
  });

  test('is told behind those that are asked more often', () => {
    const calls = [...Array(5).keys()].flatMap((i): [string, unknown][] => [
      ['select a where b = $1', [i]],
      ['select a where c = $1', [i]],
      ['select a where c = $1', [-i - 1]],
    ]);
    expect(repeatedBy(calls).map(({ calls }) => calls)).toEqual([10, 5]);
  });

  const kindsOf = (text: string, ...values: unknown[]) =>
    repeatedBy(values.map((each) => [text, each])).map(({ kind }) => kind);

  test.each<[string, string[], [string, unknown?][]]>([
    ['reads with different values', ['n-plus-one'], [1, 2, 3].map((n) => ['select $1', [n]])],
    ['reads with different constants', ['n-plus-one'], [1, 2, 3].map((n) => [`select ${n}`])],
    ['reads with mostly different values', ['n-plus-one'], [1, 2, 2].map((n) => ['select $1', [n]])],
    ['reads with as many values as are too many', ['n-plus-one'], [1, 2, 3, 1, 1, 1, 1].map((n) => ['select $1', [n]])],
    ['changes with different values', ['row-by-row'], [1, 2, 3].map((n) => ['delete from t where a = $1', [n]])],
    ['reads with the same values', ['same-values'], [1, 1, 1].map((n) => ['select $1', [n]])],
    ['reads with mostly the same values', ['same-values'], [1, 1, 1, 2].map((n) => ['select $1', [n]])],
    ['reads without values', ['same-values'], ['', '', ''].map((text) => [`select a from t${text}`])],
    [
      'reads that differ in comments and spaces',
      ['same-values'],
      ['a', 'b', 'c'].map((trace) => [`select 1 /* trace ${trace} */`]),
    ],
    [
      'reads of lists of different lengths',
      ['n-plus-one'],
      ['$1, $2', '$1, $2, $3', '$1'].map((list, i) => [`select a from t where b in (${list})`, [i, 2, 3]]),
    ],
    ['changes with the same values', [], [1, 1, 1].map((n) => ['update t set a = $1', [n]])],
    ['less than is too often', [], [1, 2].map((n) => ['select $1', [n]])],
    ['transactions', [], ['begin', 'begin', 'begin'].map((text) => [text])],
    ['settings', [], [1, 2, 3].map((n) => [`set x = ${n}`])],
    ['settings of a transaction', [], [1, 2, 3].map((n) => ["select set_config('app.user', $1, true)", [n]])],
    ['texts that nobody can read', [], ['a', 'b', 'c'].map((secret) => [`select '\\'${secret}'`])],
  ])('%s: %j', (_, kinds, calls) => {
    expect(repeatedBy(calls).map(({ kind }) => kind)).toEqual(kinds);
  });

  test('is not one that stands for several', () => {
    const scopes = new Scopes(3, () => {});
    const statements = new Statements(1);
    const scope = scopes.begin(undefined);
    for (const column of ['a', 'b', 'c', 'd', 'e', 'f'])
      scope.ask(statements.of(`select ${column}`), [column], () => {});
    expect(scope.end().repeated).toEqual([]);
  });

  test.each<[string, unknown, unknown]>([
    ['numbers', [1], [2]],
    ['texts', ['a'], ['b']],
    ['texts that end differently', ['x'.repeat(5_000)], [`${'x'.repeat(4_999)}y`]],
    ['lists', [[1, 2]], [[1, 3]]],
    ['lists of another length', [[1, 2]], [[1, 2, 3]]],
    ['lists that are told apart by where they end', [[1, 2], [3]], [[1], [2, 3]]],
    ['dates', [new Date(5)], [new Date(6)]],
    ['bytes', [Buffer.from([1])], [Buffer.from([2])]],
    ['objects', [{}], [{}]],
    ['numbers of values', [1], [1, 2]],
    ['values and none', [1], undefined],
    ['values and null', [0], [null]],
    ['texts and null', ['null'], [null]],
    ['texts that are split elsewhere', ['ab', 'c'], ['a', 'bc']],
  ])('has different values: %s', (_, one, other) => {
    expect(kindsOf('select $1', one, other, one)).toEqual(['n-plus-one']);
  });

  test.each<[string, unknown, unknown]>([
    ['null and nothing', [null], [undefined]],
    ['a number and its text', [1], ['1']],
    ['equal lists', [[1, 2]], [[1, 2]]],
    ['equal dates', [new Date(5)], [new Date(5)]],
    ['equal bytes', [Buffer.from('abc')], [new Uint8Array([97, 98, 99])]],
    ['what is no list', 5, 6],
  ])('has the same values: %s', (_, one, other) => {
    expect(kindsOf('select $1', one, other, one)).toEqual(['same-values']);
  });

  test('is one, also when the list of values is used again', () => {
    const values = [1];
    const { scopes, ask } = setUp();
    const scope = scopes.begin(undefined);
    for (let i = 0; i < 3; i++) {
      values[0] = i;
      ask('select $1', values);
    }
    expect(scope.end().repeated).toMatchObject([{ kind: 'n-plus-one' }]);
  });
});

describe('a scope', () => {
  test('reports what it did, once', () => {
    const { scopes, ask, reports } = setUp();
    const scope = scopes.begin({ awsRequestId: 'r-1' });
    ask('select 1');
    ask('begin');
    const report = scope.end();
    expect(report).toEqual({ requestId: 'r-1', calls: 2, errors: 0, totalMs: 4, waitMs: 0, repeated: [] });
    ask('select 2');
    expect(scope.end()).toBe(report);
    expect(reports).toEqual([report]);
  });

  test('ends when it is disposed of', () => {
    const { scopes, ask, reports } = setUp();
    {
      using _ = scopes.begin(undefined);
      ask('select 1');
    }
    expect(reports).toMatchObject([{ calls: 1 }]);
  });

  test('counts what is asked in functions that it does not call', async () => {
    const { scopes, ask } = setUp();
    let go = () => {};
    const elsewhere = new Promise<void>((resolve) => {
      go = resolve;
    }).then(() => ask('select 1'));
    const scope = scopes.begin(undefined);
    go();
    await elsewhere;
    expect(scope.end().calls).toBe(1);
  });

  test.each<[string, (scope: Scope, end: () => void) => void]>([
    ['that has ended', (scope) => scope.end()],
    ['whose time is up, though nobody ended it,', (_, end) => end()],
  ])('%s does not stand in the way of the next', (_, finish) => {
    const { scopes, ask, reports } = setUp();
    let remaining = 5;
    // Begun in functions that do not call what asks.
    const begin = (context: InvocationContext) => scopes.run(() => scopes.begin(context));
    const first = begin({ awsRequestId: 'first', getRemainingTimeInMillis: () => remaining });
    finish(first, () => {
      remaining = 0;
    });
    const next = begin({});
    ask('select 1');
    expect(next.end().calls).toBe(1);
    // What the first one did is told all the same.
    expect(first.end().calls).toBe(0);
    expect(reports.filter(({ requestId }) => requestId === 'first')).toHaveLength(1);
  });
});

describe('scopes at the same time', () => {
  test('that run a function have what it asks, and nothing else', async () => {
    const { scopes, ask, reports } = setUp();
    const work = (text: string, times: number) =>
      scopes.run(async () => {
        for (let i = 0; i < times; i++) {
          await setImmediate();
          ask(text, [i]);
        }
        return times;
      });
    expect(await Promise.all([work('select a = $1', 4), work('select b = $1', 3), work('select c = $1', 2)])).toEqual([
      4, 3, 2,
    ]);
    ask('select d');
    expect(reports.map(({ calls, repeated }) => [calls, repeated[0]?.query]).sort()).toEqual([
      [2, undefined],
      [3, 'select b = $1'],
      [4, 'select a = $1'],
    ]);
  });

  test('that follow each other through promises are told apart', async () => {
    const { scopes, ask } = setUp();
    const invocation = async (calls: number) => {
      const scope = scopes.begin(undefined);
      for (let i = 0; i < calls; i++) {
        await setImmediate();
        ask('select $1', [i]);
      }
      return scope.end().calls;
    };
    const both = [Promise.resolve().then(() => invocation(5)), Promise.resolve().then(() => invocation(7))];
    expect(await Promise.all(both)).toEqual([5, 7]);
  });

  test('do not guess whose a call is', () => {
    const { scopes, ask, reports } = setUp();
    const [first, second] = [1, 2].map(() => scopes.run(() => scopes.begin(undefined)));
    ask('select 1');
    expect([first?.end().calls, second?.end().calls]).toEqual([0, 0]);
    expect(reports).toHaveLength(4);
  });

  test('inside of another have what they ask to themselves', async () => {
    const { scopes, ask } = setUp();
    const outer = await scopes.run(async (scope) => {
      ask('select 1');
      const inner = await scopes.run(async (item) => {
        await setImmediate();
        ask('select 2');
        ask('select 3');
        return item.end();
      });
      expect(inner.calls).toBe(2);
      ask('select 4');
      return scope.end();
    });
    expect(outer.calls).toBe(2);
  });

  test('last as long as what is awaited, also where that only begins then', async () => {
    const { scopes, ask, reports } = setUp();
    const builder = {
      // biome-ignore lint/suspicious/noThenProperty: what a query builder is
      then: (resolve: (value: string) => void) => {
        ask('select 1');
        setImmediate().then(() => {
          ask('select 2');
          resolve('built');
        });
      },
    };
    expect(await scopes.run(() => builder)).toBe('built');
    expect(reports).toMatchObject([{ calls: 2 }]);
  });

  test('that nobody ends do not become too many', () => {
    const { scopes, reports } = setUp();
    for (let i = 0; i < 1_500; i++) scopes.begin(undefined);
    expect(reports).toHaveLength(500);
  });

  test('pass on what the function returns or throws, and end', async () => {
    const { scopes, reports } = setUp();
    expect(scopes.run(() => 5)).toBe(5);
    expect(() =>
      scopes.run(() => {
        throw new Error('at once');
      }),
    ).toThrow('at once');
    await expect(scopes.run(async () => Promise.reject(new Error('later')))).rejects.toThrow('later');
    expect(reports).toHaveLength(3);
  });
});

describe('the middleware', () => {
  const context = { awsRequestId: 'r-1', getRemainingTimeInMillis: () => 1_000 } as never;
  const handlerOf = ({ scopes, ask }: ReturnType<typeof setUp>, ...before: (() => unknown)[]) => {
    const work = middy(async (event: { calls: number; fails?: boolean }) => {
      for (let i = 0; i < event.calls; i++) {
        await setImmediate();
        ask('select $1', [i]);
      }
      if (event.fails) throw new Error('handler');
      return 'done';
    });
    for (const each of before) work.use({ before: each });
    return work.use(queryScope({ invocation: (given) => scopes.begin(given) }));
  };

  test('makes a scope of an invocation', async () => {
    const setting = setUp();
    const handler = handlerOf(setting);
    expect(await handler({ calls: 5 }, context)).toBe('done');
    await handler({ calls: 2 }, context);
    expect(setting.reports).toMatchObject([
      { requestId: 'r-1', calls: 5, repeated: [{ calls: 5, kind: 'n-plus-one' }] },
      { calls: 2, repeated: [] },
    ]);
  });

  test('ends it when the handler fails', async () => {
    const setting = setUp();
    await expect(handlerOf(setting)({ calls: 1, fails: true }, context)).rejects.toThrow('handler');
    expect(setting.reports).toMatchObject([{ calls: 1 }]);
  });

  test('may come behind others that take their time', async () => {
    const setting = setUp();
    await handlerOf(setting, () => setImmediate())({ calls: 4 }, context);
    expect(setting.reports).toMatchObject([{ calls: 4 }]);
  });

  test('tells invocations at the same time apart, when it comes first', async () => {
    const setting = setUp();
    const handler = handlerOf(setting);
    await Promise.all([handler({ calls: 3 }, context), handler({ calls: 6 }, context)]);
    expect(setting.reports.map(({ calls }) => calls).sort()).toEqual([3, 6]);
  });
});
