import { CacheError } from '../errors.ts';

// Each takes about 2 ms to load, which who keeps small JSON need not pay.
const zlib = () => process.getBuiltinModule('node:zlib');
const v8 = () => process.getBuiltinModule('node:v8');

/** The layout below. Whoever finds another number leaves the bytes alone: it is a miss. */
const formatVersion = 1;

/** Version, encoding, freshUntil and staleUntil as doubles, loadMs as a float. */
const headerBytes = 1 + 1 + 8 + 8 + 4;

/** How the body is written. */
const encodings = { json: 0, bytes: 1, structured: 2, nothing: 3 } as const;
const compressed = 0x80;

/** A body that claims to be larger than this is not a value of ours. */
const maxInflatedBytes = 256 * 1024 * 1024;

/** A value as the second level keeps it. Times are in milliseconds since 1970. */
export interface Encoded {
  value: unknown;
  freshUntil: number;
  staleUntil: number;
  /** How long it took to load, in milliseconds. */
  loadMs: number;
}

/**
 * Writes a value as bytes: a header, and JSON where JSON keeps the value as it is, the bytes themselves of a Buffer, or
 * V8's structured clone for the rest (Date, Map, Set, BigInt, typed arrays, undefined, NaN, cycles).
 * https://nodejs.org/docs/latest-v24.x/api/v8.html#serialization-api
 *
 * @param compressAbove a body of more bytes than this is compressed (deflate), if that makes it smaller
 * @throws CacheError `value-invalid` for what cannot be cloned, such as functions
 */
export function encode({ value, freshUntil, staleUntil, loadMs }: Encoded, compressAbove: number): Buffer {
  let [encoding, body] = bodyOf(value);
  if (body.length > compressAbove) {
    const smaller = zlib().deflateRawSync(body, { level: 1 });
    if (smaller.length < body.length) {
      body = smaller;
      encoding |= compressed;
    }
  }
  const bytes = Buffer.allocUnsafe(headerBytes + body.length);
  bytes[0] = formatVersion;
  bytes[1] = encoding;
  bytes.writeDoubleLE(freshUntil, 2);
  bytes.writeDoubleLE(staleUntil, 10);
  bytes.writeFloatLE(loadMs, 18);
  bytes.set(body, headerBytes);
  return bytes;
}

/** Reads what {@link encode} wrote; undefined for anything else, be it older, newer or not ours at all. */
export function decode(bytes: Uint8Array): Encoded | undefined {
  if (bytes.length < headerBytes || bytes[0] !== formatVersion) return undefined;
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = buffer[1] as number;
  const freshUntil = buffer.readDoubleLE(2);
  const staleUntil = buffer.readDoubleLE(10);
  const loadMs = buffer.readFloatLE(18);
  if (!(freshUntil <= staleUntil && loadMs >= 0 && Number.isFinite(loadMs))) return undefined;
  try {
    let body = buffer.subarray(headerBytes);
    if (flags & compressed) body = zlib().inflateRawSync(body, { maxOutputLength: maxInflatedBytes });
    return { value: valueIn(flags & ~compressed, body), freshUntil, staleUntil, loadMs };
  } catch {
    return undefined;
  }
}

function bodyOf(value: unknown): [encoding: number, body: Buffer] {
  if (value === undefined) return [encodings.nothing, Buffer.alloc(0)];
  if (Buffer.isBuffer(value)) return [encodings.bytes, value];
  if (isJson(value, new Set())) return [encodings.json, Buffer.from(JSON.stringify(value))];
  try {
    return [encodings.structured, v8().serialize(value)];
  } catch (cause) {
    throw new CacheError(
      'value-invalid',
      'The value cannot be kept in the second level: it contains a function, a symbol or another thing that cannot be cloned.',
      { cause },
    );
  }
}

/** Bytes are copied: they lie in the buffer of a whole answer, which would be kept with them. */
function valueIn(encoding: number, body: Buffer): unknown {
  if (encoding === encodings.json) return JSON.parse(body.toString());
  if (encoding === encodings.structured) return v8().deserialize(Buffer.from(body));
  if (encoding === encodings.bytes) return Buffer.from(body);
  if (encoding === encodings.nothing) return undefined;
  throw new Error('An encoding that this version does not know.');
}

/** Deeper than this is left to the structured clone, which needs no stack for it. */
const maxDepth = 100;

/** Whether JSON gives a value back exactly as it is. What is contained twice it would write twice. */
function isJson(value: unknown, seen: Set<object>, depth = 0): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value !== 'object' || depth > maxDepth || seen.has(value)) return false;
  seen.add(value);
  if (Array.isArray(value)) {
    // By index, since a hole in the array would be skipped otherwise.
    for (let at = 0; at < value.length; at++) if (!isJson(value[at], seen, depth + 1)) return false;
    return Object.getPrototypeOf(value) === Array.prototype && Object.keys(value).length === value.length;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return false;
  for (const name in value) if (!isJson((value as Record<string, unknown>)[name], seen, depth + 1)) return false;
  return true;
}
