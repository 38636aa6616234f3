/** The laws of the search, over random workloads and a planner that is computed: see bench/indexes/synthetic.ts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { synthetic } from '../../../../../bench/indexes/synthetic.ts';
import { type AdviseTask, advise } from '../../../../../lib/indexes/advisor/advise.ts';
import { candidateOn, definitionOf } from '../../../../../lib/indexes/advisor/candidate.ts';
import type { Choice } from '../../../../../lib/indexes/advisor/choice.ts';
import { type CostSource, fakeSource } from '../../../../../lib/indexes/advisor/cost-source.ts';

/** A workload that a few hundred plans are enough for. */
const workloads = fc
  .record({ seed: fc.nat(), tables: fc.integer({ min: 1, max: 4 }), statements: fc.integer({ min: 1, max: 8 }) })
  .map(({ seed, ...shape }) => taskOf(seed, { ...shape, candidates: 24 }));

function taskOf(seed: number, shape: { tables: number; statements: number; candidates: number }): AdviseTask {
  const { writesOf, ...task } = synthetic(seed, shape);
  return {
    ...task,
    writesOf: (candidate) => ({ cost: writesOf(candidate), entries: 0, bytes: 0, lostHotUpdates: 0 }),
    epochs: new Map(task.statements.map(({ queryId }) => [queryId, '1'])),
  };
}

/** What the choice costs by the source itself, which is asked for all of it at once. */
async function trueCost({ statements, source, writesOf }: AdviseTask, indexes: Choice['indexes']): Promise<number> {
  const set = indexes.map(({ candidate }) => candidate);
  let cost = set.reduce((sum, candidate) => sum + writesOf(candidate).cost, 0);
  for (const { queryId, weight } of statements) {
    const [answer] = await source.costs(queryId, [set]);
    cost += weight * (answer?.total ?? Number.NaN);
  }
  return cost;
}

const told = ({ front, choices }: Awaited<ReturnType<typeof advise>>) => JSON.stringify({ front, choices });
const runs = { numRuns: 25 };

describe('the search', () => {
  test('answers a front on which more space always costs less', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async (task) => {
        const { front, costBefore } = await advise(task);
        expect(front[0]).toMatchObject({ sizeBytes: 0, cost: costBefore, indexes: [] });
        for (const [i, choice] of front.slice(1).entries()) {
          expect(choice.sizeBytes).toBeGreaterThan(front[i]?.sizeBytes ?? 0);
          expect(choice.cost).toBeLessThan(front[i]?.cost ?? 0);
        }
      }),
      runs,
    );
  });

  test('stays within each budget, whatever they are', async () => {
    const budgets = fc.array(fc.integer({ min: 0, max: 50_000_000 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(workloads, budgets, async (task, sizes) => {
        const { choices } = await advise({ ...task, budgets: sizes });
        expect(choices.map(({ budgetBytes }) => budgetBytes)).toEqual(sizes);
        for (const { budgetBytes, choice } of choices) {
          const bytes = choice.indexes.reduce((sum, { candidate }) => sum + task.sizeOf(candidate), 0);
          expect(choice.sizeBytes).toBe(bytes);
          expect(bytes).toBeLessThanOrEqual(budgetBytes ?? 0);
        }
      }),
      runs,
    );
  });

  test('chooses no index that could be left out for less, and promises no more than the planner does', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async (task) => {
        const { choices, costBefore } = await advise(task);
        const { indexes, cost, isVerified } = (choices[0] as (typeof choices)[number]).choice;
        expect(isVerified).toBe(true);
        expect(await trueCost(task, indexes)).toBeCloseTo(cost, 3);
        expect(cost).toBeLessThanOrEqual(costBefore);
        for (const [i] of indexes.entries()) {
          expect(await trueCost(task, indexes.toSpliced(i, 1))).toBeGreaterThan(cost);
        }
      }),
      runs,
    );
  });

  test('has a valid answer whenever it is interrupted, and resumes to that of one long run', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, fc.integer({ min: 1, max: 40 }), async (task, batches) => {
        const whole = await advise(task);
        let resume: (typeof whole)['learned'] | undefined;
        for (let round = 0; round < 2_000; round++) {
          let left = batches;
          const source: CostSource = {
            costs: (queryId, sets) => {
              left--;
              return task.source.costs(queryId, sets);
            },
          };
          const part = await advise({ ...task, source, isOver: () => left <= 0, ...(resume ? { resume } : {}) });
          const [{ choice } = { choice: undefined }] = part.choices;
          expect(await trueCost(task, choice?.indexes ?? [])).toBeLessThanOrEqual(whole.costBefore * 1.000001);
          // What is kept between two runs is text.
          resume = JSON.parse(JSON.stringify(part.learned));
          if (part.isComplete) {
            expect(told(part)).toBe(told(whole));
            return;
          }
        }
        expect.unreachable('it never ended');
      }),
      { numRuns: 10 },
    );
  });

  test('costs no more in more space', async () => {
    const budgets = fc.uniqueArray(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(workloads, budgets, async (task, sizes) => {
        const { choices } = await advise({ ...task, budgets: sizes });
        const bySize = choices.toSorted((a, b) => (a.budgetBytes ?? 0) - (b.budgetBytes ?? 0));
        for (const [i, { choice }] of bySize.slice(1).entries()) {
          expect(choice.cost).toBeLessThanOrEqual(bySize[i]?.choice.cost ?? 0);
        }
      }),
      runs,
    );
  });

  test('comes to the same whatever order the statements and the candidates come in', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async (task) => {
        const costOf = async (asked: AdviseTask) => (await advise(asked)).choices[0]?.choice.cost ?? Number.NaN;
        const [statements, proposals] = [task.statements.toReversed(), task.proposals.toReversed()];
        const cost = await costOf(task);
        expect(await costOf({ ...task, statements })).toBeCloseTo(cost, 3);
        // Of two candidates that are equally good the first is taken, and either may lead further.
        const turned = await costOf({ ...task, proposals });
        expect(Math.abs(turned - cost)).toBeLessThanOrEqual(0.02 * cost);
      }),
      runs,
    );
  });

  test('asks nothing twice: a second run over what the first has learned needs no plan', async () => {
    const task = taskOf(7, { tables: 3, statements: 6, candidates: 20 });
    const first = await advise(task);
    const second = await advise({ ...task, resume: first.learned });
    expect(first.calls).toBeGreaterThan(0);
    expect(second.calls).toBe(0);
    expect(told(second)).toBe(told(first));
  });

  test('forgets what it learned of the statements for which something has changed, and of no other', async () => {
    const task = taskOf(7, { tables: 3, statements: 6, candidates: 20 });
    const first = await advise(task);
    const again = async (changed: readonly string[]) => {
      const epochs = new Map(task.statements.map(({ queryId }) => [queryId, changed.includes(queryId) ? '2' : '1']));
      return advise({ ...task, epochs, resume: first.learned });
    };
    const all = task.statements.map(({ queryId }) => queryId);
    expect((await again(all)).calls).toBe(first.calls);
    const second = await again(all.slice(0, 1));
    expect(second.calls).toBeGreaterThan(0);
    expect(second.calls).toBeLessThan(first.calls);
    expect(told(second)).toBe(told(first));
  });

  test('keeps nothing of statements that nobody knows the epoch of', async () => {
    const { epochs: _, ...task } = taskOf(7, { tables: 3, statements: 6, candidates: 20 });
    const first = await advise(task);
    expect(first.learned.costs).toEqual([]);
    expect((await advise({ ...task, resume: first.learned })).calls).toBe(first.calls);
  });
});

