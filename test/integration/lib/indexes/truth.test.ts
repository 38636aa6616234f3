/** Schemas at random with faults and look-alikes: what the rules must find, and what they must leave alone. */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../../lib/advice/finding.ts';
import { judge, takeSnapshot } from '../../../../lib/audit.ts';
import { maxExtraPages } from '../../../../lib/indexes/redundancy.ts';
import { createDatabase, hold, rowsOf, type TestDatabase } from '../../database.ts';
import { everyPlant, exactRules, type Plant, plant, usualTable } from './plants.ts';
import { versionNumberOf } from './themes/play.ts';
import { named } from './themes/theme.ts';

const seed = Number(process.env.TEST_SEED ?? 20_261_123);
const tables = 80;
/** So many that to read a whole table is to read many blocks more than an index takes. */
const rows = 4000;

interface Planted extends Plant {
  table: string;
}

let database: TestDatabase;
let planted: Planted[];
let findings: Finding[];
let connection: Awaited<ReturnType<typeof hold>>;

async function run(client: pg.Client, { sql, failing = [], table: shape = usualTable }: Plant, table: string) {
  await client.query(named(shape, table));
  if (shape === usualTable) {
    await client.query(
      `insert into ${table} select g, g, g, g % 40, nullif(g % 9, 0), 's' || g, 'u' || g, int4range(g, g + 1)
       from generate_series(1, ${rows}) g`,
    );
  }
  for (const statement of sql) await client.query(named(statement, table));
  for (const statement of failing) await expect(client.query(named(statement, table))).rejects.toThrow();
}

beforeAll(async () => {
  database = await createDatabase();
  connection = await hold(
    database.url,
    'create extension btree_gist',
    'create table p (id int primary key)',
    'create table p2 (a int, b int, primary key (a, b))',
    'create table p3 (s text primary key)',
    `insert into p select g from generate_series(1, ${rows}) g`,
    `insert into p2 select g, g from generate_series(1, ${rows}) g`,
    `insert into p3 select 's' || g from generate_series(1, ${rows}) g`,
  );
  const version = await versionNumberOf(database);
  const chosen = [...everyPlant, ...fc.sample(plant, { seed, numRuns: tables })].filter(
    ({ from = 0 }) => from <= version,
  );
  planted = chosen.map((each, at) => ({ ...each, table: `t${at}` }));
  for (const [at, each] of chosen.entries()) await run(connection.client, each, `t${at}`);
  await connection.client.query('analyze');
  findings = judge(await takeSnapshot(database.url));
});

afterAll(async () => {
  await connection?.end();
  await database?.drop();
});

/** The findings of a rule about a plant's table, or what belongs to it. */
const about = ({ table }: Planted, rule: string) =>
  findings.filter(
    ({ rule: id, subject }) => id === rule && (subject.table === table || subject.table?.startsWith(`${table}_`)),
  );

describe(`schemas at random (seed ${seed})`, () => {
  it.each(exactRules)('%s finds every fault and nothing else', (rule) => {
    let right = 0;
    let expected = 0;
    let found = 0;
    const wrong: string[] = [];
    for (const each of planted) {
      const truths = each.truths.filter((truth) => truth.rule === rule);
      const reported = about(each, rule);
      const hits = truths.filter(({ anyOf }) =>
        reported.some(({ subject }) => !anyOf || anyOf.some((name) => subject.index === `${each.table}_${name}`)),
      ).length;
      right += Math.min(hits, reported.length);
      expected += truths.length;
      found += reported.length;
      if (hits !== truths.length || reported.length !== truths.length) {
        wrong.push(`${each.what}: ${reported.map(({ title }) => title).join('; ') || 'nothing found'}`);
      }
    }
    console.log(`${rule}: ${expected} faults, precision ${right / found}, recall ${right / expected}`);
    expect(wrong).toEqual([]);
    expect(expected).toBeGreaterThan(1);
    expect(right / found).toBe(1);
    expect(right / expected).toBe(1);
  });

  it('says nothing of a table that has no fault', () => {
    const known = planted.flatMap(({ table }) => [table]);
    const others = findings.filter(
      ({ rule, subject }) =>
        exactRules.some((exact) => exact === rule) &&
        !known.some((table) => subject.table === table || subject.table?.startsWith(`${table}_`)),
    );
    expect(others).toEqual([]);
  });
});

