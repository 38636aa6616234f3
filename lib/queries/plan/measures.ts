/**
 * What the figures of a plan mean. EXPLAIN tells rows and times of a node as means over its loops, with everything below it;
 * blocks, heap fetches and index searches as sums. Processes of a parallel part count as loops of their own, so that a
 * mean times the loops is what all of them did together.
 * https://www.postgresql.org/docs/current/using-explain.html
 */
import { nodesOf, type Plan, type PlanNode } from './tree.ts';

/**
 * The time that a node took itself, without its children, in milliseconds; undefined without ANALYZE or with TIMING OFF, 0 when it never
 * ran. In a parallel part it is the time of all processes together, and that of a CTE Scan holds the time of its CTE:
 * {@link selfTimes} takes both apart.
 */
export function selfMs(node: PlanNode): number | undefined {
  const total = totalMs(node);
  if (total === undefined) return undefined;
  // A Gather waits for its processes, which work at the same time.
  const loops = isGather(node) ? node.actual?.loops : undefined;
  const below = partsOf(node).map(({ actual }) => (actual?.totalMs ?? 0) * (loops ?? actual?.loops ?? 0));
  return Math.max(0, total - sum(below));
}

/**
 * The time of each node itself as a clock on the wall would tell it, in milliseconds: the work of a parallel part is divided by its
 * processes, and the time of a CTE or an InitPlan is taken from the node that had to wait for it. Empty without measured times.
 */
export function selfTimes(plan: Plan): ReadonlyMap<PlanNode, number> {
  const nodes = [...nodesOf(plan)];
  const selfs = new Map<PlanNode, number>();
  for (const { node, ancestors } of nodes) {
    const total = totalMs(node);
    if (total !== undefined) selfs.set(node, total / processesOf(ancestors));
  }
  const walls = new Map(selfs);
  const pay = (payer: PlanNode, ms: number) => {
    const self = selfs.get(payer) ?? 0;
    if (selfs.has(payer)) selfs.set(payer, Math.max(0, self - ms));
    return Math.max(0, ms - self);
  };
  for (const { node } of nodes) {
    const payers = payersOf(node);
    for (const child of node.children) if (!isCte(child)) pay(payers.get(child) ?? node, walls.get(child) ?? 0);
  }
  const scans = Map.groupBy(
    nodes.map(({ node }) => node).filter(({ type }) => type === 'CTE Scan'),
    ({ cteName }) => `CTE ${cteName}`,
  );
  const ctes = Map.groupBy(nodes.map(({ node }) => node).filter(isCte), ({ subplan }) => subplan);
  for (const [name, parts] of ctes) {
    // Which of several scans had to wait for the CTE is not told: most likely the slowest, for none waited longer than it took.
    const slowestFirst = (scans.get(name ?? '') ?? []).sort((a, b) => (selfs.get(b) ?? 0) - (selfs.get(a) ?? 0));
    slowestFirst.reduce((ms, scan) => pay(scan, ms), sum(parts.map((part) => walls.get(part) ?? 0)));
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

/**
 * The blocks of tables and indexes that a node itself asked for, found in memory or not, its loops together; undefined without
 * BUFFERS. Temporary files do not count.
 */
export function selfBlocks(node: PlanNode): number | undefined {
  const total = blocksOf(node);
  if (total === undefined) return undefined;
  return Math.max(0, total - sum(partsOf(node).map((child) => blocksOf(child) ?? 0)));
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
  return [...nodesOf(plan)].flatMap(({ node }) => {
    const { relation, actual } = node;
    if (!relation || !node.type.endsWith('Scan')) return [];
    const bitmaps = bitmapsOf(node);
    const read = rowsRead(node);
    const rowsReturned = totalRows(node);
    const self = selfBlocks(node);
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
      blocks: self === undefined ? undefined : self + sum(bitmaps.map((bitmap) => selfBlocks(bitmap) ?? 0)),
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
function isBlocking(node: PlanNode): boolean {
  return node.type === 'Sort' || node.type === 'Hash' || (node.type === 'Aggregate' && node.strategy !== 'Sorted');
}

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

/** Milliseconds with the children, all loops and processes together. */
function totalMs({ actual }: PlanNode): number | undefined {
  return actual?.totalMs === null ? undefined : actual && actual.totalMs * actual.loops;
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

/** The children whose time and blocks are counted in a node's own. */
function partsOf(node: PlanNode): PlanNode[] {
  const payers = payersOf(node);
  return node.children.filter((child) => !isCte(child) && (payers.get(child) ?? node) === node);
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

function blocksOf({ buffers }: PlanNode): number | undefined {
  return buffers && buffers.sharedHit + buffers.sharedRead + buffers.localHit + buffers.localRead;
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