describe('what is chosen', () => {
  const [a, b] = [candidateOn('public', 't', ['a']), candidateOn('public', 't', ['b'])];
  const has = (set: readonly { keys: object }[], one: typeof a) => set.some((each) => each === one);
  const free = { cost: 0, entries: 0, bytes: 0, lostHotUpdates: 0 };
  const task = (costs: CostSource, rest: Partial<AdviseTask> = {}): AdviseTask => ({
    statements: [{ queryId: '1', weight: 1 }],
    proposals: [a, b].map((candidate) => ({ candidate, queryIds: ['1'], isLikely: true })),
    source: costs,
    sizeOf: () => 1_000,
    writesOf: () => free,
    ...rest,
  });
  const chosen = async (wanted: AdviseTask) =>
    (await advise(wanted)).choices[0]?.choice.indexes.map(({ candidate }) => candidate.keys[0]?.column);

  test('is nothing where nothing helps', async () => {
    expect(await chosen(task(fakeSource(() => 100)))).toEqual([]);
  });

  test('is two indexes that help only together', async () => {
    const source = fakeSource((_, set) =>
      has(set, a) && has(set, b) ? { total: 10, used: set.map(definitionOf) } : { total: 100, used: [] },
    );
    expect(await chosen(task(source))).toEqual(['a', 'b']);
  });

  test('is no index whose writes cost more than it saves', async () => {
    const source = fakeSource((_, set) => (has(set, a) ? 50 : 100) - (has(set, b) ? 10 : 0));
    const dear = { ...free, cost: 20 };
    expect(await chosen(task(source, { writesOf: (candidate) => (candidate === b ? dear : free) }))).toEqual(['a']);
  });

  test('is nothing that makes another statement dearer', async () => {
    const source = fakeSource((queryId, set) => (queryId === '1' ? (has(set, a) ? 10 : 100) : has(set, a) ? 2 : 1));
    const statements = ['1', '2'].map((queryId) => ({ queryId, weight: 1 }));
    const proposals = [{ candidate: a, queryIds: ['1', '2'], isLikely: true }];
    const { choices } = await advise(task(source, { statements, proposals }));
    expect(choices[0]?.choice.isVerified).toBe(true);
    expect(choices[0]?.choice.indexes).toEqual([]);
  });

  test('leaves statements out that have no plan', async () => {
    const source = fakeSource((queryId, set) => (queryId === '1' ? (has(set, a) ? 10 : 100) : Number.NaN));
    const statements = ['1', '2'].map((queryId) => ({ queryId, weight: 1 }));
    const advice = await advise(task(source, { statements }));
    expect(advice.unplanned).toEqual(['2']);
    expect(advice.costBefore).toBe(100);
    expect(advice.choices[0]?.choice.indexes.map(({ candidate }) => definitionOf(candidate))).toEqual([
      definitionOf(a),
    ]);
  });
});
