/**
 * Costs with indexes that are really built, for servers without HypoPG. ONLY FOR A COPY of the database: it builds indexes on
 * whole tables, and holds locks on them that stop everybody else until it is closed. Everything happens in one transaction that is
 * rolled back; the copy is as it was afterwards, but for its size on disk until the next VACUUM.
 *
 * It takes a connection, not a {@link Session}: that one can only read, which is what keeps StreamGate from doing this by mistake.
 *
 * A table whose rows were updated a moment ago may have versions of them that a new index must not serve yet (broken HOT chains):
 * PostgreSQL does not use the index then, and it seems useless. A copy that was restored has none.
 */
import { databaseError } from '../../postgres/errors.ts';
import { marked, type Read, type ReadAll, type Session } from '../../postgres/session.ts';
import { nodesOf, type Plan } from '../../queries/plan/tree.ts';
import { attempt } from './attempt.ts';
import { type Candidate, definitionOf, sqlOf, undoSqlOf } from './candidate.ts';
import type { Cost, CostSource } from './cost-source.ts';
import type { Planner } from './hypopg.ts';

/** A connection that may write: a client of `pg` with no transaction open. */
export interface WritingConnection {
  query(sql: string, parameters?: unknown[]): Promise<{ rows: object[] }>;
}

/** What the caller must say. */
export interface RealOptions {
  /** That the database is a copy which nobody else uses. */
  databaseIsACopy: true;
  /** `user@host:port/database`, for messages. */
  where: string;
  /** Plans the statements. */
  plan: Planner['plan'];
}

/** A source that holds a transaction. */
export interface RealSource extends CostSource {
  /** A source over the same transaction whose plans must do without some existing indexes, by their quoted names. */
  without(dropped: readonly string[]): CostSource;
  /** Takes everything back. */
  close(): Promise<void>;
}

/** An index in the transaction; where PostgreSQL refused to build it there is none. */
interface Built {
  name: string;
  drop: string | null;
}

/**
 * Builds each candidate when it is first asked for, and keeps it; those that a set lacks are dropped behind a savepoint while the
 * statement is planned.
 *
 * @throws TypeError when the caller does not say that the database is a copy
 */
export async function realSource(connection: WritingConnection, options: RealOptions): Promise<RealSource> {
  if (options.databaseIsACopy !== true) throw new TypeError('Indexes are built on a copy of a database only.');
  const read: Read = async <Row>(sql: string, parameters?: unknown[]) => {
    try {
      return (await connection.query(marked(sql), parameters)).rows as Row[];
    } catch (error) {
      throw databaseError(error, options.where);
    }
  };
  const readAll: ReadAll = async (statements) => {
    const rows: object[][] = [];
    for (const statement of statements) rows.push(await read(statement));
    return rows;
  };
  const inside: Session = {
    where: options.where,
    read,
    transaction: (work) => work(read, readAll),
    close: async () => {},
  };
  const built = new Map<string, Built>();
  // What is asked meanwhile waits: there is one transaction.
  let last: Promise<unknown> = Promise.resolve();
  const sourceWithout = (dropped: readonly string[]): CostSource => {
    const costs: CostSource['costs'] = async (queryId, sets) => {
      const found: Cost[] = [];
      for (const set of sets) {
        for (const candidate of set) await build(read, built, candidate);
        found.push(await costWith(inside, built, set, dropped, () => options.plan(inside, queryId)));
      }
      return found;
    };
    return {
      costs(queryId, sets) {
        const answer = last.then(() => costs(queryId, sets));
        last = answer.catch(() => {});
        return answer;
      },
    };
  };
  await read('begin');
  await read('set local search_path = pg_catalog, pg_temp');
  return {
    ...sourceWithout([]),
    without: sourceWithout,
    close: async () => {
      await read('rollback');
    },
  };
}

async function build(read: Read, built: Map<string, Built>, candidate: Candidate): Promise<void> {
  const definition = definitionOf(candidate);
  if (built.has(definition)) return;
  const options = { name: `streamgate_candidate_${built.size}`, concurrently: false };
  const isBuilt = await attempt(read, () => read(sqlOf(candidate, options)));
  built.set(definition, { name: options.name, drop: isBuilt === null ? null : undoSqlOf(candidate, options) });
}

async function costWith(
  { read }: Session,
  built: ReadonlyMap<string, Built>,
  set: readonly Candidate[],
  dropped: readonly string[],
  plan: () => Promise<Plan | null>,
): Promise<Cost> {
  const wanted = new Set(set.map(definitionOf));
  await read('savepoint streamgate_set');
  for (const [definition, { drop }] of built) if (drop !== null && !wanted.has(definition)) await read(drop);
  for (const name of dropped) await read(`drop index ${name}`);
  const planned = await attempt(read, plan);
  await read('rollback to savepoint streamgate_set');
  if (planned === null) return { total: Number.NaN, used: null };
  const named = new Set([...nodesOf(planned)].map(({ node }) => node.index));
  const used = [...wanted].filter((definition) => named.has(built.get(definition)?.name));
  return { total: planned.root.estimate.totalCost, used };
}
