import { CacheError } from '../errors.ts';
import type { Script } from './scripts.ts';

/**
 * What the store needs of a client: ioredis 5 or 6, or iovalkey, of one server or of a cluster. An instance of `Redis`
 * or `Cluster` is one; the store also uses the variants of these methods that answer with Buffers.
 */
export interface RedisClient {
  evalsha(...args: never[]): unknown;
  eval(...args: never[]): unknown;
}

type Argument = string | number | Buffer;

/** What ioredis has but does not (quite) declare. Arrays among the arguments are flattened. */
export interface BufferClient {
  zmscore(key: string, ...members: string[]): Promise<Array<string | null>>;
  mgetBuffer(keys: readonly string[]): Promise<Array<Buffer | null>>;
  evalshaBuffer(sha1: string, keyCount: number, rest: readonly Argument[]): Promise<unknown>;
  evalBuffer(lua: string, keyCount: number, rest: readonly Argument[]): Promise<unknown>;
}

/** Runs a script on a client, and hands it to the server where that does not know it yet. */
export type Run = (script: Script, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

/** A client, checked. @throws CacheError `option-invalid` when it is none that can run scripts */
export function bufferClient(client: RedisClient): BufferClient {
  if (canAnswerWithBuffers(client)) return client;
  throw new CacheError('option-invalid', 'The client is not an instance of ioredis (or iovalkey).');
}

/** How scripts run on a client. */
export function runOn(client: BufferClient): Run {
  return async (script, keys, args) => {
    const rest = [...keys, ...args];
    try {
      return await client.evalshaBuffer(script.sha1, keys.length, rest);
    } catch (error) {
      // A server knows no scripts after a restart or a failover: https://redis.io/docs/latest/commands/evalsha/
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.evalBuffer(script.lua, keys.length, rest);
    }
  };
}

function canAnswerWithBuffers(client: object | undefined): client is BufferClient {
  const { evalshaBuffer, mgetBuffer } = (client ?? {}) as Partial<BufferClient>;
  return typeof evalshaBuffer === 'function' && typeof mgetBuffer === 'function';
}
