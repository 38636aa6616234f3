/** What the statements of a workload write to each table: what an index more would have to follow. */
import type { Relation } from '../../queries/catalog.ts';
import { relationOf, tablesOf } from '../../queries/syntax/resolve.ts';
import { parse } from '../../queries/syntax/syntax.ts';
import type { WorkloadStatement } from './workload.ts';
import type { Writes } from './writes.ts';

/** Where the time of a workload is unknown its writes are taken to come between two checkpoints. */
const unknownSeconds = 300;

const nothing: Writes = { inserts: 0, updates: 0, hotUpdates: 0, deletes: 0, updatesOf: {}, seconds: unknownSeconds };

/**
 * Adds up what statements write, by table. Which of the updates are heap-only is taken from the counters of the table. A statement
 * of which nobody counted the rows writes one row a call. What writes inside a WITH is not seen.
 */
export function writesOf(
  statements: readonly WorkloadStatement[],
  relations: readonly Relation[],
  seconds: number,
): ReadonlyMap<Relation, Writes> {
  const tables = tablesOf(relations);
  const found = new Map<Relation, Writes>();
  for (const { text, calls, rows } of statements) {
    const root = parse(text)?.root;
    const [target] = root?.sources ?? [];
    const relation = target && relationOf(target, tables);
    if (!root || !relation || !/^(?:insert|update|delete|merge)$/.test(root.kind)) continue;
    const before = found.get(relation) ?? { ...nothing, seconds: seconds || unknownSeconds };
    found.set(relation, added(before, relation, root, rows ?? calls));
  }
  return found;
}

function added(
  writes: Writes,
  { updates, hotUpdates }: Relation,
  { kind, assignments }: { kind: string; assignments: readonly { column: string }[] },
  rows: number,
): Writes {
  if (kind === 'insert') return { ...writes, inserts: writes.inserts + rows };
  if (kind === 'delete') return { ...writes, deletes: writes.deletes + rows };
  const hotShare = updates > 0 ? Math.min(1, hotUpdates / updates) : 0;
  const columns = new Set(assignments.map(({ column }) => column));
  const updatesOf = [...columns].map((column) => [column, (writes.updatesOf[column] ?? 0) + rows] as const);
  return {
    ...writes,
    updates: writes.updates + rows,
    hotUpdates: writes.hotUpdates + rows * hotShare,
    updatesOf: { ...writes.updatesOf, ...Object.fromEntries(updatesOf) },
  };
}

/** What is written to a table that no statement writes to. */
export const noWrites: Writes = nothing;
