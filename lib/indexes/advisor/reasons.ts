/** Why each column of an index stands where it stands: what the statements do with it. */
import { plural } from '../../advice/format.ts';
import type { Candidate, IndexKey } from './candidate.ts';
import type { ColumnUse } from './candidates.ts';

/** A column of an index, or its condition, and why it is there. */
export interface Reason {
  /** As it stands in the index: a column, an expression, or the condition. */
  part: string;
  place: 'key' | 'included' | 'condition';
  why: string;
}

/** Explains each part of an index. @param uses what the statements that it helps do with its table */
export function reasonsFor(candidate: Candidate, uses: readonly ColumnUse[]): Reason[] {
  const { keys, included, predicate, method } = candidate;
  const own = uses.filter(({ schema, table }) => schema === candidate.schema && table === candidate.table);
  const reasons = keys.map(
    (key, place): Reason => ({
      part: key.column ?? key.expression ?? '',
      place: 'key',
      why: `${rolesOf(key, own)}${placeOf(place, keys, own)}${methods[method]}.`,
    }),
  );
  for (const column of included) {
    const readers = own.filter(({ projected }) => projected?.includes(column));
    const why = `Read by ${countOf(readers)}, which need not look into the table then.`;
    reasons.push({ part: column, place: 'included', why });
  }
  if (predicate) {
    const percent = (100 * predicate.fraction).toLocaleString('en-US', { maximumSignificantDigits: 2 });
    reasons.push({
      part: predicate.sql,
      place: 'condition',
      why: `Only these rows, about ${percent} % of the table, are asked for.`,
    });
  }
  return reasons;
}

const methods = {
  btree: '',
  hash: '; a hash of the wide value takes less space',
  brin: '; its values lie in order on disk, so that a summary of each part of the table is enough',
} as const;

function countOf(uses: readonly ColumnUse[]): string {
  return plural(new Set(uses.map(({ queryId }) => queryId)).size, 'statement');
}

/** What the statements do with a key, the commonest first. */
function rolesOf(key: IndexKey, uses: readonly ColumnUse[]): string {
  const roles = (
    [
      ['compared for equality', uses.filter((use) => isEqual(key, use))],
      ['joined by', uses.filter(({ join }) => key.column !== null && join.includes(key.column))],
      ['compared by order', uses.filter((use) => isRange(key, use))],
      ['sorted by', uses.filter((use) => isOrdered(key, use))],
      ['grouped by', uses.filter(({ group }) => key.column !== null && group.includes(key.column))],
      ['read', uses.filter(({ projected }) => key.column !== null && projected?.includes(key.column))],
    ] as const
  ).filter(([, found]) => found.length > 0);
  const told = roles.filter(([role], i) => role !== 'read' || i === 0);
  const text = told.map(([role, found]) => `${role} in ${countOf(found)}`).join(', ');
  return text === '' ? 'Needed by the statements that it helps' : text.charAt(0).toUpperCase() + text.slice(1);
}

function isEqual({ column, expression }: IndexKey, { equality, expressions }: ColumnUse): boolean {
  if (column !== null) return equality.includes(column);
  return expressions.some(({ sql, role }) => sql === expression && role === 'equality');
}

function isRange({ column, expression }: IndexKey, { range, expressions }: ColumnUse): boolean {
  if (column !== null) return range.includes(column);
  return expressions.some(({ sql, role }) => sql === expression && role === 'range');
}

function isOrdered({ column, expression }: IndexKey, { order, expressions }: ColumnUse): boolean {
  if (column !== null) return order.some((item) => item.column === column);
  return expressions.some(({ sql, role }) => sql === expression && role === 'order');
}

/** What the place among the keys has to do with it. */
function placeOf(place: number, keys: readonly IndexKey[], uses: readonly ColumnUse[]): string {
  if (keys.length === 1) return '';
  const key = keys[place] as IndexKey;
  const finds = (each: IndexKey) => uses.some((use) => isEqual(each, use) || use.join.includes(each.column ?? ''));
  if (finds(key)) return place === 0 ? '; first, because what is equal comes before ranges and orders' : '';
  if (place > 0 && uses.some((use) => isRange(key, use) || isOrdered(key, use))) {
    return '; behind the columns that are equal, for among rows that agree in these its order is kept';
  }
  return '';
}
