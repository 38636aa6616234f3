import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { embeddedBinaries } from '../../../local/binaries.ts';
import { startPostgres } from '../../../local/postgres.ts';
import { supervisePostgres } from '../../../local/supervisor.ts';
import { binaries } from '../database.ts';

let directory: string;
const settings = { fsync: 'off', shared_buffers: '16MB' };
const start = async (more: object = {}) => startPostgres({ directory, settings, ...(await binaries()), ...more });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgate-postgres-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

test('what was written is there after a stop and a start', async () => {
  const first = await start();
  await ask(first.url('postgres'), 'create table kept as select 42 as answer');
  await first.stop();
  const second = await start();
  expect(await ask(second.url('postgres'), 'select answer from kept')).toBe(42);
  await second.stop();
});

test('nobody gets in without the password, and nobody but this machine', async () => {
  const server = await start();
  const url = new URL(server.url('postgres'));
  url.password = 'postgres';
  await expect(ask(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  expect(await ask(server.url('postgres'), 'show listen_addresses')).toBe('127.0.0.1');
  await server.stop();
});

test('a directory that was half made is made again', async () => {
  await mkdir(join(directory, 'data.new'));
  await writeFile(join(directory, 'data.new/PG_VERSION'), 'half');
  const server = await start();
  expect(await ask(server.url('postgres'), 'select 1')).toBe(1);
  await server.stop();
});

test.each([
  ['of this very process, as happens in containers', () => String(process.pid)],
  ['of a process that is gone', () => '4194304'],
  ['that is empty', () => ''],
])('a lock file %s does not keep the server from starting', async (_, pid) => {
  await (await start()).stop();
  await writeFile(join(directory, 'data/postmaster.pid'), `${pid()}\n${directory}/data\n`);
  const server = await start();
  expect(await ask(server.url('postgres'), 'select 1')).toBe(1);
  await server.stop();
});

test('a server that lost its owner is stopped and its data taken over', async () => {
  const orphan = await start();
  await ask(orphan.url('postgres'), 'create table kept as select 42 as answer');
  const server = await start();
  expect(await orphan.died).toBe('ended with code 0');
  expect(await ask(server.url('postgres'), 'select answer from kept')).toBe(42);
  await server.stop();
});

test('a server that does not start is told with its own words', async () => {
  await (await start()).stop();
  await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
    code: 'service-failed',
    message: expect.stringMatching(/did not start[\s\S]*invalid value for parameter "shared_buffers"/),
  });
});

test('a supervised server that is killed runs again on the same port', async () => {
  const told: string[] = [];
  const again = Promise.withResolvers<void>();
  const server = await supervisePostgres({ directory, settings, ...(await binaries()) }, (message) => {
    told.push(message);
    if (message === 'runs again.') again.resolve();
  });
  const url = await server.createDatabase('made "once"');
  expect(await server.createDatabase('made "once"')).toBe(url);
  const pid = Number((await readFile(join(directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await again.promise;
  expect(told).toEqual(['ended by SIGKILL; starting it again …', 'runs again.']);
  expect(await ask(url, 'select current_database()')).toBe('made "once"');
  await server.stop();
});

test.runIf(process.getuid?.() === 0)('root may keep the programs and the data where nobody else may look', async () => {
  const installation = dirname(dirname((await embeddedBinaries()).postgres));
  const hidden = join(directory, 'hidden');
  await mkdir(hidden, { mode: 0o700 });
  await cp(installation, join(hidden, 'native'), { recursive: true, verbatimSymlinks: true });
  const programs = { initdb: join(hidden, 'native/bin/initdb'), postgres: join(hidden, 'native/bin/postgres') };
  const server = await start({ directory: join(hidden, 'server'), binaries: programs });
  expect(await ask(server.url('postgres'), 'select 1')).toBe(1);
  await server.stop();
});
