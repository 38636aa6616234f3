import { CacheError } from './errors.ts';
import { checkOptions, wholeNumber } from './options.ts';
import { bufferClient, type RedisClient, runOn } from './redis/client.ts';
import { decodeEntry, encodeEntry } from './redis/entry.ts';
import { QuietReads } from './redis/quiet.ts';
import * as scripts from './redis/scripts.ts';
import { type ShareableStore, shareable } from './shared/level.ts';
import type { Exchange, NewEntry, Position, ReadReply } from './store.ts';

export type { RedisClient } from './redis/client.ts';
export { type ConnectOptions, connectRedis } from './redis/connect.ts';

/** How a store uses its Redis. */
export interface RedisStoreOptions {
  /** Keeps it apart from whatever else lives in that Redis. Without braces; default `streamgate`. */
  namespace?: string | undefined;
  /** So many entries are kept. Default 10,000. */
  maxEntries?: number | undefined;
  /** So many invalidated keys and tags are remembered. Default 10,000. */
  logSize?: number | undefined;
  /** When more than so many were invalidated since a position, the answer is `lost`. Default 1,000. */
  maxChanges?: number | undefined;
}

/**
 * A store in Redis or Valkey, of one server or of a cluster. Everything of a namespace lives in one
 * slot of a cluster; each method is one Lua script (see redis/scripts.ts), but most reads need none (see
 * redis/quiet.ts). Its methods reject with what the client says.
 *
 * @param client an instance of ioredis 5 or 6 or of iovalkey, which remains the caller's to close
 * @throws CacheError `option-invalid`
 *
 * @example
 * const store = redisStore(await connectRedis('rediss://cache.example.com:6379'), { namespace: 'shop' });
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): ShareableStore {
  checkOptions(options, ['namespace', 'maxEntries', 'logSize', 'maxChanges'], 'redisStore');
  const { namespace = 'streamgate' } = options;
  // Braces would move the hash tag: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
  if (!/^[^{}]+$/.test(namespace)) {
    throw new CacheError('option-invalid', `namespace: "${namespace}" is empty, or has braces in it.`);
  }
  const maxEntries = wholeNumber(options.maxEntries ?? 10_000, 1, 'maxEntries');
  const logSize = wholeNumber(options.logSize ?? 10_000, 1, 'logSize');
  const maxChanges = wholeNumber(options.maxChanges ?? 1_000, 1, 'maxChanges');
  const commands = bufferClient(client);
  const run = runOn(commands);

  const prefix = `{${namespace}}:`;
  const exp = `${prefix}exp`;
  const [log, lru] = [`${prefix}log`, `${prefix}lru`];
  const entryKey = (key: string) => `${prefix}e:${key}`;
  const leaseKey = (key: string) => `${prefix}l:${key}`;
  const quiet = new QuietReads(commands, run, log, lru);

  const readByScript = async (keys: readonly string[], since: Position | undefined): Promise<ReadReply> => {
    const reply = await run(scripts.read, [log, lru, ...keys], [since ?? '', maxChanges]);
    const changesAt = 2 + keys.length;
    const { position, changes } = exchangeOf(reply as ExchangeReply, changesAt);
    return { position, changes, entries: (reply as Buffer[]).slice(2, changesAt).map(decodeEntry) };
  };

  return shareable({
    name: 'redis',

    async read(keys, since) {
      const names = keys.map(entryKey);
      return (await quiet.read(names, since)) ?? readByScript(names, since);
    },

    async write(entries) {
      const keys = entries.map(({ key }) => entryKey(key));
      const leases = entries.flatMap(({ key, leaseToken }) => (leaseToken ? [leaseKey(key)] : []));
      const args = entries.flatMap((entry) => [encodeEntry(entry), wholeMs(entry.ttlMs), entry.leaseToken ?? '']);
      const write = () =>
        run(scripts.write, [log, lru, exp, ...keys, ...leases], [maxEntries, entries.length, ...args]);
      // What it gives up is what was used least recently.
      const [, kept] = await Promise.all([quiet.tell(), write()]);
      return (kept as number[]).map((isKept) => Number(isKept) === 1);
    },

    async invalidate({ keys, tags }, since, replacement) {
      const allKeys = [log, lru, exp, ...keys.map(entryKey)];
      if (replacement?.leaseToken) allKeys.push(leaseKey(replacement.key));
      const args = [
        ...[since ?? '', maxChanges, logSize, maxEntries, keys.length],
        ...replacementArguments(keys, replacement),
        ...tags,
      ];
      return exchangeOf((await run(scripts.invalidate, allKeys, args)) as ExchangeReply, 2);
    },

    async lease(key, token, ttlMs) {
      const reply = await run(scripts.lease, [log, lru, leaseKey(key), entryKey(key)], [token, wholeMs(ttlMs)]);
      const [position, granted, entry] = reply as [number, number, Buffer | null];
      return { granted: Number(granted) === 1, position: Number(position), entry: decodeEntry(entry) };
    },

    async release(key, token) {
      await run(scripts.release, [leaseKey(key)], [token]);
    },

    async count(startedAt, { sums, maxima }, keepMs) {
      const numbers = [...Object.entries(sums), ...Object.entries(maxima)].flat();
      const args = [startedAt, wholeMs(keepMs), Object.keys(sums).length, ...numbers];
      await run(scripts.count, [`${prefix}n`, `${prefix}n:${startedAt}`], args);
    },

    async counts(from) {
      const [sums, maxima] = (await run(scripts.counts, [`${prefix}n`], [from])) as [Buffer[], Buffer[]];
      return { sums: Object.fromEntries(numbersByName(sums)), maxima: Object.fromEntries(numbersByName(maxima)) };
    },

    async size() {
      return { entries: Number(await run(scripts.size, [exp], [])), maxEntries };
    },
  });
}

function replacementArguments(keys: readonly string[], replacement: Omit<NewEntry, 'position'> | undefined) {
  if (!replacement) return [0, '', 0, ''];
  const bytes = encodeEntry({ ...replacement, position: 0 });
  return [keys.indexOf(replacement.key) + 1, bytes, wholeMs(replacement.ttlMs), replacement.leaseToken ?? ''];
}

/** Redis takes whole milliseconds only, and at least one. */
function wholeMs(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 1), Number.MAX_SAFE_INTEGER);
}

/** Numbers may come as strings, by an option of the client's. */
type ExchangeReply = [position: number | string, count: number | string, ...rest: Buffer[]];

const keyLabel = 'k'.charCodeAt(0);
const tagLabel = 't'.charCodeAt(0);

function exchangeOf(reply: ExchangeReply, changesAt: number): Exchange {
  const position = Number(reply[0]);
  if (Number(reply[1]) < 0) return { position, changes: 'lost' };
  const keys: Array<[string, Position]> = [];
  const tags: Array<[string, Position]> = [];
  for (let at = changesAt; at < reply.length; at += 2) {
    const label = reply[at] as Buffer;
    const names = label[0] === keyLabel ? keys : label[0] === tagLabel ? tags : undefined;
    // What is neither belongs to the state of the log.
    names?.push([label.toString('utf8', 1), Number(reply[at + 1])]);
  }
  return { position, changes: { keys, tags } };
}

function* numbersByName(reply: readonly Buffer[]): Generator<[string, number]> {
  for (let at = 0; at < reply.length; at += 2) yield [String(reply[at]), Number(reply[at + 1])];
}
