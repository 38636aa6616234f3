/** Builds the indexes that were chosen, and runs each statement without and with them: is it as much faster as was expected? */
import type pg from 'pg';
import { sqlOf, undoSqlOf } from '../../lib/indexes/advisor/candidate.ts';
import type { Choice } from '../../lib/indexes/advisor/choice.ts';
import { median } from '../../lib/statistics/median.ts';

/** A statement before and after, in the planner's unit and in milliseconds. */
export interface Built {
  name: string;
  expected: number;
  measured: number;
  beforeMs: number;
  afterMs: number;
}

/** So often each statement is run; the median counts. */
const runs = 5;

/** Builds, measures, and takes the indexes away again. @param statements by query id, those that read alone */
export async function build(
  client: pg.Client,
  { indexes, statements: changes }: Choice,
  statements: ReadonlyMap<string, { name: string; sql: string }>,
): Promise<Built[]> {
  const measured = changes.filter(({ queryId }) => statements.has(queryId));
  const sqlFor = (queryId: string) => statements.get(queryId)?.sql ?? '';
  const before = new Map<string, number>();
  for (const { queryId } of measured) before.set(queryId, await timeOf(client, sqlFor(queryId)));
  // Two indexes on the same columns would get the same name.
  const made = indexes.map(({ candidate }, i) => ({
    candidate,
    options: { name: `chosen_${i}`, concurrently: false },
  }));
  for (const { candidate, options } of made) await client.query(sqlOf(candidate, options));
  await client.query('vacuum analyze');
  const built: Built[] = [];
  for (const { queryId, costBefore, costAfter } of measured) {
    const beforeMs = before.get(queryId) ?? Number.NaN;
    const afterMs = await timeOf(client, sqlFor(queryId));
    const { name } = statements.get(queryId) ?? { name: queryId };
    built.push({ name, expected: costAfter / costBefore, measured: afterMs / beforeMs, beforeMs, afterMs });
  }
  for (const { candidate, options } of made) await client.query(undoSqlOf(candidate, options));
  return built;
}

/** By the server's own clock: what the answer takes to travel is no matter of indexes. */
async function timeOf(client: pg.Client, sql: string): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const { rows } = await client.query(`explain (analyze, timing off, summary, format json) ${sql}`);
    const [plan] = rows[0]['QUERY PLAN'] as [{ 'Execution Time': number }];
    times.push(plan['Execution Time']);
  }
  return median(times);
}
