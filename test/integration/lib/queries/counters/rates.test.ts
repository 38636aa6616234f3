/** Rules over what statements do in a time: audits some minutes or hours apart, with real work in between. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RuleConfiguration } from '../../../../../lib/advice/configuration.ts';
import type { Finding } from '../../../../../lib/advice/finding.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { type Kept, type Watched, watch } from '../watched.ts';
import { about, counted } from './judged.ts';

let database: TestDatabase;
let watched: Watched;
let minute: number;

/** What an audit found, and what it kept. */
interface Audited {
  findings: Finding[];
  kept: Kept;
}

async function begin(...schema: string[]): Promise<void> {
  database = await createDatabase();
  await database.run(...schema);
  await database.run('analyze');
  watched = await watch(database.url);
  minute = 0;
}

async function end(): Promise<void> {
  await watched?.close();
  await database?.drop();
}

/**
 * Runs statements, and audits so many minutes after the audit before. Where counters have no date, a call that had to wait is a
 * reason to doubt that they count on: then it does all of that again.
 */
async function auditAfter(minutes: number, work: string[], rules?: RuleConfiguration): Promise<Audited> {
  const texts = new Set(work.map((statement) => statement.replaceAll(/\d+/g, '0')));
  for (let attempt = 0; attempt < 5; attempt++) {
    await database.run(...work);
    minute += minutes;
    const { findings } = await watched.audit(minute, rules);
    const kept = await watched.newest();
    if ([...texts].every((text) => counted(kept, text).window)) return { findings, kept };
  }
  throw new Error('The windows of the statements are not known.');
}

const times = (calls: number, text: (call: number) => string) => Array.from({ length: calls }, (_, i) => text(i));

/** What a rule said of a statement. */
const said = ({ findings, kept }: Audited, rule: string, text: string) =>
  about(findings, counted(kept, text)).filter((finding) => finding.rule === rule);

describe('queries/high-share', () => {
  const quick = 'select count(*) from generate_series(1, 3000) g';
  const cheap = 'select 0';
  const slow = 'select sum(g) from generate_series(1, 1500000) g';
  const work = [...times(1_000, () => quick), ...times(1_000, () => cheap), ...times(3, () => slow)];
  const options = { minBusyPercent: 0, minSharePercent: 5, maxMeanMs: 20 };
  let idle: Audited;
  let busy: Audited;

  beforeAll(async () => {
    await begin();
    await watched.audit(minute);
    // Some seconds of work in seven hours.
    idle = await auditAfter(7 * 60, work, { 'queries/high-share': { ...options, minBusyPercent: 5 } });
    busy = await auditAfter(7 * 60, work, { 'queries/high-share': options });
  });

  afterAll(end);

  test('finds what takes much of the time in many quick calls', () => {
    expect(said(busy, 'queries/high-share', quick)).toMatchObject([
      { severity: 'info', evidence: { basis: 'window' } },
    ]);
  });

  test.for([
    ['takes hardly any in as many', cheap],
    ['is slow', slow],
  ])('leaves alone what %s', ([, text = '']) => {
    expect(said(busy, 'queries/high-share', text)).toEqual([]);
  });

  test('leaves alone what takes most of the time of an idle database', () => {
    expect(idle.findings.filter(({ rule }) => rule === 'queries/high-share')).toEqual([]);
  });
});

