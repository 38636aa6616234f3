/** Plans that real servers wrote: `<version>.jsonl` has a plan in each line, `<version>.txt` the same statements as psql shows them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodesOf, type Plan } from '../../../../../lib/queries/plan/tree.ts';

export const versions = [13, 15, 18] as const;

export function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
}

/** What EXPLAIN (ANALYZE, VERBOSE, BUFFERS, WAL, SETTINGS, FORMAT JSON) answered, parsed. */
export function jsonAnswers(version: number): unknown[] {
  return fixture(`${version}.jsonl`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What the same told as text, with psql's frame; by the name of the statement. */
export function textAnswers(version: number): Map<string, string> {
  const parts = fixture(`${version}.txt`).split(/^-- (?=\w)/m);
  return new Map(
    parts.slice(1).map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end + 1)];
    }),
  );
}

/** A plan without what the text format does not tell, and without what differs from run to run. */
export function comparable(plan: Plan): Plan {
  const { planningMs: _, executionMs: __, triggers, ...rest } = structuredClone(plan);
  for (const { node } of nodesOf(rest)) {
    delete node.innerUnique;
    delete node.buffers;
    // A function that is called like its alias cannot be told from one without a name.
    if (node.functionName === undefined || node.functionName === node.alias) delete node.functionName;
    if (node.actual) node.actual = { ...node.actual, startupMs: null, totalMs: null };
    for (const memory of [node.hash, node.hashAggregate, node.memoize]) if (memory) memory.memoryKilobytes = 0;
    for (const sort of node.sorts ?? []) sort.kilobytes = 0;
  }
  return triggers ? { ...rest, triggers: triggers.map((trigger) => ({ ...trigger, totalMs: 0 })) } : rest;
}
