import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { synthetic } from '../../../../../bench/indexes/synthetic.ts';
import { type Candidate, candidateOn, definitionOf } from '../../../../../lib/indexes/advisor/candidate.ts';
import { type CostSource, fakeSource } from '../../../../../lib/indexes/advisor/cost-source.ts';
import { buildMatrix, type Matrix } from '../../../../../lib/indexes/advisor/matrix.ts';

const workloads = fc
  .record({ seed: fc.nat(), tables: fc.integer({ min: 1, max: 4 }), statements: fc.integer({ min: 1, max: 6 }) })
  .map(({ seed, ...shape }) => synthetic(seed, { ...shape, candidates: 20 }));
const runs = { numRuns: 40 };

const candidatesOf = ({ candidates }: Matrix, set: readonly number[]) =>
  set.map((place) => candidates[place] as Candidate);

/** A source that tells which statements it was asked for at the same time. */
function watched(source: CostSource): CostSource & { together: Set<string>[]; asked: [string, string[]][] } {
  const together: Set<string>[] = [];
  const asked: [string, string[]][] = [];
  let isNew = true;
  return {
    together,
    asked,
    async costs(queryId, sets) {
      if (isNew) together.push(new Set());
      isNew = false;
      together.at(-1)?.add(queryId);
      for (const set of sets) asked.push([queryId, set.map(definitionOf)]);
      await Promise.resolve();
      isNew = true;
      return source.costs(queryId, sets);
    },
  };
}

describe('a matrix', () => {
  test('tells of each cell what the planner says of its set, and keeps it only if it gains', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async ({ statements, proposals, source }) => {
        const matrix = await buildMatrix(source, statements, proposals);
        for (const { queryId, base, cells } of matrix.statements) {
          const [without] = await source.costs(queryId, [[]]);
          expect(base).toBe(without?.total);
          for (const { set, cost } of cells) {
            const [answer] = await source.costs(queryId, [candidatesOf(matrix, set)]);
            expect(cost).toBe(answer?.total);
            expect(cost).toBeLessThan(base * 0.998);
            expect(set).toEqual([...new Set(set)].toSorted((a, b) => a - b));
          }
        }
      }),
      runs,
    );
  });

  test('has no cell that is dearer than one that it contains', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async ({ statements, proposals, source }) => {
        for (const { cells } of (await buildMatrix(source, statements, proposals)).statements) {
          for (const { set, cost } of cells) {
            const within = cells.filter(
              (cell) => cell.set.length < set.length && new Set(cell.set).isSubsetOf(new Set(set)),
            );
            for (const smaller of within) expect(cost).toBeLessThanOrEqual(smaller.cost);
          }
        }
      }),
      runs,
    );
  });

  test('asks a statement for nothing but the candidates that were proposed for it', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, fc.nat(), async ({ statements, proposals, source }, seed) => {
        const some = proposals.map((proposal, i) => ({
          ...proposal,
          queryIds: proposal.queryIds.filter((_, j) => (seed >> ((i + j) % 20)) % 2 === 0),
        }));
        const proposed = new Map(some.map(({ candidate, queryIds }) => [definitionOf(candidate), queryIds]));
        const watching = watched(source);
        await buildMatrix(watching, statements, some);
        for (const [queryId, set] of watching.asked) {
          for (const definition of set) expect(proposed.get(definition)).toContain(queryId);
        }
      }),
      runs,
    );
  });

  test('is the same whatever order the statements come in', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async ({ statements, proposals, source }) => {
        const sorted = ({ statements: rows }: Matrix) => rows.toSorted((a, b) => (a.queryId < b.queryId ? -1 : 1));
        const matrix = await buildMatrix(source, statements, proposals);
        const turned = await buildMatrix(source, statements.toReversed(), proposals);
        expect(sorted(turned)).toEqual(sorted(matrix));
      }),
      runs,
    );
  });

  test('that was cut short knows nothing wrong, and says that it was', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, fc.nat(12), async ({ statements, proposals, source }, looks) => {
        const whole = await buildMatrix(source, statements, proposals);
        let left = looks;
        const part = await buildMatrix(source, statements, proposals, () => left-- <= 0);
        expect(part.isComplete).toBe(left >= 0);
        const known = new Map(whole.statements.map((statement) => [statement.queryId, statement]));
        for (const { queryId, base, cells } of part.statements) {
          if (Number.isFinite(base)) expect(base).toBe(known.get(queryId)?.base);
          for (const cell of cells) expect(known.get(queryId)?.cells).toContainEqual(cell);
        }
      }),
      runs,
    );
  });

  test('asks for all statements together: what it wants to know at the same time goes to the server at once', async () => {
    const { statements, proposals, source } = synthetic(11, { tables: 3, statements: 5, candidates: 6 });
    const watching = watched(source);
    await buildMatrix(watching, statements, proposals);
    expect(watching.together[0]?.size).toBe(statements.length);
    expect(watching.together.length).toBeLessThan(watching.asked.length / 3);
  });

  test('leaves out what has no plan, and candidates that are unlikely and that the planner does not take', async () => {
    const [a, b] = [candidateOn('public', 't', ['a']), candidateOn('public', 't', ['b'])];
    const source = fakeSource((queryId, set) =>
      queryId === 'broken'
        ? Number.NaN
        : { total: set.includes(a) ? 10 : 100, used: set.includes(a) ? [definitionOf(a)] : [] },
    );
    const watching = watched(source);
    const queryIds = ['broken', 'fine'];
    const matrix = await buildMatrix(
      watching,
      queryIds.map((queryId) => ({ queryId, weight: 1 })),
      [
        { candidate: a, queryIds, isLikely: true },
        { candidate: b, queryIds, isLikely: false },
      ],
    );
    expect(matrix.unplanned).toEqual(['broken']);
    expect(matrix.statements).toEqual([{ queryId: 'fine', weight: 1, base: 100, cells: [{ set: [0], cost: 10 }] }]);
    expect(watching.asked).not.toContainEqual(['fine', [definitionOf(b)]]);
  });
});
