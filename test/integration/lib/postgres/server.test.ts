import { chown, cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge, takeSnapshot } from '../../../../lib/audit.ts';
import { readServer, Server } from '../../../../lib/postgres/server.ts';
import { type EmbeddedPostgres, startPostgres } from '../../../../local/postgres.ts';
import { binaries, createDatabase, createRole, rolePassword, rowsOf, withSession } from '../../database.ts';

describe('readServer', () => {
  it('tells of the server what psql tells', async () => {
    const database = await createDatabase({ name: `Näme "q" 😀 ${process.pid}` });
    try {
      await database.run('create schema "Other Schema"', 'create extension citext schema "Other Schema"');
      const server = await withSession(database.url, (session) => readServer(session));
      const [row] = await rowsOf<{ version: string; number: string; started: Date; size: string }>(
        database,
        `select current_setting('server_version') as version, current_setting('server_version_num') as number,
           pg_postmaster_start_time() as started, pg_database_size(current_database()) as size`,
      );
      expect(Server.parse(server)).toEqual(server);
      expect(server).toMatchObject({
        database: database.name,
        version: row?.version,
        versionNumber: Number(row?.number),
        isStandby: false,
        startedAt: row?.started.toISOString(),
        sizeBytes: Number(row?.size),
        blockBytes: 8192,
        role: 'postgres',
        readsAllStatistics: true,
      });
      // Before PostgreSQL 15 the first connection counts as a reset.
      if (server.versionNumber >= 150_000) expect(server.statisticsResetAt).toBeNull();
      expect(Object.keys(server.extensions).sort()).toEqual(['citext', 'pg_stat_statements', 'pgstattuple', 'plpgsql']);
      expect(server.extensions.citext?.schema).toBe('Other Schema');
      const named = await withSession(database.url, (session) => readServer(session, 'shop'));
      expect(named).toEqual({ ...server, database: 'shop' });
    } finally {
      await database.drop();
    }
  });

  it('tells when the counters were reset, and what the role may see', async () => {
    const name = `plain_${process.pid}`;
    const database = await createDatabase({ extensions: false });
    const role = await createRole(name);
    try {
      await database.run('select pg_stat_reset()');
      await expect
        .poll(() => withSession(database.as(name, rolePassword), (_, server) => Promise.resolve(server)), {
          timeout: 20_000,
        })
        .toMatchObject({ statisticsResetAt: expect.any(String), role: name, readsAllStatistics: false });
      await database.run(`grant pg_monitor to ${name}`);
      const server = await withSession(database.as(name, rolePassword), async (_, read) => read);
      expect(server.readsAllStatistics).toBe(true);
    } finally {
      await database.drop();
      await role.drop();
    }
  });
});

describe('an audit of a hot standby', () => {
  const directories: string[] = [];
  let standby: EmbeddedPostgres | undefined;

  beforeAll(async () => {
    for (const name of ['primary', 'standby']) directories.push(await mkdtemp(join(tmpdir(), `streamgate-${name}-`)));
    const [first = '', second = ''] = directories;
    const settings = { fsync: 'off', autovacuum: 'off', wal_level: 'replica', hot_standby: 'on', max_wal_senders: '2' };
    const primary = await startPostgres({ directory: first, ...(await binaries()), settings });
    const client = new pg.Client({ connectionString: primary.url('postgres') });
    await client.connect();
    for (const statement of [
      'create extension pg_stat_statements',
      'create extension pgstattuple',
      'create table t (id int primary key, a int, b int)',
      'insert into t select g, g, g from generate_series(1, 60000) g',
      'create index t_a on t (a)',
      'create index t_a2 on t (a)',
      'create index t_b on t (b)',
      'delete from t where b % 10 <> 0',
      'vacuum t',
      'create unlogged table volatile (id int primary key, a int)',
      'insert into volatile select g, g from generate_series(1, 60000) g',
      'create index volatile_a on volatile (a)',
    ])
      await client.query(statement);
    await client.end();
    await primary.stop();
    await cp(first, second, { recursive: true, preserveTimestamps: true });
    await writeFile(join(second, 'data', 'standby.signal'), '');
    await chownAll(join(first, 'data'), second);
    standby = await startPostgres({ directory: second, ...(await binaries()), settings });
  });

  afterAll(async () => {
    await standby?.stop();
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  });

  it('finds what is there and says that it is a standby', async () => {
    const url = standby?.url('postgres') ?? '';
    const snapshot = await takeSnapshot(url);
    expect(snapshot.server.isStandby).toBe(true);
    const usual = ['fragmentation-failed', 'hypopg-missing'];
    expect(snapshot.indexes.notes.filter(({ code }) => !usual.includes(code))).toEqual([]);
    const findings = judge(snapshot);
    const of = (rule: string) => findings.filter((finding) => finding.rule === rule);
    expect(of('indexes/duplicate').map(({ subject }) => subject.index)).toEqual(['t_a2']);
    expect(of('indexes/unused').map(({ subject }) => subject.index)).toContain('t_b');
    for (const { detail } of of('indexes/unused')) expect(detail).toContain('This server is a standby');
    expect(
      of('indexes/fragmented')
        .map(({ subject }) => subject.index)
        .sort(),
    ).toEqual(['t_a', 't_a2', 't_b', 't_pkey']);
    expect(snapshot.queries.notes).toEqual([]);
    expect(findings.map(({ subject }) => subject.table)).not.toContain('volatile');
  });

  it('sees the statements that the standby ran', async () => {
    const client = new pg.Client({ connectionString: standby?.url('postgres') });
    await client.connect();
    await client.query('select count(*) from t where a = 7');
    await client.end();
    const { queries } = await takeSnapshot(standby?.url('postgres') ?? '');
    expect(queries.statements.map(({ query }) => query)).toContain('select count(*) from t where a = $1');
  });
});

/** Gives a copy to the account that owned the original: as root, `cp` makes it root's. */
async function chownAll(original: string, copy: string): Promise<void> {
  const { uid, gid } = await stat(original);
  const entries = await readdir(copy, { recursive: true });
  for (const path of [copy, ...entries.map((entry) => join(copy, entry))]) await chown(path, uid, gid);
}
