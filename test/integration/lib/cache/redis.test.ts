import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { entry, longMs, positionOf, readTexts, until } from '../../../../lib/cache/contract/case.ts';
import { storeContract } from '../../../../lib/cache/contract.ts';
import { type ConnectOptions, connectRedis, type RedisStoreOptions, redisStore } from '../../../../lib/cache/redis.ts';
import type { Store } from '../../../../lib/cache/store.ts';
import { freePort } from '../../../../local/process.ts';
import { startCluster, startOne, startSecure, type TestRedis } from './redis-servers.ts';

const server = await startOne();
const skipped = server ? '' : ' (skipped: neither valkey-server nor redis-server is on the PATH)';
if (skipped) console.warn(`The tests of the Redis adapter${skipped}`);
afterAll(() => server?.stop());

type Client = Redis | Cluster;

const flush = (client: Client) =>
  client instanceof Cluster ? Promise.all(client.nodes('master').map((node) => node.flushall())) : client.flushall();

/** Runs the contract with clients that are made so. */
function contractWith(makeClient: () => Promise<Client> | Client): void {
  storeContract({
    test,
    async open({ maxEntries }) {
      const admin = await makeClient();
      // Before that it knows only one node of a cluster.
      if (admin.status !== 'ready') await once(admin, 'ready');
      const clients = [admin];
      const another = async () => {
        const client = await makeClient();
        clients.push(client);
        return redisStore(client, { namespace: 'contract 🙂', maxEntries });
      };
      return {
        store: await another(),
        another,
        lose: async () => void (await flush(admin)),
        async close() {
          await flush(admin);
          for (const client of clients) client.disconnect();
        },
      };
    },
  });
}

describe.skipIf(!server)(`the contract, one server${skipped}`, () => {
  contractWith(() => connectRedis(server?.url ?? ''));
});

describe.skipIf(!server)(
  `the contract, a client of the caller's with a key prefix and autopipelining${skipped}`,
  () => {
    contractWith(() => new Redis(server?.url ?? '', { enableAutoPipelining: true, keyPrefix: 'app:' }));
  },
);

describe.skipIf(!server)(`a cluster${skipped}`, () => {
  let cluster: TestRedis;

  beforeAll(async () => {
    cluster = await startCluster(server?.program ?? '');
  });
  afterAll(() => cluster?.stop());

  describe('the contract', () => {
    contractWith(() => connectRedis({ url: cluster.url, cluster: true }));
  });

  test('keeps all keys of a namespace on one node', async () => {
    const client = (await connectRedis({ url: cluster.url, cluster: true })) as Cluster;
    for (const namespace of ['one', 'two', 'three', 'four', 'five']) {
      const store = redisStore(client, { namespace });
      await fill(store);
      const keys = await Promise.all(client.nodes('master').map((node) => node.keys(`{${namespace}}:*`)));
      expect(keys.filter(({ length }) => length > 0)).toHaveLength(1);
      expect(keys.flat()).toHaveLength(8);
    }
    await flush(client);
    client.disconnect();
  });

  test('that is not there fails commands early, is told of, ends no process, and may come', async () => {
    const port = await freePort();
    const errors: Error[] = [];
    const url = `redis://127.0.0.1:${port}`;
    const client = await connectRedis({ url, cluster: true, onError: (error) => errors.push(error) });
    const store = redisStore(client);
    for (let round = 0; round < 3; round++) await expect(store.read(['a'], undefined)).rejects.toThrow();
    expect(errors.length).toBeGreaterThan(0);
    const proxy = await startProxy(port, cluster.url);
    await until('it is found', () => store.read([], undefined).then(Boolean, () => false));
    client.disconnect();
    proxy.close();
  });

  test('that is not there is left alone when its client was closed', async () => {
    const port = await freePort();
    const client = await connectRedis({ url: `redis://127.0.0.1:${port}`, cluster: true });
    await expect(redisStore(client).read(['a'], undefined)).rejects.toThrow();
    client.disconnect();
    const proxy = await startProxy(port, cluster.url);
    await delay(300);
    expect(proxy.sockets).toEqual([]);
    proxy.close();
  });

  test('reads on after its connections were cut', async () => {
    const client = (await connectRedis({ url: cluster.url, cluster: true })) as Cluster;
    const store = redisStore(client);
    await fill(store);
    for (let round = 0; round < 3; round++) {
      for (const node of client.nodes('master')) await cutConnections(node);
      expect(await readTexts(store, 'a')).toEqual(['a']);
    }
    await flush(client);
    client.disconnect();
  });
});

