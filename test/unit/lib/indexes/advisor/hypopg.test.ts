/** What is sent to a server that is not there. What a real one makes of it is in the integration tests. */
import { describe, expect, test } from 'vitest';
import { StreamGateError } from '../../../../../lib/errors.ts';
import { candidateOn, definitionOf } from '../../../../../lib/indexes/advisor/candidate.ts';
import { OutOfTime } from '../../../../../lib/indexes/advisor/cost-source.ts';
import { hypopgSource, type Planner } from '../../../../../lib/indexes/advisor/hypopg.ts';
import type { Session } from '../../../../../lib/postgres/session.ts';
import { planNode } from '../../../snapshots.ts';

const [a, b] = [candidateOn('public', 't', ['a']), candidateOn('public', 't', ['b'])];

/** As the server tells it. @param code an SQLSTATE */
function refusal(code: string): StreamGateError {
  return new StreamGateError('statement-refused', 'Refused.', { cause: Object.assign(new Error('refused'), { code }) });
}

/** Every statement of a message, and how many transactions there were. @param answer may refuse a statement */
function fakeSession(answer: (sql: string) => void = () => {}) {
  const messages: string[][] = [];
  let transactions = 0;
  let isOpen = false;
  const run = (sql: string): object[] => {
    answer(sql);
    if (sql.startsWith('explain'))
      return [{ 'QUERY PLAN': [{ Plan: { 'Total Cost': sql.length, 'Index Name': 'p0' } }] }];
    const made = sql.match(/CREATE INDEX/g) ?? [];
    return made.map((_, i) => ({ name: `p${i}` }));
  };
  const session: Session = {
    where: 'nowhere',
    read: async <Row>(sql: string) => {
      messages.push([sql]);
      return run(sql) as Row[];
    },
    async transaction(work) {
      transactions++;
      // One connection holds one at a time.
      expect(isOpen).toBe(false);
      isOpen = true;
      try {
        return await work(session.read, async (statements) => {
          messages.push([...statements]);
          return statements.map(run);
        });
      } finally {
        await Promise.resolve();
        isOpen = false;
      }
    },
    close: async () => {},
  };
  return {
    session,
    messages,
    get transactions() {
      return transactions;
    },
    get plans() {
      return messages.flat().filter((sql) => sql.startsWith('explain')).length;
    },
  };
}

/** @param alone what a plan that is asked for by itself costs; null: there is none */
function fakePlanner(alone: (queryId: string) => number | null = () => 1): Planner {
  return {
    plan: async (_, queryId) => {
      const totalCost = alone(queryId);
      return totalCost === null
        ? null
        : { root: planNode({ estimate: { startupCost: 0, totalCost, rows: 1, width: 1 } }) };
    },
    sqlFor: (queryId) => ({
      before: (limitMs) => [`set limit ${Math.floor(limitMs)}`],
      prepare: [],
      explain: `explain ${queryId}`,
      after: [],
    }),
  };
}

