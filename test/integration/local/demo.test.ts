import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runRules } from '../../../lib/advice/configuration.ts';
import type { Finding } from '../../../lib/advice/finding.ts';
import { collectIndexes } from '../../../lib/indexes/collect.ts';
import { indexRules } from '../../../lib/indexes/rules/index.ts';
import type { IndexSnapshot } from '../../../lib/indexes/snapshot.ts';
import { collectQueries } from '../../../lib/queries/collect.ts';
import { queryRules } from '../../../lib/queries/rules/index.ts';
import type { QuerySnapshot } from '../../../lib/queries/snapshot.ts';
import { faults, lookAlikes, type Planted, plantedRules } from '../../../local/demo/faults.ts';
import { ensureDemo } from '../../../local/demo/load.ts';
import { statements } from '../../../local/demo/statements.ts';
import { runEach, startWorkload } from '../../../local/demo/workload.ts';
import { type EmbeddedPostgres, startPostgres } from '../../../local/postgres.ts';
import { withSession } from '../database.ts';

let directory: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgate-demo-'));
  server = await startPostgres({ directory, settings: { fsync: 'off' } });
});

afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('at full scale', () => {
  let indexes: IndexSnapshot;
  let queries: QuerySnapshot;
  let findings: Finding[];
  const progress: { done: number; total: number }[] = [];

  beforeAll(async () => {
    const { url, created } = await ensureDemo(server, (done, total) => progress.push({ done, total }));
    expect(created).toBe(true);
    await onConnection(url, (client) => runEach(client, 1, numbers()));
    ({ indexes, queries, findings } = await audit(url));
  });

  test.each(plantedRules)('%s finds every planted fault and nothing else', (rule) => {
    const found = findings.filter((finding) => finding.rule === rule).map(subject);
    expect(found.toSorted()).toEqual(subjects(faults, rule));
  });

  test('no look-alike is reported, and each is there and looks like a fault', () => {
    for (const { rule, subject: name } of lookAlikes) {
      expect.soft(findings.filter((finding) => finding.rule === rule).map(subject)).not.toContain(name);
      const index = indexes.indexes.find((index) => index.index === name);
      if (rule === 'indexes/unused') expect.soft(index?.scans, name).toBe(0);
      if (rule === 'indexes/duplicate') expect.soft(index?.scans, name).toBeGreaterThan(0);
      if (rule === 'indexes/fragmented') expect.soft(index?.fragmentation?.leafDensityPercent, name).toBeLessThan(75);
      if (rule === 'queries/slow') expect.soft(statementOf(name)?.calls, name).toBe(1);
    }
    expect(statementOf('refresh the popularity')?.kind).toBe('utility');
    expect(statementOf('analyze the events')?.kind).toBe('utility');
  });

  test('the load itself left no statement and no scan behind', () => {
    const texts = queries.statements
      .map(({ query }) => query)
      .filter((query) => /^\s*(create|vacuum|insert into \w+\s+select)/i.test(query));
    expect(texts).toEqual([]);
    expect(indexes.tables.find(({ table }) => table === 'view_events')?.inserts).toBeLessThan(100);
  });

  test('progress rises from 0 to its total', () => {
    const { total } = progress[0] ?? { total: 0 };
    expect(progress.map(({ done }) => done)).toEqual(progress.map(({ done }) => done).toSorted((a, b) => a - b));
    expect(progress[0]?.done).toBe(0);
    expect(progress.at(-1)?.done).toBeCloseTo(total);
  });

  test('README.md lists the same faults, look-alikes and tables', async () => {
    const rows = (await readme()).filter(([first]) => first?.includes('/'));
    expect(rows.filter((row) => row.length === 4)).toEqual(
      faults.map(({ rule, subject, why, how }) => [rule, subject, why, how]),
    );
    expect(rows.filter((row) => row.length === 3)).toEqual(
      lookAlikes.map(({ rule, subject, why }) => [rule, subject, why]),
    );
    const counted = new Map((await readme()).map(([table, count]) => [table, Number(count?.replaceAll(',', ''))]));
    // The mix has added a few rows, and the statistics are an estimate.
    for (const { table, rows = 0 } of indexes.tables) {
      expect.soft(Math.abs((counted.get(table) ?? 0) / (rows ?? 0) - 1), table).toBeLessThan(0.001);
    }
  });

  test('a second start finds the database', async () => {
    expect(await ensureDemo(server)).toEqual({ url: server.url('streaming'), created: false });
  });

  function statementOf(name: string) {
    return queries.statements.find(({ query }) => nameOf(query) === name);
  }
});

describe('at a smaller scale', () => {
  let url: string;

  beforeAll(async () => {
    await onConnection(server.url('postgres'), async (client) => {
      await client.query('drop database if exists streaming with (force)');
      // What a killed load leaves.
      await client.query('create database streaming_loading');
    });
    await onConnection(server.url('streaming_loading'), (client) => client.query('create table creators (id int)'));
    ({ url } = await ensureDemo(server, undefined, { viewEvents: 200_000 }));
  });

  test('after the first round of the workload the index rules find every planted fault and nothing else', async () => {
    const workload = startWorkload(url, { random: numbers() });
    await vi.waitFor(() => expect(workload.rounds()).toBeGreaterThan(0), { timeout: 30_000 });
    await workload.stop();
    const { findings } = await audit(url);
    for (const rule of plantedRules.filter((rule) => rule !== 'queries/slow')) {
      const found = findings.filter((finding) => finding.rule === rule).map(subject);
      expect(found.toSorted()).toEqual(subjects(faults, rule));
    }
  });

  test('the workload outlives its connection, and leaves none when it is stopped', async () => {
    const connections = "from pg_stat_activity where application_name = 'streaming'";
    const workload = startWorkload(url, { intervalMs: 1 });
    await onConnection(server.url('postgres'), async (client) => {
      for (let time = 0; time < 2; time++) {
        const before = workload.rounds();
        await vi.waitFor(() => expect(workload.rounds()).toBeGreaterThan(before), { timeout: 30_000 });
        await client.query(`select pg_terminate_backend(pid) ${connections}`);
      }
      await workload.stop();
      const left = async () => expect((await client.query(`select ${connections}`)).rowCount).toBe(0);
      await vi.waitFor(left, { timeout: 10_000 });
    });
  });

  test('the workload is stopped while there is nothing to connect to', async () => {
    const workload = startWorkload('postgres://nobody@127.0.0.1:1/nothing');
    await workload.stop();
    expect(workload.rounds()).toBe(0);
  });
});

async function audit(url: string) {
  return withSession(url, async (session, description) => {
    const indexes = await collectIndexes(session, description);
    const queries = await collectQueries(session, description);
    return { indexes, queries, findings: [...runRules(indexRules, indexes), ...runRules(queryRules, queries)] };
  });
}

/** What a finding is about, in the words of faults.ts. */
function subject({ subject, evidence }: Finding): string {
  return subject.index ?? nameOf(String(evidence.statement)) ?? `not of the mix: ${evidence.statement}`;
}

/** The name of the statement that pg_stat_statements has this text of. */
function nameOf(query: string): string | undefined {
  return statements.find(({ sql }) => sql === query)?.name;
}

function subjects(planted: readonly Planted[], rule: string): string[] {
  return planted
    .filter((one) => one.rule === rule)
    .map((one) => one.subject)
    .toSorted();
}

/** The cells of every row of every table in README.md. */
async function readme(): Promise<string[][]> {
  const text = await readFile(new URL('../../../local/demo/README.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return rows.map((row) =>
    row
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
}

async function onConnection<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The same numbers in every run: a linear congruential generator (Numerical Recipes). */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