/** Puts something of everything into a store. */
async function fill(store: Store): Promise<void> {
  await store.write([entry('a', await positionOf(store), { tags: ['t', 'u'] })]);
  await store.write([entry('b', await positionOf(store))]);
  await store.lease('c', 'token', longMs);
  await store.count(Date.now(), { sums: { n: 1 }, maxima: {} }, longMs);
}

/** Lets the server close all connections but the one that asks for it. */
async function cutConnections(of: Redis): Promise<void> {
  const admin = new Redis(of.options.port ?? 6379, of.options.host ?? '127.0.0.1');
  await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  admin.disconnect();
}

/** Stands between clients and a server, and can fall silent as a connection does that died while nobody looked. */
async function startProxy(port: number, target: string) {
  const sockets: Socket[] = [];
  const silent = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connectTcp(Number(new URL(target).port), '127.0.0.1');
    sockets.push(near, far);
    near.on('data', (data) => silent.has(near) || far.write(data));
    far.on('data', (data) => near.write(data));
    near.on('error', () => {}).on('close', () => far.destroy());
    far.on('error', () => {}).on('close', () => near.destroy());
  });
  proxy.listen(port, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `redis://127.0.0.1:${port}`,
    sockets,
    /** From now on those that are connected get no answer. */
    silence: () => sockets.forEach((socket) => void silent.add(socket)),
    close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

describe.skipIf(!server)(`one server${skipped}`, () => {
  let admin: Redis;
  let clients: Client[];

  beforeEach(() => {
    admin = new Redis(server?.url ?? '');
    clients = [admin];
  });
  afterEach(async () => {
    await admin.flushall();
    for (const client of clients) client.disconnect();
  });

  const connect = async (options: Partial<ConnectOptions> = {}) => {
    const client = await connectRedis({ url: server?.url ?? '', ...options });
    clients.push(client);
    return client;
  };
  const open = async (options: RedisStoreOptions = {}) => redisStore(await connect(), options);
  const invalidate = (store: Store, ...tags: string[]) => store.invalidate({ keys: [], tags }, undefined);

  describe('what Redis drops', () => {
    test('when the log alone is evicted, nothing is valid that may have been invalidated', async () => {
      const store = await open();
      const before = await positionOf(store);
      await store.write([entry('a', before, { tags: ['t'] }), entry('b', before)]);
      const { position } = await invalidate(store, 't');
      await admin.del('{streamgate}:log');
      const after = await store.read(['a', 'b'], position);
      expect(after).toMatchObject({ entries: [undefined, undefined], changes: 'lost' });
      expect(after.position).toBeGreaterThan(position);
      expect(await store.write([entry('a', position), entry('b', after.position)])).toEqual([false, true]);
    });

    test('when the log is evicted right after a burst of invalidations, all the same', async () => {
      const store = await open();
      const before = await positionOf(store);
      await store.write([entry('a', before, { tags: ['t'] })]);
      let last = before;
      await Promise.all(Array.from({ length: 5_000 }, () => invalidate(store, 't').then((r) => (last = r.position))));
      await admin.del('{streamgate}:log');
      const after = await store.read(['a'], last);
      expect(after).toMatchObject({ entries: [undefined], changes: 'lost' });
      expect(after.position).toBeGreaterThan(last);
    });

    test.each([['lru'], ['exp'], ['lru', 'exp']])('when %s is evicted, the cap recovers', async (...lost) => {
      const store = await open({ maxEntries: 100 });
      const position = await positionOf(store);
      const keys = Array.from({ length: 100 }, (_, index) => `old ${index}`);
      await store.write(keys.map((key) => entry(key, position)));
      await admin.del(...lost.map((name) => `{streamgate}:${name}`));
      // Those that are still read.
      await store.read(keys.slice(0, 50), undefined);
      for (let index = 0; index < 40; index++) await store.write([entry(`new ${index}`, position)]);
      // What nobody has read since both were lost is not known any more, and goes when its time is over.
      const unknown = lost.length === 2 ? 50 : 0;
      expect(await admin.keys('{streamgate}:e:*')).toHaveLength(unknown + (lost.length === 2 ? 90 : 100));
      expect(await store.size()).toEqual({ entries: lost.length === 2 ? 90 : 100, maxEntries: 100 });
      for (let index = 40; index < 50; index++) await store.write([entry(`new ${index}`, position)]);
      const read = await readTexts(store, ...keys.slice(0, 50));
      // Without a record of use the youngest use is not known either, so what expires first goes first.
      if (!lost.includes('lru') || lost.length === 2) expect(read.filter(Boolean)).toHaveLength(50);
      expect((await store.size()).entries).toBe(100);
    });

    test('an entry that Redis evicted is not counted when that was noticed', async () => {
      const store = await open();
      const position = await positionOf(store);
      await store.write([entry('a', position), entry('b', position)]);
      await admin.del('{streamgate}:e:a');
      expect(await readTexts(store, 'a', 'b')).toEqual([undefined, 'b']);
      expect((await store.size()).entries).toBe(1);
      expect(await admin.zrange('{streamgate}:lru', 0, -1)).toEqual(['{streamgate}:e:b']);
    });

    test('an entry that was invalidated by a tag is removed when it is met', async () => {
      const store = await open();
      await store.write([entry('a', await positionOf(store), { tags: ['t'] })]);
      await invalidate(store, 't');
      expect((await store.size()).entries).toBe(1);
      await store.read(['a'], undefined);
      expect((await store.size()).entries).toBe(0);
      expect(await admin.exists('{streamgate}:e:a')).toBe(0);
    });

    test('the latest invalidations, by a failover or an old snapshot: whoever knew them makes all begin anew', async () => {
      const store = await open();
      const before = await positionOf(store);
      await store.write([entry('a', before, { tags: ['t'] }), entry('b', before)]);
      const snapshot = await admin.dumpBuffer('{streamgate}:log');
      const { position } = await invalidate(store, 't');
      await admin.restore('{streamgate}:log', 0, snapshot, 'REPLACE');
      const after = await store.read(['a', 'b'], position);
      expect(after).toMatchObject({ entries: [undefined, undefined], changes: 'lost' });
      expect(after.position).toBeGreaterThan(position);
      expect(await store.write([entry('a', before)])).toEqual([false]);
    });

    test('no entry, lease or counter stays for ever', async () => {
      const store = await open();
      await fill(store);
      const lasting: string[] = [];
      for (const key of await admin.keys('*')) if ((await admin.pttl(key)) === -1) lasting.push(key);
      expect(lasting.sort()).toEqual(['exp', 'log', 'lru'].map((name) => `{streamgate}:${name}`));
    });

    test('the starts of spans whose counters are gone are forgotten', async () => {
      const store = await open();
      await store.count(2_000, { sums: { n: 1 }, maxima: {} }, longMs);
      await store.count(1_000, { sums: { n: 1 }, maxima: {} }, 1);
      await until('the span is gone', async () => (await admin.exists('{streamgate}:n:1000')) === 0);
      await store.count(2_000, { sums: { n: 1 }, maxima: {} }, longMs);
      expect(await admin.zrange('{streamgate}:n', 0, -1)).toEqual(['2000']);
      await admin.del('{streamgate}:n:2000');
      expect(await store.counts(0)).toEqual({ sums: {}, maxima: {} });
      expect(await admin.exists('{streamgate}:n')).toBe(0);
    });
  });

  describe('while nothing is being invalidated', () => {
    /** How often a script was run. */
    const scriptRuns = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
    /** Reads as who knows all of the log, and tells how many scripts that took. */
    const readQuietly = async (store: Store, position: number, ...keys: string[]) => {
      const before = await scriptRuns();
      const { entries, position: after } = await store.read(keys, position);
      return {
        texts: entries.map((found) => found && String(found.bytes)),
        after,
        scripts: (await scriptRuns()) - before,
      };
    };

    test('a read needs no script', async () => {
      const store = await open();
      const position = await positionOf(store);
      await store.write([entry('a', position, { tags: ['t'] }), entry('b', position)]);
      const reply = { texts: ['a', undefined, 'b'], after: position, scripts: 0 };
      expect(await readQuietly(store, position, 'a', 'missing', 'b')).toEqual(reply);
      expect(await readQuietly(store, position)).toEqual({ texts: [], after: position, scripts: 0 });
    });

    test('nor does one after an invalidation that its caller knows, unless it finds an older entry with tags', async () => {
      const store = await open();
      const before = await positionOf(store);
      await store.write([entry('a', before), entry('gone', before), entry('tagged', before, { tags: ['t'] })]);
      const { position } = await store.invalidate({ keys: ['gone'], tags: ['another'] }, undefined);
      expect(await readQuietly(store, position, 'a', 'gone')).toEqual({
        texts: ['a', undefined],
        after: position,
        scripts: 0,
      });
      expect(await readQuietly(store, position, 'tagged')).toMatchObject({ texts: ['tagged'], scripts: 1 });
      await invalidate(store, 't');
      expect(await readQuietly(store, position, 'tagged')).toMatchObject({ texts: [undefined], scripts: 1 });
    });

    test('an invalidation that its caller does not know is told, and reads take the script for a while', async () => {
      const store = await open();
      const before = await positionOf(store);
      await store.write([entry('a', before)]);
      const { position } = await invalidate(store, 't');
      expect(await store.read(['a'], before)).toMatchObject({ position, changes: { tags: [['t', position]] } });
      let scripts = 0;
      for (let reads = 0; reads < 20; reads++) scripts += (await readQuietly(store, position, 'a')).scripts;
      expect(scripts).toBe(16);
    });

    test('whoever knows more of the log than it does makes all begin anew', async () => {
      const store = await open();
      const position = await positionOf(store);
      await store.write([entry('a', position)]);
      expect(await store.read(['a'], position + 1)).toMatchObject({ entries: [undefined], changes: 'lost' });
    });

    test('an entry from before the floor is not valid, however quiet it is', async () => {
      const store = await open({ logSize: 1 });
      const before = await positionOf(store);
      await store.write([entry('a', before)]);
      await invalidate(store, 't');
      const { position } = await invalidate(store, 'u', 'v');
      expect((await store.read(['a'], position)).entries).toEqual([undefined]);
      expect(await admin.exists('{streamgate}:e:a')).toBe(0);
    });

    test('what was used is told with the next write, and what is gone is not called back', async () => {
      const store = await open({ maxEntries: 3 });
      const position = await positionOf(store);
      for (const key of ['a', 'b', 'c']) await store.write([entry(key, position)]);
      await store.read(['a', 'b'], position);
      await admin.del('{streamgate}:e:b', '{streamgate}:lru');
      await store.write([entry('d', position)]);
      expect(await admin.zrange('{streamgate}:lru', 0, -1)).toEqual(
        expect.arrayContaining(['{streamgate}:e:a', '{streamgate}:e:d']),
      );
      expect(await readTexts(store, 'a', 'd')).toEqual(['a', 'd']);
      expect((await store.size()).entries).toBeLessThanOrEqual(3);
    });

    test('what was used is told without a write, too', async () => {
      const store = await open();
      const position = await positionOf(store);
      const keys = Array.from({ length: 33 }, (_, at) => `key ${at}`);
      await store.write(keys.map((key) => entry(key, position)));
      const used = () => admin.zscore('{streamgate}:lru', '{streamgate}:e:key 0');
      const before = await used();
      await store.read(keys, position);
      expect(await used()).toBe(before);
      await store.read(['missing'], position);
      expect(Number(await used())).toBeGreaterThan(Number(before));
    });
  });

  describe('what is not an entry is a miss', () => {
    const position = 2 ** 50;
    const head = (format: number, at: number, tags: number) => {
      const bytes = Buffer.alloc(11);
      bytes.writeUInt8(format, 0);
      bytes.writeDoubleBE(at, 1);
      bytes.writeUInt16BE(tags, 9);
      return bytes;
    };

    test.each([
      ['no bytes', () => Buffer.alloc(0)],
      ['text', () => Buffer.from('{"some":"thing else"}')],
      ['a head that is cut off', () => head(0xe1, position, 0).subarray(0, 9)],
      ['tags that are cut off', (at: number) => Buffer.concat([head(0xe1, at, 3), Buffer.from([0, 1, 116, 0])])],
      ['a tag that is cut off', (at: number) => Buffer.concat([head(0xe1, at, 1), Buffer.from([0, 9, 116])])],
      ['no position', () => head(0xe1, Number.NaN, 0)],
      ['a position that is yet to come', () => head(0xe1, Number.POSITIVE_INFINITY, 0)],
      ['the format of another version', (at: number) => head(0xe2, at, 0)],
    ])('%s', async (_, make) => {
      const store = await open();
      // Tags are looked up in the log only when something was invalidated since.
      for (const isLatest of [true, false]) {
        await admin.set('{streamgate}:e:a', make(await positionOf(store)));
        if (!isLatest) await invalidate(store, 'x');
        expect(await readTexts(store, 'a')).toEqual([undefined]);
        expect((await store.lease('a', 'token', longMs)).entry).toBeUndefined();
        expect(await store.write([entry('a', await positionOf(store))])).toEqual([true]);
        expect(await readTexts(store, 'a')).toEqual(['a']);
      }
    });

    test('an entry of another version is left alone', async () => {
      const store = await open();
      await admin.set('{streamgate}:e:a', head(0xe2, 1, 0));
      await store.read(['a'], undefined);
      expect(await admin.exists('{streamgate}:e:a')).toBe(1);
    });

    test('a list', async () => {
      const store = await open();
      await admin.rpush('{streamgate}:e:a', 'x');
      expect(await readTexts(store, 'a')).toEqual([undefined]);
      expect(await store.write([entry('a', await positionOf(store))])).toEqual([true]);
      expect(await readTexts(store, 'a')).toEqual(['a']);
    });
  });

  describe('limits', () => {
    test('the log remembers as many labels as it may, and what is older is lost', async () => {
      const store = await open({ logSize: 10 });
      const start = await positionOf(store);
      await store.write([entry('a', start, { tags: ['other'] })]);
      const positions: number[] = [];
      for (let index = 0; index < 15; index++) positions.push((await invalidate(store, `t${index}`)).position);
      expect(await admin.zcard('{streamgate}:log')).toBe(12);
      const [fourth = 0, fifth = 0] = positions.slice(3, 5);
      expect((await store.read([], fourth)).changes).toBe('lost');
      expect((await store.read([], fifth)).changes).toMatchObject({ tags: { length: 10 } });
      expect(await store.write([entry('b', fourth), entry('c', fifth)])).toEqual([false, true]);
      expect(await readTexts(store, 'a', 'b', 'c')).toEqual([undefined, undefined, 'c']);
    });

    test('more labels at once than the log remembers invalidate everything before', async () => {
      const store = await open({ logSize: 10 });
      const start = await positionOf(store);
      await store.write([entry('a', start)]);
      const tags = Array.from({ length: 11 }, (_, index) => `t${index}`);
      const { position, changes } = await store.invalidate({ keys: [], tags }, start);
      expect(changes).toBe('lost');
      expect(await readTexts(store, 'a')).toEqual([undefined]);
      expect((await store.read([], position)).changes).toEqual({ keys: [], tags: [] });
      expect(await store.write([entry('a', position, { tags })])).toEqual([true]);
      expect((await store.invalidate({ keys: [], tags: ['t1'] }, position)).changes).toMatchObject({
        tags: [['t1', {}]],
      });
      expect(await readTexts(store, 'a')).toEqual([undefined]);
    });

    test('as many changes are told as were allowed, and one more is lost', async () => {
      const store = await open({ maxChanges: 5 });
      const start = await positionOf(store);
      const reply = await store.invalidate({ keys: ['a', 'b'], tags: ['a', 'b', 'c'] }, start);
      expect(reply.changes).toMatchObject({ keys: { length: 2 }, tags: { length: 3 } });
      expect((await store.invalidate({ keys: [], tags: ['d'] }, start)).changes).toBe('lost');
      expect((await store.read([], reply.position)).changes).toMatchObject({ tags: [['d', {}]] });
    });

    test('ten thousand keys are read, invalidated and evicted, and nine thousand tags borne, at once', async () => {
      const store = await open({ maxEntries: 20_000, logSize: 20_000 });
      const position = await positionOf(store);
      const keys = Array.from({ length: 10_000 }, (_, index) => `key ${index}`);
      const tags = Array.from({ length: 9_000 }, (_, index) => `tag ${index}`);
      await store.write(keys.map((key) => entry(key, position)));
      expect((await store.size()).entries).toBe(10_000);
      expect(await readTexts(store, ...keys)).toEqual(keys);
      await (await open({ maxEntries: 9_500 })).write([entry('x', position)]);
      expect((await store.size()).entries).toBe(9_500);
      await store.write(['first', 'last'].map((key) => entry(key, position, { tags })));
      await store.invalidate({ keys, tags: ['something else'] }, undefined);
      expect((await store.size()).entries).toBe(3);
      expect(await readTexts(store, 'first', 'last')).toEqual(['first', 'last']);
      await invalidate(store, 'tag 8999');
      expect(await readTexts(store, 'first')).toEqual([undefined]);
    });
  });

  describe('the server', () => {
    test('forgets its scripts: they are sent again', async () => {
      const store = await open();
      await fill(store);
      await admin.script('FLUSH');
      expect(await readTexts(store, 'a')).toEqual(['a']);
    });

    test('is full: it can be read, and rejects what would be kept', async () => {
      const store = await open();
      await fill(store);
      const { position } = await store.read([], undefined);
      try {
        await admin.config('SET', 'maxmemory-policy', 'noeviction');
        await admin.config('SET', 'maxmemory', '1');
        expect(await readTexts(store, 'a', 'missing')).toEqual(['a', undefined]);
        await expect(store.write([entry('c', position)])).rejects.toThrow('OOM');
        await expect(invalidate(store, 't')).rejects.toThrow('OOM');
      } finally {
        await admin.config('SET', 'maxmemory', '64mb');
        await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
      }
      expect(await readTexts(store, 'a')).toEqual(['a']);
      await invalidate(store, 't');
      expect(await readTexts(store, 'a')).toEqual([undefined]);
    });

    test('has become a replica: the client looks for the new primary', async () => {
      const client = (await connect()) as Redis;
      const store = redisStore(client);
      await fill(store);
      let connections = 0;
      client.on('connect', () => connections++);
      try {
        await admin.config('SET', 'replica-serve-stale-data', 'yes');
        await admin.replicaof('127.0.0.1', await freePort());
        await expect(store.read(['a'], undefined)).rejects.toThrow('READONLY');
        await admin.replicaof('NO', 'ONE');
        expect(await readTexts(store, 'a')).toEqual(['a']);
        expect(connections).toBe(1);
      } finally {
        await admin.replicaof('NO', 'ONE');
      }
    });

    test('has become a replica: reads without a script notice it soon', async () => {
      const store = await open();
      const position = await positionOf(store);
      await store.write([entry('a', position)]);
      try {
        await admin.config('SET', 'replica-serve-stale-data', 'yes');
        await admin.replicaof('127.0.0.1', await freePort());
        await store.read(['a'], position);
        await until('a read is refused', () =>
          store.read(['a'], position).then(
            () => false,
            (error) => /READONLY/.test(error),
          ),
        );
      } finally {
        await admin.replicaof('NO', 'ONE');
      }
    });

    test('cuts the connection: the next read works', async () => {
      const errors: Error[] = [];
      const store = redisStore(await connect({ onError: (error) => errors.push(error) }));
      await fill(store);
      for (let round = 0; round < 5; round++) {
        await cutConnections(admin);
        if (round % 2) await delay(10);
        expect(await readTexts(store, 'a')).toEqual(['a']);
      }
    });

    test('two namespaces know nothing of each other', async () => {
      const [one, two] = [await open({ namespace: 'one' }), await open({ namespace: 'two' })];
      await fill(one);
      expect(await readTexts(two, 'a')).toEqual([undefined]);
      expect((await two.size()).entries).toBe(0);
      expect((await two.lease('c', 'other', longMs)).granted).toBe(true);
      expect((await two.counts(0)).sums).toEqual({});
      const { position } = await two.read([], undefined);
      await one.invalidate({ keys: [], tags: ['t'] }, undefined);
      expect((await two.read([], position)).changes).toEqual({ keys: [], tags: [] });
    });
  });

  describe('connections', () => {
    test('one that died without a word is replaced', async () => {
      const proxy = await startProxy(await freePort(), server?.url ?? '');
      const errors: Error[] = [];
      const store = redisStore(
        await connect({ url: proxy.url, answerTimeoutMs: 100, onError: (error) => errors.push(error) }),
      );
      await fill(store);
      proxy.silence();
      expect(await readTexts(store, 'a')).toEqual(['a']);
      expect(errors.map(String)).toEqual([expect.stringContaining('Socket timeout')]);
      proxy.close();
    });

    test('a server that is not there fails commands early, is told of, ends no process, and may come', async () => {
      const port = await freePort();
      const errors: Error[] = [];
      const url = `redis://127.0.0.1:${port}`;
      const store = redisStore(await connect({ url, onError: (error) => errors.push(error) }));
      const silent = redisStore(await connect({ url }));
      for (let round = 0; round < 3; round++) {
        await expect(store.read(['a'], undefined)).rejects.toThrow();
        await expect(silent.read(['a'], undefined)).rejects.toThrow();
      }
      expect(errors.map(String)).toContainEqual(expect.stringContaining('ECONNREFUSED'));
      const proxy = await startProxy(port, server?.url ?? '');
      await until('it is found', () => store.read([], undefined).then(Boolean, () => false));
      proxy.close();
    });

    test('with TLS, a password and a database', async ({ skip }) => {
      const secure = await startSecure(server?.program ?? '');
      if (typeof secure === 'string') return skip(secure);
      try {
        const { url, ca } = secure;
        const store = redisStore(await connect({ url, tls: { ca } }));
        await fill(store);
        expect(await readTexts(store, 'a')).toEqual(['a']);
        const other = redisStore(await connect({ url: url.replace('/3', '/4'), tls: { ca } }));
        expect(await readTexts(other, 'a')).toEqual([undefined]);
        const errors: string[] = [];
        const onError = (error: Error & { code?: string }) => errors.push(error.code ?? error.message);
        const distrusting = redisStore(await connect({ url, onError }));
        await expect(distrusting.read(['a'], undefined)).rejects.toThrow();
        const wrong = redisStore(await connect({ url: url.replace('pass', 'fail'), tls: { ca }, onError }));
        await expect(wrong.read(['a'], undefined)).rejects.toThrow();
        expect(errors).toEqual(expect.arrayContaining(['DEPTH_ZERO_SELF_SIGNED_CERT']));
      } finally {
        await secure.stop();
      }
    });
  });
});

describe('options', () => {
  const refused = (of: Promise<unknown> | unknown) =>
    Promise.resolve(of).then(
      () => 'accepted',
      (error) => (error.code === 'option-invalid' ? error.message : error),
    );
  const redis = (options: object) => refused((async () => redisStore(new Redis({ lazyConnect: true }), options))());

  test('of a store are checked', async () => {
    expect(await redis({ namespace: 'shop: eu', maxEntries: 1, logSize: 1, maxChanges: 1 })).toBe('accepted');
    expect(await redis({ prefix: 'a' })).toContain('"prefix"');
    expect(await redis({ namespace: '' })).toContain('namespace: "" is empty');
    expect(await redis({ namespace: 'a}b' })).toContain('namespace: "a}b" is empty, or has braces');
    expect(await redis({ maxEntries: 0 })).toContain('maxEntries: 0');
    expect(await redis({ logSize: 1.5 })).toContain('logSize: 1.5');
    expect(await redis({ maxChanges: Number.NaN })).toContain('maxChanges: NaN');
  });

  test('a client must be one', async () => {
    for (const client of [{}, undefined, { evalsha() {}, eval() {} }]) {
      expect(await refused((async () => redisStore(client as unknown as Redis))())).toContain(
        'not an instance of ioredis',
      );
    }
  });

  test.each([
    ['', '"" is no URL'],
    ['cache.example.com', '"cache.example.com" is no URL'],
    ['localhost:6379', '"localhost:6379" is no URL'],
    ['https://cache.example.com', '"https://cache.example.com" does not begin with redis:// or rediss://'],
    ['redis://user:secret@host:port', '"redis://…@host:port" is no URL'],
    ['redis:user:sec/ret@host', '"…@host" is no URL'],
    ['user:sec@ret@host', '"…@host" is no URL'],
    ['http://user:secret@host', '"http://…@host" does not begin'],
    ['redis://:secret%@host', '"redis://…@host" has a "%"'],
    ['redis://user:secret@host/name', '"redis://…@host/name" names a database'],
    ['redis://host?password=secret', '"redis://host?…" has a part after "?"'],
    ['redis://user:12?secret@host', '"redis://…@host" has a part after "?"'],
  ])('the URL "%s" is refused', async (url, message) => {
    const answer = await refused(connectRedis(url));
    expect(answer).toContain(message);
    expect(answer).not.toMatch(/sec/);
  });

  test('of a connection are checked', async () => {
    const url = 'redis://127.0.0.1';
    const connection = (options: object) => refused(connectRedis({ url, ...options }));
    expect(await connection({ retries: 3 })).toContain('"retries"');
    expect(await connection({ tls: {} })).toContain('must begin with rediss://');
    expect(await connection({ url: `${url}/1`, cluster: true })).toContain('no databases but 0');
    expect(await connection({ connectTimeoutMs: 0 })).toContain('connectTimeoutMs: 0');
    expect(await connection({ answerTimeoutMs: -1 })).toContain('answerTimeoutMs: -1');
    expect(await refused(connectRedis(undefined as unknown as string))).not.toBe('accepted');
  });
});
