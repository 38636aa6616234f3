import { type Workload as Statements, workloadOfFile } from '../../lib/indexes/advisor/workload.ts';
import type { EmbeddedPostgres } from '../../local/postgres.ts';
import { withClient } from '../queries/client.ts';
import { fillTpch } from '../queries/tpch/generate.ts';
import { queries as all } from '../queries/tpch/queries.ts';
import { schema as tpchSchema } from '../queries/tpch/schema.ts';
import { saasQueries, saasSchema, type Weighed } from './saas.ts';

/** Tables with data, and the statements that indexes are chosen for. */
export interface Workload {
  /** Of the database, too. */
  name: string;
  title: string;
  /** In bytes. */
  budgets: readonly number[];
  /** The two smallest budgets are tight. */
  queries: readonly Weighed[];
  load(server: EmbeddedPostgres): Promise<void>;
}

const megabyte = 1024 ** 2;

/** Without an index on their correlated subqueries these cost so much that nothing else matters; the literature leaves them out. */
const leftOut = new Set(['Q2', 'Q17', 'Q20']);

/** TPC-H without its three extreme statements, each once. @param scale 1: a gigabyte */
export function tpch(scale: number): Workload {
  return {
    name: 'tpch',
    title: `TPC-H, scale ${scale}, 19 statements`,
    budgets: [50, 100, 200, 300, 400, 600].map((megabytes) => megabytes * scale * megabyte),
    queries: all.filter(({ name }) => !leftOut.has(name)).map((query) => ({ ...query, calls: 1 })),
    load: (server) => load(server, 'tpch', [...tpchSchema, ...fillTpch(scale)]),
  };
}

/** A help desk, weighted by calls. @param thousands of its tickets */
export function saas(thousands: number): Workload {
  return {
    name: 'saas',
    title: `A service with an API, ${saasQueries.length} statements weighted by their calls`,
    budgets: [15, 30, 60, 125, 180, 240].map((megabytes) => (megabytes * thousands * megabyte) / 1_000),
    queries: saasQueries,
    load: (server) => load(server, 'saas', saasSchema(thousands)),
  };
}

async function load(server: EmbeddedPostgres, name: string, statements: readonly string[]): Promise<void> {
  await withClient(server.url('postgres'), (client) => client.query(`create database ${name}`));
  await withClient(server.url(name), async (client) => {
    for (const statement of ['create extension hypopg', ...statements]) await client.query(statement);
  });
}

/** The statements as the advisor takes them, and their names and texts by query id. */
export async function statementsOf({ queries }: Pick<Workload, 'queries'>): Promise<{
  workload: Statements;
  byId: ReadonlyMap<string, Weighed>;
}> {
  const texts = queries.map(({ sql }) => sql.replace(/;\s*$/, ''));
  const workload = await workloadOfFile(texts.join(';\n'));
  const byId = new Map(workload.statements.map(({ queryId }, i) => [queryId, queries[i] as Weighed]));
  const counted = workload.statements.map((statement) => ({
    ...statement,
    calls: byId.get(statement.queryId)?.calls ?? 1,
  }));
  return { workload: { ...workload, statements: counted, heavy: counted }, byId };
}
