/**
 * Costs without HypoPG and without building anything: the plan as it is, in which each scan of a table is compared with what the
 * planner would ask for a scan of the candidate. The shape of the plan stays: another order of joins is not thought of, so
 * that a gain is seldom overstated, and some are not seen. Worth an order of proposals, not a figure.
 *
 * Formulas: `cost_index` in src/backend/optimizer/path/costsize.c, without its interpolation by correlation; selectivities as the
 * planner's without a list of common values (src/include/utils/selfuncs.h).
 */
import type { PlannerSettings, Relation } from '../../queries/catalog.ts';
import { nodesOf, type Plan, type PlanNode } from '../../queries/plan/tree.ts';
import { pageBytes } from './btree-size.ts';
import { type Candidate, definitionOf, type IndexKey, storedColumns } from './candidate.ts';
import type { ColumnUse } from './candidates.ts';
import type { Cost, CostSource } from './cost-source.ts';
import { columnOf, rowsOf } from './distinct.ts';
import { isMeant } from './meant.ts';

/** What an estimate is made of. */
export interface EstimateParts {
  /** The plans of the statements as the database is. */
  plans: ReadonlyMap<string, Plan>;
  uses: readonly ColumnUse[];
  relations: readonly Relation[];
  settings: Pick<PlannerSettings, 'randomPageCost'> | null;
  sizeOf(candidate: Candidate): number;
}

/** DEFAULT_INEQ_SEL, and DEFAULT_NUM_DISTINCT. */
const rangeShare = 1 / 3;
const unknownDistinct = 200;

/** cpu_tuple_cost, cpu_index_tuple_cost and the way down a tree, about. */
const tupleCost = 0.01;
const indexTupleCost = 0.005;
const descentCost = 0.4;

/** The default of random_page_cost. */
const defaultPageCost = 4;

/** A source that asks nobody. A statement without a plan has no cost. */
export function estimateSource(parts: EstimateParts): CostSource {
  return {
    costs: async (queryId, sets) => {
      const plan = parts.plans.get(queryId);
      return sets.map((set) => (plan ? estimated(parts, queryId, plan, set) : { total: Number.NaN, used: null }));
    },
  };
}

function estimated(parts: EstimateParts, queryId: string, plan: Plan, set: readonly Candidate[]): Cost {
  const used = new Set<string>();
  let saved = 0;
  for (const { node, ancestors } of nodesOf(plan)) {
    const relation = scannedBy(node, parts.relations);
    if (!relation) continue;
    const uses = parts.uses.filter(
      (use) => use.queryId === queryId && use.schema === relation.schema && use.table === relation.table,
    );
    const wanted = rowsWanted(node, ancestors);
    const choices = set
      .filter(({ schema, table }) => schema === relation.schema && table === relation.table)
      .map((candidate) => ({ candidate, cost: scanCost(parts, candidate, relation, uses, wanted) }))
      .toSorted((a, b) => a.cost - b.cost);
    const [best] = choices;
    // What sorts for a LIMIT is saved with what it reads.
    const spent = (wanted?.isSorted ? (ancestors[0] as PlanNode) : node).estimate.totalCost;
    if (!best || best.cost >= spent) continue;
    used.add(definitionOf(best.candidate));
    saved += (spent - best.cost) * executionsOf(node, ancestors);
  }
  return { total: Math.max(descentCost, plan.root.estimate.totalCost - saved), used: [...used] };
}

const scans = /^(?:Seq Scan|Bitmap Heap Scan|Index Scan|Index Only Scan)$/;

function scannedBy({ type, relation }: PlanNode, relations: readonly Relation[]): Relation | undefined {
  if (!relation || !scans.test(type)) return undefined;
  return relations.find((each) => isMeant(each, { schema: relation.schema, name: relation.name }));
}