describe('costs by HypoPG', () => {
  test('of all that is asked at once come by one message, in one transaction', async () => {
    const fake = fakeSession();
    const source = hypopgSource(fake.session, 'public', fakePlanner());
    const [one, two] = await Promise.all([source.costs('q1', [[], [a]]), source.costs('q22', [[a, b]])]);
    expect(one).toEqual([
      { total: 10, used: [] },
      { total: 10, used: [definitionOf(a)] },
    ]);
    expect(two).toEqual([{ total: 11, used: [definitionOf(a)] }]);
    expect([fake.transactions, fake.messages.length, fake.plans]).toEqual([1, 1, 3]);
    expect(fake.messages.at(-1)?.at(-1)).toContain('hypopg_reset');
  });

  test('come by several messages where much is asked, none of which may take the server too long', async () => {
    const fake = fakeSession();
    const source = hypopgSource(fake.session, 'public', fakePlanner());
    const sets = Array.from({ length: 100 }, () => [a]);
    expect(await source.costs('q1', sets)).toHaveLength(100);
    const limits = fake.messages.map((message) => {
      const plans = message.filter((sql) => sql.startsWith('explain')).length;
      return plans * Number(message.find((sql) => sql.startsWith('set limit'))?.slice(10));
    });
    expect(limits.length).toBeGreaterThan(1);
    for (const limit of limits) expect(limit).toBeLessThanOrEqual(10_000);
  });

  test('are asked for one by one where the server refuses a message, and what failed is kept out of later ones', async () => {
    const fake = fakeSession((sql) => {
      if (sql === 'explain bad') throw refusal('42703');
    });
    const source = hypopgSource(
      fake.session,
      'public',
      fakePlanner((queryId) => (queryId === 'bad' ? null : 7)),
    );
    const [bad, good] = await Promise.all([source.costs('bad', [[a]]), source.costs('good', [[a]])]);
    expect([bad, good]).toEqual([[{ total: Number.NaN, used: null }], [{ total: 7, used: [] }]]);
    const before = fake.messages.length;
    await Promise.all([source.costs('bad', [[b]]), source.costs('good', [[b]])]);
    expect(fake.messages.slice(before).filter((message) => message.includes('explain bad'))).toEqual([]);
    expect(fake.messages.at(before)).toContain('explain good');
  });

  test('come when the transaction is over: whoever gets them may use the connection', async () => {
    const fake = fakeSession((sql) => {
      if (sql.startsWith('explain')) throw refusal('42703');
    });
    const planner = fakePlanner();
    await hypopgSource(fake.session, 'public', planner).costs('q1', [[a], [b]]);
    await hypopgSource(fake.session, 'public', planner).costs('q1', [[a], [b]]);
    expect(fake.transactions).toBe(4);
  });

  test('leave out an index that HypoPG refuses, and do not try it again', async () => {
    const fake = fakeSession((sql) => {
      if (/"a\\*"/.test(sql)) throw refusal('42703');
    });
    const source = hypopgSource(fake.session, 'public', fakePlanner());
    expect(await source.costs('q1', [[a, b]])).toEqual([{ total: 1, used: [] }]);
    const before = fake.messages.length;
    expect(await source.costs('q2', [[a, b]])).toEqual([{ total: 10, used: [definitionOf(b)] }]);
    expect(fake.messages.slice(before).flat().join()).not.toMatch(/"a\\*"/);
  });

  test('are no costs where the database is gone: nothing is asked again', async () => {
    const gone = new StreamGateError('database-unreachable', 'Gone.', { cause: new Error('read timeout') });
    const fake = fakeSession((sql) => {
      if (sql.startsWith('explain')) throw gone;
    });
    const source = hypopgSource(fake.session, 'public', fakePlanner());
    await expect(source.costs('q1', [[a]])).rejects.toBe(gone);
    expect(fake.transactions).toBe(1);
  });

  test('are not asked for when the time is up, nor taken for missing when it is up meanwhile', async () => {
    const fake = fakeSession((sql) => {
      if (sql.startsWith('explain')) throw refusal('57014');
    });
    let isOver = true;
    const options = { isOver: () => isOver };
    const late = hypopgSource(fake.session, 'public', fakePlanner(), options);
    await expect(late.costs('q1', [[a]])).rejects.toThrow(OutOfTime);
    expect(fake.messages).toEqual([]);
    isOver = false;
    const cut = fakePlanner(() => {
      isOver = true;
      return null;
    });
    await expect(hypopgSource(fake.session, 'public', cut, options).costs('q1', [[a]])).rejects.toThrow(OutOfTime);
    expect(fake.messages.at(-1)).toEqual([expect.stringContaining('hypopg_reset')]);
  });

  test('hide indexes again for each set, and show them at the end', async () => {
    const fake = fakeSession();
    await hypopgSource(fake.session, 'public', fakePlanner(), { hidden: ['77'] }).costs('q1', [[a], [b]]);
    const [message = []] = fake.messages;
    expect(message.filter((sql) => sql.includes("hypopg_hide_index('77'"))).toHaveLength(2);
    expect(message.at(-1)).toContain('hypopg_unhide_all_indexes');
  });
});
