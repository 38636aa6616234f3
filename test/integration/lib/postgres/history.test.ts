import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../../lib/advice/finding.ts';
import { type AuditRecord, type History, openHistory } from '../../../../lib/postgres/history.ts';
import { freePort } from '../../../../local/process.ts';
import { createDatabase, rowsOf, type TestDatabase } from '../../database.ts';

let database: TestDatabase;
let history: History;

beforeAll(async () => {
  database = await createDatabase({ extensions: false, name: `hist 😀 ${process.pid}` });
  history = openHistory(database.url);
  await history.migrate();
});

afterAll(async () => {
  await history?.close();
  await database?.drop();
});

const finding = (id: string, rest: Partial<Finding> = {}): Finding => ({
  id,
  rule: 'indexes/unused',
  severity: 'warning',
  subject: { database: 'shop', index: id },
  title: `"${id}" \\ 'is' unused 😀`,
  detail: 'Because.',
  evidence: { scans: 0 },
  ...rest,
});

const record = (rest: Partial<AuditRecord> & { day?: number } = {}): AuditRecord => {
  const { day = 1, ...others } = rest;
  const at = new Date(Date.UTC(2026, 0, day)).toISOString();
  return {
    database: 'shop',
    part: 'indexes',
    windowStart: at,
    snapshot: { takenAt: at, notes: [] },
    rows: [],
    summary: { indexes: 0 },
    findings: [],
    judged: new Set(['indexes/unused']),
    ...others,
  };
};

describe('migrate', () => {
  it('can run again and leaves what is there', async () => {
    await history.keep(record({ database: 'again' }));
    await history.migrate();
    await history.migrate();
    expect(await history.hasAudit('again', 'indexes', record().windowStart)).toBe(true);
  });

  it('makes the schema once when several race for it', async () => {
    const empty = await createDatabase({ extensions: false });
    const racers = [1, 2, 3, 4].map(() => openHistory(empty.url));
    try {
      await Promise.all(racers.map((racer) => racer.migrate()));
      const versions = await rowsOf<{ version: number }>(empty, 'select version from streamgate.migrations order by 1');
      expect(versions).toEqual([{ version: 1 }]);
      expect(await Promise.all(racers.map((racer) => racer.keep(record())))).toContain(true);
    } finally {
      for (const racer of racers) await racer.close();
      await empty.drop();
    }
  });
});

describe('keep', () => {
  it('keeps a window once', async () => {
    const audit = record({ database: 'once', findings: [finding('a')] });
    expect(await history.hasAudit('once', 'indexes', audit.windowStart)).toBe(false);
    expect(await history.keep(audit)).toBe(true);
    expect(await history.hasAudit('once', 'indexes', audit.windowStart)).toBe(true);
    expect(await history.keep({ ...audit, findings: [finding('b')] })).toBe(false);
    expect((await history.recommendations('once', undefined)).map(({ id }) => id)).toEqual(['a']);
    expect(await history.keep({ ...audit, part: 'queries' })).toBe(true);
  });

  it('keeps it once when several race', async () => {
    const audit = record({ database: 'race', findings: [finding('a'), finding('b')] });
    const racers = [1, 2, 3, 4].map(() => openHistory(database.url));
    try {
      const kept = await Promise.all(racers.map((racer) => racer.keep(audit)));
      expect(kept.filter(Boolean)).toHaveLength(1);
      const rows = await rowsOf(
        database,
        "select from streamgate.findings f join streamgate.audits a on a.id = f.audit_id where a.database = 'race'",
      );
      expect(rows).toHaveLength(2);
    } finally {
      for (const racer of racers) await racer.close();
    }
  });

  it('keeps all or nothing', async () => {
    const broken = record({
      database: 'broken',
      findings: [finding('a'), { ...finding('b'), rule: null as unknown as string }],
    });
    await expect(history.keep(broken)).rejects.toMatchObject({ code: 'database-failed' });
    expect(await history.hasAudit('broken', 'indexes', broken.windowStart)).toBe(false);
    expect(await history.recommendations('broken', undefined)).toEqual([]);
    expect(await history.keep(record({ database: 'broken' }))).toBe(true);
  });
});

