import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Cacheable, respond } from '../../../lib/cache/http.ts';
import { createEdge, type Edge, type EdgeOptions } from '../../../local/cdn.ts';

/** What the origin was asked, in order. */
let asked: string[];
/** The headers of the last request to it. */
let last: IncomingMessage['headers'];
/** How it answers. */
let answer: RequestListener;
/** What the edge answers, in the order of the requests. */
let answers: ServerResponse[];
let origin: Server;
let originUrl: string;
let edge: Edge;
let edgeUrl: string;
let viewer: Agent;

beforeEach(async () => {
  // Only the clock stands still; timers and the network go on.
  vi.setSystemTime(new Date('2026-09-01T12:00:00Z'));
  asked = [];
  answer = say('v1');
  origin = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    last = incoming.headers;
    // Node.js would tell the true time.
    outgoing.setHeader('date', new Date().toUTCString());
    answer(incoming, outgoing);
  });
  originUrl = await listen(origin);
  viewer = new Agent();
  await open();
});

afterEach(async () => {
  await edge.close();
  await viewer.close();
  await closeOrigin();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function open(options?: EdgeOptions): Promise<void> {
  await edge?.close();
  edge = createEdge(() => originUrl, options);
  answers = [];
  edge.server.on('request', (_, outgoing) => answers.push(outgoing));
  edgeUrl = await listen(edge.server);
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closeOrigin(): Promise<void> {
  origin.closeAllConnections();
  if (origin.listening) await new Promise((done) => origin.close(done));
}

function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

/** Answers as an endpoint does: fresh for a minute, stale for five more. */
function say(body: string, options: Partial<Cacheable<string>> = {}): RequestListener {
  return (incoming, outgoing) => {
    const {
      statusCode,
      headers,
      body: sent,
    } = respond({
      body,
      contentType: 'text/plain',
      freshMs: 60_000,
      staleMs: 300_000,
      labels: [],
      tagHeader: 'cache-tag',
      ifNoneMatch: incoming.headers['if-none-match'],
      ...options,
    });
    outgoing.writeHead(statusCode, headers).end(sent);
  };
}

/** Answers with just these headers. */
function plain(headers: Record<string, string | string[]>, body = 'plain', statusCode = 200): RequestListener {
  return (_, outgoing) => void outgoing.writeHead(statusCode, headers).end(body);
}

interface Got {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  xCache: string;
}

async function get(path = '/', headers: Record<string, string> = {}, method = 'GET', body?: string): Promise<Got> {
  const got = await request(edgeUrl + path, { dispatcher: viewer, method, headers, ...(body ? { body } : {}) });
  const xCache = String(got.headers['x-cache']);
  expect(xCache).toMatch(/ from streamgate$/);
  return {
    status: got.statusCode,
    headers: got.headers,
    body: await got.body.text(),
    xCache: xCache.replace(' from streamgate', ''),
  };
}

/** How each of some requests was answered: `Hit v1`. */
async function gets(...paths: string[]): Promise<string[]> {
  const got: string[] = [];
  for (const path of paths) got.push(brief(await get(path)));
  return got;
}

function brief({ xCache, body }: Got): string {
  return `${xCache} ${body}`;
}

/** Lets the origin receive requests, and answer them only when told. */
function hold(then: RequestListener = answer): { let: () => void; arrived: (count: number) => Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = asked.length;
  answer = async (incoming, outgoing) => {
    await promise;
    then(incoming, outgoing);
  };
  return { let: resolve, arrived: (count) => vi.waitFor(() => expect(asked).toHaveLength(before + count)) };
}

describe('an answer that may be kept', () => {
  test('is asked for once, and then told to be how old it is', async () => {
    const miss = await get('/a?b=1');
    expect(brief(miss)).toBe('Miss v1');
    expect(miss.headers).not.toHaveProperty('age');
    pass(59);
    const hit = await get('/a?b=1');
    expect(brief(hit)).toBe('Hit v1');
    expect(hit.headers).toMatchObject({ age: '59', 'content-type': 'text/plain', 'content-length': '2' });
    expect(asked).toEqual(['GET /a?b=1']);
    expect(edge.stats()).toEqual({
      hits: 1,
      staleHits: 0,
      revalidated: 0,
      misses: 1,
      entries: 1,
      evictions: 0,
      purges: 0,
    });
  });

  test('is kept by its whole URL', async () => {
    expect(await gets('/a', '/A', '/a?x', '/b', '/a?x')).toEqual([
      'Miss v1',
      'Miss v1',
      'Miss v1',
      'Miss v1',
      'Hit v1',
    ]);
  });

  test('reaches viewers as the origin sent it, tags and all', async () => {
    answer = plain({ 'cache-control': 's-maxage=60', 'cache-tag': 'a, b', 'x-own': 'ü', 'content-language': '' });
    for (const got of [await get(), await get()]) {
      expect(got.headers).toMatchObject({
        'cache-control': 's-maxage=60',
        'cache-tag': 'a, b',
        'x-own': 'ü',
        'content-language': '',
        date: 'Tue, 01 Sep 2026 12:00:00 GMT',
      });
      expect(got.headers).not.toHaveProperty('warning');
    }
  });

  test('may be bytes, or nothing', async () => {
    const bytes = Buffer.from([0, 255, 254, 10]);
    answer = (_, outgoing) => void outgoing.writeHead(200, { 'cache-control': 's-maxage=60' }).end(bytes);
    for (const xCache of ['Miss', 'Hit']) {
      const got = await request(`${edgeUrl}/bytes`, { dispatcher: viewer });
      expect(Buffer.from(await got.body.bytes())).toEqual(bytes);
      expect(got.headers['x-cache']).toBe(`${xCache} from streamgate`);
    }
    answer = plain({ 'cache-control': 's-maxage=60' }, '');
    expect(await gets('/nothing', '/nothing')).toEqual(['Miss ', 'Hit ']);
    answer = (_, outgoing) => void outgoing.writeHead(204, { 'cache-control': 's-maxage=60' }).end();
    expect(await gets('/204', '/204')).toEqual(['Miss ', 'Hit ']);
  });

  test('may be an error: it is kept as long as it says', async () => {
    answer = plain({ 'cache-control': 's-maxage=60' }, 'gone', 404);
    expect(await gets('/', '/')).toEqual(['Error gone', 'Error gone']);
    expect(asked).toHaveLength(1);
  });

  test('is asked for once by any number of viewers at a time', async () => {
    const { let: go, arrived } = hold();
    const all = Array.from({ length: 20 }, () => get());
    await arrived(1);
    await vi.waitFor(() => expect(answers).toHaveLength(20));
    go();
    expect((await Promise.all(all)).map(brief)).toEqual(Array(20).fill('Miss v1'));
    expect(asked).toHaveLength(1);
    expect(await gets('/')).toEqual(['Hit v1']);
  });

  test('is kept for others when the viewer who asked is gone', async () => {
    const { let: go, arrived } = hold();
    const controller = new AbortController();
    const impatient = request(edgeUrl, { dispatcher: viewer, signal: controller.signal });
    await arrived(1);
    const patient = get();
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    controller.abort();
    await expect(impatient).rejects.toThrow();
    await vi.waitFor(() => expect(answers[0]?.destroyed).toBe(true));
    go();
    expect(brief(await patient)).toBe('Miss v1');
    expect(await gets('/')).toEqual(['Hit v1']);
    expect(asked).toHaveLength(1);
  });
});

describe('what must not be kept', () => {
  test.each([
    { 'cache-control': 'no-store' },
    { 'cache-control': 'private, max-age=60' },
    { 'cache-control': 'no-store, s-maxage=60' },
    { 'cache-control': 's-maxage=0' },
    { 'cache-control': 's-maxage=60', 'set-cookie': 'id=1' },
    { 'cache-control': 's-maxage=60', vary: '*' },
    {},
  ])('%j', async (headers) => {
    answer = plain(headers);
    expect(await gets('/', '/')).toEqual(['Miss plain', 'Miss plain']);
    expect(edge.stats().entries).toBe(0);
  });

  test('whatever its tags say', async () => {
    answer = say('v1', { freshMs: 0, staleMs: 0, labels: ['a'] });
    expect(await gets('/', '/')).toEqual(['Miss v1', 'Miss v1']);
  });

  test('an answer to a request with a token, unless it says so', async () => {
    answer = plain({ 'cache-control': 'max-age=60' });
    const token = { authorization: 'Bearer a' };
    expect([await get('/', token), await get('/', token)].map(brief)).toEqual(['Miss plain', 'Miss plain']);
  });

  test('a body of more than 32 MB, which is no answer', async () => {
    answer = plain({}, 'x'.repeat(33 * 1024 * 1024));
    const got = await get();
    expect(got.status).toBe(502);
    expect(JSON.parse(got.body).detail).toBe('The API did not answer (UND_ERR_RES_EXCEEDED_MAX_SIZE). Ask again.');
  });

  test('a body larger than 5 MB, which arrives all the same', async () => {
    const large = 'x'.repeat(6 * 1024 * 1024);
    answer = plain({ 'cache-control': 's-maxage=60' }, large);
    for (const _ of [1, 2]) {
      for (const got of await Promise.all(Array.from({ length: 5 }, () => get()))) {
        expect(got.xCache).toBe('Miss');
        expect(got.body).toHaveLength(large.length);
      }
    }
    expect(edge.stats().entries).toBe(0);
  });
});

describe('an answer that is stale', () => {
  beforeEach(async () => {
    await get();
    pass(61);
  });

  test('is served at once, and refreshed in the background', async () => {
    const { let: go, arrived } = hold(say('v2'));
    const stale = await get();
    expect(brief(stale)).toBe('Hit v1');
    expect(stale.headers).toMatchObject({ age: '61' });
    expect(stale.headers).not.toHaveProperty('warning');
    await arrived(1);
    go();
    await vi.waitFor(async () => expect(await gets('/')).toEqual(['Hit v2']));
    expect(edge.stats()).toMatchObject({ misses: 1, revalidated: 0 });
    expect(edge.stats().staleHits).toBeGreaterThan(0);
  });

  test('is asked about, and found to be good, with its tag', async () => {
    await get();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(last['if-none-match']).toMatch(/^"[\w-]+"$/);
    await vi.waitFor(async () => expect((await get()).headers.age).toBe('0'));
    pass(59);
    expect(await gets('/')).toEqual(['Hit v1']);
    expect(asked).toHaveLength(2);
  });

  test('is refreshed once, however many want it', async () => {
    const { let: go, arrived } = hold(say('v2'));
    const all = await Promise.all(Array.from({ length: 20 }, () => get()));
    expect(all.map(brief)).toEqual(Array(20).fill('Hit v1'));
    await arrived(1);
    go();
    await vi.waitFor(async () => expect(await gets('/')).toEqual(['Hit v2']));
    expect(asked).toHaveLength(2);
  });

  test('is no longer served when its time is over', async () => {
    pass(300);
    answer = say('v2');
    expect(await gets('/')).toEqual(['Miss v2']);
  });

  test('outlives a background refresh that fails', async () => {
    answer = plain({ 'cache-control': 'no-store' }, 'broken', 503);
    expect(await gets('/')).toEqual(['Hit v1']);
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    answer = plain({ 'cache-control': 's-maxage=60' }, 'broken for a minute', 503);
    expect(await gets('/')).toEqual(['Hit v1']);
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(2));
    expect(await gets('/')).toEqual(['Hit v1']);
    await closeOrigin();
    expect(await gets('/', '/')).toEqual(['Hit v1', 'Hit v1']);
  });

  test('is dropped when its time is over', async () => {
    pass(300);
    answer = plain({}, 'broken', 500);
    await get();
    expect(edge.stats().entries).toBe(0);
  });

  test('is dropped when the origin no longer wants it kept', async () => {
    answer = plain({ 'cache-control': 'no-store' }, 'secret');
    expect(await gets('/')).toEqual(['Hit v1']);
    await vi.waitFor(async () => expect(await gets('/')).toEqual(['Miss secret']));
    expect(edge.stats().entries).toBe(0);
  });
});

describe('an answer that is stale and must be asked about', () => {
  test('is fresh again, and good for as long as before, when nothing changed', async () => {
    answer = say('v1', { staleMs: 0, labels: ['a'] });
    await get();
    pass(61);
    const refreshed = await get();
    expect(brief(refreshed)).toBe('RefreshHit v1');
    expect(refreshed.headers).toMatchObject({ 'content-type': 'text/plain', 'content-length': '2', 'cache-tag': 'a' });
    expect(refreshed.headers).not.toHaveProperty('warning');
    pass(59);
    expect(await gets('/')).toEqual(['Hit v1']);
    expect(asked).toHaveLength(2);
    await edge.cdn.purge(['a']);
    expect(await gets('/')).toEqual(['Miss v1']);
    expect(edge.stats()).toMatchObject({ hits: 1, staleHits: 0, revalidated: 1, misses: 2 });
  });

  test('takes over what the origin says of it now', async () => {
    answer = say('v1', { staleMs: 0, labels: ['old'] });
    await get();
    pass(61);
    answer = say('v1', { freshMs: 600_000, staleMs: 0, labels: ['new'] });
    expect(await gets('/')).toEqual(['RefreshHit v1']);
    pass(599);
    await edge.cdn.purge(['old']);
    expect(await gets('/')).toEqual(['Hit v1']);
    await edge.cdn.purge(['new']);
    expect(await gets('/')).toEqual(['Miss v1']);
  });

  test('keeps its type, whatever a 304, which has no body, says of one', async () => {
    const body = '{}';
    answer = plain({ 'cache-control': 's-maxage=60', etag: '"1"', 'content-type': 'application/json' }, body);
    await get();
    pass(61);
    answer = (_, outgoing) => {
      const type = { 'content-type': 'text/html', 'content-encoding': 'gzip', 'content-length': '0' };
      outgoing.writeHead(304, { 'cache-control': 's-maxage=60', etag: 'W/"1"', ...type }).end();
    };
    for (const got of [await get(), await get()]) {
      expect(got.body).toBe(body);
      expect(got.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '2' });
      expect(got.headers).not.toHaveProperty('content-encoding');
    }
  });

  test('is asked for in full when the origin says that something else did not change', async () => {
    answer = plain({ 'cache-control': 's-maxage=60', etag: '"1"' }, 'one');
    await get();
    pass(61);
    answer = (incoming, outgoing) => {
      const headers = { 'cache-control': 's-maxage=60', etag: '"2"' };
      if (incoming.headers['if-none-match']) outgoing.writeHead(304, headers).end();
      else outgoing.writeHead(200, headers).end('two');
    };
    expect(await gets('/', '/')).toEqual(['Miss two', 'Hit two']);
  });

  test('is replaced when it changed', async () => {
    answer = say('v1', { staleMs: 0 });
    await get();
    pass(61);
    answer = say('v2', { staleMs: 0 });
    expect(await gets('/', '/')).toEqual(['Miss v2', 'Hit v2']);
  });

  test.each(['must-revalidate', 'proxy-revalidate'])('because of %s, whatever else it says', async (directive) => {
    answer = plain({ 'cache-control': `s-maxage=60, stale-while-revalidate=300, stale-if-error=300, ${directive}` });
    await get();
    pass(61);
    answer = plain({ 'cache-control': 'no-store' }, 'broken', 500);
    expect(await gets('/')).toEqual(['Error broken']);
  });
});

describe('an origin that fails', () => {
  beforeEach(async () => {
    answer = plain({ 'cache-control': 's-maxage=60, stale-if-error=300', etag: '"1"' }, 'good');
    await get();
    pass(61);
  });

  test.each([500, 502, 503, 504])('with %d is covered up for as long as it may be', async (status) => {
    answer = plain({ 'cache-control': 'no-store' }, 'broken', status);
    expect(await gets('/', '/')).toEqual(['Hit good', 'Hit good']);
    expect(asked).toHaveLength(3);
    expect(edge.stats()).toMatchObject({ staleHits: 2 });
    pass(300);
    expect(await gets('/')).toEqual(['Error broken']);
  });

  test('by not being there is covered up too, and then 502', async () => {
    await closeOrigin();
    expect(await gets('/', '/')).toEqual(['Hit good', 'Hit good']);
    pass(300);
    const got = await get();
    expect(got).toMatchObject({ status: 502, xCache: 'Error' });
    expect(got.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    expect(JSON.parse(got.body)).toEqual({
      type: 'urn:streamgate:error:origin-unreachable',
      title: 'The API behind the cache cannot be reached',
      status: 502,
      code: 'origin-unreachable',
      detail: 'The API did not answer (ECONNREFUSED). Ask again.',
    });
  });

  test('by not answering is covered up too, and then 502', async () => {
    await open({ originTimeoutMs: 50 });
    await get();
    pass(61);
    const { let: go } = hold();
    expect(await gets('/')).toEqual(['Hit good']);
    pass(300);
    const got = await get();
    expect(got.status).toBe(502);
    expect(JSON.parse(got.body).detail).toBe('The API did not answer (UND_ERR_HEADERS_TIMEOUT). Ask again.');
    go();
  });

  test('with 404 is taken at its word', async () => {
    answer = plain({ 'cache-control': 'no-store' }, 'gone', 404);
    expect(await gets('/', '/')).toEqual(['Error gone', 'Error gone']);
  });

  test('in the middle of a body is 502, and nothing is kept', async () => {
    answer = (_, outgoing) => {
      outgoing.writeHead(200, { 'cache-control': 's-maxage=60', 'content-length': '100' }).write('half');
      setImmediate(() => outgoing.destroy());
    };
    expect((await get('/half')).status).toBe(502);
    answer = say('v2');
    expect(await gets('/half')).toEqual(['Miss v2']);
  });

  test('answers a HEAD without a body', async () => {
    await closeOrigin();
    expect(await get('/other', {}, 'HEAD')).toMatchObject({ status: 502, body: '' });
  });

  test('may come back elsewhere', async () => {
    await closeOrigin();
    origin = createServer(say('v2'));
    originUrl = await listen(origin);
    expect(await gets('/')).toEqual(['Miss v2']);
  });

  test('with a 5xx does not cost what is kept, even where it must not be served', async () => {
    pass(300);
    answer = plain({ 'cache-control': 's-maxage=60', etag: '"1"' }, 'good');
    await get('/strict');
    pass(61);
    answer = plain({ 'cache-control': 'no-store' }, 'broken', 500);
    expect(await gets('/strict')).toEqual(['Error broken']);
    answer = (incoming, outgoing) => {
      expect(incoming.headers['if-none-match']).toBe('"1"');
      outgoing.writeHead(304, { etag: '"1"' }).end();
    };
    expect(await gets('/strict')).toEqual(['RefreshHit good']);
    answer = plain({ 'cache-control': 's-maxage=60' }, 'well again');
    expect(await gets('/well', '/well')).toEqual(['Miss well again', 'Hit well again']);
  });
});

describe('a viewer', () => {
  test('who has it is told so, from what is kept', async () => {
    const { headers } = await get();
    const etag = String(headers.etag);
    pass(10);
    const known = await get('/', { 'if-none-match': `"other", W/${etag}` });
    expect(known).toMatchObject({ status: 304, body: '', xCache: 'Hit' });
    expect(known.headers).toMatchObject({ etag, age: '10', 'cache-control': headers['cache-control'] });
    expect(known.headers).not.toHaveProperty('content-type');
    expect(brief(await get('/', { 'if-none-match': '"other"' }))).toBe('Hit v1');
    expect(asked).toHaveLength(1);
  });

  test('who has it is told so, even if nothing is kept yet', async () => {
    const { headers } = await get();
    const first = await get('/new', { 'if-none-match': String(headers.etag), 'if-modified-since': 'yesterday' });
    expect(first).toMatchObject({ status: 304, xCache: 'Miss' });
    expect(last).not.toHaveProperty('if-none-match');
    expect(await gets('/new')).toEqual(['Hit v1']);
  });

  test('who has what was replaced gets what is new', async () => {
    const { headers } = await get();
    await edge.cdn.purge([]);
    pass(361);
    answer = say('v2');
    expect(brief(await get('/', { 'if-none-match': String(headers.etag) }))).toBe('Miss v2');
  });

  test('who had it is told when it is gone', async () => {
    answer = plain({ 'cache-control': 's-maxage=60', etag: '"1"' }, 'gone', 404);
    for (const _ of [1, 2]) {
      expect(await get('/', { 'if-none-match': '"1"' })).toMatchObject({ status: 404, body: 'gone' });
    }
  });

  test('who sends a body with a GET is not answered as those who send none', async () => {
    answer = async (incoming, outgoing) => {
      outgoing.writeHead(200, { 'cache-control': 's-maxage=60' }).end(`<${await text(incoming)}>`);
    };
    await get();
    expect(brief(await get('/', {}, 'GET', 'what'))).toBe('Miss <what>');
    expect(await gets('/')).toEqual(['Hit <>']);
  });

  test('who asks for the headers gets them, without asking the origin again', async () => {
    const head = await get('/', {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '', xCache: 'Miss' });
    expect(head.headers).toMatchObject({ 'content-length': '2', 'content-type': 'text/plain' });
    expect(await gets('/')).toEqual(['Hit v1']);
    expect(await get('/', {}, 'HEAD')).toMatchObject({ body: '', xCache: 'Hit' });
    expect(asked).toEqual(['GET /']);
  });

  test.each([
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'no-store' },
    { 'cache-control': 'max-age=0' },
    { pragma: 'no-cache' },
  ])('cannot make the origin work: %j', async (headers) => {
    expect([await get(), await get('/', headers)].map(brief)).toEqual(['Miss v1', 'Hit v1']);
  });

  test('cannot have 504 for what is not kept', async () => {
    expect(brief(await get('/', { 'cache-control': 'only-if-cached' }))).toBe('Miss v1');
  });

  test.each([{ range: 'bytes=0-0' }, { 'if-match': '"x"' }, { 'if-modified-since': 'Tue, 01 Sep 2026 12:00:00 GMT' }])(
    'with %j is sent on to the origin, which judges that',
    async (headers) => {
      await get();
      answer = (incoming, outgoing) => {
        expect(incoming.headers).toMatchObject(headers);
        outgoing.writeHead(206, { 'cache-control': 's-maxage=60', 'content-range': 'bytes 0-0/2' }).end('v');
      };
      expect(await get('/', headers)).toMatchObject({ status: 206, body: 'v', xCache: 'Miss' });
      expect(await gets('/')).toEqual(['Hit v1']);
    },
  );
});

describe('a token', () => {
  const alice = { authorization: 'Bearer alice' };
  const bob = { authorization: 'Bearer bob' };
  const own: RequestListener = (incoming, outgoing) =>
    say(`for ${incoming.headers.authorization}`, { vary: ['authorization'] })(incoming, outgoing);

  test('gets its own answer and no other', async () => {
    answer = own;
    const got = [
      await get('/', alice),
      await get('/', bob),
      await get(),
      await get('/', alice),
      await get('/', bob),
      await get(),
    ];
    expect(got.map(brief)).toEqual([
      'Miss for Bearer alice',
      'Miss for Bearer bob',
      'Miss for undefined',
      'Hit for Bearer alice',
      'Hit for Bearer bob',
      'Hit for undefined',
    ]);
  });

  test('does so too when the origin forgets to say that it matters', async () => {
    answer = (incoming, outgoing) =>
      void outgoing
        .writeHead(200, { 'cache-control': 'public, s-maxage=60' })
        .end(incoming.headers.authorization ?? 'nobody');
    const got = [await get('/', alice), await get('/', bob), await get(), await get('/', alice)];
    expect(got.map(brief)).toEqual(['Miss Bearer alice', 'Miss Bearer bob', 'Miss nobody', 'Hit Bearer alice']);
  });

  test('does so too at the same time as another, and when stale', async () => {
    const { let: go, arrived } = hold(own);
    const both = [get('/', alice), get('/', bob)];
    await arrived(2);
    go();
    expect((await Promise.all(both)).map(brief)).toEqual(['Miss for Bearer alice', 'Miss for Bearer bob']);
    pass(61);
    expect([await get('/', bob), await get('/', alice)].map(brief)).toEqual([
      'Hit for Bearer bob',
      'Hit for Bearer alice',
    ]);
  });

  test('is not made to wait because somebody without one was turned away', async () => {
    answer = own;
    await get('/', alice);
    answer = plain({ 'cache-control': 'no-store' }, 'who?', 401);
    expect(await gets('/')).toEqual(['Error who?']);
    expect(brief(await get('/', alice))).toBe('Hit for Bearer alice');
  });

  test('that is no longer good loses what was kept for it', async () => {
    answer = own;
    await get('/', alice);
    await get('/', bob);
    pass(361);
    answer = plain({ 'cache-control': 'no-store' }, 'no longer', 401);
    expect(brief(await get('/', alice))).toBe('Error no longer');
    expect(edge.stats().entries).toBeLessThanOrEqual(1);
  });

  test('that is not all that the answer depends on', async () => {
    answer = (incoming, outgoing) =>
      say(`${incoming.headers.accept}`, { vary: ['Accept', 'Authorization'] })(incoming, outgoing);
    const json = { ...alice, accept: 'application/json' };
    const csv = { ...alice, accept: 'text/csv' };
    const empty = { ...alice, accept: '' };
    const got: string[] = [];
    for (const headers of [json, csv, empty, alice, json, csv, empty, alice]) got.push(brief(await get('/', headers)));
    expect(got).toEqual([
      'Miss application/json',
      'Miss text/csv',
      'Miss ',
      'Miss undefined',
      'Hit application/json',
      'Hit text/csv',
      'Hit ',
      'Hit undefined',
    ]);
  });
});

describe('what changes something', () => {
  test('passes with its body, both ways, and is never kept', async () => {
    answer = async (incoming, outgoing) => {
      const body = await text(incoming);
      outgoing
        .writeHead(200, { 'cache-control': 'public, s-maxage=60' })
        .end(`${incoming.headers['content-type']} ${body}`);
    };
    for (const _ of [1, 2]) {
      const got = await get('/do', { 'content-type': 'text/plain' }, 'POST', 'please');
      expect(brief(got)).toBe('Miss text/plain please');
    }
    expect(asked).toEqual(['POST /do', 'POST /do']);
    expect(edge.stats()).toMatchObject({ misses: 0, entries: 0 });
  });

  test('forgets what is kept of its URL, for everybody', async () => {
    const token = { authorization: 'Bearer a' };
    await gets('/a', '/b');
    await get('/a', token);
    answer = say('v2');
    await get('/a', { authorization: 'Bearer b' }, 'POST', 'x');
    expect(await gets('/a', '/b')).toEqual(['Miss v2', 'Hit v1']);
    expect(brief(await get('/a', token))).toBe('Miss v2');
  });

  test('forgets what is on its way, too', async () => {
    const { let: go, arrived } = hold();
    const reading = get('/a');
    await arrived(1);
    answer = say('v2');
    await get('/a', {}, 'POST', 'x');
    go();
    expect(brief(await reading)).toBe('Miss v1');
    expect(await gets('/a')).toEqual(['Miss v2']);
  });

  test('and fails, forgets nothing', async () => {
    await get();
    answer = plain({}, 'no', 500);
    await get('/', {}, 'POST', 'x');
    expect(await gets('/')).toEqual(['Hit v1']);
  });

  test('is cut off where the origin is', async () => {
    answer = (_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': '100' }).write('half');
      setImmediate(() => outgoing.destroy());
    };
    await expect(get('/', {}, 'POST', 'x')).rejects.toThrow();
    answer = say('v2');
    expect(await gets('/')).toEqual(['Miss v2']);
  });

  test('is 502 when there is no origin', async () => {
    await closeOrigin();
    expect(await get('/', {}, 'POST', 'x')).toMatchObject({ status: 502 });
  });

  test('with OPTIONS is asked of the origin each time', async () => {
    await get('/', {}, 'OPTIONS');
    await get('/', {}, 'OPTIONS');
    expect(asked).toEqual(['OPTIONS /', 'OPTIONS /']);
  });
});

describe('a purge', () => {
  const tagged =
    (body: string): RequestListener =>
    (incoming, outgoing) =>
      say(body, { labels: (incoming.url ?? '').slice(1).split('-') })(incoming, outgoing);

  beforeEach(() => {
    answer = tagged('v1');
  });

  test('forgets what has the tag, and nothing else', async () => {
    await gets('/a', '/a-b', '/b', '/ab');
    answer = tagged('v2');
    await edge.cdn.purge(['a', 'unknown']);
    expect(await gets('/a', '/a-b', '/b', '/ab')).toEqual(['Miss v2', 'Miss v2', 'Hit v1', 'Hit v1']);
    expect(edge.stats()).toMatchObject({ entries: 4, purges: 1, evictions: 0 });
  });

  test('does not tell upper from lower case', async () => {
    await gets('/Product', '/pRODUCT', '/other');
    await edge.cdn.purge(['PRODUCT']);
    expect(edge.stats().entries).toBe(1);
  });

  test('forgets every variant', async () => {
    for (const name of ['a', 'b', 'c']) await get('/x', { authorization: `Bearer ${name}` });
    expect(edge.stats().entries).toBe(3);
    await edge.cdn.purge(['x']);
    expect(edge.stats().entries).toBe(0);
  });

  test('forgets what is stale', async () => {
    await get('/a');
    pass(61);
    await edge.cdn.purge(['a']);
    answer = tagged('v2');
    expect(await gets('/a')).toEqual(['Miss v2']);
  });

  test('reads the first 50 tags, as CloudFront does, from the header that it is told', async () => {
    await open({ tagHeader: 'x-tags' });
    expect(edge.cdn).toMatchObject({ name: 'edge', tagHeader: 'x-tags' });
    const tags = Array.from({ length: 51 }, (_, number) => `t${number}`);
    answer = plain({
      'cache-control': 's-maxage=60',
      'x-tags': [tags.slice(0, 20).join(', '), tags.slice(20).join(',')],
    });
    await get();
    await edge.cdn.purge(['t50']);
    expect(edge.stats().entries).toBe(1);
    await edge.cdn.purge(['t49']);
    expect(edge.stats().entries).toBe(0);
  });

  test('is not undone by an answer from before it', async () => {
    const { let: go, arrived } = hold();
    const before = [get('/a'), get('/b')];
    await arrived(2);
    await edge.cdn.purge(['a']);
    answer = tagged('v2');
    go();
    expect((await Promise.all(before)).map(brief)).toEqual(['Miss v1', 'Miss v1']);
    expect(await gets('/a', '/b', '/a')).toEqual(['Miss v2', 'Hit v1', 'Hit v2']);
  });

  test('is not undone by an answer of which a part has arrived', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = async (_, outgoing) => {
      outgoing.writeHead(200, { 'cache-control': 's-maxage=60', 'cache-tag': 'a' }).write('old ');
      await promise;
      outgoing.end('news');
    };
    const headed = Promise.withResolvers<void>();
    const onHeaders = (message: unknown) => {
      if ((message as { request: { origin: string } }).request.origin === originUrl) headed.resolve();
    };
    subscribe('undici:request:headers', onHeaders);
    onTestFinished(() => void unsubscribe('undici:request:headers', onHeaders));
    const before = get('/a');
    await headed.promise;
    await edge.cdn.purge(['a']);
    resolve();
    expect(brief(await before)).toBe('Miss old news');
    answer = tagged('v2');
    expect(await gets('/a')).toEqual(['Miss v2']);
  });

  test('is not undone by those who share an answer from before it', async () => {
    const { let: go, arrived } = hold();
    const before = get('/a');
    await arrived(1);
    await edge.cdn.purge(['a']);
    const { let: goOn, arrived: alsoArrived } = hold(tagged('v2'));
    const after = get('/a');
    await alsoArrived(1);
    go();
    expect(brief(await before)).toBe('Miss v1');
    goOn();
    expect(brief(await after)).toBe('Miss v2');
    expect(await gets('/a')).toEqual(['Hit v2']);
  });

  test('is not undone by a refresh from before it', async () => {
    await get('/a');
    pass(61);
    const { let: go, arrived } = hold();
    expect(await gets('/a')).toEqual(['Hit v1']);
    await arrived(1);
    await edge.cdn.purge(['a']);
    go();
    answer = tagged('v2');
    expect(await gets('/a')).toEqual(['Miss v2']);
    expect(await gets('/a')).toEqual(['Hit v2']);
  });

  test('does not turn what a viewer waits for into a 304 it cannot use', async () => {
    answer = say('v1', { staleMs: 0, labels: ['a'] });
    await get('/a');
    pass(61);
    const { let: go, arrived } = hold();
    const waiting = get('/a');
    await arrived(1);
    await edge.cdn.purge(['a']);
    go();
    expect(await waiting).toMatchObject({ status: 200, body: 'v1' });
    expect(edge.stats().entries).toBe(0);
  });

  test('of more tags than can be remembered is not undone either', async () => {
    const { let: go, arrived } = hold();
    const before = get('/a');
    await arrived(1);
    await edge.cdn.purge(['a', ...Array.from({ length: 10_000 }, (_, number) => `t${number}`)]);
    go();
    await before;
    expect(edge.stats().entries).toBe(0);
    expect(await gets('/a', '/a')).toEqual(['Miss v1', 'Hit v1']);
  });
});

