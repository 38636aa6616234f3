import { CacheError } from './errors.ts';

/**
 * The third level as HTTP: from how long a value is fresh, how long it may still be served stale, and what it is tagged
 * with, to the headers that tell a CDN and a browser the same. Nothing here does I/O.
 *
 * - Freshness and staleness: https://www.rfc-editor.org/rfc/rfc9111 and https://www.rfc-editor.org/rfc/rfc5861
 * - Validators and conditions: https://www.rfc-editor.org/rfc/rfc9110#section-13
 * - Tags: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
 */

/** How long a value may be used from now on, in milliseconds. Both add up: it may be served for `freshMs + staleMs`. */
export interface Lifetime {
  /** How long it is served as it is. */
  freshMs: number;
  /** How long after that it is served while it is refreshed, or while it cannot be refreshed. */
  staleMs: number;
}

/** A greater number of seconds some caches cannot hold (RFC 9111 section 1.2.2). */
const maxSeconds = 2 ** 31 - 1;

/**
 * The value of `Cache-Control` for a shared cache that can be purged, in whole seconds, rounded down:
 * `public, max-age=0, s-maxage=60, stale-while-revalidate=300, stale-if-error=300`, or `no-store` where nothing remains.
 *
 * `public` lets a shared cache keep the answer to a request with `Authorization` (RFC 9111 section 3.5): whoever sends
 * this with an answer that depends on who asks must vary it, see {@link respond}.
 *
 * Two readings to know of:
 * - RFC 9111 section 5.2.2.10 gives `s-maxage` the meaning of `proxy-revalidate`, which forbids to serve stale. Caches that
 *   hold to the letter (Cloudflare, Envoy, undici) ignore the two `stale-` directives then, which costs latency and
 *   nothing else. CloudFront honours them beside `s-maxage`; all of OpenNext relies on it. Without `s-maxage` browsers
 *   would have to keep the answer as long as the CDN does, out of reach of a purge.
 *   https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html#stale-content
 * - Browsers know `stale-while-revalidate` too, and show what they have once before they show what is new, whatever
 *   `max-age` says. Where that matters, let the CDN send viewers `no-cache` in place of this (a response headers policy).
 *   https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/modifying-response-headers.html
 */
export function cacheControl({ freshMs, staleMs }: Lifetime): string {
  const fresh = seconds(freshMs);
  const stale = seconds(staleMs);
  if (fresh + stale === 0) return 'no-store';
  const directives = `public, max-age=0, s-maxage=${fresh}`;
  return stale === 0 ? directives : `${directives}, stale-while-revalidate=${stale}, stale-if-error=${stale}`;
}

/** What is past, and what is not a number, is nothing: never keep for longer than was said. */
function seconds(ms: number): number {
  return ms > 0 ? Math.min(Math.floor(ms / 1000), maxSeconds) : 0;
}

/** 144 bits of SHA-256: that two bodies of one URL share them is out of the question. */
const etagCharacters = 24;

/** The strong validator of a body: the same bytes, the same tag, in every process. https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3 */
export function etagOf(body: string | Uint8Array): string {
  return `"${sha256(body, 'base64url').slice(0, etagCharacters)}"`;
}

/** One member of a list of entity tags with what separates it from the next, or what is left after the last. Linear in its length. */
const listedTag = /[ \t,]*(?:(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)|$)/y;

/**
 * Whether a client that sent this `If-None-Match` has the body with this tag. Weak comparison, over a list; `*` matches
 * all. What cannot be read matches nothing, so that the client gets the body. https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
 */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const wanted = etag.replace(/^W\//, '');
  let found = false;
  listedTag.lastIndex = 0;
  while (listedTag.lastIndex < ifNoneMatch.length) {
    const member = listedTag.exec(ifNoneMatch);
    if (!member) return false;
    found ||= member[1] === wanted;
  }
  return found;
}

/** The most tags that CloudFront reads of an object. */
export const maxObjectTags = 50;

/** The longest tag that CloudFront takes, in characters. */
const maxTagCharacters = 256;

