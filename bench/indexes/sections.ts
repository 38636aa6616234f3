/** What is told of a workload: costs at several sizes, the peers that know no size, and what came out when it was built. */
import { parseSync } from 'libpg-query';
import type pg from 'pg';
import type { Server } from '../../lib/postgres/server.ts';
import type { Session } from '../../lib/postgres/session.ts';
import { median } from '../../lib/statistics/median.ts';
import { type Goal, limitGoal, type Section } from '../cache/measure.ts';
import { build } from './built.ts';
import { type Comparison, compare } from './compare.ts';
import { statementsOf, type Workload } from './workloads.ts';

/** So many points may the advisor be worse than Extend. */
const mostWorse = 0.3;

/** Measures one workload. */
export async function sectionsOf(
  session: Session,
  server: Server,
  workload: Workload,
  connected: <Result>(work: (client: pg.Client) => Promise<Result>) => Promise<Result>,
): Promise<Section[]> {
  const { workload: statements, byId } = await statementsOf(workload);
  const comparison = await compare(session, server, statements, workload.budgets);
  const reading = new Map([...byId].filter(([, { sql }]) => /^(?:select|with)\b/i.test(sql.trim()) && reads(sql)));
  // In the middle: neither so little space that nothing changes nor so much that everything does.
  const choice = comparison.choices[3];
  const built = choice ? await connected((client) => build(client, choice, reading)) : [];
  return [
    costSection(workload, comparison),
    unboundedSection(workload, comparison),
    {
      title: `${workload.title}: built`,
      method: `The indexes of the fourth size really built, and each statement that they change run without and with them. Both columns of ratios are after to before.`,
      head: ['statement', 'expected ratio', 'measured ratio', 'before, ms', 'after, ms'],
      rows: built.map(({ name, expected, measured, beforeMs, afterMs }) => [
        name,
        ratio(expected),
        ratio(measured),
        beforeMs.toFixed(2),
        afterMs.toFixed(2),
      ]),
      goals: [
        {
          aim: 'no statement slower than before by more than 10 % and 1 ms',
          measured: `${built.filter(({ beforeMs, afterMs }) => afterMs > beforeMs * 1.1 && afterMs > beforeMs + 1).length} slower`,
          isMet: built.every(({ beforeMs, afterMs }) => !(afterMs > beforeMs * 1.1 && afterMs > beforeMs + 1)),
        },
        {
          aim: 'all statements together, each once',
          measured: `${ratio(sum(built.map(({ afterMs }) => afterMs)) / sum(built.map(({ beforeMs }) => beforeMs)))} of the time; the median of the ratios was expected to be ${ratio(median(built.map(({ expected }) => expected)))} and is ${ratio(median(built.map(({ measured }) => measured)))}`,
          isMet: sum(built.map(({ afterMs }) => afterMs)) <= sum(built.map(({ beforeMs }) => beforeMs)),
        },
      ],
    },
  ];
}

function reads(sql: string): boolean {
  return (parseSync(sql).stmts ?? []).every(({ stmt }) => stmt !== undefined && 'SelectStmt' in stmt);
}

function costSection({ title, name }: Workload, { budgets, ours, plain, extend }: Comparison): Section {
  const worst = Math.max(...plain.cost.map((cost, i) => cost - (extend.cost[i] ?? 0)));
  const worstWithAll = Math.max(...ours.cost.map((cost, i) => cost - (extend.cost[i] ?? 0)));
  const goals: Goal[] = [
    limitGoal('never worse than Extend by more than 0.3 points, with columns alone', mostWorse, worst, ' points'),
    limitGoal('the same, with all kinds of candidates', mostWorse, worstWithAll, ' points'),
    {
      aim: 'at least 4x fewer plans than Extend over all sizes',
      measured: `${(extend.calls / ours.calls).toFixed(1)}x (columns alone: ${(extend.calls / plain.calls).toFixed(1)}x)`,
      isMet: extend.calls >= 4 * ours.calls,
    },
  ];
  if (name === 'saas') {
    const less = ours.cost.slice(0, 4).map((cost, i) => 100 * (1 - cost / (extend.cost[i] ?? Number.NaN)));
    goals.push(
      {
        aim: 'with partial, expression and covering candidates at least 25 % less cost left than Extend at the four tight sizes (median)',
        measured: `${median(less).toFixed(0)} % (${less.map((each) => each.toFixed(0)).join(', ')})`,
        isMet: median(less) >= 25,
      },
      limitGoal('all six sizes in less than a second', 1, ours.ms / 1_000, ' s'),
    );
  }
  return {
    title,
    method:
      'What the workload costs by the planner, in percent of its cost without any index, with the price of writes; in brackets the number of indexes. “Columns alone” chooses among the kinds of indexes that Extend knows. Extend appends up to a second column.',
    head: ['', ...budgets.map((bytes) => `${megabytes(bytes)} MB`), 'plans', 'seconds'],
    rows: (
      [
        ['advisor', ours],
        ['advisor, columns alone', plain],
        ['Extend', extend],
      ] as const
    ).map(([who, { cost, indexes, calls, ms }]) => [
      who,
      ...cost.map((each, i) => `${each.toFixed(2)} (${indexes[i]})`),
      calls.toLocaleString('en'),
      (ms / 1_000).toFixed(1),
    ]),
    goals,
  };
}

function unboundedSection({ title }: Workload, { unbounded }: Comparison): Section {
  const worst = Math.max(...unbounded.map(({ cost, ourPlain, ours }) => Math.min(ourPlain, ours) - cost));
  return {
    title: `${title}: peers that know no size`,
    method: 'Their rules of choice, written anew from their sources, and the advisor with the space that they took.',
    head: ['', 'cost, %', 'indexes', 'MB', 'plans', 'advisor, %', 'columns alone, %'],
    rows: unbounded.map(({ name, cost, indexes, sizeBytes, calls, ours, ourPlain }) => [
      name,
      cost.toFixed(2),
      String(indexes),
      megabytes(sizeBytes),
      String(calls),
      ours.toFixed(2),
      ourPlain.toFixed(2),
    ]),
    goals: [limitGoal('never worse than they are at their size', 0, Math.max(0, worst), ' points')],
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ratio(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 2 });
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toLocaleString('en', { maximumFractionDigits: 1 });
}
