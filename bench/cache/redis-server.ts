import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedis } from '../../local/redis.ts';

/** A Redis of our own, for one section. */
export interface BenchServer {
  url: string;
  version: string;
  /** Sends its process a signal: SIGSTOP makes it hang, SIGKILL makes it refuse connections. */
  signal(name: NodeJS.Signals): void;
}

/** Starts a Redis for as long as some work lasts. @throws when there is none on the PATH */
export async function withRedis<Result>(work: (server: BenchServer) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-redis-'));
  const server = await startRedis(directory);
  if (!server) throw new Error('There is no redis-server or valkey-server on the PATH.');
  const admin = new Redis(server.url);
  const facts = await admin.info('server');
  admin.disconnect();
  const fact = (name: string) => new RegExp(`^${name}:(.*)\\r`, 'm').exec(facts)?.[1] ?? '';
  const pid = Number(fact('process_id'));
  const wake = () => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It is gone, as it should be.
    }
  };
  // A process that hangs cannot be stopped in order, and would outlive this one.
  process.once('exit', wake);
  try {
    const version = fact('valkey_version') || fact('redis_version');
    return await work({
      url: server.url,
      version: `${server.program} ${version}`,
      signal: (name) => process.kill(pid, name),
    });
  } finally {
    wake();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
