import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeSnapshot } from '../../../../lib/audit.ts';
import { StreamGateError } from '../../../../lib/errors.ts';
import { openSession } from '../../../../lib/postgres/session.ts';
import { startPostgres } from '../../../../local/postgres.ts';
import { freePort } from '../../../../local/process.ts';
import { binaries, createDatabase, createRole, rolePassword, type TestDatabase } from '../../database.ts';

const role = `errors_${process.pid}`;

let database: TestDatabase;
let dropRole: () => Promise<void>;

beforeAll(async () => {
  database = await createDatabase();
  dropRole = (await createRole(role)).drop;
});

afterAll(async () => {
  await database?.drop();
  await dropRole?.();
});

async function failure(url: string, limits?: Parameters<typeof openSession>[1]): Promise<StreamGateError> {
  const error = await openSession(url, limits).then(
    () => new Error('It opened.'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StreamGateError);
  return error as StreamGateError;
}

const at = (change: (url: URL) => void) => {
  const url = new URL(database.as(role, rolePassword));
  change(url);
  return url.href;
};

/** A listener of a test's own, and what ends it with every connection. */
async function listener(accept: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    accept(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: String(typeof address === 'object' ? address?.port : ''),
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('a connection that fails', () => {
  it('names the wrong password, and never shows it', async () => {
    const error = await failure(at((url) => (url.password = 'wr0ng-secret')));
    expect(error).toMatchObject({ code: 'database-authentication', status: 503 });
    expect(error.message).toContain(`${role}@127.0.0.1`);
    expect(error.message).not.toContain('wr0ng-secret');
  });

  it('asks for the password that the URL lacks', async () => {
    const error = await failure(at((url) => (url.password = '')));
    expect(error).toMatchObject({ code: 'database-authentication' });
    expect(error.message).toContain('password');
  });

  it('names the user that does not exist', async () => {
    expect(await failure(at((url) => (url.username = 'nobody-here')))).toMatchObject({
      code: 'database-authentication',
    });
  });

  it('names the database that does not exist', async () => {
    const error = await failure(at((url) => (url.pathname = '/no%20such%20%F0%9F%98%80')));
    expect(error).toMatchObject({ code: 'database-missing' });
    expect(error.message).toContain('/no such 😀.');
  });

  it('names the role that may not connect', async () => {
    await database.run(`revoke connect on database "${database.name}" from public`);
    expect(await failure(at(() => {}))).toMatchObject({ code: 'database-permission' });
    await database.run(`grant connect on database "${database.name}" to public`);
  });

  it('says that nothing listens', async () => {
    const port = await freePort();
    const error = await failure(at((url) => (url.port = String(port))));
    expect(error).toMatchObject({ code: 'database-unreachable' });
    expect(error.message).toContain(`Nothing listens at ${role}@127.0.0.1:${port}/`);
  });

  it('says that the host has no address', async () => {
    expect(await failure(at((url) => (url.hostname = 'no-such-host.invalid')))).toMatchObject({
      code: 'database-unreachable',
    });
  });

  it('gives up on a server that accepts and never answers, and hangs up', async () => {
    const silent = await listener(() => {});
    const limits = { connectMs: 100, statementMs: 100, lockMs: 100 };
    const error = await failure(
      at((url) => (url.port = silent.port)),
      limits,
    );
    expect(error).toMatchObject({ code: 'database-timeout' });
    for (const socket of silent.sockets) if (!socket.closed) await once(socket.resume(), 'close');
    await silent.close();
  });

  it('says that what answers is not PostgreSQL', async () => {
    const rude = await listener((socket) => socket.destroy());
    expect(await failure(at((url) => (url.port = rude.port)))).toMatchObject({ code: 'database-unreachable' });
    await rude.close();
  });

  it('says that the server does not speak TLS', async () => {
    const error = await failure(at((url) => (url.search = '?sslmode=require')));
    expect(error).toMatchObject({ code: 'database-unreachable' });
    expect(error.message).toContain('does not speak TLS');
  });

  it('says that no connection is free', async () => {
    await database.run(`alter role ${role} connection limit 0`);
    expect(await failure(at(() => {}))).toMatchObject({ code: 'database-unreachable' });
    await database.run(`alter role ${role} connection limit -1`);
  });
});

describe('a connection that breaks', () => {
  it('says that the server ended it in the middle of a statement', async () => {
    const session = await openSession(database.url);
    const [row] = await session.read<{ pid: number }>('select pg_backend_pid() as pid');
    const reading = session.read('select pg_sleep(60)');
    const refused = expect(reading).rejects.toMatchObject({ code: 'database-unreachable' });
    await database.run(`select pg_terminate_backend(${row?.pid})`);
    await refused;
    await expect(session.read('select 1')).rejects.toMatchObject({ code: 'database-unreachable' });
    await session.close();
  });

  it('says that it was ended while idle, at the next statement', async () => {
    const session = await openSession(database.url);
    const [row] = await session.read<{ pid: number }>('select pg_backend_pid() as pid');
    await database.run(`select pg_terminate_backend(${row?.pid})`);
    await expect(session.read('select 1')).rejects.toMatchObject({ code: 'database-unreachable' });
    await session.close();
  });

  it('survives a server that is killed, and audits it when it is back', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'streamgate-killed-'));
    const settings = { fsync: 'off', synchronous_commit: 'on' };
    const start = async () => startPostgres({ directory, ...(await binaries()), settings });
    let server = await start();
    try {
      const client = new pg.Client({ connectionString: server.url('postgres') });
      await client.connect();
      await client.query('create table t (id int primary key)');
      await client.end();
      const session = await openSession(server.url('postgres'));
      await session.read('select 1');
      const refused = expect(session.read('select pg_sleep(60)')).rejects.toMatchObject({
        name: 'StreamGateError',
        code: 'database-unreachable',
      });
      const [pid] = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGKILL');
      expect(await server.died).toContain('SIGKILL');
      await refused;
      await session.close();
      await expect(takeSnapshot(server.url('postgres'))).rejects.toMatchObject({ code: 'database-unreachable' });
      server = await start();
      const { indexes } = await takeSnapshot(server.url('postgres'));
      expect(indexes.indexes.map(({ index }) => index)).toEqual(['t_pkey']);
    } finally {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
