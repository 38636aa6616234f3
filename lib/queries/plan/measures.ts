/**
 * What the figures of a plan mean. EXPLAIN tells rows and times of a node as means over its loops, with everything below it;
 * blocks, heap fetches and index searches as sums. Processes of a parallel part count as loops of their own, so that a
 * mean times the loops is what all of them did together.
 * https://www.postgresql.org/docs/current/using-explain.html
 */
import { nodesOf, type Plan, type PlanNode } from './tree.ts';

/**
 * The time that each node took itself, without those below it, in milliseconds, as a clock on the wall would tell it: the work of a parallel part
 * is divided by its processes, and the time of a CTE or an InitPlan is taken from the node that had to wait for it. All times
 * add up to the root's. Nodes without measured times (no ANALYZE, or TIMING OFF) are not in it; what never ran took 0.
 */
export function selfTimes(plan: Plan): ReadonlyMap<PlanNode, number> {
  return withoutChildren(plan, ({ actual }, ancestors) =>
    actual && actual.totalMs !== null ? (actual.totalMs * actual.loops) / processesOf(ancestors) : undefined,
  );
}

/**
 * The blocks of tables and indexes that each node itself asked for in all its loops, found in memory or not. Those of temporary
 * files do not count. Nodes are in it with BUFFERS only.
 */
export function selfBlocks(plan: Plan): ReadonlyMap<PlanNode, number> {
  return withoutChildren(
    plan,
    ({ buffers }) => buffers && buffers.sharedHit + buffers.sharedRead + buffers.localHit + buffers.localRead,
  );
}

/** Takes from a figure that holds those of the nodes below what these took. */
function withoutChildren(
  plan: Plan,
  figureOf: (node: PlanNode, ancestors: readonly PlanNode[]) => number | undefined,
): ReadonlyMap<PlanNode, number> {
  const figures = new Map<PlanNode, number>();
  for (const { node, ancestors } of nodesOf(plan)) {
    const figure = figureOf(node, ancestors);
    if (figure !== undefined) figures.set(node, figure);
  }
  const selfs = new Map(figures);
  const nodes = [...figures.keys()];
  /** Returns what is more than the payer has left. */
  const pay = (payer: PlanNode, figure: number) => {
    const self = selfs.get(payer) ?? 0;
    if (selfs.has(payer)) selfs.set(payer, Math.max(0, self - figure));
    return Math.max(0, figure - self);
  };
  for (const node of nodes) {
    const payers = payersOf(node);
    for (const child of node.children) if (!isCte(child)) pay(payers.get(child) ?? node, figures.get(child) ?? 0);
  }
  const scans = Map.groupBy(
    nodes.filter(({ type }) => type === 'CTE Scan'),
    ({ cteName }) => `CTE ${cteName}`,
  );
  for (const [name = '', ctes] of Map.groupBy(nodes.filter(isCte), ({ subplan }) => subplan)) {
    // Which of several scans made the CTE run is not told: most likely the dearest, as each holds what the CTE did for it.
    const dearestFirst = (scans.get(name) ?? []).sort((a, b) => (selfs.get(b) ?? 0) - (selfs.get(a) ?? 0));
    dearestFirst.reduce((left, scan) => pay(scan, left), sum(ctes.map((cte) => figures.get(cte) ?? 0)));
  }
  return selfs;
}

/**
 * The rows that a node gave in all its loops and processes; where it was not run, the rows that the planner expects of one
 * loop (and one process).
 */
export function totalRows({ actual, estimate }: PlanNode): number {
  return actual ? actual.rows * actual.loops : estimate.rows;
}

/**
 * The rows that a scan looked at in all its loops: those it gave, and those that a filter or a recheck threw away. Undefined without
 * ANALYZE and for nodes that are no scans. Means are rounded (rows before PostgreSQL 18, removed rows always), and so
 * many loops may hide some.
 */
export function rowsRead({ type, actual, removed }: PlanNode): number | undefined {
  if (!actual || !type.endsWith('Scan')) return undefined;
  return (actual.rows + (removed.filter ?? 0) + (removed.recheck ?? 0)) * actual.loops;
}

/** How a table is read. */
export type ScanMethod = 'sequential' | 'index' | 'index only' | 'bitmap' | 'tid' | 'other';