/** How often a node runs: for each row of the other side of a nested loop, and for each row that asks a subplan. */
function executionsOf(node: PlanNode, ancestors: readonly PlanNode[]): number {
  const [parent] = ancestors;
  if (node.relationship === 'SubPlan') return Math.max(1, parent?.estimate.rows ?? 1);
  if (parent?.type !== 'Nested Loop' || node.relationship !== 'Inner') return 1;
  const outer = parent.children.find(({ relationship }) => relationship === 'Outer');
  return Math.max(1, outer?.estimate.rows ?? 1);
}

/** The rows that a LIMIT right above a sort or a scan asks for. */
function rowsWanted(
  node: PlanNode,
  [parent, above]: readonly PlanNode[],
): { rows: number; isSorted: boolean } | undefined {
  const isSorted = parent?.type === 'Sort' && node.relationship !== 'Inner';
  if (isSorted && above?.type === 'Limit') return { rows: above.estimate.rows, isSorted };
  return undefined;
}

/** The cheapest way in which one of the uses reads the table by the candidate. */
function scanCost(
  { settings, sizeOf }: EstimateParts,
  candidate: Candidate,
  relation: Relation,
  uses: readonly ColumnUse[],
  wanted: { rows: number } | undefined,
): number {
  const pageCost = settings?.randomPageCost ?? defaultPageCost;
  const rows = rowsOf(relation) * (candidate.predicate?.fraction ?? 1);
  const pages = Math.max(1, relation.sizeBytes / pageBytes);
  const costs = uses.map((use) => {
    if (candidate.predicate && !use.predicates.some(({ sql }) => sql === candidate.predicate?.sql))
      return Number.POSITIVE_INFINITY;
    const { share, equal } = matched(candidate, relation, use);
    const isOrdered = wanted !== undefined && isInOrder(candidate.keys.slice(equal), use);
    if (share === 1 && !candidate.predicate && !isOrdered) return Number.POSITIVE_INFINITY;
    const found = Math.max(1, Math.min(rows * share, isOrdered ? wanted.rows : Number.POSITIVE_INFINITY));
    const stored = new Set(storedColumns(candidate));
    const isAlone = use.projected?.every((column) => stored.has(column)) ?? false;
    // As many pages as Mackert and Lohman expect at most.
    const heap = isAlone ? 0 : Math.min(pages, found) * pageCost;
    const leaves = Math.max(1, (sizeOf(candidate) / pageBytes) * (found / Math.max(1, rows)));
    return descentCost + leaves * pageCost + heap + found * (tupleCost + indexTupleCost);
  });
  return Math.min(Number.POSITIVE_INFINITY, ...costs);
}

/** The share of the rows that the keys leave: those that are equal to something, and one range. */
function matched({ keys }: Candidate, relation: Relation, use: ColumnUse): { share: number; equal: number } {
  let share = 1;
  for (const [place, key] of keys.entries()) {
    const role = roleOf(key, use);
    if (role === 'range') return { share: share * rangeShare, equal: place };
    if (role !== 'equality') return { share, equal: place };
    share /= Math.max(1, columnOf(relation, key.reads[0] ?? '')?.statistics?.distinct ?? unknownDistinct);
  }
  return { share, equal: keys.length };
}

function roleOf({ column, expression }: IndexKey, use: ColumnUse): 'equality' | 'range' | undefined {
  if (column === null) {
    const role = use.expressions.find(({ sql }) => sql === expression)?.role;
    return role === 'order' ? undefined : role;
  }
  if (use.equality.includes(column)) return 'equality';
  return use.range.includes(column) ? 'range' : undefined;
}

function isInOrder(keys: readonly IndexKey[], { order }: ColumnUse): boolean {
  // Read backwards, an index turns round its nulls as well.
  const flips = new Set(
    order.flatMap(({ descending, nullsFirst }, i) => [
      descending !== keys[i]?.descending,
      nullsFirst !== keys[i]?.nullsFirst,
    ]),
  );
  return order.length > 0 && flips.size === 1 && order.every(({ column }, i) => keys[i]?.column === column);
}
