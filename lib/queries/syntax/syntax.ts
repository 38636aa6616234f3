import { repairTokens } from '../explain/repair.ts';
import { parseOne } from '../explain/source.ts';
import type { Statement } from '../snapshot.ts';
import { loadParser } from '../text.ts';
import type { Syntax } from './block.ts';
import { readSyntax } from './read.ts';

// Rules are plain functions that cannot wait: the parser is there before the first of them runs.
await loadParser();

const known = new WeakMap<object, Syntax | undefined>();

/**
 * What a statement says. Undefined where its text was cut off, cannot be parsed, is nested too deeply, or is neither a
 * query nor a change of rows. Each statement is parsed once.
 */
export function syntaxOf(statement: Pick<Statement, 'query'>): Syntax | undefined {
  if (!known.has(statement)) known.set(statement, parse(statement.query));
  return known.get(statement);
}

/** What a text says; as {@link syntaxOf}, without the memory. A text that parses only when repaired is the repaired one. */
export function parse(text: string): Syntax | undefined {
  if (text.endsWith('…')) return undefined;
  const statement = parseOne(text);
  if (statement) return readSyntax(text, statement);
  const repaired = repairTokens(text);
  const again = repaired === text ? undefined : parseOne(repaired);
  return again && readSyntax(repaired, again);
}