/** A node that reads a table. Rows and blocks are those of all loops together. */
export interface Scan {
  node: PlanNode;
  /** The schema is told by VERBOSE only. */
  relation: { schema?: string | undefined; name: string };
  /** One of an index scan; of a bitmap scan all that its bitmap is made from, each once. */
  indexes: string[];
  method: ScanMethod;
  /** See {@link rowsRead}. */
  rowsRead: number | undefined;
  /** See {@link totalRows}: an estimate where the plan was not run. */
  rowsReturned: number;
  /** The share of the rows read that were thrown away, 0 to 1; undefined without ANALYZE. */
  wastedFraction: number | undefined;
  /** Rows that an index-only scan had to look up in the table. */
  heapFetches: number | undefined;
  /** What the scan itself asked for, with the indexes of a bitmap; undefined without BUFFERS. */
  blocks: number | undefined;
  /** 1 where the plan was not run: how often it would run is not told. */
  loops: number;
}

const methods: Record<string, ScanMethod> = {
  'Seq Scan': 'sequential',
  'Index Scan': 'index',
  'Index Only Scan': 'index only',
  'Bitmap Heap Scan': 'bitmap',
  'Tid Scan': 'tid',
  'Tid Range Scan': 'tid',
};

/** The nodes that read tables, parents first. A bitmap's index scans belong to the scan of its table. */
export function scansOf(plan: Plan): Scan[] {
  const blocks = selfBlocks(plan);
  return [...nodesOf(plan)].flatMap(({ node }) => {
    const { relation, actual } = node;
    if (!relation || !node.type.endsWith('Scan')) return [];
    const bitmaps = bitmapsOf(node);
    const read = rowsRead(node);
    const rowsReturned = totalRows(node);
    const self = blocks.get(node);
    const indexes = [node, ...bitmaps].flatMap(({ index }) => index ?? []);
    return {
      node,
      relation:
        relation.schema === undefined ? { name: relation.name } : { schema: relation.schema, name: relation.name },
      indexes: [...new Set(indexes)],
      method: methods[node.type] ?? 'other',
      rowsRead: read,
      rowsReturned,
      wastedFraction: read === undefined ? undefined : read === 0 ? 0 : 1 - rowsReturned / read,
      heapFetches: node.heapFetches,
      blocks: self === undefined ? undefined : self + sum(bitmaps.map((bitmap) => blocks.get(bitmap) ?? 0)),
      loops: actual?.loops ?? 1,
    };
  });
}

/** Which indexes a plan reads, each once for a table. */
export function indexesUsed(plan: Plan): Array<{ relation: Scan['relation']; index: string }> {
  const used = scansOf(plan).flatMap(({ relation, indexes }) => indexes.map((index) => ({ relation, index })));
  const keyed = new Map(used.map((use) => [JSON.stringify([use.relation.schema, use.relation.name, use.index]), use]));
  return [...keyed.values()];
}

/**
 * By how much the planner was wrong about the rows of a loop, as a factor of at least 1: 10 both for ten times as many and for a tenth.
 * Less than one row counts as one. Undefined where nothing can be said: without ANALYZE, for what never ran, for bitmaps
 * of several indexes (which always tell zero rows), and for changes (whose rows are not counted).
 */
export function misestimate({ type, actual, estimate }: PlanNode): number | undefined {
  if (!actual || actual.loops === 0 || uncounted.has(type)) return undefined;
  const found = Math.max(1, actual.rows);
  const expected = Math.max(1, estimate.rows);
  return Math.max(found / expected, expected / found);
}

const uncounted = new Set(['BitmapAnd', 'BitmapOr', 'ModifyTable']);

/** Where the planner's mistakes begin: a node with the factor it is off by. */
export interface MisestimateOrigin {
  node: PlanNode;
  factor: number;
}

/**
 * The node whose estimate is off by at least `least` while those of its children are not; of several the one that is off most, then the
 * deepest. What stopped early for want of a reader (below a LIMIT, EXISTS or merge join) is no mistake, as the
 * documentation's "Caveats" say.
 */