describe('what was kept', () => {
  const name = `Näme "q" 'x' \\ 😀`;

  it('is the newest window, whichever was kept last', async () => {
    expect(await history.latest(name, 'indexes')).toBeUndefined();
    const note = { code: 'c', message: 'm "😀"', rules: ['indexes/unused'] };
    const takenAt = '2026-01-03T00:00:00.123Z';
    await history.keep(record({ database: name, day: 3, snapshot: { takenAt, notes: [note] } }));
    await history.keep(record({ database: name, day: 2 }));
    expect(await history.latest(name, 'indexes')).toMatchObject({ takenAt, notes: [note] });
    expect(await history.latest(name, 'queries')).toBeUndefined();
    expect(await history.latest(name.toLowerCase(), 'indexes')).toBeUndefined();
  });

  it('is read in slices, in its order', async () => {
    const rows = Array.from({ length: 12 }, (_, n) => ({ n, text: `"${n}" \\ 😀 \u2028 {}` }));
    await history.keep(record({ database: 'rows', rows }));
    const head = await history.latest('rows', 'indexes');
    if (!head) throw new Error('Nothing was kept.');
    expect(await history.rows(head, 3)).toEqual({ rows: rows.slice(0, 3), total: 12 });
    expect(await history.rows(head, 500)).toEqual({ rows, total: 12 });
  });

  it('is summed up as it was given, with its keys in their order', async () => {
    await history.keep(record({ database: 'sum', summary: { z: 1.5, a: [null, 'x'], m: { k: 9007199254740991 } } }));
    const head = await history.latest('sum', 'indexes');
    if (!head) throw new Error('Nothing was kept.');
    expect(JSON.stringify(await history.summary(head))).toBe('{"z":1.5,"a":[null,"x"],"m":{"k":9007199254740991}}');
  });

  it('are the findings of a rule, in the order in which they were given', async () => {
    const findings = ['c', 'a', 'b'].map((id) => finding(id));
    const other = finding('x', { rule: 'indexes/duplicate' });
    await history.keep(record({ database: 'found', findings: [other, ...findings] }));
    const head = await history.latest('found', 'indexes');
    if (!head) throw new Error('Nothing was kept.');
    expect(await history.findings(head, 'indexes/unused', 2)).toEqual({ rows: findings.slice(0, 2), total: 3 });
    expect(await history.findings(head, 'indexes/duplicate', 50)).toEqual({ rows: [other], total: 1 });
    expect(await history.findings(head, 'indexes/fragmented', 50)).toEqual({ rows: [], total: 0 });
  });
});

describe('prune', () => {
  it('deletes what is from before a moment, and what leans on it', async () => {
    const pruned = await createDatabase({ extensions: false });
    const own = openHistory(pruned.url);
    try {
      await own.migrate();
      await own.keep(record({ day: 1, findings: [finding('old'), finding('both')], judged: new Set() }));
      await own.keep(record({ day: 5, findings: [finding('both'), finding('new')], judged: new Set() }));
      await own.prune(new Date(Date.UTC(2026, 0, 5)));
      expect(await own.hasAudit('shop', 'indexes', record({ day: 1 }).windowStart)).toBe(false);
      expect(await own.hasAudit('shop', 'indexes', record({ day: 5 }).windowStart)).toBe(true);
      expect((await own.recommendations('shop', undefined)).map(({ id }) => id).sort()).toEqual(['both', 'new']);
      expect(await rowsOf(pruned, 'select from streamgate.findings')).toHaveLength(2);
      await own.prune(new Date(Date.UTC(2027, 0, 1)));
      expect(await rowsOf(pruned, 'select from streamgate.audits')).toEqual([]);
      expect(await rowsOf(pruned, 'select from streamgate.findings')).toEqual([]);
    } finally {
      await own.close();
      await pruned.drop();
    }
  });
});

describe('a history that cannot be reached', () => {
  it('is named as the history, without its password', async () => {
    const url = new URL(database.url);
    url.port = String(await freePort());
    url.password = 's3cret-word';
    const gone = openHistory(url.href);
    for (const attempt of [() => gone.migrate(), () => gone.latest('shop', 'indexes'), () => gone.keep(record())]) {
      const error = (await attempt().catch((thrown: unknown) => thrown)) as Error;
      expect(error).toMatchObject({ code: 'database-unreachable', name: 'StreamGateError' });
      expect(error.message).toContain('(the history)');
      expect(error.message).not.toContain('s3cret-word');
    }
    await gone.close();
  });

  it('works again after its connections were ended', async () => {
    const own = openHistory(database.url);
    await own.latest('shop', 'indexes');
    await database.run(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await expect.poll(() => own.hasAudit('again', 'indexes', record().windowStart).catch(() => false)).toBe(true);
    await own.close();
  });
});
