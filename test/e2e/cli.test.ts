import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../integration/database.ts';
import { type Ended, launch, streamgate as run } from './command.ts';

let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgate-cli-'));
  database = await createDatabase();
  await database.run(
    'create table t (id int primary key, a int)',
    'insert into t select i, i from generate_series(1, 20000) i',
    'create index t_a on t (a)',
    'create index t_a_again on t (a)',
  );
});

afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const streamgate = (...words: string[]) => run(words, { directory });

test('JSON is printed on standard output and nothing else', async () => {
  const { code, out, err } = await streamgate('audit', database.url, '--format', 'json');
  expect(code).toBe(0);
  // On the other channel stands what was not looked at; the embedded server does not have HypoPG.
  expect(err).toMatch(/^(?:note: No index was proposed .*\n)?$/);
  const report = JSON.parse(out);
  expect(Object.keys(report)).toEqual(['snapshot', 'findings']);
  expect(report.snapshot.server.database).toBe(database.name);
  expect(report.findings).toContainEqual(
    expect.objectContaining({ rule: 'indexes/duplicate', subject: expect.objectContaining({ index: 't_a_again' }) }),
  );
});

test('the text has no colours when it is not for a terminal', async () => {
  const { out } = await streamgate('audit', database.url);
  expect(out).toContain('DROP INDEX CONCURRENTLY IF EXISTS public.t_a_again;');
  expect(out).not.toContain('\u001b');
});

test.each([
  ['warning', 1],
  ['critical', 0],
  ['info', 1],
])('--fail-on %s ends with %i where the worst is a warning', async (severity, code) => {
  const ended = await streamgate('audit', database.url, '--only', 'indexes/duplicate', '--fail-on', severity);
  expect(ended.code).toBe(code);
});

test('a snapshot can be audited later, and says the same', async () => {
  const file = join(directory, 'snapshot.json');
  const { out } = await streamgate('snapshot', database.url);
  await writeFile(file, out);
  const later = await streamgate('audit', file, '--format', 'json', '--only', 'indexes/duplicate');
  expect(JSON.parse(later.out).findings).toHaveLength(1);
});

test('a configuration file of the directory switches rules off', async () => {
  const file = join(directory, 'streamgate.config.json');
  await writeFile(file, JSON.stringify({ rules: { 'indexes/duplicate': false } }));
  const { out } = await streamgate('audit', database.url, '--format', 'json');
  await rm(file);
  expect(JSON.parse(out).findings.map(({ rule }: { rule: string }) => rule)).not.toContain('indexes/duplicate');
});

const bad: [string, string[], RegExp][] = [
  ['no target', ['audit'], /Which database\?/],
  ['a word that is no URL', ['audit', 'shop'], /"shop" is neither a postgres:\/\/ URL nor a file/],
  ['another protocol', ['audit', 'mysql://u:hunter2@h/d'], /starts with "mysql:\/\/", not with "postgres:\/\/"/],
  ['nothing that listens', ['audit', 'postgres://u:hunter2@127.0.0.1:1/d'], /Nothing listens at u@127\.0\.0\.1:1\/d/],
  ['an unknown option', ['audit', '--bogus'], /unknown option '--bogus'/],
  ['an unknown format', ['audit', 'x', '--format', 'xml'], /'xml' is invalid/],
  ['an unknown command', ['bogus'], /unknown command 'bogus'/],
  ['an unknown rule', ['audit', 'postgres://h/d', '--only', 'indexes/nope'], /There is no rule "indexes\/nope"/],
  [
    'a configuration that is not there',
    ['audit', 'postgres://h/d', '--config', 'nope.json'],
    /nope\.json cannot be read/,
  ],
];

test.each(bad)('%s: one line on standard error, exit code 2', async (_, words, message) => {
  const { code, out, err } = await streamgate(...words);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(message);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
  expect(err).not.toContain('hunter2');
});

const secret: [string, string[]][] = [
  ['a word too many', ['audit', 'postgres://u:hunter2@h/d', 'json']],
  ['a command that was forgotten', ['postgres://u:hunter2@h/d']],
  ['a connection string', ['audit', 'host=127.0.0.1 password=hunter2']],
  ['a URL without its beginning', ['audit', 'postgres:hunter2@h/d']],
  ['a URL with one slash', ['audit', 'postgres:/u:hunter2@h/d']],
  ['a URL in the place of a rule', ['audit', 'postgres://h/d', '--only', 'postgres://u:hunter2@h/d']],
  ['a URL in the place of a format', ['audit', '--format', 'postgres://u:hunter2@h/d']],
];

test.each(secret)('%s: the password in it is not repeated', async (_, words) => {
  const { code, err } = await streamgate(...words);
  expect(code).toBe(2);
  expect(err).not.toContain('hunter2');
  expect(err.trimEnd().split('\n')).toHaveLength(1);
});

test.runIf(process.platform === 'linux')('a report that cannot be written is no finding', async () => {
  const { code, err } = await new Promise<Ended>((done) => {
    execFile(
      'sh',
      ['-c', `"$0" "$1" audit "$2" > /dev/full`, process.execPath, launch, database.url],
      (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
  expect([code, err]).toEqual([2, 'streamgate: The report could not be written (ENOSPC).\n']);
});

test('a wrong password and a missing database are told apart', async () => {
  const wrong = await streamgate('audit', database.as('postgres', 'wrong'));
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/The password for .* is wrong/)]);
  const missing = await streamgate('audit', new URL('/nope', database.url).href);
  expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/no such database/)]);
});

test('a reader that stops reading is no failure', async () => {
  const { code, err } = await new Promise<Ended>((done) => {
    execFile(
      'sh',
      ['-c', `"$0" "$1" snapshot "$2" | head -c 10`, process.execPath, launch, database.url],
      (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
  expect([code, err]).toEqual([0, '']);
});
