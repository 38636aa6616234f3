/** Rules over what a server has too little memory for: blocks of tables, and statements to count. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { collectQueries } from '../../../../../lib/queries/collect.ts';
import type { QuerySnapshot } from '../../../../../lib/queries/snapshot.ts';
import { withSession } from '../../../database.ts';
import { type OwnServer, ownServer } from '../servers.ts';
import { about, counted, findingsOf } from './judged.ts';

let server: OwnServer;

beforeAll(async () => {
  // 2,048 blocks.
  server = await ownServer({ shared_buffers: '16MB', track_io_timing: 'on' });
  await server.run('create extension pg_stat_statements');
});

afterAll(() => server?.remove());

const repeat = (calls: number, statement: string): string[] => Array(calls).fill(statement);

const collect = () => withSession(server.url, collectQueries);

describe('queries/low-cache-hit', () => {
  const large = 'select count(*) from large where a > 0';
  const small = 'select count(*) from small where a > 0';
  const busy = 'select sum(a) from generate_series(1, 5000) g join small on id = g';
  const one = (block: number) => `select a from large where ctid = '(${block},1)'`;
  const mostly =
    'select (select sum(a) from large), sum(a) from generate_series(1, 30000) g join small on id = 1 + g % 3500';
  let snapshot: QuerySnapshot;

  beforeAll(async () => {
    await server.run(
      // 3,500 blocks, and 500.
      `create table large as select g as id, g as a, repeat('x', 1000) as b from generate_series(1, 24500) g`,
      `create table small as select g as id, g as a, repeat('x', 1000) as b from generate_series(1, 3500) g`,
      'create index on small (id)',
      'analyze',
      ...['enable_hashjoin', 'enable_mergejoin', 'max_parallel_workers_per_gather'].map((name) => `set ${name} = 0`),
      ...repeat(30, small),
      ...repeat(30, busy),
      ...repeat(30, large),
      ...repeat(30, mostly),
      ...Array.from({ length: 30 }, (_, i) => one(100 * i)),
    );
    snapshot = await collect();
  });

  const found = (text: string) =>
    about(findingsOf(snapshot, 'queries/low-cache-hit', { minReadTimePercent: 0 }), counted(snapshot, text));

  test('finds what reads a table that does not fit', () => {
    const [finding] = found(large);
    expect(finding).toMatchObject({ severity: 'warning', evidence: { calls: 30, readMsPerCall: expect.any(Number) } });
    expect(Number(finding?.evidence.blocksReadPerCall)).toBeGreaterThan(2_000);
  });

  test('leaves alone what reads one that does', () => {
    expect(counted(snapshot, small).sharedBlocksHit).toBeGreaterThan(0);
    expect(found(small)).toEqual([]);
  });

  test('leaves alone what asks for more blocks than that, and finds them in memory', () => {
    const { sharedBlocksHit, calls } = counted(snapshot, busy);
    expect(sharedBlocksHit / calls).toBeGreaterThan(3_500);
    expect(found(busy)).toEqual([]);
  });

  test('leaves alone what reads as much, which is little of all that it asks for', () => {
    const { sharedBlocksRead, calls } = counted(snapshot, mostly);
    expect(sharedBlocksRead / calls).toBeGreaterThan(2_000);
    expect(found(mostly)).toEqual([]);
  });

  test('leaves alone what reads one block, and never finds it in memory', () => {
    const { sharedBlocksRead, sharedBlocksHit } = counted(snapshot, one(0));
    expect(sharedBlocksRead).toBeGreaterThan(sharedBlocksHit);
    expect(found(one(0))).toEqual([]);
  });
});

describe('queries/evictions', () => {
  /** Statements that no two have the same id. */
  const flood = () =>
    server.run(
      'select pg_stat_statements_reset()',
      ...Array.from({ length: 400 }, (_, i) => `select ${Array.from({ length: i + 1 }, () => '1').join(', ')}`),
    );
  const found = (snapshot: QuerySnapshot) => findingsOf(snapshot, 'queries/evictions');
  let roomy: QuerySnapshot;
  let full: QuerySnapshot;

  beforeAll(async () => {
    await flood();
    roomy = await collect();
    await server.restart({ 'pg_stat_statements.max': '100' });
    await flood();
    full = await collect();
  });

  test('finds that there is too little room', ({ skip }) => {
    skip(full.server.versionNumber < 140_000, 'Nobody counts evictions before PostgreSQL 14.');
    expect(found(full)).toMatchObject([{ evidence: { statementsMax: 100, evictions: full.evictions } }]);
    expect(found(full)).toHaveLength(1);
  });

  test('says nothing of as many statements where there is room for them', () => {
    expect(roomy.statements.length).toBeGreaterThan(400);
    expect(found(roomy)).toEqual([]);
  });

  test('says nothing a month later, when hardly any was forgotten since', async ({ skip }) => {
    skip(full.server.versionNumber < 140_000, 'Nobody counts evictions before PostgreSQL 14.');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 24 * 3_600_000 });
    try {
      const later = await collect();
      expect(later.evictions).toBeGreaterThanOrEqual(full.evictions ?? Number.NaN);
      expect(found(later)).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('says nothing where nobody counts', ({ skip }) => {
    skip(full.server.versionNumber >= 140_000, 'Evictions are counted.');
    expect(found(full)).toEqual([]);
  });
});
