import { Writable } from 'node:stream';
import type { interceptors } from 'undici';
import { maxObjectTags } from '../../lib/cache/http.ts';

/** A larger body is passed on, but not kept. */
const maxStoredBytes = 5 * 1024 * 1024;

type CacheStore = NonNullable<NonNullable<Parameters<typeof interceptors.cache>[0]>['store']>;
/** What undici looks an answer up by. */
export type CacheKey = Parameters<CacheStore['get']>[0];
type CacheValue = Parameters<CacheStore['createWriteStream']>[1];

/** An answer to a GET that is stored. */
export interface StoredObject {
  url: string;
  value: CacheValue & { vary: Record<string, string | string[] | null>; cacheControlDirectives: object };
  body: Buffer;
  /** What purges it, in lower case; and its URL. */
  tags: string[];
}

/** So many purges are remembered for the answers that were on their way. */
const maxRememberedPurges = 10_000;

/**
 * Where undici's cache keeps answers: by URL and by tag, the least recently used goes first.
 *
 * An answer is not stored when one of its tags was purged after its request had begun: it may be from before the purge.
 * Time is counted in purges, so that no two moments are the same.
 */
export class ObjectStore implements CacheStore {
  /** How many were dropped because others needed their place. */
  evictions = 0;
  readonly #options: { maxEntries: number; maxBytes: number; tagHeader: string; forgot: () => void };
  readonly #byUrl = new Map<string, Set<StoredObject>>();
  readonly #byTag = new Map<string, Set<StoredObject>>();
  /** All there are, the least recently used one first. */
  readonly #objects = new Set<StoredObject>();
  #bytes = 0;
  #now = 0;
  /** When a request began: the cache looks up every one first. */
  readonly #begun = new WeakMap<CacheKey, number>();
  /** When a tag was last purged, in the order of the purges. */
  readonly #purged = new Map<string, number>();
  /** The last purge that is no longer remembered. */
  #forgotten = 0;
  #isFixed = false;

  constructor(options: { maxEntries: number; maxBytes: number; tagHeader: string; forgot: () => void }) {
    this.#options = options;
  }

  /** How many are stored. */
  get entries(): number {
    return this.#objects.size;
  }

  get(key: CacheKey) {
    if (!this.#begun.has(key)) this.#begun.set(key, this.#now);
    const object = this.find(key);
    if (!object) return undefined;
    this.#objects.delete(object);
    this.#objects.add(object);
    return { ...object.value, body: [object.body] };
  }

  /** What is stored for a request, without using it. */
  find({ origin, path, headers = {} }: CacheKey): StoredObject | undefined {
    for (const object of this.#byUrl.get(origin + path) ?? []) {
      const { vary, deleteAt } = object.value;
      if (deleteAt <= Date.now()) this.#remove(object);
      else if (Object.keys(vary).every((name) => isSame(vary[name], headers[name]))) {
        return object;
      }
    }
    return undefined;
  }

  createWriteStream(key: CacheKey, value: CacheValue): Writable | undefined {
    if (this.#isFixed) return undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    return new Writable({
      write(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        if (size > maxStoredBytes) this.destroy();
        else chunks.push(chunk);
        done();
      },
      final: (done) => {
        this.#keep(key, value, Buffer.concat(chunks));
        done();
      },
    });
  }

  /** What undici asks to forget: after a change all of the URL, otherwise what it has for this request. */
  delete(key: CacheKey): void {
    if (this.#isFixed) return;
    if (!isSafe(key.method)) this.purge([urlTag(key)]);
    const object = this.find(key);
    if (object) this.#remove(object);
  }

  /** Forgets all that has one of the tags, which are in lower case, and what is on its way to be stored. */
  purge(tags: readonly string[]): void {
    for (const tag of tags) {
      this.#purged.delete(tag);
      this.#purged.set(tag, ++this.#now);
      for (const object of this.#byTag.get(tag) ?? []) this.#remove(object);
    }
    for (const [tag, moment] of this.#purged) {
      if (this.#purged.size <= maxRememberedPurges) break;
      this.#purged.delete(tag);
      this.#forgotten = moment;
    }
    this.#options.forgot();
  }

  /** Runs it, and stores and forgets nothing meanwhile. */
  unchanged(run: () => void): void {
    this.#isFixed = true;
    try {
      run();
    } finally {
      this.#isFixed = false;
    }
  }

  #keep(key: CacheKey, value: CacheValue, body: Buffer): void {
    const begun = this.#begun.get(key) ?? -1;
    const tags = [urlTag(key), ...tagsOf(value.headers[this.#options.tagHeader])];
    if (begun < this.#forgotten || tags.some((tag) => (this.#purged.get(tag) ?? 0) > begun)) return;
    const previous = this.find(key);
    if (previous) this.#remove(previous);
    const object: StoredObject = {
      url: key.origin + key.path,
      value: {
        ...value,
        // As with CloudFront, where a token reaches the origin only if it is part of the key.
        vary: { ...value.vary, authorization: key.headers?.authorization ?? null },
        cacheControlDirectives: allowingStale(value.cacheControlDirectives),
      },
      body,
      tags,
    };
    this.#objects.add(object);
    this.#bytes += body.length;
    join(this.#byUrl, object.url, object);
    for (const tag of tags) join(this.#byTag, tag, object);
    for (const oldest of this.#objects) {
      if (this.#objects.size <= this.#options.maxEntries && this.#bytes <= this.#options.maxBytes) break;
      this.#remove(oldest);
      this.evictions++;
    }
  }

  #remove(object: StoredObject): void {
    this.#objects.delete(object);
    this.#bytes -= object.body.length;
    leave(this.#byUrl, object.url, object);
    for (const tag of object.tags) leave(this.#byTag, tag, object);
  }
}

/** A URL as a tag: with a space in it, which no other tag has. */
function urlTag({ origin, path }: CacheKey): string {
  return `url ${origin}${path}`;
}

/** As CloudFront reads them: no more than 50, whatever their case. */
function tagsOf(header: string | string[] | undefined): string[] {
  const tags = [header ?? []].flat().join().toLowerCase().split(',');
  return [...new Set(tags.map((tag) => tag.trim()).filter(Boolean))].slice(0, maxObjectTags);
}

/**
 * Without `s-maxage`, which has done its work and would now forbid what RFC 5861 allows. Where the origin itself says
 * `must-revalidate` or `proxy-revalidate`, that stays.
 */
function allowingStale(directives: CacheValue['cacheControlDirectives'] = {}): object {
  const { 's-maxage': _, ...others } = directives;
  return others;
}

function isSame(one: string | string[] | null | undefined, other: string | string[] | null | undefined): boolean {
  return String(one ?? '') === String(other ?? '') && (one == null) === (other == null);
}

function join<Value>(index: Map<string, Set<Value>>, name: string, value: Value): void {
  const values = index.get(name);
  if (values) values.add(value);
  else index.set(name, new Set([value]));
}

function leave<Value>(index: Map<string, Set<Value>>, name: string, value: Value): void {
  const values = index.get(name);
  values?.delete(value);
  if (values?.size === 0) index.delete(name);
}

/** Whether a method changes nothing: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1 */
export function isSafe(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method);
}
