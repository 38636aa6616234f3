import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { StreamGateError } from '../lib/errors.ts';
import { type Account, accountFor, spawnAs } from './account.ts';
import { embeddedBinaries, type PostgresBinaries, runnableBy } from './binaries.ts';
import { freePort, isRunning, startService, stopService } from './process.ts';

/** A PostgreSQL server of our own, on the loopback interface, behind a password. */
export interface EmbeddedPostgres {
  port: number;
  /** The connection URL of one of its databases, as superuser. */
  url(database: string): string;
  /** Resolves with a description when the server ends without having been stopped. */
  died: Promise<string>;
  stop(): Promise<void>;
}

/** What is asked of {@link startPostgres}. */
export interface PostgresOptions {
  /** Holds the data, the password and the log. Made when missing; a second start finds the data again. */
  directory: string;
  port?: number;
  binaries?: PostgresBinaries;
  /** Server settings, such as `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
}

const startTimeoutMs = 60_000;

/**
 * Starts PostgreSQL on the data in a directory, after making it when it is not there. What an
 * earlier run left behind is dealt with: a half-made directory is made again, a lock file of a dead
 * server is removed, and an orphaned server on the same data is stopped.
 *
 * @throws StreamGateError `service-failed` with the last lines of the server's log
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory);
  const data = join(directory, 'data');
  await mkdir(directory, { recursive: true });
  const account = await accountFor(existsSync(data) ? data : directory, existsSync(data));
  const binaries = await runnableBy(account, options.binaries ?? (await embeddedBinaries()));
  const password = await initialize(directory, data, binaries, account);
  await clearLock(data);
  const port = options.port ?? (await freePort());
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;

  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const server = launch(directory, data, binaries, account, port, options.settings ?? {});
    const failure = await ready(server, url('postgres'), deadline);
    if (failure === undefined) return running(server, port, url);
    const log = await tail(join(directory, 'server.log'));
    // The backends of a killed server hold its shared memory for a moment longer.
    if (/shared memory block.*still in use/.test(log) && Date.now() < deadline) {
      await delay(200);
      continue;
    }
    throw new StreamGateError('service-failed', `The embedded PostgreSQL did not start (${failure}).\n${log}`);
  }
}

/** Runs initdb once, in a directory that gets its name only when it is whole. Returns the superuser's password. */
async function initialize(directory: string, data: string, binaries: PostgresBinaries, account: Account | undefined) {
  const passwordFile = join(directory, 'password');
  if (existsSync(join(data, 'PG_VERSION')) && existsSync(passwordFile))
    return (await readFile(passwordFile, 'utf8')).trim();
  const unfinished = join(directory, 'data.new');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const password = randomBytes(18).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account)
    await Promise.all([chown(unfinished, account.uid, account.gid), chown(passwordFile, account.uid, account.gid)]);
  const args = [
    '-D',
    unfinished,
    '-U',
    'postgres',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  const [program, words, spawnOptions] = spawnAs(account, binaries.initdb, args);
  const output: string[] = [];
  const code = await new Promise<number | string>((done) => {
    const child = spawn(program, words, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)));
    child.on('error', (error) => done(error.message));
    child.on('close', (exit, signal) => done(exit ?? signal ?? 'ended'));
  });
  if (code !== 0) {
    throw new StreamGateError('service-failed', `initdb failed (${code}) in ${directory}.\n${output.join('').trim()}`);
  }
  await rename(unfinished, data);
  return password;
}

/** Removes the lock file of a dead server, and stops a living one that lost its owner. */
async function clearLock(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0]);
  if (!(pid > 0)) return rm(lock, { force: true });
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() =>
    platform() === 'linux' ? '' : 'postgres',
  );
  // In containers process numbers repeat: the number in the file may be anybody's by now, this process's too.
  if (!command.includes('postgres') || (platform() === 'linux' && !command.includes(data)) || !isRunning(pid)) {
    return rm(lock, { force: true });
  }
  process.kill(pid, 'SIGINT');
  for (let waited = 0; isRunning(pid); waited += 50) {
    if (waited > 10_000)
      throw new StreamGateError(
        'service-failed',
        `PostgreSQL (process ${pid}) still runs on ${data} and does not stop. End it first.`,
      );
    await delay(50);
  }
}

function launch(
  directory: string,
  data: string,
  binaries: PostgresBinaries,
  account: Account | undefined,
  port: number,
  settings: Record<string, string>,
): ChildProcess {
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.max': '10000',
    track_io_timing: 'on',
    shared_buffers: '256MB',
    max_wal_size: '4GB',
    synchronous_commit: 'off',
    // A table that is filled in the transaction that made it needs no log: the demo loads in half the time.
    wal_level: 'minimal',
    max_wal_senders: '0',
    lc_messages: 'C',
    ...settings,
  };
  const args = ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const [program, words, spawnOptions] = spawnAs(account, binaries.postgres, args);
  const log = openSync(join(directory, 'server.log'), 'w');
  const server = startService(program, words, { ...spawnOptions, stdio: ['ignore', log, log] });
  closeSync(log);
  return server;
}

/** Waits until the server takes a connection. Returns why it does not, or nothing. */
async function ready(server: ChildProcess, url: string, deadline: number): Promise<string | undefined> {
  let ended: string | undefined;
  server.once('error', (error) => (ended = error.message));
  server.once('exit', (code, signal) => (ended = `it ended with ${signal ?? code}`));
  while (ended === undefined) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return undefined;
    } catch {
      await client.end().catch(() => {});
    }
    if (Date.now() > deadline) {
      await stopService(server);
      return 'it took no connection in time';
    }
    await delay(25);
  }
  return ended;
}

function running(server: ChildProcess, port: number, url: (database: string) => string): EmbeddedPostgres {
  let stopping = false;
  const died = new Promise<string>((tell) => {
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      if (!stopping) tell(signal ? `ended by ${signal}` : `ended with code ${code}`);
    };
    if (server.exitCode !== null || server.signalCode !== null) ended(server.exitCode, server.signalCode);
    else server.once('exit', ended);
  });
  return {
    port,
    url,
    died,
    stop: () => {
      stopping = true;
      return stopService(server);
    },
  };
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-6).join('\n');
}
