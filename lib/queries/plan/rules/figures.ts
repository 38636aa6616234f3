/** Numbers about a place in a plan that several rules ask for. What cannot be known is undefined. */
import { conditionColumns, type Test } from '../advice/conditions.ts';
import { rowsRead, totalRows } from '../measures.ts';
import type { PlanNode } from '../tree.ts';
import type { PlanContext } from './context.ts';
import type { Place } from './define.ts';
import { estimatedLoops, shareOf } from './share.ts';

/** What a scan is asked for: what its filter and its index conditions test. */
export function scanTests({ conditions, relation }: PlanNode): Test[] {
  const { filter, index, recheck } = conditions;
  return [filter, index ?? recheck].flatMap((condition) => conditionColumns(condition, relation?.alias));
}

/** What a scan with a filter read and kept, all loops together. */
export interface Sieve {
  read: number;
  kept: number;
}

/**
 * What a sequential scan read and kept: as measured, else as the planner expects, a LIMIT above it included.
 * Undefined where the scan never ran, or the table's size is unknown.
 */
export function sieveOf(place: Place, context: PlanContext): Sieve | undefined {
  const { node } = place;
  if (node.actual) return measuredSieve(node);
  const rows = context.relationOf(node)?.rows;
  if (rows === undefined || rows === null) return undefined;
  const part = readFraction(place, context) * estimatedLoops(place);
  return { read: rows * part, kept: Math.min(rows, node.estimate.rows * parallelDivisor(place)) * part };
}

/** What a scan really read and kept. */
export function measuredSieve(node: PlanNode): Sieve | undefined {
  const read = rowsRead(node);
  const kept = totalRows(node);
  return read === undefined || !node.actual || node.actual.loops === 0 ? undefined : { read, kept };
}

/** A parallel node is estimated for one of its processes; the leader helps the less the more workers there are (get_parallel_divisor in costsize.c). */
export function parallelDivisor({ node, ancestors }: Place): number {
  if (!node.parallelAware) return 1;
  const workers = ancestors.find((ancestor) => ancestor.workers)?.workers?.planned ?? 0;
  return workers + Math.max(0, 1 - 0.3 * workers);
}

/** Nodes that hand on a row before they have read all. Of a join, that is so for its outer side. */
const streaming = new Set([
  'Gather',
  'Gather Merge',
  'Append',
  'Merge Append',
  'Result',
  'ProjectSet',
  'LockRows',
  'Subquery Scan',
  'Unique',
]);
const streamingOutside = new Set(['Nested Loop', 'Hash Join', 'Merge Join']);

/** The LIMIT that stops a node before its end, with the node right below it. */
export function limitAbove({
  node,
  ancestors,
}: Place): { limit: PlanNode; below: PlanNode; isRoot: boolean } | undefined {
  let below = node;
  for (const [i, parent] of ancestors.entries()) {
    if (parent.type === 'Limit') return { limit: parent, below, isRoot: i === ancestors.length - 1 };
    const streams = streaming.has(parent.type) || (streamingOutside.has(parent.type) && below.relationship === 'Outer');
    if (!streams) return undefined;
    below = parent;
  }
  return undefined;
}

/** How many rows a LIMIT lets through. Where the planner does not know it, it takes a tenth of all, but the calls tell. */
export function limitRows({ limit, isRoot }: { limit: PlanNode; isRoot: boolean }, context: PlanContext): number {
  if (limit.actual) return Math.max(1, totalRows(limit));
  const perCall = isRoot ? rowsPerCall(context) : undefined;
  return Math.max(1, Math.min(limit.estimate.rows, perCall ?? Number.POSITIVE_INFINITY));
}

/** The part of its rows, 0 to 1, that a node is expected to give before a LIMIT above it has enough. */
export function readFraction(place: Place, context: PlanContext): number {
  const above = limitAbove(place);
  return above ? Math.min(1, limitRows(above, context) / Math.max(1, above.below.estimate.rows)) : 1;
}

/** The rows that a call of the statement returned or changed on average. */
export function rowsPerCall({ statement }: PlanContext): number | undefined {
  return statement && statement.calls > 0 ? statement.rows / statement.calls : undefined;
}

/** How often a statement is called in an hour, in its last window or since counting began; undefined before that is ten minutes old. */
export function callsPerHour({ input, statement }: PlanContext): number | undefined {
  if (!statement) return undefined;
  const from = statement.window ? input.windowFrom : statement.since;
  const hours = (Date.parse(input.takenAt) - Date.parse(from ?? '')) / 3_600_000;
  return hours >= 1 / 6 ? (statement.window ?? statement).calls / hours : undefined;
}

/** The rows that a node gives in all: as measured, else as expected. */
export function rowsOf(place: Place): number {
  return place.node.actual
    ? totalRows(place.node)
    : place.node.estimate.rows * parallelDivisor(place) * estimatedLoops(place);
}

/** A sequential scan of a table, its partitions together. */
export interface TableScan extends Sieve {
  /** Of the table. */
  rows: number;
  /** See share.ts. */
  share: number;
}

/**
 * What the sequential scan of a table read and kept. Of partitions that are scanned one by one, the first tells of all, the others
 * are undefined; so is what is no such scan, and what cannot be known.
 */
export function tableScan(place: Place, context: PlanContext): TableScan | undefined {
  const members = place.node.type === 'Seq Scan' ? partitions(place) : [];
  if (members[0]?.node !== place.node) return undefined;
  const sieves = members.map((member) => sieveOf(member, context)).filter((sieve) => sieve !== undefined);
  if (sieves.length === 0) return undefined;
  const read = sum(sieves.map((sieve) => sieve.read));
  return {
    read,
    kept: sum(sieves.map((sieve) => sieve.kept)),
    rows: context.tableOf(place.node)?.rows ?? sum(members.map((member) => scannedRows(member, context) ?? 0)),
    share: Math.min(1, sum(members.map((member) => shareOf(member, context.plan)))),
  };
}

/** The scan itself, or those of all partitions that are scanned in the same way. */
function partitions(place: Place): Place[] {
  const { node, ancestors } = place;
  const [parent] = ancestors;
  if (parent?.type !== 'Append' || !arePartitions(parent.children)) return [place];
  return parent.children.filter(({ type }) => type === node.type).map((member) => ({ node: member, ancestors }));
}

/** Partitions have the alias of their parent with numbers behind it; the first member of a UNION ALL has none. */
export function arePartitions(scans: readonly PlanNode[]): boolean {
  const aliases = new Set(scans.map(parentAlias));
  const names = new Set(scans.map(({ relation }) => relation?.name));
  return aliases.size === 1 && !aliases.has(undefined) && names.size === scans.length;
}

/** Of a partition's alias, `orders_1`, that of its parent; undefined for one without a number. */
export function parentAlias({ relation }: PlanNode): string | undefined {
  return /^(.*)_\d+$/.exec(relation?.alias ?? '')?.[1];
}

/** The rows of the relation that a node scans: as the planner knows them, else as one scan read them. */
function scannedRows({ node }: Place, context: PlanContext): number | undefined {
  const rows = context.relationOf(node)?.rows;
  if (typeof rows === 'number') return rows;
  const read = measuredSieve(node)?.read;
  // The processes of a parallel scan share one table.
  return read === undefined ? undefined : read / (node.parallelAware ? 1 : (node.actual?.loops ?? 1));
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

/** Whether a scan keeps at most this part of what it reads. */
export function isSelective({ read, kept }: Sieve, maxKeptPercent: number): boolean {
  return kept * 100 <= read * maxKeptPercent;
}
