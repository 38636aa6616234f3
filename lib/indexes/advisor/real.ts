/**
 * Costs with indexes that are really built, for servers without HypoPG. ONLY FOR A COPY of the database: it builds indexes on
 * whole tables, and holds locks on them that stop everybody else until it is closed. Everything happens in one transaction that is
 * rolled back; the copy is as it was afterwards, but for its size on disk until the next VACUUM.
 *
 * Not a {@link import('../../postgres/session.ts').Session}: that one can only read, which is what keeps StreamGate from doing this
 * by mistake.
 *
 * A table whose rows were updated a moment ago may have versions of them that a new index must not serve yet (broken HOT chains):
 * PostgreSQL does not use the index then, and it seems useless. A copy that was restored has none.
 */
import { databaseError } from '../../postgres/errors.ts';
import { readJsonPlan } from '../../queries/plan/json.ts';
import { nodesOf } from '../../queries/plan/tree.ts';
import { attempt } from './attempt.ts';
import { type Candidate, definitionOf, sqlOf, undoSqlOf } from './candidate.ts';
import type { Cost, CostSource } from './cost-source.ts';

/** A connection that may write: a client of `pg` with no transaction open. */
export interface WritingConnection {
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
}

/** What the caller must say. */
export interface RealOptions {
  /** That the database is a copy which nobody else uses. */
  databaseIsACopy: true;
  /** `user@host:port/database`, for messages. */
  where: string;
  /** The statements by their ids, each as a text that EXPLAIN takes as it is. */
  statements: ReadonlyMap<string, string>;
}

/** A source that holds a transaction. */
export interface RealSource extends CostSource {
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
  const run = async (sql: string) => {
    try {
      return (await connection.query(sql)).rows;
    } catch (error) {
      throw databaseError(error, options.where);
    }
  };
  const built = new Map<string, Built>();
  await run('begin');
  return {
    async costs(queryId, sets) {
      const costs: Cost[] = [];
      for (const set of sets) {
        for (const candidate of set) await build(run, built, candidate);
        costs.push(await costWith(run, built, set, options.statements.get(queryId)));
      }
      return costs;
    },
    close: async () => {
      await run('rollback');
    },
  };
}

type Run = (sql: string) => Promise<Record<string, unknown>[]>;

async function build(run: Run, built: Map<string, Built>, candidate: Candidate): Promise<void> {
  const definition = definitionOf(candidate);
  if (built.has(definition)) return;
  const options = { name: `streamgate_candidate_${built.size}`, concurrently: false };
  const isBuilt = await attempt(run, () => run(sqlOf(candidate, options)));
  built.set(definition, { name: options.name, drop: isBuilt === null ? null : undoSqlOf(candidate, options) });
}

async function costWith(
  run: Run,
  built: ReadonlyMap<string, Built>,
  set: readonly Candidate[],
  statement: string | undefined,
): Promise<Cost> {
  const wanted = new Set(set.map(definitionOf));
  await run('savepoint streamgate_set');
  for (const [definition, { drop }] of built) if (drop !== null && !wanted.has(definition)) await run(drop);
  const rows =
    statement === undefined ? null : await attempt(run, () => run(`explain (verbose, format json) ${statement}`));
  await run('rollback to savepoint streamgate_set');
  if (rows === null) return { total: Number.NaN, used: null };
  const plan = readJsonPlan(rows[0]?.['QUERY PLAN']);
  const named = new Set([...nodesOf(plan)].map(({ node }) => node.index));
  const used = [...wanted].filter((definition) => named.has(built.get(definition)?.name));
  return { total: plan.root.estimate.totalCost, used };
}
