import { setImmediate } from 'node:timers/promises';
import middy from '@middy/core';
import { describe, expect, test } from 'vitest';
import { queryScope } from '../../../../../lib/queries/track/middleware.ts';
import {
  type InvocationContext,
  type RepeatedStatement,
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
    const statement = statements.of(text);
    const scope = scopes.current();
    scope?.ask(statement, text, values, ask);
    scope?.answer(statement, 2, false);
    return statement;
  }
  return { scopes, ask, reports };
}

describe('a statement is repeated', () => {
  const repeatedBy = (calls: [text: string, values?: unknown][], repeats = 3): RepeatedStatement[] => {
    const { scopes, ask } = setUp(repeats);
    const scope = scopes.begin(undefined);
    for (const [text, values] of calls) ask(text, values);
    return scope.end().repeated;
  };

  test('when it is called again and again with different values', () => {
    expect(
      repeatedBy([
        ['select $1', [1]],
        ['select $1', [2]],
        ['select $1', [3]],
      ]),
    ).toEqual([{ query: 'select $1', calls: 3, totalMs: 6, place: expect.stringMatching(/scope\.test\.ts:\d+:\d+$/) }]);
  });

  test('when its values stand in its text', () => {
    expect(repeatedBy([['select 1'], ['select 2'], ['select 3']])).toMatchObject([{ query: 'select $1', calls: 3 }]);
  });

  test('when a single value differs', () => {
    expect(
      repeatedBy([
        ['select $1', [1]],
        ['select $1', [1]],
        ['select $1', [1]],
        ['select $1', [2]],
      ]),
    ).toHaveLength(1);
  });

  test('most calls first', () => {
    const calls = [...Array(5).keys()].flatMap((i): [string, unknown][] => [
      ['select a where b = $1', [i % 3]],
      ['select a where c = $1', [i]],
      ['select a where c = $1', [-i - 1]],
    ]);
    expect(repeatedBy(calls).map(({ calls }) => calls)).toEqual([10, 5]);
  });

  test.each<[string, [string, unknown?][]]>([
    [
      'when it is called less often',
      [
        ['select $1', [1]],
        ['select $1', [2]],
      ],
    ],
    [
      'when it asks the same',
      [
        ['select $1', [1]],
        ['select $1', [1]],
        ['select $1', [1]],
      ],
    ],
    ['when it has no values', [['select 1'], ['select 1'], ['select 1']]],
    ['when it controls a transaction', [['set x = 1'], ['set x = 2'], ['set x = 3']]],
    [
      'when equal lists are asked for',
      [
        ['select $1', [[1, 2]]],
        ['select $1', [[1, 2]]],
        ['select $1', [[1, 2]]],
      ],
    ],
    [
      'when equal dates are asked for',
      [
        ['select $1', [new Date(5)]],
        ['select $1', [new Date(5)]],
        ['select $1', [new Date(5)]],
      ],
    ],
    [
      'when values are no list',
      [
        ['select $1', 5],
        ['select $1', 6],
        ['select $1', 7],
      ],
    ],
  ])('not %s', (_, calls) => {
    expect(repeatedBy(calls)).toEqual([]);
  });

  test.each<[string, unknown, unknown]>([
    ['lists', [[1, 2]], [[1, 3]]],
    ['lists of another length', [[1, 2]], [[1, 2, 3]]],
    ['dates', [new Date(5)], [new Date(6)]],
    ['objects', [{}], [{}]],
    ['numbers of values', [1], [1, 2]],
    ['values and none', [1], undefined],
    ['null and nothing', [null], [undefined]],
  ])('by different %s', (_, one, other) => {
    expect(
      repeatedBy([
        ['select $1', one],
        ['select $1', other],
        ['select $1', one],
      ]),
    ).toHaveLength(1);
  });

  test('also when the list of values is used again', () => {
    const values = [1];
    const { scopes, ask } = setUp();
    const scope = scopes.begin(undefined);
    for (let i = 0; i < 3; i++) {
      values[0] = i;
      ask('select $1', values);
    }
    expect(scope.end().repeated).toHaveLength(1);
  });
});

describe('a scope', () => {
  test('reports what it did, once', () => {
    const { scopes, ask, reports } = setUp();
    const scope = scopes.begin({ awsRequestId: 'r-1' });
    ask('select 1');
    ask('begin');
    const report = scope.end();
    expect(report).toEqual({ requestId: 'r-1', calls: 2, errors: 0, totalMs: 4, repeated: [] });
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
    const { scopes, ask } = setUp();
    let remaining = 5;
    // Begun in functions that do not call what asks.
    const begin = (context: InvocationContext) => scopes.run(() => scopes.begin(context));
    const first = begin({ getRemainingTimeInMillis: () => remaining });
    finish(first, () => {
      remaining = 0;
    });
    const next = begin({});
    ask('select 1');
    expect(next.end().calls).toBe(1);
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
      { requestId: 'r-1', calls: 5, repeated: [{ calls: 5 }] },
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
