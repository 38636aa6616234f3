/**
 * Workloads that were never run: tables of very different sizes, statements that filter and join them, candidates of one to three
 * columns, and a planner that is simple enough to be asked for every set. Random, and the same in every run.
 */
import { type Candidate, candidateOn, definitionOf } from '../../lib/indexes/advisor/candidate.ts';
import { type Cost, type CostSource, fakeSource } from '../../lib/indexes/advisor/cost-source.ts';
import type { Proposal, WeightedStatement } from '../../lib/indexes/advisor/matrix.ts';

/** A workload with everything that a search needs, and the true cost of any set. */
export interface Synthetic {
  statements: WeightedStatement[];
  proposals: Proposal[];
  source: CostSource;
  sizeOf(candidate: Candidate): number;
  writesOf(candidate: Candidate): number;
}

/** How large a workload is. */
export interface Shape {
  tables: number;
  statements: number;
  /** At most; the likeliest are kept. */
  candidates: number;
}

interface Table {
  name: string;
  rows: number;
  /** Of each column the different values. */
  distinct: number[];
  /** Rows that are written in the window. */
  writes: number;
}

/** A table in a statement. */
interface Access {
  table: Table;
  equal: number[];
  range: number | undefined;
  /** The column that it is joined by to the access before it. */
  join: number | undefined;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Makes a workload. */
export function synthetic(seed: number, shape: Shape): Synthetic {
  const random = randomOf(seed);
  const whole = (most: number) => Math.floor(random() * most);
  const tables = Array.from({ length: shape.tables }, (_, i): Table => {
    const rows = Math.round(10 ** (3 + 4 * random()));
    return {
      name: `t${i}`,
      rows,
      distinct: Array.from({ length: 4 + whole(6) }, () => Math.max(2, Math.round(rows ** random()))),
      writes: random() < 0.5 ? 0 : Math.round(rows * random() * 0.1),
    };
  });
  const accesses = Array.from({ length: shape.statements }, () =>
    Array.from({ length: 1 + whole(Math.min(4, shape.tables)) }, (_, i): Access => {
      const table = tables[whole(tables.length)] as Table;
      const column = () => whole(table.distinct.length);
      const equal = Array.from({ length: whole(3) }, column);
      return {
        table,
        equal: [...new Set(equal)],
        range: random() < 0.4 ? column() : undefined,
        join: i > 0 ? column() : undefined,
      };
    }),
  );
  const statements = accesses.map((_, i) => ({ queryId: `q${i}`, weight: Math.round(10 ** (3 * random())) }));
  const proposals = proposalsOf(accesses, shape.candidates);
  const rowsOf = new Map(tables.map((table) => [table.name, table]));
  return {
    statements,
    proposals,
    source: fakeSource((queryId, set) => costOf(accesses[Number(queryId.slice(1))] as Access[], set)),
    sizeOf: ({ table, keys }) => Math.ceil((rowsOf.get(table)?.rows ?? 0) * (12 + 8 * keys.length)) + 16_384,
    writesOf: ({ table }) => 0.5 * (rowsOf.get(table)?.writes ?? 0),
  };
}

const columnName = (column: number) => `c${column}`;

function proposalsOf(accesses: readonly Access[][], most: number): Proposal[] {
  const found = new Map<string, { candidate: Candidate; queryIds: Set<string> }>();
  for (const [i, list] of accesses.entries()) {
    for (const { table, equal, range, join } of list) {
      const tail = range === undefined ? [] : [range];
      const joined = join === undefined ? [] : [join];
      const keys = [
        equal,
        [...equal, ...tail],
        tail,
        joined,
        [...joined, ...equal],
        [...equal, ...joined],
        [...joined, ...tail],
        ...equal.map((column) => [column]),
      ];
      for (const columns of keys) {
        const names = [...new Set(columns)].slice(0, 3).map(columnName);
        if (names.length === 0) continue;
        const candidate = candidateOn('public', table.name, names);
        const entry = found.get(definitionOf(candidate)) ?? { candidate, queryIds: new Set<string>() };
        entry.queryIds.add(`q${i}`);
        found.set(definitionOf(candidate), entry);
      }
    }
  }
  const all = [...found.values()].toSorted((a, b) => b.queryIds.size - a.queryIds.size).slice(0, most);
  return all.map(({ candidate }) => ({
    candidate,
    // A candidate may serve any statement that reads its table.
    queryIds: accesses.flatMap((list, i) =>
      list.some(({ table }) => table.name === candidate.table) ? [`q${i}`] : [],
    ),
    isLikely: true,
  }));
}

/**
 * Tables are read in their order. Each is read as a whole, or by an index on its conditions, or, once for each row that came before,
 * by an index that begins with the column of the join.
 */
function costOf(accesses: readonly Access[], set: readonly Candidate[]): Cost {
  let total = 0;
  let before = 1;
  const used = new Set<string>();
  for (const { table, equal, range, join } of accesses) {
    const share = equal.reduce((left, column) => left / (table.distinct[column] ?? 1), range === undefined ? 1 : 0.2);
    const choices = [{ cost: table.rows / 100 + table.rows * 0.01, candidate: undefined as Candidate | undefined }];
    for (const candidate of set.filter((each) => each.table === table.name)) {
      choices.push({ cost: scan(table, matched(candidate, table, equal, range)), candidate });
      const byJoin = join === undefined ? 1 : matched(candidate, table, [...equal, join], range);
      if (join !== undefined && candidate.keys[0]?.column === columnName(join)) {
        choices.push({ cost: before * scan(table, byJoin), candidate });
      }
    }
    const [best] = choices.toSorted((a, b) => a.cost - b.cost);
    total += best?.cost ?? 0;
    if (best?.candidate) used.add(definitionOf(best.candidate));
    before = Math.max(1, before * (join === undefined ? 1 : 1 / (table.distinct[join] ?? 1)) * table.rows * share);
  }
  return { total, used: [...used] };
}

/** The share of the rows that an index leaves: by its first keys as long as they are equal to something, and one range. */
function matched(
  { keys }: Candidate,
  { distinct }: Table,
  equal: readonly number[],
  range: number | undefined,
): number {
  let share = 1;
  for (const { column } of keys) {
    const place = Number(column?.slice(1));
    if (equal.includes(place)) share /= distinct[place] ?? 1;
    else return range === place ? share * 0.2 : share;
  }
  return share;
}

function scan({ rows }: Table, share: number): number {
  return share === 1 ? rows : 0.4 + rows * share * 0.03;
}
