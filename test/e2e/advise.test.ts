import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, rowsOf, type TestDatabase } from '../integration/database.ts';
import { streamgate } from './command.ts';

const secret = 'topsecret';
let database: TestDatabase;
let directory: string;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgate-advise-'));
  file = join(directory, 'workload.sql');
  await writeFile(
    file,
    `select * from t where name = '${secret}';\nselect * from t where a = $1;\nvacuum '${secret}';`,
  );
  database = await createDatabase();
  await database.run(
    'create table t (id int primary key, a int, name text)',
    `insert into t select i, i % 5000, 'name ' || i from generate_series(1, 30000) i`,
    'vacuum analyze t',
  );
});

afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const advise = (...words: string[]) => streamgate(['advise', ...words], { directory });

test('JSON has the shape of the contract, and no constant of the workload', async () => {
  const { code, out, err } = await advise(database.url, '--workload', file, '--budget', '10MB', '--format', 'json');
  expect(code).toBe(0);
  const advice = JSON.parse(out);
  expect(advice.indexes.map(({ columns }: { columns: string[] }) => columns).toSorted()).toEqual([['a'], ['name']]);
  expect(advice.indexes[0]).toMatchObject({ sql: expect.any(String), sizeBytes: expect.any(Number), table: 't' });
  expect(advice.workload.costAfter).toBeLessThan(advice.workload.costBefore);
  expect(advice.queries).toContainEqual(
    expect.objectContaining({
      queryId: expect.any(String),
      sql: 'select * from t where name = $1',
      costBefore: expect.any(Number),
      costAfter: expect.any(Number),
    }),
  );
  expect(err).toContain('note: 1 statement of the workload cannot be parsed or is not planned');
  expect(out + err).not.toContain(secret);
});

test('the text says what to create, why, and what it helps', async () => {
  const { code, out } = await advise(database.url, '--workload', file);
  expect(code).toBe(0);
  expect(out).toContain('CREATE INDEX CONCURRENTLY IF NOT EXISTS "t_a_idx" ON "public"."t" ("a");');
  expect(out).toContain('a: Compared for equality in 1 statement.');
  expect(out).toMatch(/2 indexes of .*: the workload would cost \d/);
  expect(out).not.toContain(secret);
});

test('on a copy it leaves nothing behind', async () => {
  const { code, out } = await advise(database.url, '--workload', file, '--on-copy', '--format', 'json');
  expect([code, JSON.parse(out).method]).toEqual([0, 'copy']);
  expect(await rowsOf(database, `select from pg_indexes where tablename = 't'`)).toHaveLength(1);
});

test.each<[string, string[], RegExp]>([
  ['a budget that is none', ['--budget', 'much'], /Write a size such as 500MB/],
  ['a time that is none', ['--timeout', '0'], /Write a number of seconds/],
  ['a file that is not there', ['--workload', 'nowhere.sql'], /"nowhere\.sql" cannot be read \(ENOENT\)/],
])('%s is refused in one line', async (_, words, message) => {
  const { code, out, err } = await advise(database.url, ...words);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(message);
  expect(err.trim().split('\n')).toHaveLength(1);
});
