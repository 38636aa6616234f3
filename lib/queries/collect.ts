import { beginAttempts } from '../postgres/attempts.ts';
import type { Server } from '../postgres/server.ts';
import type { Session } from '../postgres/session.ts';
import { relationsSql, settingsSql, transactionsSql } from './catalog.sql.ts';
import type { OpenTransaction, PlannerSettings, Relation } from './catalog.ts';
import { explainWorkload } from './explain/workload.ts';
import { nodesOf } from './plan/tree.ts';
import type { QuerySnapshot, StatementPlan } from './snapshot.ts';
import { readStatements } from './statements.ts';
import type { NamedTable } from './text.ts';
import { type EarlierSnapshot, withWindow } from './window.ts';

/** What a collection is told. */
export interface CollectOptions {
  /** After so many milliseconds no further statement is explained, and nothing more is looked up. Default: 20,000. */
  totalMs?: number;
  /** The snapshot that the windows of the statements count from. */
  previous?: EarlierSnapshot | undefined;
}

/** A scheduled audit has a minute on Lambda, and other databases to look at. */
const usualTotalMs = 20_000;

/**
 * Reads the statements of a database, the plans of those that take most of its time, and what the rules need to know of the
 * tables that they use. What cannot be read is said in the notes, with the remedy; when the time is up, what there is by then
 * is the snapshot, and a note says so.
 */
export async function collectQueries(
  session: Session,
  server: Server,
  { totalMs = usualTotalMs, previous }: CollectOptions = {},
): Promise<QuerySnapshot> {
  const takenAt = new Date().toISOString();
  const deadline = Date.now() + totalMs;
  const { attempt, notes } = beginAttempts('queries', totalMs);
  const { texts, tables, ...read } = await readStatements(session, server);
  const settings = await attempt('The settings of the planner', [], () => readSettings(session), null);
  const transactions = await attempt(
    'The open transactions',
    ['queries/long-transaction', 'queries/idle-in-transaction', 'queries/blocked'],
    () => session.read<OpenTransaction>(transactionsSql(server.versionNumber)),
    [],
  );
  const base = { takenAt, server, ...read, windowFrom: null, settings, relations: [], plans: [], transactions };
  const { statements, windowFrom } = withWindow(base, previous);
  const whole = statements.map((statement) => {
    const text = texts.get(statement.queryId);
    return text === undefined ? statement : { ...statement, query: text };
  });
  const explained = await attempt(
    'The plans of the statements',
    ['plans/*'],
    () => explainWorkload(session, server, whole, { deadline }),
    { plans: [], notes: [] },
  );
  const relations = await attempt(
    'The tables that the statements use',
    ['queries/*', 'plans/*'],
    () => readRelations(session, [...tables, ...tablesOf(explained.plans)]),
    [],
  );
  return {
    ...base,
    statements,
    windowFrom,
    relations,
    plans: explained.plans,
    notes: [...read.notes, ...notes, ...explained.notes],
  };
}

/** Reads the settings that decide about plans. */
export async function readSettings(session: Session): Promise<PlannerSettings | null> {
  const [settings] = await session.read<PlannerSettings>(settingsSql);
  return settings ?? null;
}

/** So many names are looked up; a database with more relations than that in its statements is one of many tenants. */
const maxNames = 2_000;

/** Reads what is known of tables and views by their names. */
export async function readRelations(session: Session, tables: readonly NamedTable[]): Promise<Relation[]> {
  const named = new Map(tables.map((table) => [JSON.stringify([table.schema, table.name]), table]));
  const wanted = [...named.values()].slice(0, maxNames);
  if (wanted.length === 0) return [];
  return session.read<Relation>(relationsSql, [
    wanted.map(({ schema }) => schema ?? null),
    wanted.map(({ name }) => name),
  ]);
}

/** The tables that plans scan: those below a view or a partitioned table are named nowhere else. */
export function tablesOf(plans: readonly Pick<StatementPlan, 'plan'>[]): NamedTable[] {
  return plans.flatMap(({ plan }) =>
    plan === null
      ? []
      : [...nodesOf(plan)].flatMap(({ node: { relation } }) =>
          relation ? [{ schema: relation.schema, name: relation.name }] : [],
        ),
  );
}