describe('a full cache', () => {
  test('drops what was not used for the longest time', async () => {
    await open({ maxEntries: 3 });
    await gets('/1', '/2', '/3', '/1', '/4');
    expect(edge.stats()).toMatchObject({ entries: 3, evictions: 1 });
    expect(await gets('/1', '/3', '/4', '/2')).toEqual(['Hit v1', 'Hit v1', 'Hit v1', 'Miss v1']);
  });

  test('does so for variants, and forgets their tags', async () => {
    await open({ maxEntries: 2 });
    answer = say('v1', { labels: ['a'] });
    for (const name of ['a', 'b', 'c']) await get('/x', { authorization: `Bearer ${name}` });
    expect(edge.stats()).toMatchObject({ entries: 2, evictions: 1 });
    await edge.cdn.purge(['a']);
    expect(edge.stats()).toMatchObject({ entries: 0, evictions: 1 });
  });

  test('of bytes does so too', async () => {
    await open({ maxBytes: 1_000 });
    answer = say('x'.repeat(400));
    await gets('/1', '/2', '/3');
    expect(edge.stats()).toMatchObject({ entries: 2, evictions: 1 });
    answer = say('x'.repeat(1_001));
    await gets('/4');
    expect(edge.stats()).toMatchObject({ entries: 0, evictions: 4 });
  });

  test('is not made of answers that replace each other', async () => {
    await open({ maxEntries: 2, maxBytes: 10 });
    for (let round = 0; round < 5; round++) {
      await gets('/1', '/2');
      pass(400);
    }
    expect(edge.stats()).toMatchObject({ entries: 2, evictions: 0, misses: 10 });
  });
});

