/**
 * What an index costs those who write: an entry for each row that is inserted or moved, its part of the pages that are dirtied and
 * logged, and the heap-only updates that are none any more once a column that they set is indexed.
 *
 * The unit is the planner's cost unit, so that reads and writes can be added up. Sources:
 * - descent of a b-tree: `btcostestimate` in src/backend/utils/adt/selfuncs.c
 * - heap-only updates: https://www.postgresql.org/docs/current/storage-hot.html
 * - pages that are logged whole: https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-FULL-PAGE-WRITES
 */
import type { PlannerSettings, Relation, TableIndex } from '../../queries/catalog.ts';
import { pageBytes } from './btree-size.ts';
import { type Candidate, columnsOf } from './candidate.ts';
import { columnOf } from './distinct.ts';
import { entriesOf } from './size.ts';

/** What was written to a table in a window of time. */
export interface Writes {
  /** Rows. */
  inserts: number;
  updates: number;
  /** Of the updates, those that wrote to no index. */
  hotUpdates: number;
  deletes: number;
  /** Of the updates, how many set each column. A column that is not listed is set by none. */
  updatesOf: Readonly<Record<string, number>>;
  seconds: number;
}

/** What an index costs in the window of the writes. */
export interface WritePrice {
  /** In the planner's unit. */
  cost: number;
  /** Entries that are written to the index. */
  entries: number;
  /** What these entries take up. */
  bytes: number;
  /** Updates that would have to write to all indexes of the table, and now write to none. */
  lostHotUpdates: number;
}

/** What of the server decides about the price. */
export interface WriteSettings extends Pick<PlannerSettings, 'seqPageCost' | 'randomPageCost'> {
  /** As `server_version_num`. */
  versionNumber: number;
}

/** PostgreSQL's own defaults of a server that does not say. */
export const defaultWriteSettings: WriteSettings = { seqPageCost: 1, randomPageCost: 4, versionNumber: 180_000 };

/** cpu_operator_cost and cpu_index_tuple_cost: hardly anybody changes them. */
const operatorCost = 0.0025;
const indexTupleCost = 0.005;

/** A page that is looked into on the way down costs as many operators: DEFAULT_PAGE_CPU_MULTIPLIER. */
const operatorsPerPage = 50;

/** The links of an inner page, about. */
const fanOut = 280;

/** A page is written back and logged whole once after each checkpoint: checkpoint_timeout. */
const checkpointSeconds = 300;

/** From this correlation on new values are taken to come in order, each behind the last. */
const inOrder = 0.9;

/** From this version on an index that only summarizes (BRIN) leaves updates heap-only. */
const summariesKeepHot = 160_000;

/**
 * What the counters of a table gained between two snapshots. Counters that went back were reset: then they count alone.
 *
 * @param before null: the later counters count since they were reset
 */
export function writesBetween(
  before: Relation | null,
  after: Relation,
  seconds: number,
  updatesOf: Readonly<Record<string, number>> = {},
): Writes {
  const counters = ['inserts', 'updates', 'hotUpdates', 'deletes'] as const;
  const isReset = before !== null && counters.some((counter) => after[counter] < before[counter]);
  const since = (counter: (typeof counters)[number]) =>
    after[counter] - (before === null || isReset ? 0 : before[counter]);
  return {
    inserts: since('inserts'),
    updates: since('updates'),
    hotUpdates: since('hotUpdates'),
    deletes: since('deletes'),
    updatesOf,
    seconds,
  };
}

/** What a candidate of so many bytes costs those who write to its table. */
export function writePrice(
  candidate: Candidate,
  relation: Relation,
  writes: Writes,
  sizeBytes: number,
  settings: WriteSettings = defaultWriteSettings,
): WritePrice {
  const total = Math.max(1, entriesOf(candidate, relation));
  const lostHotUpdates = hotUpdatesLost(candidate, relation, writes, settings);
  const moved = writes.inserts + writes.updates - writes.hotUpdates + lostHotUpdates;
  const entries = moved * (candidate.predicate?.fraction ?? 1);
  const summarizes = candidate.method === 'brin';
  const each = summarizes
    ? indexTupleCost
    : entryCost(total, sizeBytes, isInOrder(candidate, relation), entries, writes, settings);
  // What is dead is removed from each index by VACUUM.
  const removed = summarizes
    ? 0
    : (writes.deletes + writes.updates - writes.hotUpdates + lostHotUpdates) * indexTupleCost;
  const others = relation.indexes.reduce(
    (sum, index) => sum + existingEntryCost(index, relation, moved, writes, settings),
    0,
  );
  return {
    cost: entries * each + removed * (candidate.predicate?.fraction ?? 1) + lostHotUpdates * others,
    entries,
    bytes: summarizes ? 0 : (entries * sizeBytes) / total,
    lostHotUpdates,
  };
}

/** Heap-only updates that set a column of the candidate, and no column that is indexed already. */
function hotUpdatesLost(candidate: Candidate, relation: Relation, writes: Writes, settings: WriteSettings): number {
  if (candidate.method === 'brin' && settings.versionNumber >= summariesKeepHot) return 0;
  const indexed = new Set(relation.indexes.filter(({ method }) => method !== 'brin').flatMap(indexedColumns));
  const setting = columnsOf(candidate)
    .filter((column) => !indexed.has(column))
    .reduce((sum, column) => sum + (Object.hasOwn(writes.updatesOf, column) ? (writes.updatesOf[column] ?? 0) : 0), 0);
  return Math.min(writes.hotUpdates, setting);
}

function indexedColumns({ columns, included }: TableIndex): string[] {
  return [...columns.flatMap((column) => column ?? []), ...included];
}

function isInOrder({ keys }: Candidate, relation: Relation): boolean {
  const [first] = keys;
  const correlation = columnOf(relation, first?.column ?? '')?.statistics?.correlation ?? 0;
  return keys.length === 1 && Math.abs(correlation) >= inOrder;
}

function existingEntryCost(
  index: TableIndex,
  relation: Relation,
  moved: number,
  writes: Writes,
  settings: WriteSettings,
): number {
  const total = Math.max(1, relation.rows ?? relation.liveRows);
  return index.method === 'brin' ? indexTupleCost : entryCost(total, index.sizeBytes, false, moved, writes, settings);
}

/** The way down the tree, and the share of a page that is written back (at random) and logged (in a row) for the entry. */
function entryCost(
  total: number,
  sizeBytes: number,
  inOrder: boolean,
  entries: number,
  { seconds }: Writes,
  { seqPageCost, randomPageCost }: WriteSettings,
): number {
  const pages = Math.max(1, sizeBytes / pageBytes);
  const levels = 1 + Math.ceil(Math.log(pages) / Math.log(fanOut));
  const descent = Math.ceil(Math.log2(total)) * operatorCost + levels * operatorsPerPage * operatorCost;
  const perCheckpoint = (entries * checkpointSeconds) / Math.max(checkpointSeconds, seconds);
  const pagesPerEntry = inOrder ? pages / total : pagesTouched(pages, perCheckpoint) / Math.max(1e-9, perCheckpoint);
  return descent + indexTupleCost + Math.min(1, pagesPerEntry) * (seqPageCost + randomPageCost);
}

/** How many of the pages entries fall into when each falls into any. */
function pagesTouched(pages: number, entries: number): number {
  return pages * -Math.expm1(-entries / pages);
}
