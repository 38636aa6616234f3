/** Audits of a database that is locked, slow, lost or not to be read: each ends, tells what it could not see, and leaves nothing behind. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { handler } from '../../../../functions/audits/queries.ts';
import { runAudit } from '../../../../lib/audit.ts';
import { type History, openHistory } from '../../../../lib/postgres/history.ts';
import { readServer } from '../../../../lib/postgres/server.ts';
import { openSession, type Session } from '../../../../lib/postgres/session.ts';
import { type CollectOptions, collectQueries } from '../../../../lib/queries/collect.ts';
import type { QuerySnapshot } from '../../../../lib/queries/snapshot.ts';
import { configure, serveApi } from '../../api.ts';
import {
  createDatabase,
  createRole,
  forgetStatements,
  hold,
  rolePassword,
  settled,
  type TestDatabase,
} from '../../database.ts';
import { type FaultyProxy, openProxy } from './proxy.ts';
import { type OwnServer, ownServer } from './servers.ts';

let shop: TestDatabase;
let kept: TestDatabase;
let history: History;
let proxy: FaultyProxy | undefined;
let hour = 0;

const shortLimits = { connectMs: 1_000, statementMs: 1_000, lockMs: 100 };

/** Short limits, and a session that is closed like any. */
async function collect(url: string, limits?: CollectOptions): Promise<QuerySnapshot> {
  const session = await openSession(url, shortLimits);
  try {
    return await collectQueries(session, await readServer(session, 'shop'), limits);
  } finally {
    await session.close();
  }
}

const audit = (url = shop.url) =>
  runAudit('queries', { name: 'shop', url }, new Date(Date.UTC(2026, 5, 1, hour++)), history);

const notesOf = async () => (await history.latest('shop', 'queries'))?.notes ?? [];

const text = 'select count(*) from wares where price > $1';
const auditedPlan = ({ statements, plans }: QuerySnapshot) => {
  const statement = statements.find(({ query }) => query === text);
  return plans.find(({ queryId }) => queryId === statement?.queryId);
};

/** One connection was made, and closed. */
const closed = () => vi.waitFor(() => expect(proxy?.connections()).toEqual({ made: 1, open: 0 }));

const nothingLeft = () =>
  settled(
    shop,
    `select where not exists (select from pg_stat_activity where application_name = 'streamgate' and datname = current_database())`,
  );

beforeAll(async () => {
  shop = await createDatabase();
  kept = await createDatabase({ extensions: false });
  await shop.run(
    'create table wares as select g as id, g as price from generate_series(1, 20000) g',
    'create view cheap as select * from wares where price < 10',
    'analyze wares',
    forgetStatements,
    ...Array.from({ length: 5 }, () => 'select count(*) from wares where price > 3'),
    ...Array.from({ length: 5 }, () => 'select count(*) from cheap'),
  );
  history = openHistory(kept.url);
  await history.migrate();
});

afterEach(async () => {
  await nothingLeft();
  await proxy?.close();
  proxy = undefined;
});

afterAll(async () => {
  await history?.close();
  await shop?.drop();
  await kept?.drop();
});

