import pg from 'pg';
import type { Finding } from '../../../../../lib/advice/finding.ts';
import { readServer } from '../../../../../lib/postgres/server.ts';
import { openSession } from '../../../../../lib/postgres/session.ts';
import { relationsSql, settingsSql } from '../../../../../lib/queries/catalog.sql.ts';
import type { PlannerSettings, Relation } from '../../../../../lib/queries/catalog.ts';
import { readJsonPlan } from '../../../../../lib/queries/plan/json.ts';
import { planRules } from '../../../../../lib/queries/plan/rules/index.ts';
import { nodesOf, type Plan } from '../../../../../lib/queries/plan/tree.ts';
import type { Statement } from '../../../../../lib/queries/snapshot.ts';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { querySnapshot, statement as statementOf } from '../../../../unit/snapshots.ts';

/** How a statement is explained: run, or planned for values that nobody knows. */
export type Mode = 'run' | 'generic';

/** What a statement is judged with besides its plan. */
export interface Circumstances {
  /** Settings of the session that explains, as `SET` takes them. */
  settings?: Record<string, string>;
  /** What the counters would tell of the statement. */
  statement?: Partial<Statement>;
  /** Tables that other statements of the audit use. */
  tables?: string[];
  /** Whether nothing of the tables is known, as of a plan that was pasted. */
  pasted?: boolean;
}

/** A plan as PostgreSQL made it now, and what the rules say to it. */
export interface Judged {
  plan: Plan;
  findings: Finding[];
  /** The one finding of a rule; throws where there are several. */
  of(rule: string): Finding | undefined;
  /** The types of the plan's nodes, with their indexes. */
  nodes: string[];
}

/** Explains a statement on a real server, and judges the plan with all rules over plans. */
export async function judge(url: string, mode: Mode, sql: string, circumstances: Circumstances = {}): Promise<Judged> {
  await loadParser();
  const { settings = {}, statement = {}, tables: others = [], pasted = false } = circumstances;
  const plan = await explain(url, mode, sql, settings);
  const { tables, query, kind } = readText(sql);
  const scanned = [...nodesOf(plan)].flatMap(({ node }) => node.relation?.name ?? []);
  const names = [...new Set([...tables.map(({ name }) => name), ...scanned, ...others])];
  const session = await openSession(url);
  try {
    const server = await readServer(session);
    const relations = pasted ? [] : await session.read<Relation>(relationsSql, [names.map(() => null), names]);
    const [planner] = await session.read<PlannerSettings>(settingsSql);
    const findings = planRules.flatMap((rule) =>
      rule.check(
        querySnapshot([statementOf({ queryId: '1', query, kind, ...statement })], {
          server,
          relations,
          settings: pasted || !planner ? null : { ...planner, ...changed(settings) },
          plans: [{ queryId: '1', explainedAs: 'itself', plan, shape: null, failure: null, parameterCosts: null }],
        }),
        rule.options.parse({}),
      ),
    );
    return {
      plan,
      findings,
      of(rule) {
        const found = findings.filter((finding) => finding.rule === rule);
        if (found.length > 1) throw new Error(`${found.length} findings of ${rule}`);
        return found[0];
      },
      nodes: [...nodesOf(plan)].map(({ node }) => (node.index ? `${node.type} ${node.index}` : node.type)),
    };
  } finally {
    await session.close();
  }
}

/** The settings of a session are not those that a new one would have, which the catalog tells. */
function changed(settings: Record<string, string>): Partial<PlannerSettings> {
  const { work_mem: workMem, hash_mem_multiplier: multiplier } = settings;
  return {
    ...(workMem === undefined
      ? {}
      : { workMemKilobytes: Number.parseInt(workMem, 10) * (workMem.endsWith('MB') ? 1024 : 1) }),
    ...(multiplier === undefined ? {} : { hashMemMultiplier: Number(multiplier) }),
  };
}

async function explain(url: string, mode: Mode, sql: string, settings: Record<string, string>): Promise<Plan> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const quiet = { jit: 'off', max_parallel_workers_per_gather: '0', ...settings };
    for (const [name, value] of Object.entries(quiet)) await client.query(`set ${name} = '${value}'`);
    await client.query('begin');
    const rows = await client.query(await explained(client, mode, sql));
    await client.query('rollback');
    return readJsonPlan(rows.rows[0]['QUERY PLAN']);
  } finally {
    await client.end();
  }
}

/** Before PostgreSQL 16 a generic plan is had of a prepared statement only. */
async function explained(client: pg.Client, mode: Mode, sql: string): Promise<string> {
  if (mode === 'run') return `explain (format json, analyze, buffers, settings) ${sql}`;
  const { rows } = await client.query('show server_version_num');
  if (Number(rows[0].server_version_num) >= 160_000) return `explain (format json, generic_plan, settings) ${sql}`;
  await client.query('set local plan_cache_mode = force_generic_plan');
  await client.query(`prepare judged as ${sql}`);
  const parameters = new Set(sql.match(/\$\d+/g)).size;
  const values = parameters > 0 ? `(${Array(parameters).fill('null').join(', ')})` : '';
  return `explain (format json, settings) execute judged${values}`;
}
