/** A PostgreSQL server of a test's own: to be restarted, killed, copied and promoted. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { vi } from 'vitest';
import { type EmbeddedPostgres, startPostgres } from '../../../../local/postgres.ts';
import { isRunning } from '../../../../local/process.ts';
import { binaries, hold } from '../../database.ts';

export interface OwnServer {
  /** The URL of its database `postgres`, as superuser. The same after each start. */
  readonly url: string;
  run(...statements: string[]): Promise<pg.QueryResult[]>;
  /** Ends and starts it; settings that are given replace those of the same name. */
  restart(settings?: Record<string, string>): Promise<void>;
  /** Kills one of its processes, after which it ends all others, and begins anew. */
  killBackend(): Promise<void>;
  /** Kills it as a power cut does, and starts it. */
  crash(): Promise<void>;
  /** A standby of it. It is stopped meanwhile, and copied with all that it keeps. */
  copy(): Promise<OwnServer>;
  stop(): Promise<void>;
  /** Stops it and removes all of it. */
  remove(): Promise<void>;
}

/** Starts one. The settings are those of all its starts. */
export async function ownServer(settings: Record<string, string> = {}): Promise<OwnServer> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgate-test-own-'));
  return started(directory, {
    fsync: 'off',
    autovacuum: 'off',
    shared_buffers: '16MB',
    wal_level: 'replica',
    max_wal_senders: '4',
    ...settings,
  });
}

async function started(directory: string, atFirst: Record<string, string>): Promise<OwnServer> {
  let settings = atFirst;
  const options = { directory, ...(await binaries()) };
  let server: EmbeddedPostgres = await startPostgres({ ...options, settings });
  const { port } = server;
  const start = async () => {
    server = await startPostgres({ ...options, port, settings });
  };
  const url = server.url('postgres');
  return {
    url,
    async run(...statements) {
      const { client, end } = await hold(url);
      try {
        const results: pg.QueryResult[] = [];
        for (const statement of statements) results.push(await client.query(statement));
        return results;
      } finally {
        await end();
      }
    },
    async restart(changed = {}) {
      settings = { ...settings, ...changed };
      await server.stop();
      await start();
    },
    async killBackend() {
      const [killed, witness] = [await hold(url), await hold(url)];
      const ended = new Promise((done) => witness.client.once('end', done));
      const { rows } = await killed.client.query('select pg_backend_pid() as pid');
      process.kill(rows[0].pid, 'SIGKILL');
      await ended;
      await vi.waitFor(async () => (await hold(url)).end(), { timeout: 20_000, interval: 50 });
    },
    async crash() {
      const pid = Number((await readFile(join(directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(() => {
        if (isRunning(pid)) throw new Error('It still runs.');
      });
      await start();
    },
    async copy() {
      await server.stop();
      const other = await mkdtemp(join(tmpdir(), 'streamgate-test-own-'));
      // With its owner, under whose account it runs.
      execFileSync('cp', ['-a', `${directory}/.`, other]);
      await writeFile(join(other, 'data/standby.signal'), '');
      const password = (await readFile(join(directory, 'password'), 'utf8')).trim();
      await start();
      return started(other, {
        ...settings,
        primary_conninfo: `host=127.0.0.1 port=${port} user=postgres password=${password}`,
      });
    },
    stop: () => server.stop(),
    async remove() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
