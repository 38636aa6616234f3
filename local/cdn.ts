import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Agent, type Dispatcher, errors, interceptors } from 'undici';
import type { Cdn } from '../lib/cache/cdn.ts';
import { cdnTag, matches } from '../lib/cache/http.ts';
import { StreamGateError } from '../lib/errors.ts';
import { type Answer, problem } from '../lib/http/problem.ts';
import { type CacheKey, isSafe, ObjectStore, type StoredObject } from './cdn/store.ts';

/**
 * The third level on one machine: what CloudFront is to a deployment, a shared HTTP cache in front of the gateway that
 * forgets by tag. The cache proper is undici's (RFC 9111); here is what CloudFront does and undici does not:
 *
 * - It serves stale beside `s-maxage` where RFC 5861 directives say so (see `cacheControl` in lib/cache/http.ts).
 * - It keeps what it has when the origin answers 5xx; undici drops it if the 5xx says `no-store`, as ours all do.
 * - A 304 from the origin makes what is stored fresh again; undici drops it, so that every second request is a miss
 *   (https://github.com/nodejs/undici/issues/5505).
 * - It forgets one variant at a time; in undici an anonymous 401 drops what all tokens have of the URL.
 * - It asks the origin once for what many ask at once, and answers `If-None-Match` and HEAD from what it has.
 * - It ignores `Cache-Control` of a viewer, so that nobody's reload costs the origin.
 *   https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
 */
