import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askCosts } from '../../../../../lib/indexes/advisor/ask-costs.ts';
import { candidateOn } from '../../../../../lib/indexes/advisor/candidate.ts';
import { type CostSource, fakeSource, OutOfTime } from '../../../../../lib/indexes/advisor/cost-source.ts';

const candidates = Array.from({ length: 200 }, (_, i) => candidateOn('public', 't', [`c${i}`]));

/** Questions of so many sets; each set is one candidate of its own. */
const questions = fc.array(fc.nat(70), { maxLength: 8 }).map((counts) => {
  let next = 0;
  return counts.map((count, i) => ({
    queryId: String(i),
    sets: Array.from({ length: count }, () => [candidates[next++ % candidates.length] as (typeof candidates)[number]]),
  }));
});

const source = fakeSource(
  (queryId, set) => Number(queryId) * 1_000 + candidates.indexOf(set[0] as (typeof candidates)[number]),
);
const expected = async (asked: { queryId: string; sets: (typeof candidates)[] }[]) =>
  Promise.all(asked.map(({ queryId, sets }) => source.costs(queryId, sets)));

describe('asking for the costs of several statements', () => {
  test('answers each as if it had been asked alone', async () => {
    await fc.assert(
      fc.asyncProperty(questions, async (asked) => {
        expect(await askCosts(source, asked, () => false)).toEqual(await expected(asked));
      }),
    );
  });

  test('stops between two batches when the time is up, with what was answered first', async () => {
    await fc.assert(
      fc.asyncProperty(questions, fc.nat(6), async (asked, looks) => {
        let [left, plans] = [looks, 0];
        const counting: CostSource = {
          costs: (queryId, sets) => {
            plans += sets.length;
            return source.costs(queryId, sets);
          },
        };
        const answers = await askCosts(counting, asked, () => left-- <= 0);
        const whole = await expected(asked);
        expect(answers.flat()).toEqual(whole.flat().slice(0, plans));
        expect(plans).toBeLessThanOrEqual(32 * looks);
        for (const [i, costs] of answers.entries()) expect(costs).toEqual(whole[i]?.slice(0, costs.length));
      }),
    );
  });

  test('keeps what a source has answered before its own time was up', async () => {
    const late: CostSource = {
      costs: async (queryId, sets) => {
        if (queryId === '1') throw new OutOfTime();
        return source.costs(queryId, sets);
      },
    };
    const sets = [[candidates[0] as (typeof candidates)[number]]];
    const asked = ['0', '1', '2'].map((queryId) => ({ queryId, sets }));
    expect((await askCosts(late, asked, () => false)).map(({ length }) => length)).toEqual([1, 0, 1]);
  });

  test('passes on that the database cannot be asked', async () => {
    const broken: CostSource = { costs: () => Promise.reject(new Error('gone')) };
    await expect(askCosts(broken, [{ queryId: '0', sets: [[]] }], () => false)).rejects.toThrow('gone');
  });
});
