/** The connection to the second level, where that is a Redis or a Valkey. */
import type { Cluster, Redis } from 'ioredis';
import { elastiCachePassword } from '../lib/aws/login.ts';
import { connectRedis } from '../lib/cache/redis.ts';
import { StreamGateError } from '../lib/errors.ts';

/** Two thirds of the time for which a password is good. */
const renewAfterMs = 600_000;

/** A connection, and how it stays able to log in. */
export interface SecondLevel {
  client: Redis | Cluster;
  /** To be called before every use: a connection that has to be made again needs a password of now. */
  renew(): void;
}

/**
 * Connects to a Redis, or to an ElastiCache Serverless as the role of this function: that is a cluster, speaks TLS, and its URL has a user
 * and no password.
 *
 * @param cacheName of the ElastiCache Serverless; undefined for any other Redis
 * @throws CacheError `option-invalid`; StreamGateError `configuration-invalid`
 */
export async function connectSecondLevel(url: string, cacheName: string | undefined): Promise<SecondLevel> {
  if (cacheName === undefined) return { client: await connectRedis(url), renew() {} };
  const withPassword = new URL(url);
  const user = decodeURIComponent(withPassword.username);
  const login = { cache: cacheName, user };
  let madeAt = Date.now();
  const password = elastiCachePassword(login);
  if (!user || password === undefined) {
    throw new StreamGateError(
      'configuration-invalid',
      'STREAMGATE_ELASTICACHE_NAME is for functions on AWS, with a REDIS_URL such as rediss://USER@HOST:6379.',
    );
  }
  withPassword.password = encodeURIComponent(password);
  const client = await connectRedis({ url: withPassword.href, cluster: true });
  return {
    client,
    renew() {
      const now = Date.now();
      if (now - madeAt < renewAfterMs) return;
      madeAt = now;
      changePassword(client, elastiCachePassword(login));
    },
  };
}

/** What ioredis reads when it connects: each node has a copy of what the cluster was given. */
export function changePassword(client: Redis | Cluster, password: string | undefined): void {
  const options =
    'nodes' in client
      ? [client.options.redisOptions, ...client.nodes('all').map((node) => node.options)]
      : [client.options];
  for (const each of options) if (each) Object.assign(each, { password });
}
