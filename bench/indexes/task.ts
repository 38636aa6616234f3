/** What the peers' rules need to choose indexes: the statements' costs for any set of candidates, and their sizes. */
import { type Candidate, definitionOf } from '../../lib/indexes/advisor/candidate.ts';
import { cached } from '../../lib/indexes/advisor/cost-cache.ts';
import { type Cost, type CostSource, counted } from '../../lib/indexes/advisor/cost-source.ts';
import type { WeightedStatement } from '../../lib/indexes/advisor/matrix.ts';

/** Indexes that were chosen, and what the workload costs with them. */
export interface Choice {
  indexes: Candidate[];
  cost: number;
}

/** A workload for a rule of choice. */
export interface Task {
  statements: readonly WeightedStatement[];
  /** An index on each column that a statement filters, joins, groups or orders by, unless an index of the database begins with it. */
  columns: readonly Candidate[];
  /** The others, to be combined with further columns. */
  indexed: readonly Candidate[];
  /** Both on the tables of one statement. */
  of(queryId: string): Pick<Task, 'columns' | 'indexed'>;
  /** Of one statement with each of some sets; only indexes on its tables are asked for, and nothing twice. */
  statementCosts(queryId: string, sets: readonly (readonly Candidate[])[]): Promise<Cost[]>;
  /** The weighted cost of all statements, the price of writes included. */
  costOf(set: readonly Candidate[]): Promise<number>;
  bytesOf(set: readonly Candidate[]): number;
  /** Plans that were made so far. */
  readonly calls: number;
}

/** Makes a task from its parts. @param tablesOf the tables of each statement, by their names */
export function taskOf(parts: {
  statements: readonly WeightedStatement[];
  columns: readonly Candidate[];
  indexed: readonly Candidate[];
  tablesOf: ReadonlyMap<string, ReadonlySet<string>>;
  source: CostSource;
  sizeOf(candidate: Candidate): number;
  writesOf(candidate: Candidate): number;
}): Task {
  const source = counted(parts.source);
  const cache = cached(source, new Map());
  const sizes = new Map<string, number>();
  const sizeOf = (candidate: Candidate) => {
    const definition = definitionOf(candidate);
    const size = sizes.get(definition) ?? parts.sizeOf(candidate);
    sizes.set(definition, size);
    return size;
  };
  const statementCosts = (queryId: string, sets: readonly (readonly Candidate[])[]) =>
    cache.costs(
      queryId,
      sets.map((set) => set.filter(({ table }) => parts.tablesOf.get(queryId)?.has(table))),
    );
  return {
    statements: parts.statements,
    columns: parts.columns,
    indexed: parts.indexed,
    of(queryId) {
      const isItsOwn = ({ table }: Candidate) => parts.tablesOf.get(queryId)?.has(table) === true;
      return { columns: parts.columns.filter(isItsOwn), indexed: parts.indexed.filter(isItsOwn) };
    },
    statementCosts,
    async costOf(set) {
      let cost = set.reduce((sum, candidate) => sum + parts.writesOf(candidate), 0);
      for (const { queryId, weight } of parts.statements) {
        const [answer] = await statementCosts(queryId, [set]);
        cost += weight * (answer?.total ?? 0);
      }
      return cost;
    },
    bytesOf: (set) => set.reduce((sum, candidate) => sum + sizeOf(candidate), 0),
    get calls() {
      return source.calls;
    },
  };
}
