import pc from 'picocolors';
import { bytes, count, plural, shortened } from '../../lib/advice/format.ts';
import type { DatabaseAdvice, ProposedIndex } from '../../lib/indexes/advisor/advise-database.ts';
import type { Server } from '../../lib/postgres/server.ts';
import { harmless } from './harmless.ts';

type Colours = ReturnType<typeof pc.createColors>;

/** So many statements are shown for an index; JSON has them all. */
const shownStatements = 5;

/** So much of a statement is shown. */
const shownLetters = 90;

const methods = {
  hypopg: 'costs by PostgreSQL with HypoPG',
  copy: 'costs by PostgreSQL with indexes that were built and taken back',
  estimate: 'costs are rough estimates',
} as const;

/** The advice for a person at a terminal: what to create, what it helps, and what it costs. */
export function adviceText(server: Server, told: DatabaseAdvice, colour: boolean): string {
  const ink = pc.createColors(colour);
  const advice = harmless(told);
  const { indexes, removals, unverified, notes } = advice;
  const lines = [
    ink.bold(`${server.database} on PostgreSQL ${server.version}`) + ink.dim(` · ${methods[advice.method]}`),
    '',
    ...indexes.flatMap((index) => [...indexLines(index, advice, ink), '']),
  ];
  for (const { sql, replacedBy, isVerified } of removals) {
    lines.push(
      `${ink.green(sql)}`,
      ink.dim(`  once ${replacedBy} is there, which does all that it does${isVerified ? '' : ' (look with EXPLAIN)'}`),
      '',
    );
  }
  for (const { sql, why, queryIds } of unverified) {
    lines.push(`${ink.dim('not verified')}  ${sql}`, ink.dim(`  ${why} ${plural(queryIds.length, 'statement')}.`), '');
  }
  for (const { message } of notes) lines.push(`${ink.dim('note')}  ${message}`);
  if (notes.length > 0) lines.push('');
  lines.push(summary(advice));
  return `${lines.join('\n')}\n`;
}

function indexLines(
  { sql, sizeBytes, gain, write, why, helps, caution }: ProposedIndex,
  { workload, queries }: DatabaseAdvice,
  ink: Colours,
): string[] {
  const byId = new Map(queries.map((query) => [query.queryId, query]));
  const weightOf = (queryId: string) => byId.get(queryId)?.weight ?? 0;
  const better = helps
    .filter(({ costBefore, costAfter }) => costAfter < costBefore)
    .toSorted(
      (a, b) => weightOf(b.queryId) * (b.costBefore - b.costAfter) - weightOf(a.queryId) * (a.costBefore - a.costAfter),
    );
  const writes = write.cost > 0 ? `; writing it costs ${percent(write.cost, workload.costBefore)}` : '';
  return [
    ink.green(sql),
    `  ${bytes(sizeBytes)}, saves ${percent(gain, workload.costBefore)} of the workload${writes}`,
    ...why.map(({ part, place, why: reason }) => ink.dim(`  ${place === 'key' ? '' : `${place} `}${part}: ${reason}`)),
    ...better.slice(0, shownStatements).map(({ queryId, costBefore, costAfter }) => {
      return `  ${cost(costBefore)} to ${cost(costAfter)}  ${ink.dim(shortened(byId.get(queryId)?.sql ?? '', shownLetters))}`;
    }),
    ...(better.length > shownStatements
      ? [`  … and ${plural(better.length - shownStatements, 'statement')} more`]
      : []),
    ink.dim(`  ${caution}`),
  ];
}

function summary({ indexes, workload, budgetBytes, front }: DatabaseAdvice): string {
  if (indexes.length === 0) return 'No index would help this workload more than it costs.';
  const left = (100 * workload.costAfter) / workload.costBefore;
  const within = budgetBytes === null ? '' : ` (of ${bytes(budgetBytes)})`;
  const lines = [
    `${plural(indexes.length, 'index', 'indexes')} of ${bytes(workload.sizeBytes)}${within}: the workload would cost ${left.toFixed(1)} % of what it costs.`,
  ];
  const others = front.filter(({ sizeBytes }) => sizeBytes > 0 && sizeBytes < workload.sizeBytes);
  const step = Math.max(1, Math.ceil(others.length / 4));
  const shown = others
    .filter((_, i) => i % step === 0)
    .map(({ sizeBytes, cost: total }) => `${bytes(sizeBytes)}: ${((100 * total) / workload.costBefore).toFixed(1)} %`);
  if (shown.length > 0) lines.push(`With less space: ${shown.join(', ')}.`);
  return lines.join('\n');
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(whole, Number.MIN_VALUE)).toLocaleString('en-US', { maximumSignificantDigits: 2 })} %`;
}

function cost(value: number): string {
  return value < 10 ? value.toFixed(1) : count(value);
}
