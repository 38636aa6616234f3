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

/** The variants that answer with Buffers, which ioredis has but does not declare. Arrays among the arguments are flattened. */
interface BufferClient {
  evalshaBuffer(sha1: string, keyCount: number, rest: readonly Argument[]): Promise<unknown>;
  evalBuffer(lua: string, keyCount: number, rest: readonly Argument[]): Promise<unknown>;
}

/** Runs a script on a client, and hands it to the server where that does not know it yet. */
export type Run = (script: Script, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

/** How scripts run on a client. @throws CacheError `option-invalid` when it is no client that can run them */
export function runOn(client: RedisClient): Run {
  if (!canAnswerWithBuffers(client)) {
    throw new CacheError('option-invalid', 'The client is not an instance of ioredis (or iovalkey).');
  }
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
  const { evalshaBuffer, evalBuffer } = (client ?? {}) as Partial<BufferClient>;
  return typeof evalshaBuffer === 'function' && typeof evalBuffer === 'function';
}
