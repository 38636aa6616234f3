/**
 * Costs with indexes that are really built, for servers without HypoPG. ONLY FOR A COPY of the database: it builds indexes on
 * whole tables, and holds locks on them that stop everybody else until it is closed. Everything happens in one transaction that is
 * rolled back; the copy is as it was afterwards, but for its size on disk until the next VACUUM.
 *
 * Not a {@link import('../../postgres/session.ts').Session}: that one can only read, which is what keeps StreamGate from doing this
 * by mistake.
 */
import { databaseError, sqlState } from '../../postgres/errors.ts';
import { readJsonPlan } from '../../queries/plan/json.ts';
import { nodesOf } from '../../queries/plan/tree.ts';
import { type Candidate, definitionOf, nameOf, sqlOf } from './candidate.ts';
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
  /** The statements, each as text that EXPLAIN takes as it is. */
  statements: ReadonlyMap<string, string>;
}

/** A source that holds a transaction. */
export interface RealSource extends CostSource {
  /** Takes everything back. */
  close(): Promise<void>;
}

/**
 * Builds each candidate when it is first asked for, and keeps it; what a set lacks of them is dropped behind a savepoint while the
 * statement is planned.
 *
 * @throws TypeError when the caller does not say that the database is a copy
 */
export async function realSource(
  connection: WritingConnection,
  { databaseIsACopy, where, statements }: RealOptions,
): Promise<RealSource> {
  if (databaseIsACopy !== true) throw new TypeError('Indexes are built on a copy of a database only.');
  const run = async (sql: string) => {
    try {
      return (await connection.query(sql)).rows;
    } catch (error) {
      throw databaseError(error, where);
    }
  };
  const built = new Map<string, { name: string; drop: string }>();
  await run('begin');
  return {
    async costs(queryId, sets) {
      const costs: Cost[] = [];
      for (const set of sets) {
        for (const candidate of set) await build(run, built, candidate);
        costs.push(await costWith(run, built, set, statements.get(queryId)));
      }
      return costs;
    },
    close: async () => {
      await run('rollback');
    },
  };
}

type Run = (sql: string) => Promise<Record<string, unknown>[]>;

async function build(run: Run, built: Map<string, { name: string; drop: string }>, candidate: Candidate): Promise<void> {
  const definition = definitionOf(candidate);
  if (built.has(definition)) return;
  const taken = [...built.values()].map(({ name }) => name);
  const name = nameOf(candidate, taken);
  const isBuilt = await attempt(run, () => run(sqlOf(candidate, { taken, concurrently: false })));
  const drop = isBuilt ? dropSql(candidate, name) : '';
  built.set(definition, { name, drop });
}

async function costWith(
  run: Run,
  built: ReadonlyMap<string, { name: string; drop: string }>,
  set: readonly Candidate[],
  statement: string | undefined,
): Promise<Cost> {
  const wanted = new Set(set.map(definitionOf));
  const others = [...built].filter(([definition, { drop }]) => !wanted.has(definition) && drop !== '');
  await run('savepoint streamgate_set');
  for (const [, { drop }] of others) await run(drop);
  const rows = statement === undefined ? null : await attempt(run, () => run(`explain (verbose, format json) ${statement}`));
  await run('rollback to savepoint streamgate_set');
  if (rows === null) return { total: Number.NaN, used: null };
  const plan = readJsonPlan(rows[0]?.['QUERY PLAN']);
  const named = new Set([...nodesOf(plan)].map(({ node }) => node.index));
  const used = [...wanted].filter((definition) => named.has(built.get(definition)?.name ?? ''));
  return { total: plan.root.estimate.totalCost, used };
}
