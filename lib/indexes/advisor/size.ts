/**
 * How large a candidate would be right after CREATE INDEX, from what ANALYZE knows of its columns.
 *
 * HypoPG's estimate knows no deduplication: on 40 real indexes it was off by 205 % on average. This one is measured by
 * bench/indexes/sizes.ts. What it cannot know: values that depend on each other (unless extended statistics or keys tell), and how
 * much longer an index becomes by page splits.
 */
import type { Relation } from '../../queries/catalog.ts';
import { brinBytes } from './brin-size.ts';
import { align, type BtreeContent, btreeBytes, type KeyGroup } from './btree-size.ts';
import { type Candidate, type IndexKey, notNull } from './candidate.ts';
import {
  type Combinations,
  columnOf,
  combinationsOf,
  distinctCombinations,
  type Knowledge,
  rowsOf,
} from './distinct.ts';
import { hashBytes } from './hash-size.ts';
import { meanOf, type Storage, storageOf } from './storage.ts';

/** An index entry begins with the row's place, its length and flags; with a bitmap where it holds nulls. */
const headerBytes = 8;
const headerWithNullsBytes = 16;

/** The statistics list at most so many common values: default_statistics_target. */
const listedValues = 100;

/** The bytes of the index. @param relation the table of the candidate */
export function sizeOf(candidate: Candidate, relation: Relation, knowledge: Knowledge = {}): number {
  const entries = entriesOf(candidate, relation);
  switch (candidate.method) {
    case 'btree':
      return btreeBytes(contentOf(candidate, relation, entries, knowledge));
    case 'hash': {
      const column = candidate.keys[0]?.reads[0] ?? '';
      const distinct = distinctCombinations(relation, [column], entries, knowledge);
      return hashBytes(entries, distinct, commonValues(relation, column, { nulls: [], rows: entries, distinct }));
    }
    case 'brin':
      return brinBytes(
        relation.sizeBytes,
        candidate.keys.map((key) => meanOf(partOf(relation, key).storage.lengths)),
      );
  }
}

/** How many rows the index has an entry for. */
export function entriesOf({ predicate }: Candidate, relation: Relation): number {
  return rowsOf(relation) * (predicate?.fraction ?? 1);
}

/** What an entry holds of a column or of an expression. */
interface Part {
  column: string;
  storage: Storage;
}

function contentOf(candidate: Candidate, relation: Relation, entries: number, knowledge: Knowledge): BtreeContent {
  const keys = candidate.keys.map((key) => partOf(relation, key));
  const included = candidate.included.map((column) => partOfColumn(relation, column));
  const combinations = (parts: readonly Part[]) =>
    combinationsOf(
      withoutNulls(relation, candidate),
      parts.map(({ column }) => column),
      entries,
      knowledge,
    );
  const deduplicates = included.length === 0 && keys.every(({ storage }) => storage.deduplicates);
  const isOne = deduplicates && keys.length === 1;
  return {
    groups: combinations(deduplicates ? keys : [...keys, ...included]).flatMap((part) =>
      isOne && part.nulls.length === 0 ? groupsOfValues(part, relation, keys) : groupOf(part, [...keys, ...included]),
    ),
    deduplicates,
    pivotBytes: pivotBytes(keys, (count) => sum(combinations(keys.slice(0, count)).map(({ distinct }) => distinct))),
  };
}

/** An index with the condition that a column is not null holds none of its nulls. */
function withoutNulls(relation: Relation, { predicate }: Candidate): Relation {
  const columns = relation.columns.map((column) =>
    column.statistics && predicate?.sql === notNull(column.name)
      ? { ...column, statistics: { ...column.statistics, nullFraction: 0 } }
      : column,
  );
  return predicate === null ? relation : { ...relation, columns };
}

function partOf(relation: Relation, { column, reads }: IndexKey): Part {
  return partOfColumn(relation, column ?? reads[0] ?? '');
}

function partOfColumn(relation: Relation, name: string): Part {
  return { column: name, storage: storageOf(columnOf(relation, name) ?? { type: 'unknown', statistics: null }) };
}

/** All combinations are as common. */
function groupOf({ nulls, rows, distinct }: Combinations, parts: readonly Part[]): KeyGroup {
  const keys = Math.max(1, distinct);
  const stored = parts.filter(({ column }) => !nulls.includes(column));
  return {
    keys,
    rows: rows / keys,
    isMean: keys > 1,
    entryBytes: bytesOf(stored, nulls.length > 0 ? headerWithNullsBytes : headerBytes),
  };
}

/** The common values of one column, and all others. */
function groupsOfValues(part: Combinations, relation: Relation, parts: readonly Part[]): KeyGroup[] {
  const common = commonValues(relation, parts[0]?.column ?? '', part).slice(0, Math.max(0, Math.floor(part.distinct)));
  const rest = {
    nulls: [],
    rows: Math.max(0, part.rows - sum(common)),
    distinct: Math.max(0, part.distinct - common.length),
  };
  return [...common.map((rows) => groupOf({ nulls: [], rows, distinct: 1 }, parts)), groupOf(rest, parts)];
}

/**
 * The rows of the common values of a column. Only the first and the last of the list are known; those between are taken to fall
 * off as the words of a language do (Zipf). Empty where all values are about as common.
 */
function commonValues(relation: Relation, name: string, { rows, distinct }: Combinations): number[] {
  const statistics = columnOf(relation, name)?.statistics;
  const most = statistics?.commonestFraction ?? 0;
  const least = statistics?.rarestListedFraction ?? 0;
  if (!statistics || least <= 0 || most < 2 * least) return [];
  const count = Math.max(2, Math.min(listedValues, Math.floor(distinct)));
  const slope = Math.log(most / least) / Math.log(count);
  const present = 1 - statistics.nullFraction;
  const shares = Array.from({ length: count }, (_, rank) => most / present / (rank + 1) ** slope);
  const whole = Math.min(1, 1 / sum(shares));
  return shares.map((share) => share * whole * rows);
}

/**
 * The mean of an entry: header and values, each at a multiple of its alignment, and all of it at a multiple of eight. The lengths
 * of the values are taken to have nothing to do with each other.
 */
function bytesOf(parts: readonly Part[], header: number): number {
  let ends = new Map([[header, 1]]);
  for (const { storage } of parts) {
    const next = new Map<number, number>();
    for (const [end, share] of ends) {
      const start = Math.ceil(end / storage.alignment) * storage.alignment;
      for (const [bytes, part] of storage.lengths) {
        next.set(start + bytes, (next.get(start + bytes) ?? 0) + share * part);
      }
    }
    ends = next;
  }
  return sum([...ends].map(([end, share]) => align(end) * share));
}

/**
 * What tells two neighbouring leaves apart: as few key columns as it takes ("Suffix truncation" in the README of nbtree).
 */
function pivotBytes(keys: readonly Part[], distinct: (count: number) => number): number {
  const all = Math.max(1, distinct(keys.length));
  let bytes = 0;
  let told = 0;
  for (let count = 1; count <= keys.length; count++) {
    const share = count === keys.length ? 1 : Math.min(1, distinct(count) / all);
    bytes += Math.max(0, share - told) * bytesOf(keys.slice(0, count), headerBytes);
    told = Math.max(told, share);
  }
  return align(Math.max(headerWithNullsBytes, bytes));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
