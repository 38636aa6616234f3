import type { AnyRule } from '../../../../../../lib/advice/configuration.ts';
import { Finding } from '../../../../../../lib/advice/finding.ts';
import type { Column, PlannerSettings, Relation } from '../../../../../../lib/queries/catalog.ts';
import type { Plan, PlanNode } from '../../../../../../lib/queries/plan/tree.ts';
import type { Past, Statement, StatementPlan } from '../../../../../../lib/queries/snapshot.ts';
import {
  column,
  planNode,
  plannerSettings,
  querySnapshot,
  relation,
  server,
  statement,
  statementPlan,
} from '../../../../snapshots.ts';

/** What a rule is given besides the root of the plan. */
export interface Given {
  options?: object;
  statement?: Partial<Statement> | null;
  relations?: Relation[];
  settings?: Partial<PlannerSettings> | null;
  plan?: Omit<Partial<Plan>, 'root'>;
  explained?: Partial<StatementPlan>;
  windowFrom?: string;
  versionNumber?: number;
  past?: Past;
}

/** Runs a rule over the plan of one statement, which was never called unless told otherwise. */
export function check(rule: AnyRule, root: PlanNode, given: Given = {}): Finding[] {
  return checkPlans(rule, [statementPlan(root, { plan: { root, ...given.plan }, ...given.explained })], given);
}

/** Runs a rule over several plans. */
export function checkPlans(rule: AnyRule, plans: StatementPlan[], given: Given = {}): Finding[] {
  const statements = given.statement === null ? [] : [statement({ calls: 0, rows: 0, ...given.statement })];
  const snapshot = querySnapshot(statements, {
    plans,
    relations: given.relations ?? [],
    settings: given.settings === null ? null : plannerSettings(given.settings),
    windowFrom: given.windowFrom ?? null,
    server: server(given.versionNumber === undefined ? {} : { versionNumber: given.versionNumber }),
  });
  const input = given.past ? { ...snapshot, past: given.past } : snapshot;
  // Whatever a test is about, its findings must be fit to be kept.
  return rule.check(input, rule.options.parse(given.options ?? {})).map((finding) => Finding.parse(finding));
}

type Actual = Partial<NonNullable<PlanNode['actual']>>;

/** What a node measured: one loop of as many milliseconds as it has rows in thousands. */
export function actual(rows: number, overrides: Actual = {}): NonNullable<PlanNode['actual']> {
  return { rows, loops: 1, startupMs: 0, totalMs: Math.max(1, rows / 1_000), ...overrides };
}

/** The estimate of so many rows. */
export function estimate(rows: number, overrides: Partial<PlanNode['estimate']> = {}): PlanNode['estimate'] {
  return { startupCost: 0, totalCost: 10_000, rows, width: 40, ...overrides };
}

/** A node that scans a table. */
export function scan(table: string, overrides: Partial<PlanNode> = {}): PlanNode {
  return planNode({ relation: { name: table, alias: table }, estimate: estimate(1_000), ...overrides });
}

/** A node over others, the first of which is its outer one. */
export function over(children: PlanNode[], overrides: Partial<PlanNode> = {}): PlanNode {
  const sides = ['Outer', 'Inner'] as const;
  return planNode({
    estimate: estimate(1_000),
    children: children.map((child, i) => ({ relationship: sides[i] ?? 'Member', ...child })),
    ...overrides,
  });
}

/** A million orders of fifty thousand customers. */
export function orders(overrides: Partial<Relation> = {}): Relation {
  return relation('orders', {
    rows: 1_000_000,
    liveRows: 1_000_000,
    columns: [
      withValues('id', 1_000_000),
      withValues('customer_id', 50_000),
      withValues('status', 5, { type: 'text' }),
      withValues('created_at', 900_000, { type: 'timestamp without time zone' }),
      withValues('email', 900_000, { type: 'text' }),
    ],
    ...overrides,
  });
}

/** A column with so many different values. */
export function withValues(name: string, distinct: number, overrides: Partial<Column> = {}): Column {
  const { statistics } = column(name);
  return column(name, { statistics: statistics && { ...statistics, distinct }, ...overrides });
}