describe('headers of the connection', () => {
  test('stay on it, both ways', async () => {
    answer = (_, outgoing) => {
      outgoing.writeHead(200, {
        'cache-control': 's-maxage=60',
        connection: 'close, X-Hop',
        'x-hop': 'origin',
        'keep-alive': 'timeout=77',
        'proxy-authenticate': 'Basic',
        trailer: 'x-late',
        upgrade: 'h2c',
        'x-end': 'kept',
      });
      outgoing.end('v1');
    };
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    const { request: raw } = await import('node:http');
    raw(edgeUrl, {
      headers: {
        connection: 'X-Own, close',
        'x-own': '1',
        te: 'trailers',
        'proxy-authorization': 'secret',
        'x-end': '1',
      },
    })
      .on('response', resolve)
      .end();
    const first = await promise;
    expect(await text(first)).toBe('v1');
    expect(last).toMatchObject({ 'x-end': '1', via: '1.1 streamgate', host: new URL(originUrl).host });
    for (const name of ['x-own', 'te', 'proxy-authorization']) expect(last).not.toHaveProperty(name);
    for (const { headers } of [first, await get()]) {
      expect(headers).toMatchObject({ 'x-end': 'kept' });
      for (const name of ['x-hop', 'proxy-authenticate', 'trailer', 'upgrade'])
        expect(headers).not.toHaveProperty(name);
      expect(headers['keep-alive']).not.toBe('timeout=77');
    }
  });

  test('tell through whom else a request came', async () => {
    await get('/', { via: '1.1 other' });
    expect(last.via).toBe('1.1 other, 1.1 streamgate');
  });
});