describe('a lock', () => {
  it('of a table keeps its plans from being read, and nothing else', async () => {
    const other = await hold(shop.url, 'begin', 'lock table wares in access exclusive mode');
    const snapshot = await collect(shop.url).finally(other.end);
    expect(auditedPlan(snapshot)).toMatchObject({ plan: null, failure: { code: 'locked' } });
    expect(snapshot.relations.map(({ table }) => table)).toContain('wares');
    expect(snapshot.notes).toMatchObject([{ code: 'statements-not-explained' }]);
    expect(snapshot.notes[0]?.message).toContain('locked');
  });

  it('of a catalog keeps what needs it from being read', async () => {
    const session = await openSession(shop.url, shortLimits);
    const server = await readServer(session, 'shop');
    const lock = () => hold(shop.url, 'begin', 'lock table pg_constraint in access exclusive mode');
    let other: Awaited<ReturnType<typeof hold>> | undefined;
    const read: Session['read'] = async (sql, parameters) => {
      if (sql.includes('pg_constraint')) other = await lock();
      return session.read(sql, parameters);
    };
    const snapshot = await collectQueries({ ...session, read }, server).finally(async () => {
      await other?.end();
      await session.close();
    });
    expect(snapshot.statements.length).toBeGreaterThan(0);
    expect(auditedPlan(snapshot)?.plan).not.toBeNull();
    expect(snapshot.relations).toEqual([]);
    expect(snapshot.notes).toMatchObject([{ code: 'queries-locked', rules: ['queries/*', 'plans/*'] }]);
  });

  it('of pg_stat_statements keeps the statements from being read, and nothing else', async () => {
    const other = await hold(shop.url, 'begin', 'lock table pg_stat_statements in access exclusive mode');
    const snapshot = await collect(shop.url).finally(other.end);
    expect(snapshot.statements).toEqual([]);
    expect(snapshot.settings).not.toBeNull();
    expect(snapshot.notes).toMatchObject([{ code: 'pg_stat_statements-locked', rules: ['queries/*', 'plans/*'] }]);
  });

  it('that kept the statements from being read once mends nothing, and makes nothing look worse', async () => {
    await audit();
    const before = await history.recommendations('shop', undefined);
    const other = await hold(shop.url, 'begin', 'lock table pg_stat_statements in access exclusive mode');
    expect((await audit().finally(other.end)).kept).toBe(true);
    const { findings } = await audit();
    const statuses = (all: typeof before) => all.map(({ id, status }) => [id, status]).sort();
    expect(statuses(await history.recommendations('shop', undefined))).toEqual(statuses(before));
    expect(findings.map(({ rule }) => rule)).not.toContain('queries/regressed');
  });

  it.each(['pg_class', 'pg_statistic', 'pg_extension'])(
    'of %s, without which nothing can be read, ends the audit soon, with the reason',
    async (name) => {
      const other = await hold(shop.url, 'begin', `lock table ${name} in access exclusive mode`);
      const ended = await audit().catch((error: unknown) => error);
      await other.end();
      expect(ended).toMatchObject({ code: 'database-timeout' });
      expect((await audit()).kept).toBe(true);
    },
  );
});

describe('a server that answers slowly', () => {
  it('is read for as long as there is time, and the notes tell what was left out', async () => {
    proxy = await openProxy(shop.url);
    proxy.when(/pg_settings/, 40);
    const snapshot = await collect(proxy.url, { totalMs: 250 });
    expect(auditedPlan(snapshot)?.plan ?? null).toBeNull();
    expect(snapshot.statements.length).toBeGreaterThan(0);
    const codes = snapshot.notes.map(({ code }) => code);
    expect(codes).toContain('queries-out-of-time');
    expect(snapshot.notes.find(({ code }) => code === 'queries-out-of-time')?.rules).toContain('plans/*');
  });

  it('that never answers the login is given up', async () => {
    proxy = await openProxy(shop.url);
    proxy.when(/./s, 'stall');
    await expect(collect(proxy.url)).rejects.toMatchObject({ code: 'database-timeout' });
    await closed();
  });
});

