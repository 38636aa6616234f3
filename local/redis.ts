import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StreamGateError } from '../lib/errors.ts';
import { freePort, startService, stopService } from './process.ts';

/** A Redis or Valkey of our own. */
export interface PrivateRedis {
  /** The program that runs: `valkey-server` or `redis-server`. */
  program: string;
  url: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 10_000;

/** Makes sure that something listens at a Redis URL. @throws StreamGateError `service-failed` */
export async function greetRedis(url: string): Promise<void> {
  const { hostname, port, host } = new URL(url);
  if (await answers(hostname.replace(/^\[(.*)\]$/, '$1'), Number(port || 6379), 5_000, false)) return;
  throw new StreamGateError('service-failed', `Nothing listens at ${host}. Correct REDIS_URL, or leave it out.`);
}

/** Starts `valkey-server` or `redis-server` from the PATH, in memory only; undefined when there is neither. */
export async function startRedis(directory: string): Promise<PrivateRedis | undefined> {
  const program = ['valkey-server', 'redis-server'].find(onPath);
  if (!program) return undefined;
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    save: '',
    appendonly: 'no',
    maxmemory: '64mb',
    'maxmemory-policy': 'allkeys-lru',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = startService(program, args, { stdio: 'ignore' });
  let ended = false;
  server.once('error', () => (ended = true));
  server.once('exit', () => (ended = true));
  for (
    const deadline = Date.now() + startTimeoutMs;
    !(await answers('127.0.0.1', port, 1_000, true));
    await delay(25)
  ) {
    if (ended || Date.now() > deadline) {
      await stopService(server);
      throw new StreamGateError(
        'service-failed',
        `${program} did not start. Set REDIS_URL to a server that runs, or repair it.`,
      );
    }
  }
  return { program, url: `redis://127.0.0.1:${port}`, stop: () => stopService(server) };
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Whether something listens at an address and, where it is asked to, greets back as a Redis does:
 * https://redis.io/docs/latest/commands/ping/
 */
function answers(host: string, port: number, timeoutMs: number, asRedis: boolean): Promise<boolean> {
  return new Promise((tell) => {
    const end = (answer: boolean) => {
      socket.destroy();
      tell(answer);
    };
    const socket = connect(port, host, () => (asRedis ? socket.write('PING\r\n') : end(true)));
    socket.on('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.on('error', () => end(false));
    socket.setTimeout(timeoutMs, () => end(false));
  });
}
