import type { Action } from '../../../advice/finding.ts';
import type { PlannerSettings, Relation } from '../../catalog.ts';
import type { Operand, Test } from './conditions.ts';
import { isSameInside, suggestIndex } from './suggest-index.ts';

/** A sentence for the finding, and what to do where there is something. */
export interface Advice {
  note: string;
  action?: Action;
}

/** What to do about a scan that reads much and keeps little. */
export function scanAdvice(
  relation: Relation | undefined,
  tests: readonly Test[],
  settings: PlannerSettings | null,
): Advice {
  if (!relation) return { note: '' };
  const suggestion = suggestIndex(relation, tests);
  if (suggestion.kind === 'create') return { note: '', action: suggestion.action };
  if (suggestion.kind === 'exists') return notChosen(suggestion.index, settings);
  const wanted = new Set(tests.map(({ kind }) => kind));
  if (wanted.has('pattern')) return { note: '', action: { kind: 'code', caution: patterns } };
  if (wanted.has('or')) return { note: '', action: { kind: 'code', caution: alternatives } };
  return { note: ' No b-tree index could answer its condition as it is written.' };
}

/** https://www.postgresql.org/docs/current/pgtrgm.html#PGTRGM-INDEX */
const patterns =
  'A b-tree answers only patterns that begin with fixed characters, and then it needs text_pattern_ops or the C collation. For others make the extension pg_trgm and a GIN index with gin_trgm_ops, or a search column of type tsvector.';

const alternatives =
  'One index cannot answer an OR over several columns: give each column an index of its own, which a BitmapOr joins, or write the statement as a UNION of one SELECT for each.';

function notChosen(index: string, settings: PlannerSettings | null): Advice {
  const cost = settings ? ` (random_page_cost is ${settings.randomPageCost}; 1.1 suits solid state disks)` : '';
  return {
    note: ` The index ${index} could answer it, and was not chosen.`,
    action: {
      kind: 'code',
      caution: `Find out why ${index} is not used: a parameter of another type than the column, another collation, a condition that the partial index does not know, or costs${cost}. SET enable_seqscan = off in one session shows the plan with it.`,
    },
  };
}

/** A tested expression of a column whose index it keeps from being used. */
export interface Hidden {
  operand: Operand;
  index: string;
  type: string;
}

/** The first test of a column that has an index, inside a cast or a call for which there is none. */
export function hiddenIndex(relation: Relation, tests: readonly Test[]): Hidden | undefined {
  for (const { kind, operands } of tests) {
    const [operand] = kind === 'equality' || kind === 'range' ? operands : [];
    const column = relation.columns.find(({ name }) => name === operand?.column);
    if (!operand || !column || (operand.call === null && isSameInside(column.type, operand.cast))) continue;
    const index = relation.indexes.find(
      ({ valid, method, predicate, columns: [first] }) =>
        valid && method === 'btree' && predicate === null && first === column.name,
    );
    if (index) return { operand, index: index.name, type: column.type };
  }
  return undefined;
}
