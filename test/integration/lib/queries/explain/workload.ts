/** What the tests of explaining share: statements as pg_stat_statements shows them, and a role that may only read. */
import pg from 'pg';
import { readServer } from '../../../../../lib/postgres/server.ts';
import { openSession, type Session } from '../../../../../lib/postgres/session.ts';
import { explainWorkload, type WorkloadLimits } from '../../../../../lib/queries/explain/workload.ts';
import type { Statement, StatementPlan } from '../../../../../lib/queries/snapshot.ts';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { createRole, rolePassword, rowsOf, type TestDatabase } from '../../../database.ts';

/** A statement as an application sends it. */
export interface Sent {
  sql: string;
  values?: readonly unknown[];
}

/** Runs statements, and reads what PostgreSQL keeps of each, masked as it is stored. */
export async function textsOf(database: TestDatabase, statements: readonly Sent[]): Promise<string[]> {
  await loadParser();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const texts: string[] = [];
    for (const { sql, values } of statements) {
      // Of this database alone: other tests look at theirs.
      await client.query(
        'select pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database()',
      );
      await (values ? client.query(sql, [...values]) : client.query(sql));
      const { rows } = await client.query<{ query: string }>(
        `select query from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())
         and query not like '%pg_stat_statements_reset%'`,
      );
      const [row, ...others] = rows;
      if (!row || others.length > 0) throw new Error(`${rows.length} statements were kept instead of one: ${sql}`);
      texts.push(readText(row.query).text);
    }
    return texts;
  } finally {
    await client.end();
  }
}

/** A statement of a workload that is looked at whatever it is. */
export function statement(query: string, { queryId = query, totalMs = 1 } = {}): Statement {
  return { query, kind: 'unknown', queryId, totalMs } as Statement;
}

/** Explains texts on a session, none left out for taking little time. */
export async function explainTexts(
  session: Session,
  texts: readonly string[],
  limits: Partial<WorkloadLimits> = {},
): Promise<StatementPlan[]> {
  await loadParser();
  const { plans } = await explainWorkload(
    session,
    await readServer(session),
    texts.map((text) => statement(text)),
    { deadline: Number.POSITIVE_INFINITY, maxStatements: texts.length, shareCovered: 1, maxSensitive: 0, ...limits },
  );
  return plans;
}

/** Explains one text. */
export async function explainText(session: Session, text: string): Promise<StatementPlan> {
  const [plan] = await explainTexts(session, [text]);
  if (!plan) throw new Error('It is not looked at.');
  return plan;
}

/** The texts that have no plan, and why. */
export function failuresOf(plans: readonly StatementPlan[]): string[] {
  return plans.flatMap(({ queryId, failure }) => (failure ? [`${failure.code}: ${queryId}`] : []));
}

/** A session of a role that has pg_monitor and may read every table, as docs/ asks for. */
export async function openAuditor(database: TestDatabase): Promise<{ session: Session; drop(): Promise<void> }> {
  const name = `auditor_${database.name}`;
  const [version] = await rowsOf<{ server_version_num: string }>(database, 'show server_version_num');
  const isOld = Number(version?.server_version_num) < 140_000;
  const role = await createRole(name, 'pg_monitor', ...(isOld ? [] : ['pg_read_all_data']));
  if (isOld) await grantSelect(database, name);
  const session = await openSession(database.as(name, rolePassword));
  return {
    session,
    drop: async () => {
      await session.close();
      await database.run(`drop owned by "${name}"`);
      await role.drop();
    },
  };
}

/** PostgreSQL 13 has no pg_read_all_data. */
async function grantSelect(database: TestDatabase, role: string): Promise<void> {
  const schemas = await rowsOf<{ name: string }>(
    database,
    "select quote_ident(nspname) as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'",
  );
  for (const { name } of schemas) {
    await database.run(
      `grant usage on schema ${name} to "${role}"`,
      `grant select on all tables in schema ${name} to "${role}"`,
    );
  }
}