/** Statements by every index that a usual table may have: by its first key, by all its keys, and in its order. */
const questions = (table: string) => [
  ...['a', 'b', 'c', 'n'].flatMap((column) => [
    `select * from ${table} where ${column} = 7`,
    `select * from ${table} where ${column} between 5 and 9 order by ${column}`,
    `select ${column} from ${table} order by ${column} desc limit 3`,
  ]),
  ...['s', 'u'].flatMap((column) => [
    `select * from ${table} where ${column} = '${column}7'`,
    `select ${column} from ${table} order by ${column} limit 3`,
    `select * from ${table} where ${column} like '${column}77%'`,
    `select * from ${table} where lower(${column}) = '${column}7'`,
    `select * from ${table} where ${column} = '${column}7' collate "POSIX"`,
  ]),
  // Where many rows have the same first key, the next ones decide.
  ...['a', 'b', 's', 'u'].map((column) => `select * from ${table} order by c, ${column} desc limit 3`),
  `select * from ${table} where a = 7 and b = 7`,
  `select * from ${table} where b = 7 and c = 7`,
  `select * from ${table} where a = 7 and n > 3`,
  `select a, b from ${table} order by a desc, b desc limit 3`,
  `select a, b from ${table} order by a, b desc limit 3`,
  `select * from ${table} where id = 7`,
  `select * from ${table} where r && int4range(7, 8)`,
];

/** The blocks that a statement reads, wherever they are, and the rows that it looks up by indexes. */
async function effortOf(client: pg.Client, sql: string): Promise<{ blocks: number; lookedUp: number }> {
  const { rows: answer } = await client.query(`explain (analyze, buffers, format json, timing off) ${sql}`);
  const plan = answer[0]['QUERY PLAN'][0].Plan;
  let lookedUp = 0;
  const open = [plan];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node['Index Name']) lookedUp += node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
    open.push(...(node.Plans ?? []));
  }
  return { blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'], lookedUp };
}

/** Rows that break a unique or exclusion constraint of a usual table: copies of one, under another key. */
const copies = (table: string) =>
  ['id', 'a', 'b'].flatMap((same) => {
    const value = (column: string, other: string) => (column === same ? '7' : other);
    return [
      `insert into ${table} values (${value('id', '90001')}, ${value('a', '90001')}, ${value('b', '90002')}, 1, 5, 'z', 'z', int4range(90001, 90002))`,
    ];
  });

async function isRefused(client: pg.Client, insert: string): Promise<boolean> {
  await client.query('begin');
  try {
    await client.query(insert);
    await client.query('set constraints all immediate');
    return false;
  } catch {
    return true;
  } finally {
    await client.query('rollback');
  }
}

describe('dropping what unused, duplicate and redundant say', () => {
  const dropping = ['indexes/unused', 'indexes/duplicate', 'indexes/redundant'];

  it('makes no statement slower and lets no forbidden row in', async () => {
    const { client } = connection;
    const usual = planted
      .filter(({ table }) => findings.some(({ subject }) => subject.table === table))
      .map(({ table }) => table);
    const all = (
      await rowsOf<{ name: string }>(
        database,
        `
      select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'u'
      where c.relkind = 'r' and c.relname like 't%'`,
      )
    )
      .map(({ name }) => name)
      .filter((name) => usual.includes(name));
    expect(all.length).toBeGreaterThan(30);
    // Planned as for tables in memory: what an index can answer is answered by it.
    await client.query('set random_page_cost = 1.1');
    await client.query('select pg_stat_reset()');
    const statements = all.flatMap(questions);
    for (const sql of statements) await client.query(sql);
    await client.query('select pg_stat_force_next_flush()').catch(() => {});
    const inserts = all.flatMap(copies);
    const refused: string[] = [];
    for (const insert of inserts) if (await isRefused(client, insert)) refused.push(insert);
    expect(refused.length).toBeGreaterThan(all.length);
    // After the copies: what was rolled back lies in the tables, and has widened the ranges of BRIN.
    const before = new Map<string, Awaited<ReturnType<typeof effortOf>>>();
    for (const sql of statements) before.set(sql, await effortOf(client, sql));

    // Counters are published when a connection ends.
    await connection.end();
    connection = await hold(database.url, 'set random_page_cost = 1.1');
    const drops = judge(await takeSnapshot(database.url)).filter(({ rule }) => dropping.includes(rule));
    expect(drops.length).toBeGreaterThan(30);
    for (const { action } of drops) await connection.client.query(action?.sql ?? '');

    // The first of its kind on a connection reads the catalog as well.
    for (const sql of statements) await connection.client.query(sql);
    const slower: string[] = [];
    for (const [sql, then] of before) {
      const { blocks } = await effortOf(connection.client, sql);
      // So many pages more indexes/redundant allows; a wider index may be a level deeper, too; and rows of the same key come in the
      // order of its other keys, by which each may lie on another page than the one before.
      if (blocks > then.blocks + maxExtraPages + 1 + then.lookedUp) {
        slower.push(`${sql}: ${then.blocks} blocks, then ${blocks}`);
      }
    }
    expect(slower).toEqual([]);
    for (const insert of refused) expect(await isRefused(connection.client, insert), insert).toBe(true);
  }, 180_000);
});
