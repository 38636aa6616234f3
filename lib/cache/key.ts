import { CacheError } from './errors.ts';

/** The longest key, and the longest tag, in bytes of UTF-8. */
export const maxKeyBytes = 1_024;

/** The most tags that an entry may have: CloudFront reads no more of an object. */
export const maxTags = 50;

/**
 * The text of an identifier that is not a string. Objects are written as JSON with their properties in order,
 * so that `{ a: 1, b: 2 }` and `{ b: 2, a: 1 }` are the same key; properties that are undefined do not count.
 *
 * @throws CacheError `key-invalid` for what has no such text: undefined, functions, symbols
 */
export function textOf(id: unknown): string {
  if (typeof id === 'string') return id;
  const text = typeof id === 'bigint' ? String(id) : JSON.stringify(id, ordered);
  if (text !== undefined) return text;
  throw new CacheError(
    'key-invalid',
    `A ${typeof id} cannot be a key. Give a string, a number or a plain object, or define the cache with \`key: (id) => string\`.`,
  );
}

function ordered(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws CacheError `key-invalid` unless it is a well-formed text of 1 to {@link maxKeyBytes} bytes */
export function checkKey(key: string): string {
  checkText(key, 'key', 'key-invalid');
  return key;
}

/** @throws CacheError `tag-invalid` unless there are at most {@link maxTags}, each a text of 1 to {@link maxKeyBytes} bytes */
export function checkTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags)) throw new CacheError('tag-invalid', 'The tags are not an array of strings.');
  if (tags.length > maxTags) {
    throw new CacheError('tag-invalid', `There are ${tags.length} tags; an entry takes ${maxTags}. Use broader ones.`);
  }
  for (const tag of tags) checkText(tag, 'tag', 'tag-invalid');
  return tags;
}

function checkText(text: string, what: string, code: 'key-invalid' | 'tag-invalid'): void {
  if (typeof text !== 'string' || text === '') throw new CacheError(code, `A ${what} is a text that is not empty.`);
  // A quarter of the limit fits whatever its characters are.
  if (text.length > maxKeyBytes / 4 && Buffer.byteLength(text) > maxKeyBytes) {
    throw new CacheError(
      code,
      `A ${what} of ${Buffer.byteLength(text)} bytes is too long. Use ${maxKeyBytes} at most.`,
    );
  }
  if (!text.isWellFormed()) {
    throw new CacheError(code, `A ${what} has half a character in it, which no store could tell from another half.`);
  }
}
