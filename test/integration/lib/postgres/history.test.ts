import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../../lib/advice/finding.ts';
import type { Recommendation } from '../../../../lib/advice/recommendation.ts';
import type { CostCache } from '../../../../lib/indexes/advisor/cost-cache.ts';
import {
  type AuditRecord,
  type History,
  openHistory,
  type RowChoice,
  type StatementWindow,
} from '../../../../lib/postgres/history.ts';
import { migrations } from '../../../../lib/postgres/migrations.ts';
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
    isJudged: ({ rule }: Recommendation) => rule === 'indexes/unused',
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
      expect(versions).toEqual(migrations.map((_, step) => ({ version: step + 1 })));
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
    expect(await history.rows(head, { limit: 3 })).toEqual({ rows: rows.slice(0, 3), total: 12 });
    expect(await history.rows(head, { limit: 500 })).toEqual({ rows, total: 12 });
    expect(await history.rows(head, { limit: 5, offset: 10 })).toEqual({ rows: rows.slice(10), total: 12 });
    expect(await history.rows(head, { limit: 5, offset: 12 })).toEqual({ rows: [], total: 12 });
  });

  it('is sorted, searched and narrowed as asked', async () => {
    const rows = [
      { query: 'select ALPHA', meanMs: 3, window: { calls: 0, meanMs: 0 } },
      { query: 'select 100%_alpha', meanMs: 10, window: null },
      { query: 'select beta', meanMs: 1.5, window: { calls: 2, meanMs: 7 } },
    ];
    await history.keep(record({ database: 'sorted', rows }));
    const head = await history.latest('sorted', 'indexes');
    if (!head) throw new Error('Nothing was kept.');
    const texts = async (choice: Omit<RowChoice, 'limit'>) => {
      const page = await history.rows<{ query: string }>(head, { limit: 2, ...choice });
      return [...page.rows.map(({ query }) => query.slice(7)), page.total];
    };
    expect(await texts({ sort: { path: ['meanMs'], descending: true } })).toEqual(['100%_alpha', 'ALPHA', 3]);
    expect(await texts({ sort: { path: ['meanMs'], descending: false } })).toEqual(['beta', 'ALPHA', 3]);
    expect(await texts({ sort: { path: ['meanMs'], descending: false }, offset: 2 })).toEqual(['100%_alpha', 3]);
    expect(await texts({ sort: { path: ['window', 'meanMs'], descending: true } })).toEqual(['beta', 'ALPHA', 3]);
    expect(await texts({ having: ['window', 'calls'] })).toEqual(['beta', 1]);
    expect(await texts({ containing: 'alpha' })).toEqual(['ALPHA', '100%_alpha', 2]);
    expect(await texts({ containing: '%_A' })).toEqual(['100%_alpha', 1]);
    expect(await texts({ containing: `'; drop table x --` })).toEqual([0]);
  });

  it('is handed to the next audit whole, and its rows go when two newer ones are kept', async () => {
    expect(await history.newest('whole', 'queries')).toBeUndefined();
    for (const day of [1, 2, 3]) {
      await history.keep(
        record({ database: 'whole', part: 'queries', day, rows: [{ day }], findings: [finding('f')] }),
      );
    }
    const { takenAt } = record({ day: 3 }).snapshot;
    expect(await history.newest('whole', 'queries')).toEqual({ snapshot: { takenAt, notes: [] }, rows: [{ day: 3 }] });
    const left = (table: string) =>
      rowsOf(
        database,
        `select from streamgate.${table} join streamgate.audits a on a.id = audit_id where a.database = 'whole'`,
      );
    expect(await left('rows')).toHaveLength(2);
    expect(await left('findings')).toHaveLength(2);
    expect(await history.hasAudit('whole', 'queries', record({ day: 1 }).windowStart)).toBe(true);
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

describe('the past of statements', () => {
  const minute = 60_000;
  const now = Math.floor(Date.now() / minute) * minute;
  const at = (ms: number) => new Date(now + ms).toISOString();
  const window = (queryId: string, endedAt: number, rest: Partial<StatementWindow> = {}): StatementWindow => ({
    queryId,
    from: at(endedAt - 5 * minute),
    to: at(endedAt),
    calls: 2,
    totalMs: 10,
    meanMs: 5,
    stddevMs: 1,
    rows: 4,
    blocks: 8,
    ...rest,
  });
  const plan = (shape: string, totalCost: number) => ({
    queryId: '1',
    explainedAs: 'itself' as const,
    plan: { root: { type: 'Result', totalCost } } as never,
    shape,
    failure: null,
    parameterCosts: null,
  });

  it('has the windows of the last day one by one, older ones by the hour, and every shape of a plan', async () => {
    const past = Date.UTC(2026, 0, 1, 10) - now;
    await history.keep(
      record({
        database: 'past',
        day: 1,
        windows: [
          window('1', past + 5 * minute, { calls: 1, totalMs: 10, stddevMs: 0 }),
          window('1', past + 10 * minute, { calls: 3, totalMs: 90, stddevMs: 0 }),
          window('2', past + 5 * minute),
        ],
        plans: [plan('a', 1)],
      }),
    );
    await history.keep(
      record({
        database: 'past',
        day: 2,
        windows: [window('1', -5 * minute), window('1', 0), window('3', 0)],
        plans: [plan('b', 2)],
      }),
    );
    await history.keep(record({ database: 'past', day: 3, plans: [plan('a', 3)] }));
    const { windows, plans } = await history.past('past', ['1', '3', '4'], new Date(0));
    expect([...windows.keys()].sort()).toEqual(['1', '3']);
    const [hour, ...recent] = windows.get('1') ?? [];
    expect(hour).toMatchObject({
      from: '2026-01-01T10:00:00.000Z',
      to: '2026-01-01T10:10:00.000Z',
      calls: 4,
      totalMs: 100,
    });
    expect(hour?.meanMs).toBe(25);
    // One call of 10 ms and three of 30 ms.
    expect(hour?.stddevMs).toBeCloseTo(Math.sqrt(75), 10);
    expect(recent).toEqual([window('1', -5 * minute), window('1', 0)]);
    expect(plans.get('1')?.map(({ shape }) => shape)).toEqual(['a', 'b']);
    expect(plans.get('1')?.[0]).toMatchObject({
      firstSeenAt: '2026-01-01T00:00:00.000Z',
      lastSeenAt: '2026-01-03T00:00:00.000Z',
    });
    expect((await history.past('past', ['1'], new Date(now - minute))).windows.get('1')).toHaveLength(1);
    expect((await history.past('elsewhere', ['1'], new Date(0))).windows.size).toBe(0);
  });

  it('goes with a statement: its row, its plans with the last seen first, and what was found', async () => {
    const about = finding('about', { subject: { database: 'one', queryId: '1' } });
    const rows = [
      { queryId: '1', query: 'select 1' },
      { queryId: '2', query: 'select 2' },
    ];
    await history.keep(record({ database: 'one', day: 1, plans: [plan('a', 1)] }));
    await history.keep(
      record({ database: 'one', day: 2, rows, plans: [plan('b', 2)], findings: [finding('other'), about] }),
    );
    const head = await history.latest('one', 'indexes');
    if (!head) throw new Error('Nothing was kept.');
    expect(await history.statement(head, 'one', '1')).toEqual({
      statement: rows[0],
      plans: [
        { ...plan('b', 2), firstSeenAt: '2026-01-02T00:00:00.000Z', lastSeenAt: '2026-01-02T00:00:00.000Z' },
        { ...plan('a', 1), firstSeenAt: '2026-01-01T00:00:00.000Z', lastSeenAt: '2026-01-01T00:00:00.000Z' },
      ],
      findings: [about],
    });
    expect(await history.statement(head, 'one', '2')).toEqual({ statement: rows[1], plans: [], findings: [] });
    expect(await history.statement(head, 'one', '3')).toBeUndefined();
  });
});

describe('prune', () => {
  it('deletes what is from before a moment, and what leans on it', async () => {
    const pruned = await createDatabase({ extensions: false });
    const own = openHistory(pruned.url);
    try {
      await own.migrate();
      await own.keep(record({ day: 1, findings: [finding('old'), finding('both')], isJudged: () => false }));
      await own.keep(record({ day: 1, database: 'gone', costs: { epochs: {}, definitions: [], costs: [] } }));
      await own.prune(new Date(Date.UTC(2026, 0, 1)));
      expect(await own.knownCosts('gone')).toBeDefined();
      await own.keep(record({ day: 5, findings: [finding('both'), finding('new')], isJudged: () => false }));
      await own.prune(new Date(Date.UTC(2026, 0, 5)));
      expect(await own.hasAudit('shop', 'indexes', record({ day: 1 }).windowStart)).toBe(false);
      expect(await own.knownCosts('gone')).toBeUndefined();
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

describe('what the index advisor has learned', () => {
  const costs = (queryId: string) => ({
    epochs: { [queryId]: 'e' },
    definitions: ['d'],
    costs: [[queryId, [0], 12.5, [0]] satisfies CostCache['costs'][number]],
  });

  it('is there for the next audit, until a later one knows more, and for each database apart', async () => {
    expect(await history.knownCosts('learning')).toBeUndefined();
    await history.keep({ ...record({ day: 1 }), database: 'learning', costs: costs('1') });
    expect(await history.knownCosts('learning')).toEqual(costs('1'));
    await history.keep({ ...record({ day: 2 }), database: 'learning' });
    expect(await history.knownCosts('learning')).toEqual(costs('1'));
    await history.keep({ ...record({ day: 3 }), database: 'learning', costs: costs('2') });
    expect(await history.knownCosts('learning')).toEqual(costs('2'));
    expect(await history.knownCosts('another')).toBeUndefined();
  });

  it('is learned anew where it was kept in another form', async () => {
    await history.keep({ ...record({ day: 1 }), database: 'older', costs: costs('1') });
    await database.run(`update streamgate.costs set costs = '{"epoch": "e"}' where database = 'older'`);
    expect(await history.knownCosts('older')).toBeUndefined();
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