describe('a connection that is lost', () => {
  it.each([
    ['the settings', 'cut', /from pg_settings/, ['The settings', 'The open', 'The plans', 'The tables']],
    ['the plans', 'cut', /streamgate_explained|generic_plan/, ['The plans', 'The tables']],
    ['the plans', 'stall', /streamgate_explained|generic_plan/, ['The plans', 'The tables']],
    ['the tables', 'cut', /recursive used/, ['The tables']],
  ] as const)('before %s were read leaves what was read before (%s)', async (_, behaviour, said, missing) => {
    proxy = await openProxy(shop.url);
    proxy.when(said, behaviour);
    const snapshot = await collect(proxy.url);
    expect(snapshot.statements.find(({ query }) => query === text)).toMatchObject({ calls: 5 });
    expect(snapshot.notes.map(({ code, message }) => [code, missing.find((what) => message.startsWith(what))])).toEqual(
      missing.map((what) => ['queries-connection-lost', what]),
    );
    await closed();
  });

  it('between two plans leaves the first, and the note tells of the other', async () => {
    await shop.run('select max(id) from wares');
    proxy = await openProxy(shop.url);
    proxy.when(/(?:streamgate_explained|generic_plan)[\s\S]*max\(id\)/, 'cut');
    const snapshot = await collect(proxy.url);
    expect(auditedPlan(snapshot)?.plan ?? null).not.toBeNull();
    expect(snapshot.notes.map(({ code, message }) => [code, message.includes('the connection was lost')])).toEqual([
      ['queries-connection-lost', true],
      ['explain-unfinished', true],
    ]);
    await closed();
  });

  it.each([
    ['cut', 'database-unreachable'],
    ['stall', 'database-timeout'],
  ] as const)('before the statements were read ends the audit (%s)', async (behaviour, code) => {
    proxy = await openProxy(shop.url);
    proxy.when(/pg_stat_statements s/, behaviour);
    await expect(collect(proxy.url)).rejects.toMatchObject({ code });
    await closed();
  });
});

describe('an audit whose connection is lost half-way', () => {
  it('is kept with its notes, and mends nothing', async () => {
    await audit();
    const before = await history.recommendations('shop', undefined);
    proxy = await openProxy(shop.url);
    proxy.when(/generic_plan|streamgate_explained/, 'cut');
    expect(await audit(proxy.url)).toMatchObject({ kept: true });
    expect((await notesOf()).map(({ code }) => code)).toContain('queries-connection-lost');
    const statuses = (await history.recommendations('shop', undefined)).map(({ id, status }) => [id, status]);
    expect(statuses).toEqual(before.map(({ id, status }) => [id, status]));
  });

  it('fails over HTTP with the reason when nothing could be read, while the endpoints tell of the audit before', async () => {
    const databases = (url: string) => ({
      STREAMGATE_DATABASES: JSON.stringify({ shop: url }),
      STREAMGATE_HISTORY_URL: kept.url,
    });
    const at = (minute: number) => ({ time: new Date(Date.UTC(2026, 6, 1, 0, minute)).toISOString() });
    await configure(databases(shop.url));
    // On a machine that is busy the cache may not be told in time: then the same event comes again, as from a scheduler.
    await handler(at(0)).catch(() => handler(at(0)));
    proxy = await openProxy(shop.url);
    proxy.when(/pg_stat_statements s/, 'cut');
    await configure(databases(proxy.url));
    const error = (await handler(at(5)).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'database-unreachable' });
    const api = await serveApi();
    try {
      const { status, body } = await api.get('/optimization/queries/metrics');
      expect(status).toBe(200);
      expect((body as { data: { query: string }[] }).data.map(({ query }) => query)).toContain(text);
    } finally {
      await api.close();
    }
  });
});

describe('the command line', () => {
  const report = (url: string) => {
    const launch = join(import.meta.dirname, '../../../../cli/launch.mjs');
    const words = [launch, 'audit', url, '--format', 'json'];
    return new Promise<{ code: unknown; out: string; err: string }>((done) => {
      execFile(process.execPath, words, { cwd: tmpdir() }, (error, out, err) =>
        done({ code: error?.code ?? 0, out, err }),
      );
    });
  };

  it('tells in one line why it could read nothing, and ends with 2', async () => {
    proxy = await openProxy(shop.url);
    proxy.when(/server_version_num/, 'cut');
    const { code, out, err } = await report(proxy.url);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^[^\n]*closed the connection[^\n]*\n$/);
    expect(proxy.connections().made).toBe(1);
  });

  it('reports the indexes where the statements could not be read', async () => {
    proxy = await openProxy(shop.url);
    proxy.when(/pg_stat_statements s/, 'cut');
    const { code, out, err } = await report(proxy.url);
    expect(code).toBe(0);
    expect(JSON.parse(out).findings.map(({ rule }: { rule: string }) => rule)).toContain('tables/no-primary-key');
    expect(err).toContain('note: The statements were not read: the connection was lost');
  });

  it('reports the statements where a lock keeps the indexes from being read', async () => {
    const other = await hold(shop.url, 'begin', 'lock table pg_sequence in access exclusive mode');
    const { code, out, err } = await report(shop.url).finally(other.end);
    expect(code).toBe(0);
    expect(JSON.parse(out).snapshot.notes).toMatchObject([{ code: 'indexes-locked' }]);
    expect(err).toContain('note: The indexes, the tables and the sequences were not read: somebody holds a lock');
  });

  it('reports what it could read, and notes what it could not', async () => {
    proxy = await openProxy(shop.url);
    proxy.when(/generic_plan|streamgate_explained/, 'cut');
    const { code, out, err } = await report(proxy.url);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toHaveProperty('findings');
    expect(err).toContain('note: The plans of the statements were not read: the connection was lost');
  });
});

