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
  if (await connects(hostname, Number(port || 6379))) return;
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
  for (const deadline = Date.now() + startTimeoutMs; !(await answers(port)); await delay(25)) {
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

/** Whether a Redis greets back at a port of this machine: https://redis.io/docs/latest/commands/ping/ */
function answers(port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (answer: boolean) => {
      socket.destroy();
      tell(answer);
    };
    socket.on('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.on('error', () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, host.replace(/^\[(.*)\]$/, '$1'));
    const end = (answer: boolean) => {
      socket.destroy();
      tell(answer);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
    socket.setTimeout(5_000, () => end(false));
  });
}
