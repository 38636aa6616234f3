import { escapeIdentifier } from 'pg';
import * as z from 'zod';
import type { Action } from '../../../advice/finding.ts';
import { count } from '../../../advice/format.ts';
import type { Relation } from '../../catalog.ts';
import type { Block } from '../../syntax/block.ts';
import { type Condition, columnsIn, type Operand } from '../../syntax/condition.ts';
import { shapeOf } from '../../syntax/expression.ts';
import { conditionsOf, indexesBy, isFoundOtherwise, rowsOf, stored } from '../../syntax/lookup.ts';
import { parse } from '../../syntax/syntax.ts';
import { familyOf } from '../../syntax/type.ts';
import { createIndex } from './create-index.ts';
import { type Case, firstVerdict, readsTable, statementRule, type Verdict, worth } from './statement-rule.ts';

/**
 * `queries/leading-wildcard`: LIKE, ILIKE or a regular expression that no b-tree can answer: it finds a text by how it
 * begins, in the case that it has (https://www.postgresql.org/docs/current/indexes-types.html#INDEXES-TYPES-BTREE). A trigram
 * index finds it by any part of it (https://www.postgresql.org/docs/current/pgtrgm.html).
 *
 * Constants are masked, so that a pattern is judged by what can be known: that case is ignored; that it is put together and
 * begins with a constant; or else that a call reads a large part of the table. Nothing is said where the column has a trigram
 * index, or where something else that is asked finds the rows.
 */
export const leadingWildcard = statementRule({
  id: 'queries/leading-wildcard',
  title: 'Search inside of texts without a trigram index',
  why: 'A b-tree finds a text by its beginning only, so that every row of the table is read and compared.',
  severity: 'warning',
  options: z.strictObject({
    ...worth(),
    ...readsTable,
    /** The part of the table that a call reads, where only that tells what the pattern is. */
    minTablePercent: z.number().min(0).max(100).default(50),
  }),
  judge(statement) {
    if (statement.blocksPerCall < statement.options.minBlocksPerCall) return undefined;
    return firstVerdict(conditionsOf(statement.syntax), ({ block, condition }) =>
      firstVerdict(patternsIn(condition), (pattern) => judgePattern(statement, block, condition, pattern)),
    );
  },
});

type Pattern = Condition & { is: 'pattern' };

/** The pattern that a condition is, or those that its OR needs an index for. */
function patternsIn(condition: Condition): Pattern[] {
  const all = condition.is === 'or' ? condition.branches.flat() : [condition];
  return all.flatMap((each) => (each.is === 'pattern' && !each.negated ? each : []));
}

function judgePattern(
  { tables, options, blocksPerCall, input }: Case<{ minRows: number; minTablePercent: number }>,
  block: Block,
  condition: Condition,
  pattern: Pattern,
): Verdict | undefined {
  const searched = under(pattern.operand);
  const found = stored(searched, block, tables);
  if (!found || columnsIn(pattern.pattern.node).length > 0) return undefined;
  const { relation, column } = found.base;
  if (rowsOf(relation) < options.minRows || hasTrigramIndex(relation, pattern.operand)) return undefined;
  if (isFoundOtherwise(block, found.source, condition, tables)) return undefined;
  const readPercent = Math.min(100, (100 * blocksPerCall * input.server.blockBytes) / Math.max(relation.sizeBytes, 1));
  const reason = reasonOf(pattern);
  if (reason === undefined && (readPercent < options.minTablePercent || relation.sizeBytes === 0)) return undefined;
  return {
    relation,
    title: `A search inside of ${relation.table}.${column.name} has no index`,
    detail: `${reason ?? `A call reads about ${count(readPercent)} % of ${relation.table}: the pattern begins with a wildcard, or no index knows how texts begin.`}`,
    evidence: { column: column.name, tableRows: rowsOf(relation), tablePercent: Math.round(readPercent) },
    action: trigramIndex(relation, column, pattern, 'pg_trgm' in input.server.extensions),
  };
}

/** What tells that no b-tree can answer a pattern; undefined where only what is read can tell. */
function reasonOf({ ignoresCase, matcher, pattern }: Pattern): string | undefined {
  if (ignoresCase) return `${matcher === 'regex' ? '~*' : 'ILIKE'} ignores case, which no b-tree does.`;
  return beginsWithConstant(pattern)
    ? 'The pattern is put together and begins with a constant: a wildcard.'
    : undefined;
}

/**
 * Whether a pattern is put together and begins with a constant of the text. PostgreSQL numbers the constants behind the
 * parameters: of `'%' || $1` it makes `$2 || $1`, of `$1 || '%'` it makes `$1 || $2`.
 */
function beginsWithConstant(pattern: Operand): boolean {
  const numbers = partsOf(pattern).map((part) => (part.is === 'parameter' ? part.number : 0));
  const [first = 0, ...others] = numbers;
  return others.length > 0 && !numbers.includes(0) && (others.length >= 2 || first > Math.min(...others));
}

/** What `||` and concat() put together, in their order. */
function partsOf(operand: Operand): Operand[] {
  if (operand.is === 'cast') return partsOf(operand.of);
  if (operand.is === 'call' && operand.name === 'concat') return operand.arguments.flatMap(partsOf);
  if (operand.is !== 'operation' || operand.operator !== '||') return [operand];
  return [operand.left, operand.right].flatMap((side) => (side ? partsOf(side) : []));
}

/** The column under lower(), upper() or a cast. */
function under(operand: Operand): Operand {
  if (operand.is === 'cast') return under(operand.of);
  const [first] = operand.is === 'call' && /^(?:lower|upper)$/.test(operand.name) ? operand.arguments : [];
  return first ? under(first) : operand;
}

/** Whether some index splits the texts that are searched into parts: pg_trgm's, or pg_bigm's. */
function hasTrigramIndex({ indexes }: Relation, searched: Operand): boolean {
  const wanted = shapeOf(searched.node);
  return indexes.some(({ valid, columns, expressions, operatorClasses }) =>
    operatorClasses.some((operatorClass, i) => {
      const expression = expressions[i];
      const shape = expression ? parse(`select ${expression}`)?.root.targets[0]?.node : undefined;
      const same = columns[i]
        ? JSON.stringify(columns[i]) === shapeOf(under(searched).node)
        : shape && shapeOf(shape) === wanted;
      return valid && /trgm|bigm/.test(operatorClass) && same;
    }),
  );
}

function trigramIndex(
  relation: Relation,
  column: { name: string; type: string },
  { operand }: Pattern,
  hasExtension: boolean,
): Action {
  const prefix = indexesBy(relation, column.name).some(({ operatorClasses }) =>
    /pattern_ops/.test(operatorClasses[0] ?? ''),
  );
  const beginning = prefix
    ? ''
    : ' If the pattern only ever ends with a wildcard, a b-tree with text_pattern_ops is smaller and will do.';
  const name = operand.is === 'call' ? operand.name : '';
  if (familyOf(column.type) !== 'text')
    return { kind: 'code', caution: `A trigram index takes text: keep ${column.name} as text.${beginning}` };
  const key = name === '' ? { column: column.name } : { expression: `${name}(${escapeIdentifier(column.name)})` };
  return createIndex(
    relation,
    {
      ...key,
      operatorClass: 'gin_trgm_ops',
      method: 'gin',
      before: hasExtension ? '' : 'CREATE EXTENSION IF NOT EXISTS pg_trgm;\n',
    },
    `A trigram index is about as large as the texts and makes writes slower; it is of no use for patterns of fewer than three letters in a row.${beginning}`,
  );
}
