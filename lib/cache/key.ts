import { CacheError } from './errors.ts';

/** The longest key, and the longest tag, in bytes of UTF-8. */
export const maxKeyBytes = 1_024;

/** The most tags that an entry may have: CloudFront reads 50 of an object, and the key is one of them. */
export const maxTags = 49;

/**
 * The text of an identifier that is not a string. Objects are written as JSON with their properties in order,
 * so that `{ a: 1, b: 2 }` and `{ b: 2, a: 1 }` are the same key; properties that are undefined do not count.
 *
 * @throws CacheError `key-invalid` for what has no text of its own: functions, symbols, NaN, instances of most classes
 */
export function textOf(id: unknown): string {
  if (typeof id === 'string') return id;
  if (typeof id === 'bigint') return String(id);
  try {
    const text = JSON.stringify(id, ordered);
    if (text !== undefined) return text;
  } catch {
    // Told below.
  }
  throw new CacheError('key-invalid', `This ${typeof id} is no key. Define the cache with \`key: (id) => string\`.`);
}

/** Sorts the properties of objects, and refuses whatever JSON would write like something else. */
function ordered(this: unknown, _name: string, value: unknown): unknown {
  const isPlain = value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
  if (isPlain || Array.isArray(value) || (value === undefined && !Array.isArray(this))) return value;
  const prototype = typeof value === 'object' && Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw value;
  return Object.fromEntries(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws CacheError `key-invalid` unless it is a well-formed text of 1 to {@link maxKeyBytes} bytes */
export function checkKey(key: string): string {
  if (isText(key)) return key;
  throw new CacheError('key-invalid', `The key ${told(key)} is no well-formed text of 1 to ${maxKeyBytes} bytes.`);
}

/** @throws CacheError `tag-invalid` unless there are at most {@link maxTags}, each a text of 1 to {@link maxKeyBytes} bytes */
export function checkTags(tags: readonly string[]): readonly string[] {
  if (Array.isArray(tags) && tags.length <= maxTags && tags.every(isText)) return tags;
  throw new CacheError(
    'tag-invalid',
    `The tags ${told(tags)} are not an array of at most ${maxTags} well-formed texts of 1 to ${maxKeyBytes} bytes.`,
  );
}

function isText(text: unknown): boolean {
  if (typeof text !== 'string' || text === '' || !text.isWellFormed()) return false;
  // A quarter of the limit fits whatever its characters are.
  return text.length <= maxKeyBytes / 4 || Buffer.byteLength(text) <= maxKeyBytes;
}

function told(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 100);
}