describe('an edge', () => {
  test('takes the whole URL as a proxy does, and refuses what is none', async () => {
    const ask = async (line: string) => {
      const { connect } = await import('node:net');
      const socket = connect(Number(new URL(edgeUrl).port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.write(`${line} HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n`);
      return text(socket);
    };
    expect(await ask('GET http://edge/a?b')).toMatch(/^HTTP\/1.1 200 .*\r\nv1$/s);
    expect(await ask('GET /a?b')).toMatch(/Hit from streamgate/);
    expect(asked).toEqual(['GET /a?b']);
    expect(await ask('OPTIONS *')).toMatch(/^HTTP\/1.1 404 .*"code":"path-unknown"/s);
  });

  test('ends when it is told to, whoever still waits', async () => {
    const { arrived } = hold();
    const waiting = get().catch((error) => error);
    await arrived(1);
    const closed = once(edge.server, 'close');
    await edge.close();
    await closed;
    expect(await waiting).toBeInstanceOf(Error);
    await vi.waitFor(async () => expect(await promisify(origin.getConnections.bind(origin))()).toBe(0));
  });

  test('tells of a mistake of its own only the log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await edge.close();
    edge = createEdge(() => {
      throw new Error('geheim');
    });
    edgeUrl = await listen(edge.server);
    const got = await get();
    expect(got).toMatchObject({ status: 500, xCache: 'Error' });
    expect(got.body).not.toContain('geheim');
    expect(log).toHaveBeenCalled();
  });
});