export interface Edge {
  /** Answers in place of the origin. Not listening yet. */
  server: Server;
  /** Forgets by tag, at once. */
  cdn: Cdn;
  /** What it did so far. */
  stats(): EdgeStatistics;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Requests that a cache may answer, by how it did, and what it holds. */
export interface EdgeStatistics {
  /** Answered with what was fresh. */
  hits: number;
  /** Answered with what was stale: it was being refreshed, or the origin failed. */
  staleHits: number;
  /** Answered with what the origin said is still good. */
  revalidated: number;
  /** Answered by the origin. */
  misses: number;
  /** How many answers are stored. */
  entries: number;
  /** How many were dropped because others needed their place. */
  evictions: number;
  /** How many purges were ordered. */
  purges: number;
}

/** How much an edge keeps. */
export interface EdgeOptions {
  /** The most answers. Default: 100,000. */
  maxEntries?: number;
  /** The most bytes of bodies, in all. Default: 256 MB. */
  maxBytes?: number;
  /** The response header with the tags. Default: `cache-tag`. */
  tagHeader?: string;
  /** How long to wait for the origin to begin an answer, and to go on with it. Default: 30,000, as CloudFront. */
  originTimeoutMs?: number;
}

/** A larger answer to a GET is no answer of this service. */
const maxAnswerBytes = 32 * 1024 * 1024;

/** Conditions that are the origin's to judge: such a request passes the cache by. */
const bypassing = ['range', 'if-range', 'if-match', 'if-unmodified-since'];

/** What of a request for a cached answer does not reach the cache: conditions are judged here, wishes are ignored. */
const viewersOwn = ['cache-control', 'pragma', 'if-none-match', 'if-modified-since', 'content-length'];

/** Headers of one connection, not of the message: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** What describes a body, and which a 304, having none, cannot say anew: https://www.rfc-editor.org/rfc/rfc9111#section-3.2 */
const ofBody = ['content-encoding', 'content-length', 'content-range', 'content-type'];

/** undici's mark on what it serves stale. */
const staleWarning = '110 - "response is stale"';

/** What became of a request on its way through the cache. */
interface Journey {
  /** It went on to the origin. */
  asked: boolean;
  /** The origin said that what is stored is still good. */
  refreshed: boolean;
}

type Headers = Record<string, string | string[]>;

/**
 * An edge in front of an origin.
 *
 * @param origin where the origin is now; asked anew for every request
 * @example
 * const edge = createEdge(() => 'http://127.0.0.1:8788');
 * await listen(edge.server, 8787, '127.0.0.1');
 */
export function createEdge(origin: () => URL | string, options: EdgeOptions = {}): Edge {
  const { maxEntries = 100_000, maxBytes = 256 * 1024 * 1024, tagHeader = 'cache-tag' } = options;
  const { originTimeoutMs = 30_000 } = options;
  const counts = { hits: 0, staleHits: 0, revalidated: 0, misses: 0, purges: 0 };
  const agent = new Agent({ headersTimeout: originTimeoutMs, bodyTimeout: originTimeoutMs });
  const store = new ObjectStore({ maxEntries, maxBytes, tagHeader, forgot: () => startAnew() });
  let collapsed: Dispatcher.Dispatch;
  /** Who comes after a purge must not share the answer to a request from before it. */
  const startAnew = () => {
    collapsed = interceptors.deduplicate()(agent.dispatch.bind(agent));
  };
  startAnew();
  const cache = agent.compose(
    () => (request, handler) => collapsed(request, handler),
    refreshing(store),
    interceptors.cache({ store, type: 'shared', methods: ['GET'] }),
  );

  const server = createServer((request, response) => {
    const answered = isCacheable(request) ? answerFromCache(request, response) : pass(request, response);
    answered.catch((error) => fail(response, error));
  });

  async function answerFromCache(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const journey: Journey = { asked: false, refreshed: false };
    // A HEAD is answered from what a GET would get, and fetches it for the GET to come.
    const forwarded = { ...target(request, origin()), method: 'GET' as const, journey };
    for (const name of viewersOwn) delete forwarded.headers[name];
    const answer = await cache.request(forwarded);
    const body = await collect(answer.body);
    const { warning, ...headers } = endToEnd(answer.headers);
    const result = resultOf(journey, warning === staleWarning);
    counts[result]++;
    const etag = headers.etag;
    const has = typeof etag === 'string' && matches(request.headers['if-none-match'], etag);
    const statusCode = answer.statusCode === 200 && has ? 304 : answer.statusCode;
    for (const name of statusCode === 304 ? ofBody : []) delete headers[name];
    if (statusCode !== 304 && statusCode !== 204) headers['content-length'] = String(body.length);
    response.writeHead(statusCode, { ...headers, 'x-cache': xCache(statusCode, result) });
    // Where no body belongs, Node.js sends none.
    response.end(body);
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const forwarded = { ...target(request, origin()), body: hasBody(request) ? request : null };
    // What changes something also passes the cache, which forgets the URL then.
    const answer = await (isSafe(forwarded.method) ? agent : cache).request(forwarded);
    const headers = endToEnd(answer.headers);
    response.writeHead(answer.statusCode, { ...headers, 'x-cache': xCache(answer.statusCode, 'misses') });
    await pipeline(answer.body, response);
  }

  return {
    server,
    cdn: {
      name: 'edge',
      tagHeader,
      purge: async (labels) => {
        counts.purges++;
        store.purge(labels.map((label) => cdnTag(label).toLowerCase()));
      },
    },
    stats: () => ({ ...counts, entries: store.entries, evictions: store.evictions }),
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await agent.destroy();
      await closed;
    },
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isCacheable(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    (request.method === 'GET' || request.method === 'HEAD') &&
    !hasBody(request) &&
    !bypassing.some((name) => headers[name] !== undefined) &&
    // With a tag beside it, the date does not count.
    (headers['if-modified-since'] === undefined || headers['if-none-match'] !== undefined)
  );
}

/** The same request to the origin. */
function target(request: IncomingMessage, origin: URL | string) {
  const { url = '/' } = request;
  // A proxy is asked with all of the URL, and OPTIONS may be asked about no path at all.
  const { pathname, search } = url.startsWith('/') ? { pathname: url, search: '' } : (URL.parse(url) ?? unreadable());
  // The host is the origin's, as API Gateway demands of CloudFront; 100 (Continue) has been answered here.
  const { host: _, expect: __, ...headers } = endToEnd(request.headers);
  const via = [headers.via ?? [], '1.1 streamgate'].flat().join(', ');
  return {
    origin: new URL(origin).origin,
    path: pathname + search,
    method: request.method ?? 'GET',
    headers: { ...headers, via } as Headers,
  };
}

function unreadable(): never {
  throw new StreamGateError('path-unknown', 'The path cannot be read. See GET /openapi.json.');
}

function endToEnd(headers: IncomingHttpHeaders): Headers {
  const named = [headers.connection ?? []].flat().join().toLowerCase().split(',');
  const gone = new Set([...hopByHop, ...named.map((name) => name.trim())]);
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] => !gone.has(entry[0]) && entry[1] !== undefined,
    ),
  );
}

