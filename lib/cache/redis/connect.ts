import type { ConnectionOptions } from 'node:tls';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { CacheError } from '../errors.ts';
import { checkOptions, wholeNumber } from '../options.ts';

/** Where a Redis is, and how to talk to it. */
export interface ConnectOptions {
  /** `redis://` or, with TLS, `rediss://`, then `user:password@host:port/database`; all but the host may be left out. */
  url: string;
  /** Whether it is a cluster, as every ElastiCache Serverless is. Default false. */
  cluster?: boolean | undefined;
  /** For a certificate that needs it: what `tls.connect()` takes, such as `ca`. Only with `rediss://`. */
  tls?: ConnectionOptions | undefined;
  /** To reach the server. In milliseconds, default 1,000. */
  connectTimeoutMs?: number | undefined;
  /**
   * A connection on which the server owes an answer for so long is replaced: it may be one that died without a word
   * while the process was frozen. In milliseconds, default 1,000.
   */
  answerTimeoutMs?: number | undefined;
  /** Is told of every connection that fails. Commands reject besides. */
  onError?: ((error: Error) => void) | undefined;
}

interface Address {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  isSecure: boolean;
}

/**
 * Makes an ioredis client as a Lambda function needs it. It connects at once, and the promise does not wait for
 * that: commands do. A lost connection is replaced immediately, and one that cannot be
 * replaced makes commands fail early, for there is a loader behind every cache. Errors of the connection never
 * end the process. Close it with `client.disconnect()`.
 *
 * @throws CacheError `option-invalid`
 *
 * @example
 * const client = await connectRedis({ url: process.env.REDIS_URL, cluster: true });
 */
export async function connectRedis(options: string | ConnectOptions): Promise<Redis | Cluster> {
  const given = typeof options === 'string' ? { url: options } : options;
  const known = ['url', 'cluster', 'tls', 'connectTimeoutMs', 'answerTimeoutMs', 'onError'];
  checkOptions(given, known, 'connectRedis');
  const { cluster = false, tls, onError = () => {} } = given;
  const { isSecure, host, port, db, ...login } = addressOf(given.url);
  const connectTimeout = wholeNumber(given.connectTimeoutMs ?? 1_000, 1, 'connectTimeoutMs');
  const socketTimeout = wholeNumber(given.answerTimeoutMs ?? 1_000, 1, 'answerTimeoutMs');
  if (tls && !isSecure) throw new CacheError('option-invalid', 'tls: the URL must begin with rediss:// for that.');
  if (cluster && db !== 0) throw new CacheError('option-invalid', 'cluster: a cluster has no databases but 0.');

  const common = {
    ...login,
    ...(isSecure ? { tls: { ...tls } } : {}),
    connectTimeout,
    socketTimeout,
    keepAlive: 10_000,
    // Each of these would cost a round trip before the first command. A server that still loads its data says so.
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 1,
    // A primary that has become a replica keeps its connections; only a new one leads to the new primary.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  };
  // Imported here, so that whoever brings a client of another make needs no ioredis.
  const ioredis = await import('ioredis');
  const client = cluster
    ? connectCluster(ioredis.Cluster, { host, port }, common)
    : new ioredis.Redis({ host, port, db, ...common, retryStrategy: retryDelayMs });
  client.on('error', onError);
  return client;
}

/**
 * By itself a cluster's client keeps commands waiting for as long as no node can be reached. This one closes after its
 * second attempt, so that they reject, and opens again later.
 */
function connectCluster(Class: typeof Cluster, node: { host: string; port: number }, redisOptions: RedisOptions) {
  let reopenMs: number | undefined;
  const client = new Class([node], {
    clusterRetryStrategy(times) {
      reopenMs = times < 2 ? undefined : retryDelayMs(times);
      return times < 2 ? 0 : null;
    },
    // Without it a node whose connection is lost has to be found again: 2 to 170 ms instead of 1.
    clusterNodeRetryStrategy: (times) => (times < 2 ? 0 : null),
    retryDelayOnFailover: 25,
    enableReadyCheck: false,
    slotsRefreshTimeout: redisOptions.connectTimeout ?? 1_000,
    redisOptions,
    // The certificate is for the name: https://github.com/redis/ioredis#special-note-aws-elasticache-clusters-with-tls
    ...(redisOptions.tls ? { dnsLookup: (address, answer) => answer(null, address) } : {}),
  });
  client.on('end', () => {
    if (reopenMs === undefined) return;
    const reopen = () => client.status === 'end' && client.connect().catch(() => {});
    setTimeout(reopen, reopenMs);
    reopenMs = undefined;
  });
  return client;
}

/**
 * At once for the first time: after a thaw that is all it takes (first answer after 4 ms, against 54 to 203 ms with
 * the delays of ioredis). In milliseconds.
 */
function retryDelayMs(times: number): number {
  return times < 2 ? 0 : Math.min(25 * 2 ** times, 2_000);
}

function addressOf(url: string): Address {
  const refuse = (why: string) => new CacheError('option-invalid', `url: "${withoutPassword(url)}" ${why}.`);
  // Node's own error would show the password.
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed?.hostname) throw refuse('is no URL, such as redis://localhost:6379');
  const { protocol, hostname, port, pathname, search, hash } = parsed;
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw refuse('does not begin with redis:// or rediss://');
  if (search || hash) throw refuse('has a part after "?" or "#", which would be ignored');
  const database = /^\/?(\d*)$/.exec(pathname);
  if (!database) throw refuse('names a database that is not a number');
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || 6379),
    db: Number(database[1]),
    isSecure: protocol === 'rediss:',
    ...login(parsed, refuse),
  };
}

function login({ username, password }: URL, refuse: (why: string) => CacheError) {
  try {
    return {
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    };
  } catch {
    throw refuse('has a "%" in its user or password that is not followed by two digits');
  }
}

/** When the rest is wrong, nothing before the last "@" or after a "?" can be told from a password. */
function withoutPassword(url: unknown): string {
  return String(url)
    .replace(/^([a-z+]*:\/\/)?.*@/is, '$1…@')
    .replace(/[?#].*$/s, '?…');
}
