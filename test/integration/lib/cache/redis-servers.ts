import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort, startService, stopService } from '../../../../local/process.ts';
import { startRedis } from '../../../../local/redis.ts';

/** A Redis of this test file alone: one server, or three that form a cluster. */
export interface TestRedis {
  /** The program that runs: `valkey-server` or `redis-server`. */
  program: string;
  url: string;
  stop(): Promise<void>;
}

/** One server; undefined where there is no program for it on the PATH. */
export async function startOne(): Promise<TestRedis | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgate-redis-'));
  const server = await startRedis(directory);
  if (!server) await remove(directory);
  return server && { ...server, stop: () => Promise.all([server.stop(), remove(directory)]).then(() => {}) };
}

/** A cluster of three primaries that have no replicas: https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/ */
export async function startCluster(program: string): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgate-cluster-'));
  const servers: ChildProcess[] = [];
  const nodes: Redis[] = [];
  const ports: number[] = [];
  const stop = async () => {
    for (const node of nodes) node.disconnect();
    await Promise.all(servers.map((server) => stopService(server)));
    await remove(directory);
  };
  try {
    while (ports.length < 3) {
      const port = await freePort();
      // The nodes talk to each other at the port 10,000 above, which has to exist.
      if (port > 55_535 || ports.includes(port)) continue;
      ports.push(port);
      const args = ['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`];
      servers.push(startServer(program, directory, [...args, '--port', String(port)]));
      // It takes a while until it listens.
      nodes.push(new Redis(port, '127.0.0.1').on('error', () => {}));
    }
    const slots = Array.from({ length: 16_384 }, (_, slot) => slot);
    for (const [index, node] of nodes.entries()) {
      await node.cluster('SET-CONFIG-EPOCH', index + 1);
      await node.call('CLUSTER', ['ADDSLOTS', ...slots.filter((slot) => slot % 3 === index).map(String)]);
      if (index > 0) await node.cluster('MEET', '127.0.0.1', String(ports[0]));
    }
    for (const node of nodes) {
      while (!/cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(await node.cluster('INFO')))) await delay(50);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  for (const node of nodes) node.disconnect();
  return { program, url: `redis://127.0.0.1:${ports[0]}`, stop };
}

/** A server that speaks TLS with a certificate of its own, and asks for a password; the reason where that cannot be. */
export async function startSecure(program: string): Promise<(TestRedis & { ca: string }) | string> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgate-tls-'));
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const request = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
  const made = spawnSync('openssl', [...request.split(' '), '-keyout', key, '-out', certificate]);
  if (made.error) return 'openssl is not on the PATH';
  if (made.status !== 0) throw new Error(String(made.stderr));
  const port = await freePort();
  const tls = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-auth-clients', 'no'];
  const server = startServer(program, directory, [
    ...['--port', '0', '--tls-port', String(port), '--requirepass', 'pass@word', ...tls],
  ]);
  const stop = () => Promise.all([stopService(server), remove(directory)]).then(() => {});
  // Without TLS it ends at once: "Bad directive".
  const ended = await Promise.race([once(server, 'exit').then(() => true), delay(1_000, false)]);
  if (ended) {
    await remove(directory);
    return `${program} was built without TLS`;
  }
  const ca = await readFile(certificate, 'utf8');
  return { program, url: `rediss://default:pass%40word@localhost:${port}/3`, ca, stop };
}

function startServer(program: string, directory: string, args: string[]): ChildProcess {
  const common = ['--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'];
  return startService(program, [...common, ...args], { stdio: 'ignore' });
}

function remove(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true });
}
