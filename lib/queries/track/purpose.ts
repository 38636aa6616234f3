/**
 * What a statement is for: it reads, or changes rows, one after the other as a list is gone through; or else it is of no
 * such kind, and the same ones come again and again in any application.
 */
export type Purpose = 'read' | 'write' | 'other';

const writes: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge']);
const reads: ReadonlySet<string> = new Set(['select', 'values', 'table', 'execute', 'call']);

/** What a statement is for whose text is masked. */
export function purposeOf(query: string): Purpose {
  const verb = verbOf(query);
  if (writes.has(verb)) return 'write';
  // As SET LOCAL does, it sets something for a transaction: mostly who is asking.
  if (/^select set_config ?\(/i.test(query)) return 'other';
  return reads.has(verb) ? 'read' : 'other';
}

/** The first word, in lower case; behind a WITH that of the statement which it is for. */
function verbOf(query: string): string {
  let depth = 0;
  let isWith = false;
  for (const [token] of query.matchAll(/"[^"]*"|[()]|\w+/g)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else {
      const word = token.toLowerCase();
      if (!isWith && word !== 'with') return word;
      isWith = true;
      if (depth === 0 && (writes.has(word) || reads.has(word))) return word;
    }
  }
  return '';
}