/** Reads all of it, whether or not the viewer still waits: others may wait for the same, and the cache does. */
async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new errors.ResponseExceededMaxSizeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

type Result = 'hits' | 'staleHits' | 'revalidated' | 'misses';

/** Stale first: what is served stale may be on its way to the origin by now. */
function resultOf({ asked, refreshed }: Journey, stale: boolean): Result {
  if (stale) return 'staleHits';
  if (refreshed) return 'revalidated';
  return asked ? 'misses' : 'hits';
}

const inWords = { hits: 'Hit', staleHits: 'Hit', revalidated: 'RefreshHit', misses: 'Miss' };

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html, `x-edge-result-type` */
function xCache(statusCode: number, result: Result): string {
  return `${statusCode >= 400 ? 'Error' : inWords[result]} from streamgate`;
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { statusCode, headers, body } = answerTo(error);
  response.writeHead(statusCode, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'x-cache': xCache(statusCode, 'misses'),
  });
  response.end(body);
}

function answerTo(error: unknown): Answer {
  const { code } = error as NodeJS.ErrnoException;
  // What has no such code is not about the origin: a mistake in here, or told already.
  if (error instanceof StreamGateError || typeof code !== 'string') return problem(error);
  return problem(new StreamGateError('origin-unreachable', `The API did not answer (${code}). Ask again.`));
}

/**
 * Between the cache and the origin: sees to it that an answer to a revalidation does to what is stored what it should.
 *
 * - 304: the stored answer goes on with the headers of the 304, as if the origin had sent it anew, and is stored anew.
 *   https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4
 * - 5xx: goes on as it is, and what is stored stays. https://www.rfc-editor.org/rfc/rfc9111#section-4.3.3
 */
function refreshing(store: ObjectStore): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (request, handler) => {
    const { journey } = request as { journey?: Journey };
    if (journey) journey.asked = true;
    return dispatch(request, new RefreshHandler(store, store.find(request as CacheKey), handler, journey));
  };
}

class RefreshHandler implements Dispatcher.DispatchHandler {
  readonly #store: ObjectStore;
  readonly #stored: StoredObject | undefined;
  readonly #next: Dispatcher.DispatchHandler;
  readonly #journey: Journey | undefined;
  #refreshes = false;

  constructor(
    store: ObjectStore,
    stored: StoredObject | undefined,
    next: Dispatcher.DispatchHandler,
    journey: Journey | undefined,
  ) {
    this.#store = store;
    this.#stored = stored;
    this.#next = next;
    this.#journey = journey;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#next.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    const stored = this.#stored?.value;
    if (statusCode === 304 && stored && isSameTag(headers.etag, stored.headers.etag)) {
      this.#refreshes = true;
      if (this.#journey) this.#journey.refreshed = true;
      const news = endToEnd(headers);
      for (const name of ofBody) delete news[name];
      this.#next.onResponseStart?.(controller, stored.statusCode, { ...stored.headers, ...news }, stored.statusMessage);
      return;
    }
    const tell = () => this.#next.onResponseStart?.(controller, statusCode, headers, statusMessage);
    if (statusCode < 500) tell();
    else this.#store.unchanged(tell);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#next.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#refreshes && this.#stored) this.#next.onResponseData?.(controller, this.#stored.body);
    this.#next.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#next.onResponseError?.(controller, error);
  }
}

/** Of an origin that answers 304 for a body other than the one asked about, undici makes the best. */
function isSameTag(told: string | undefined, stored: string | string[] | undefined): boolean {
  return told === undefined || told.replace(/^W\//, '') === String(stored).replace(/^W\//, '');
}