/** All that a tag may not hold, and what it could hold but means something: `%` escapes, `*` is a wildcard in a path. */
const unsafe = /[^\x21-\x7e]|[,%*]/gu;

/**
 * A key or a tag as CloudFront takes it: 1 to 256 visible ASCII characters without a comma. Anything else is written as
 * `%` and two digits a byte; what is too long ends in a hash of the whole. The same label gives the same tag, always.
 *
 * CloudFront does not tell `A` from `a`. Two labels that differ in nothing else are purged together, which is harmless.
 *
 * @throws CacheError `tag-invalid` for an empty label
 */
export function cdnTag(label: string): string {
  if (label === '') throw new CacheError('tag-invalid', 'A tag cannot be empty.');
  const tag = label.replace(unsafe, (character) => {
    const bytes = Buffer.from(character).toString('hex').toUpperCase();
    return bytes.replace(/../g, '%$&');
  });
  if (tag.length <= maxTagCharacters) return tag;
  // Hexadecimal, because a hash whose case counts would lose bits where it does not.
  const hash = `~${sha256(label, 'hex').slice(0, 32)}`;
  return `${tag.slice(0, maxTagCharacters - hash.length)}${hash}`;
}

/**
 * The value of the header in which a CDN looks for the tags of an object.
 *
 * @param labels keys and tags as the application writes them; {@link cdnTag} makes each one fit
 * @throws CacheError `tag-invalid` for more than 50: CloudFront would leave the rest out, and never purge it
 */
export function tagHeaderValue(labels: readonly string[]): string {
  const tags = new Map(labels.map(cdnTag).map((tag) => [tag.toLowerCase(), tag]));
  if (tags.size > maxObjectTags) {
    throw new CacheError(
      'tag-invalid',
      `An answer with ${tags.size} tags: CloudFront keeps ${maxObjectTags} of an object and forgets the rest. Use broader ones.`,
    );
  }
  return [...tags.values()].join();
}

/** An answer that is to be kept by a CDN. */
export interface Cacheable<Body extends string | Uint8Array> extends Lifetime {
  body: Body;
  contentType: string;
  /** The keys and tags that it is made of: purging one of them forgets it. At most 50. */
  labels: readonly string[];
  /** The header for them, in lower case; none where there is no CDN that can be told to forget. */
  tagHeader?: string | undefined;
  /** `If-None-Match` of the request. */
  ifNoneMatch?: string | undefined;
  /** The request headers that it depends on, such as `authorization`. CloudFront reads its cache policy instead: name them there too. */
  vary?: readonly string[] | undefined;
}

/** What to send. */
export interface CacheableAnswer<Body extends string | Uint8Array> {
  statusCode: 200 | 304;
  headers: Record<string, string>;
  /** Empty where the client has it already. */
  body: Body | '';
}

/**
 * Answers with the body, or with `304 Not Modified` where the client has it. A 304 carries what the 200 would have said
 * about keeping it (https://www.rfc-editor.org/rfc/rfc9110#section-15.4.5), and its tags: a CDN that asks whether its
 * copy is still good learns how long and as what to keep it from now on.
 *
 * @throws CacheError `tag-invalid`, see {@link tagHeaderValue}
 */
export function respond<Body extends string | Uint8Array>(answer: Cacheable<Body>): CacheableAnswer<Body> {
  const { body, contentType, labels, tagHeader, ifNoneMatch, vary = [] } = answer;
  const etag = etagOf(body);
  const policy = cacheControl(answer);
  const tagged = tagHeader && labels.length > 0 && policy !== 'no-store';
  const headers = {
    'cache-control': policy,
    etag,
    ...(vary.length > 0 ? { vary: vary.join(', ') } : {}),
    ...(tagged ? { [tagHeader]: tagHeaderValue(labels) } : {}),
  };
  if (matches(ifNoneMatch, etag)) return { statusCode: 304, headers, body: '' };
  return { statusCode: 200, headers: { ...headers, 'content-type': contentType }, body };
}

/** `node:crypto` takes about 4 ms to load, which who only reads the cache should not pay. */
function sha256(data: string | Uint8Array, encoding: 'hex' | 'base64url'): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(data).digest(encoding);
}