export function misestimateOrigin(plan: Plan, least = 10): MisestimateOrigin | undefined {
  const places = [...nodesOf(plan)].map(({ node, ancestors }) => ({
    node,
    depth: ancestors.length,
    factor: isTellingOf(node, ancestors) ? (misestimate(node) ?? 1) : 1,
  }));
  const factors = new Map(places.map(({ node, factor }) => [node, factor]));
  const isRight = (child: PlanNode) => (factors.get(child) ?? 1) < least;
  const [origin] = places
    .filter(({ node, factor }) => factor >= least && node.children.every(isRight))
    .sort((a, b) => b.factor - a.factor || b.depth - a.depth);
  return origin && { node: origin.node, factor: origin.factor };
}

/** Nodes that read all they are given before they give a row: what is below them does not stop early. */
function isBlocking({ type, strategy }: PlanNode): boolean {
  return blocking.has(type) || (type === 'Aggregate' && strategy !== 'Sorted');
}

const blocking = new Set(['Sort', 'Hash', 'Bitmap Heap Scan']);

/** Whether a node's rows tell of the estimate, or of a reader that had enough, or that came back for more. */
function isTellingOf(node: PlanNode, ancestors: readonly PlanNode[]): boolean {
  const isShort = (node.actual?.rows ?? 0) < node.estimate.rows;
  let below = node;
  for (const parent of ancestors) {
    // A merge join goes back in its inner side for each equal outer row, and counts the rows again.
    if (parent.type === 'Merge Join' && (isShort || (below === node && below.relationship === 'Inner'))) return false;
    if (isShort && mayStop(parent, below)) return false;
    if (isBlocking(parent) && below.relationship !== 'SubPlan') return true;
    below = parent;
  }
  return true;
}

function mayStop(parent: PlanNode, child: PlanNode): boolean {
  if (child.relationship === 'InitPlan' || child.relationship === 'SubPlan') return true;
  const readsFirstMatch = parent.innerUnique === true || parent.joinType === 'Semi' || parent.joinType === 'Anti';
  return (
    parent.type === 'Limit' || (parent.type === 'Nested Loop' && child.relationship === 'Inner' && readsFirstMatch)
  );
}

function isGather({ type }: PlanNode): boolean {
  return type === 'Gather' || type === 'Gather Merge';
}

/** How many processes shared the work below the Gathers among a node's ancestors: each ran the Gather's child once. */
function processesOf(ancestors: readonly PlanNode[]): number {
  return ancestors.filter(isGather).reduce((processes, gather) => {
    const child = gather.children.find(({ relationship }) => relationship === 'Outer');
    const each = (child?.actual?.loops ?? 1) / (gather.actual?.loops || 1);
    return processes * Math.max(1, each);
  }, 1);
}

/**
 * An InitPlan runs where its result is first asked for: in a condition of the node that it is listed at, or of one below. What
 * no condition mentions is in the rows that the node itself gives.
 */
function payersOf(node: PlanNode): ReadonlyMap<PlanNode, PlanNode> {
  const initPlans = node.children.filter((child) => child.relationship === 'InitPlan' && !isCte(child));
  if (initPlans.length === 0) return new Map();
  const mentions = new Map<string, PlanNode>();
  for (const { node: below } of nodesOf({ root: node })) {
    for (const condition of Object.values(below.conditions)) {
      for (const [word] of condition?.matchAll(/\$\d+|InitPlan \w+/g) ?? [])
        if (!mentions.has(word)) mentions.set(word, below);
    }
  }
  return new Map(
    initPlans.map((child) => [child, namesOf(child).flatMap((name) => mentions.get(name) ?? [])[0] ?? node]),
  );
}

/** What conditions call an InitPlan: `$0` before PostgreSQL 17, `InitPlan 1` since. */
function namesOf({ subplan = '' }: PlanNode): string[] {
  return subplan.match(/\$\d+|InitPlan \w+/g) ?? [];
}

function isCte({ relationship, subplan }: PlanNode): boolean {
  return relationship === 'InitPlan' && subplan?.startsWith('CTE ') === true;
}

/** The index scans of a bitmap scan, through the nodes that combine their bitmaps. */
function bitmapsOf(scan: PlanNode): PlanNode[] {
  const found: PlanNode[] = [];
  const left = [scan];
  for (let node = left.pop(); node; node = left.pop()) {
    if (node.type === 'Bitmap Index Scan') found.push(node);
    for (const child of node.children.toReversed()) if (child.type.startsWith('Bitmap')) left.push(child);
  }
  return found;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
