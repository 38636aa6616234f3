/** Databases that are set up in ways that nobody expects, each of which once broke an audit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handler as audit } from '../../functions/audits/indexes.ts';
import { judge, runAudit, takeSnapshot } from '../../lib/audit.ts';
import { openHistory } from '../../lib/postgres/history.ts';
import { configure, letGo, serveApi } from './api.ts';
import {
  createDatabase,
  createRole,
  forgetStatements,
  hold,
  rolePassword,
  rowsOf,
  type TestDatabase,
} from './database.ts';

let database: TestDatabase;
const alter = (setting: string) => database.run(`alter database "${database.name}" set ${setting}`);
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database?.drop());

const fresh = async <R>(work: (d: TestDatabase) => Promise<R>, options = {}) => {
  const d = await createDatabase(options);
  try {
    return await work(d);
  } finally {
    await d.drop();
  }
};

describe('an expert would also try', () => {
  it.each(['SQL, DMY', 'German', 'Postgres, MDY'])('reads times with datestyle %s', (style) =>
    fresh(async (d) => {
      await d.run(`alter database "${d.name}" set datestyle = '${style}'`);
      const { server } = await takeSnapshot(d.url);
      const [row] = await rowsOf<{ at: string }>(
        d,
        `select to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI') as at`,
      );
      expect(server.startedAt.slice(0, 16)).toBe(row?.at);
    }),
  );

  it('never takes a part of a partitioned index for free-standing when the parent is locked', () =>
    fresh(async (d) => {
      await d.run(
        'create table m (a int, b int) partition by range (a)',
        'create table m1 partition of m for values from (0) to (100000)',
        'create index m_b on m (b)',
        'insert into m select g, g from generate_series(1, 20000) g',
      );
      const other = await hold(d.url, 'begin', 'create table m2 partition of m for values from (100000) to (200000)');
      const found = judge(await takeSnapshot(d.url)).filter(({ rule }) => rule.startsWith('indexes/'));
      await other.end();
      expect(found).toEqual([]);
    }));

  it('does not call a partitioned index unused when the partition that is read is locked', () =>
    fresh(async (d) => {
      await d.run(
        'create table m (a int, b int) partition by range (a)',
        'create table m1 partition of m for values from (0) to (50000)',
        'create table m2 partition of m for values from (50000) to (100000)',
        'create index m_b on m (b)',
        'insert into m select g, g from generate_series(1, 99999) g',
        'set enable_seqscan = off; select count(*) from m2 where b = 77777',
      );
      const other = await hold(d.url, 'begin', 'lock table m2 in access exclusive mode');
      const found = judge(await takeSnapshot(d.url)).filter(({ rule }) => rule === 'indexes/unused');
      await other.end();
      expect(found).toEqual([]);
    }));

  it('audits beside REINDEX TABLE of a table that has a toast table and no index', () =>
    fresh(async (d) => {
      await d.run('create table noidx (t text)', 'create table other (a int primary key)');
      const other = await hold(d.url, 'begin', 'reindex table noidx');
      try {
        expect((await takeSnapshot(d.url)).indexes.indexes).toHaveLength(1);
      } finally {
        await other.end();
      }
    }));

  it('keeps an audit whose slow statement has an emoji at the 79th character', () =>
    fresh(async (d) => {
      const normal = 'select pg_sleep($1) as "';
      await d.run(`select pg_sleep(0.11) as "${'x'.repeat(78 - normal.length)}😀😀", 2 as another_long_column`);
      const history = openHistory(d.url);
      await history.migrate();
      const { findings } = await runAudit('queries', { name: 'x', url: d.url }, new Date(), history).finally(() =>
        history.close(),
      );
      expect(findings.every(({ title }) => title.isWellFormed())).toBe(true);
    }));

  it.each(['a@b', 'a/b', 'a?b#c', 'a+b', 'a&b=c'])('opens the database %s', (name) =>
    fresh(async () => {
      const url = new URL(database.url);
      await database.run(`create database "${name}"`);
      url.pathname = `/${encodeURIComponent(name)}`;
      const result = await takeSnapshot(url.href).then(
        ({ server }) => server.database,
        (error: Error) => error.message,
      );
      await database.run(`drop database "${name}"`);
      expect(result).toBe(name);
    }),
  );

  it.each(['4111111111111111'])('never shows a number of a statement that was prepared before the reset', (card) =>
    fresh(async (d) => {
      const { client, end } = await hold(d.url, 'create table t (n bigint, m text)');
      const query = { name: 'x', text: `select m from t where n = ${card} and m <> $1`, values: ['a'] };
      await client.query(query);
      await client.query(forgetStatements);
      await client.query(query);
      await end();
      expect(JSON.stringify(await takeSnapshot(d.url))).not.toContain(card);
    }),
  );

  it('never shows a password with standard_conforming_strings off', () =>
    fresh(async (d) => {
      await d.run(
        `create role leak_${process.pid}`,
        `set standard_conforming_strings = off; set backslash_quote = on; select 1`,
      );
      const { client, end } = await hold(d.url, 'set standard_conforming_strings = off', 'set backslash_quote = on');
      await client.query(`alter role leak_${process.pid} password '\\'hunter2\\''`);
      await client.query(`drop role leak_${process.pid}`);
      await end();
      expect(JSON.stringify(await takeSnapshot(d.url))).not.toContain('hunter2');
    }));

  it('reads statements where only the main view is granted', async () => {
    const role = await createRole(`lim_${process.pid}`, 'pg_read_all_stats');
    await fresh(async (d) => {
      // PostgreSQL 13 has the one view only.
      await d.run(
        `do $$ begin
           revoke select on pg_stat_statements from public;
           if to_regclass('pg_stat_statements_info') is not null then
             revoke select on pg_stat_statements_info from public;
           end if;
         end $$`,
        `grant select on pg_stat_statements to lim_${process.pid}`,
      );
      const { queries } = await takeSnapshot(d.as(`lim_${process.pid}`, rolePassword));
      expect(queries.statements.length).toBeGreaterThan(0);
    }).finally(() => role.drop());
  });

  it('never shows what the migration ran', () =>
    fresh(async (d) => {
      const history = openHistory(d.url);
      await history.migrate();
      await history.close();
      const queries = (await takeSnapshot(d.url)).queries.statements.map(({ query }) => query);
      expect(queries.filter((query) => query.includes('streamgate'))).toEqual([]);
    }));

  it('does not lose the history to an event from the future', () =>
    fresh(async (d) => {
      await configure({ DATABASE_URL: d.url, STREAMGATE_HISTORY_URL: d.url });
      // Whether the second level is told in time is not asked here: on a busy machine it may not be, and the audit is kept.
      await audit({ time: new Date().toISOString() }).catch(() => {});
      await audit({ time: '2199-01-01T00:00:00Z' }).catch(() => {});
      await letGo();
      expect((await rowsOf(d, 'select from streamgate.audits')).length).toBeGreaterThan(0);
    }));

  it('says history-empty before the first migration', () =>
    fresh(async (d) => {
      await configure({ DATABASE_URL: d.url, STREAMGATE_HISTORY_URL: d.url });
      const api = await serveApi();
      const { body } = await api.get('/optimization/indexes/metrics');
      await api.close();
      expect(body).toMatchObject({ code: 'history-empty' });
    }));

  it('answers a request target without a name with 404, and a body that is too large with 400', () =>
    fresh(async (d) => {
      await configure({ DATABASE_URL: d.url, STREAMGATE_HISTORY_URL: d.url });
      const api = await serveApi();
      const { request } = await import('node:http');
      const status = (path: string, body?: string) =>
        new Promise((done) =>
          request({ port: api.port, path }, (r) => done(r.resume().statusCode))
            .on('error', (e) => done(e.message))
            .end(body),
        );
      const seen = [await status('//'), await status('/optimization/health', 'x'.repeat(200_000))];
      await api.close();
      expect(seen).toEqual([404, 400]);
    }));

  it('migrates once under repeatable read, too', () =>
    fresh(async (d) => {
      await d.run(`alter database "${d.name}" set default_transaction_isolation = 'repeatable read'`);
      const racers = [1, 2, 3, 4].map(() => openHistory(d.url));
      const results = await Promise.allSettled(racers.map((racer) => racer.migrate()));
      for (const racer of racers) await racer.close();
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
    }));

  it('undoes the drop of a constraint with its fillfactor', () =>
    fresh(async (d) => {
      await d.run(
        'create table t (a int)',
        'alter table t add constraint u1 unique (a) with (fillfactor = 50)',
        'alter table t add constraint u2 unique (a) with (fillfactor = 50)',
      );
      const [finding] = judge(await takeSnapshot(d.url));
      await d.run(finding?.action?.sql ?? '', finding?.action?.undoSql ?? '');
      const [row] = await rowsOf<{ indexdef: string }>(d, "select indexdef from pg_indexes where indexname = 'u2'");
      expect(row?.indexdef).toContain('fillfactor');
    }));

  it('finds a duplicate beside a deferrable primary key', () =>
    fresh(async (d) => {
      await d.run(
        'create table t (a int, primary key (a) deferrable)',
        'create unique index x1 on t (a)',
        'create unique index x2 on t (a)',
      );
      expect(judge(await takeSnapshot(d.url)).map(({ subject }) => subject.index)).toEqual(['x2']);
    }));
});
void alter;
