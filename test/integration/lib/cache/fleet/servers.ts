import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startService, stopService } from '../../../../../local/process.ts';
import { startRedis } from '../../../../../local/redis.ts';

/** A Redis that can be stopped, killed and started again at the same address, with nothing in it. */
export class FragileRedis {
  readonly url: string;
  /** A connection of the test's own, which nothing of the cache uses. */
  readonly admin: Redis;
  readonly #program: string;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  private constructor(program: string, url: string, directory: string) {
    this.#program = program;
    this.#directory = directory;
    this.url = url;
    this.admin = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, enableReadyCheck: false });
    this.admin.on('error', () => {});
  }

  /** Undefined where neither `valkey-server` nor `redis-server` is installed. */
  static async start(): Promise<FragileRedis | undefined> {
    const directory = await mkdtemp(join(tmpdir(), 'streamgate-fleet-'));
    // It finds the program and a port; from then on the process is ours, to do harm to.
    const found = await startRedis(directory);
    await found?.stop();
    if (!found) return undefined;
    const redis = new FragileRedis(found.program, found.url, directory);
    await redis.begin();
    return redis;
  }

  /** Starts it, empty. */
  async begin(): Promise<void> {
    const { port } = new URL(this.url);
    const settings = [
      '--port',
      port,
      '--bind',
      '127.0.0.1',
      '--dir',
      this.#directory,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    this.#process = startService(this.#program, settings, { stdio: 'ignore' });
    await this.admin.ping();
  }

  /** Ends it as a crash would. */
  async crash(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** It stays connected, and does not answer. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async end(): Promise<void> {
    this.admin.disconnect();
    this.thaw();
    if (this.#process) await stopService(this.#process);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A line to a server that can be cut for those who use it, while others reach the server. */
export class Line {
  readonly url: string;
  readonly #port: number;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();

  private constructor(server: ReturnType<typeof createServer>, target: URL) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    const url = new URL(target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    this.url = url.href;
    server.on('connection', (near: Socket) => {
      const far = connect(Number(target.port), target.hostname.replace(/^\[(.*)\]$/, '$1'));
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  static async to(url: string): Promise<Line> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Line(server, new URL(url));
  }

  /** Nobody gets through any more: connections end, and new ones are refused. */
  async cut(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }
}
