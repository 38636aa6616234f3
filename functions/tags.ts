import type { Part } from '../lib/parts.ts';

/** What answers out of the newest audit of a part are labelled with, at every level of the cache. */
export function answerTag(part: Part, database: string): string {
  return `audit:${part}:${database}`;
}