describe('queries/n-plus-one', () => {
  const list = (shelf: number) => `select id, author from books where shelf = ${shelf}`;
  const lookup = (id: number) => `select name from authors where id = ${id}`;
  const user = (id: number) => `select a from users where id = ${id}`;
  const covers = (shelf: number) => `select title from covers where shelf = ${shelf}`;
  const reviews = (book: number) => `select stars from reviews where book = ${book}`;
  let audited: Audited;
  let later: Audited;

  beforeAll(async () => {
    await begin(
      'create table books (id int primary key, shelf int, author int)',
      'insert into books select g, g % 50, g from generate_series(1, 5000) g',
      'create index on books (shelf)',
      'create table authors (id int primary key, name text)',
      'insert into authors select g, g::text from generate_series(1, 5000) g',
      'create table users (id int primary key, a int)',
      'insert into users select g, g from generate_series(1, 5000) g',
      'create table covers (shelf int, title text)',
      'insert into covers select g % 50, g::text from generate_series(1, 3000) g',
      'create index on covers (shelf)',
      'create table reviews (book int, stars int)',
      'insert into reviews select g % 5000, g % 5 from generate_series(1, 20000) g',
      'create index on reviews (book)',
    );
    await watched.audit(minute);
    const work = [
      // A page of a hundred books and an author for each, fifty times.
      ...times(50, list),
      ...times(5_000, lookup),
      // One for each request of somebody else: no list has as many rows.
      ...times(9_000, (call) => user(call % 5_000)),
      // All of a page at once.
      ...times(50, covers),
      // A list of its own for each.
      ...times(5_000, reviews),
      // It looks after the connection.
      ...times(5_000, () => 'select 0'),
    ];
    const rules = { 'queries/n-plus-one': { minCallsPercent: 10 } };
    audited = await auditAfter(5, work, rules);
    later = await auditAfter(24 * 60, work, rules);
  });

  afterAll(end);

  test('finds the lookup that runs for each row of a list, and names the list', () => {
    const { queryId } = counted(audited.kept, list(0));
    expect(said(audited, 'queries/n-plus-one', lookup(0))).toMatchObject([
      { evidence: { calls: 5_000, parentQueryId: queryId, parentRows: 5_000 } },
    ]);
  });

  test.for([
    ['is called more often than any list has rows', user(0)],
    ['asks for all rows at once', covers(0)],
    ['returns several rows at a time', reviews(0)],
    ['asks no table', 'select 0'],
    ['is the list', list(0)],
  ])('leaves alone what %s', ([, text = '']) => {
    expect(said(audited, 'queries/n-plus-one', text)).toEqual([]);
  });

  test('leaves alone what does the same in a whole day', () => {
    expect(later.findings.filter(({ rule }) => rule === 'queries/n-plus-one')).toEqual([]);
  });
});

describe('queries/wal-heavy', () => {
  const changeAll = 'update wide set a = a + 1, b = b + 1, c = c + 1 where a > 0';
  const changeOne = 'update narrow set note = note where id = 5';
  const insertMany = 'insert into log select generate_series(1, 4000)';
  const insertOne = 'insert into log values (1)';
  const readAll = 'select sum(a) from wide where a > 0';
  let audited: Audited;
  let quiet: Audited;
  const work = [
    ...times(6, () => changeAll),
    ...times(6, () => insertMany),
    ...times(300, () => changeOne),
    ...times(300, () => insertOne),
    ...times(30, () => readAll),
  ];

  beforeAll(async () => {
    await begin(
      'create table wide (a int, b int, c int)',
      'insert into wide select g, g, g from generate_series(1, 5000) g',
      ...['a', 'b', 'c'].map((column) => `create index on wide (${column})`),
      'create table narrow (id int primary key, note int) with (fillfactor = 50)',
      'insert into narrow select g, g from generate_series(1, 1000) g',
      'create table log (a int)',
    );
    await watched.audit(minute);
    audited = await auditAfter(5, work, { 'queries/wal-heavy': { minBytesPerHour: 5 * 1024 ** 2 } });
    quiet = await auditAfter(24 * 60, work);
  });

  afterAll(end);

  test('finds what writes most of the log', () => {
    expect(said(audited, 'queries/wal-heavy', changeAll)).toMatchObject([{ evidence: { basis: 'window', calls: 6 } }]);
  });

  test.for([
    ['writes as often, a tenth of it', insertMany],
    ['changes a row at a time', changeOne],
    ['adds a row at a time', insertOne],
    ['reads', readAll],
  ])('leaves alone what %s', ([, text = '']) => {
    expect(said(audited, 'queries/wal-heavy', text)).toEqual([]);
  });

  test('leaves alone what writes most of the log where there is little of it', () => {
    expect(quiet.findings.filter(({ rule }) => rule === 'queries/wal-heavy')).toEqual([]);
  });
});
