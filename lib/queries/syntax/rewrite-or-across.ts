import { applyEdits } from '../explain/edits.ts';
import type { Block, Syntax } from './block.ts';
import { type Condition, columnsIn } from './condition.ts';
import { hasDistinctRows } from './distinct-rows.ts';
import { callsOnlyPlainFunctions } from './function.ts';
import { indexesBy } from './lookup.ts';
import { as } from './node.ts';
import { type Found, find, findOperand, relationOf, starSources, type Tables } from './resolve.ts';
import { readTokens, type Tokens } from './tokens.ts';
import { familyOf } from './type.ts';

/**
 * `SELECT … WHERE p OR q` over a join becomes `SELECT … WHERE p UNION SELECT … WHERE q`, where p and q ask for columns of
 * different tables, each with an index: an OR across tables can be answered from no index.
 *
 * Proof: a row is answered by the first form if p or q is true for it, and then it is by one side of the second at least.
 * UNION makes one of two rows that are equal: no two rows of the first form are (distinct-rows.ts), and a row that both sides
 * answer is the same one. All is read in one snapshot, and no function could answer something else the second time. Every
 * column answered is of a type that can be compared, and no order, limit or lock depends on the rows being together.
 */
export function rewriteOrAcross({ text, root }: Syntax, tables: Tables): string | undefined {
  const condition = root.where.find((each) => indexedTables(each, root, tables).length > 1);
  if (condition?.is !== 'or' || !isPlain(root) || !isComparable(root, tables) || !hasDistinctRows(root, tables))
    return undefined;
  const tokens = readTokens(text);
  const sides = branchesAt(as('BoolExpr', condition.node)?.location ?? -1, tokens);
  if (sides?.branches.length !== condition.branches.length) return undefined;
  const { from, to } = sides;
  const bytes = Buffer.from(text);
  return sides.branches
    .map((branch) =>
      applyEdits(text, [{ start: from, end: to, text: bytes.subarray(branch.from, branch.to).toString() }]).replace(
        /;\s*$/,
        '',
      ),
    )
    .join('\nunion\n');
}

/** The tables that the branches of an OR ask an indexed column of; none where a branch asks for none, or for several. */
export function indexedTables(condition: Condition, block: Block, tables: Tables): string[] {
  if (condition.is !== 'or') return [];
  const asked = condition.branches.map((branch) => branch.flatMap((each) => indexedColumn(each, block, tables) ?? []));
  if (asked.some((found) => found.length === 0)) return [];
  return [...new Set(asked.flatMap((found) => found.map(({ source }) => source.name ?? '')))];
}

/** The column that a condition compares to a value, if an index finds it. */
function indexedColumn(condition: Condition, block: Block, tables: Tables): Found | undefined {
  const operand =
    condition.is === 'comparison' ? condition.left : condition.is === 'in' ? condition.operand : undefined;
  const found = findOperand(operand, block, tables);
  if (!found?.base || found.block !== block || found.source.optional) return undefined;
  if (condition.is === 'comparison' && columnsIn(condition.right.node).length > 0) return undefined;
  const { relation, column } = found.base;
  return indexesBy(relation, column.name).some(({ method }) => method === 'btree') ? found : undefined;
}

function isPlain(block: Block): boolean {
  const { kind, distinct, groupBy, having, aggregates, windows, orderBy, limit, offset, locks } = block;
  return (
    kind === 'select' &&
    distinct === 'no' &&
    !aggregates &&
    !windows &&
    limit === undefined &&
    offset === undefined &&
    [groupBy, having, orderBy, locks, block.with].every((list) => list.length === 0) &&
    callsOnlyPlainFunctions(block.node)
  );
}

function isComparable(block: Block, tables: Tables): boolean {
  return block.targets.every(({ star, value }) => {
    if (star)
      return starSources(block, star).every(
        (source) => relationOf(source, tables)?.columns.every(({ type }) => familyOf(type)) ?? false,
      );
    const found = value.is === 'column' && find(value.column, block, tables);
    return found && found.base !== undefined && familyOf(found.base.column.type) !== undefined;
  });
}

interface Stretch {
  from: number;
  to: number;
}

/**
 * The branches of the OR whose first word stands at a place. OR binds least, so that they reach from the parenthesis or the
 * WHERE before it to the parenthesis after it or the end of the text.
 */
function branchesAt(place: number, tokens: Tokens): (Stretch & { branches: Stretch[] }) | undefined {
  let before = tokens.at(place);
  if (before < 0) return undefined;
  for (let depth = 0; before >= 0; before--) {
    const word = tokens.all[before]?.text.toLowerCase();
    if (word === ')') depth++;
    if (depth === 0 && (word === '(' || word === 'where')) break;
    if (word === '(') depth--;
  }
  const ends: number[] = [];
  for (let i = tokens.next(before, 'or'); i >= 0; i = tokens.next(i, 'or')) ends.push(i);
  const closing = tokens.are(before, '(') ? tokens.closing(before) : tokens.next(before, ';');
  const last = closing < 0 ? tokens.all.length : closing;
  const bounds = [before, ...ends, last];
  const branches = bounds.slice(1).map((end, i) => ({
    from: tokens.all[(bounds[i] ?? 0) + 1]?.start ?? 0,
    to: tokens.all[end - 1]?.end ?? 0,
  }));
  const [first, final] = [branches[0], branches.at(-1)];
  return first && final && { from: first.from, to: final.to, branches };
}