describe('a role', () => {
  const names = ['nobody', 'monitor', 'statistics'].map((name) => `${name}_${process.pid}`) as [string, string, string];
  const roles: { drop(): Promise<void> }[] = [];

  beforeAll(async () => {
    roles.push(
      await createRole(names[0]),
      await createRole(names[1], 'pg_monitor'),
      await createRole(names[2], 'pg_read_all_stats'),
    );
  });

  afterAll(async () => {
    for (const role of roles) await role.drop();
  });

  it('that may only connect sees no statement of others, and is told so', async () => {
    const snapshot = await collect(shop.as(names[0], rolePassword));
    expect(JSON.stringify(snapshot)).not.toContain('wares');
    expect(snapshot.notes).toMatchObject([{ code: 'statements-hidden', rules: ['queries/*', 'plans/*'] }]);
    expect(snapshot.statements).toEqual([]);
  });

  it.each([1, 2] as const)('that sees all statistics sees the statements, but not how they run (%d)', async (which) => {
    const snapshot = await collect(shop.as(names[which], rolePassword));
    expect(snapshot.statements.find(({ query }) => query === text)).toMatchObject({ calls: 5 });
    expect(auditedPlan(snapshot)).toMatchObject({ plan: null, failure: { code: 'permission' } });
    expect(snapshot.notes.map(({ code }) => code)).toEqual(['statements-not-explained']);
    expect(await audit(shop.as(names[which], rolePassword))).toMatchObject({ kept: true });
  });

  it('that may not see anything of pg_stat_statements is told what to grant', async () => {
    await shop.run('revoke select on pg_stat_statements from public');
    const snapshot = await collect(shop.as(names[0], rolePassword));
    expect(snapshot.notes).toMatchObject([{ code: 'pg_stat_statements-permission' }]);
    await shop.run('grant select on pg_stat_statements to public');
  });
});

describe('a server', () => {
  let server: OwnServer;

  beforeAll(async () => {
    server = await ownServer();
    await server.run('create extension pg_stat_statements', 'create table t (a int)', 'select * from t where a = 1');
  });

  afterAll(() => server?.remove());

  it('that does not load pg_stat_statements is told to, until it does', async () => {
    await server.restart({ shared_preload_libraries: '' });
    const without = await collect(server.url);
    expect(without).toMatchObject({ statements: [], notes: [{ code: 'pg_stat_statements-not-loaded' }] });
    await server.restart({ shared_preload_libraries: 'pg_stat_statements' });
    expect((await collect(server.url)).notes).toEqual([]);
  });

  it('that goes down in the middle of an audit ends it with the reason', async () => {
    proxy = await openProxy(server.url);
    proxy.when(/pg_stat_statements s/, 100);
    const ended = collect(proxy.url).catch((error: unknown) => error);
    await server.stop();
    const outcome = await ended;
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'database-unreachable' });
    else expect((outcome as QuerySnapshot).notes.map(({ code }) => code)).toContain('queries-connection-lost');
    await server.restart();
    expect((await collect(server.url)).notes).toEqual([]);
  });
});
