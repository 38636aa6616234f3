import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Relation } from '../../../../lib/queries/catalog.ts';
import { readRelations } from '../../../../lib/queries/collect.ts';
import { rewriteOf } from '../../../../lib/queries/syntax/rewrite.ts';
import { createDatabase, type TestDatabase, withSession } from '../../database.ts';

/** Two tables with NULLs, values that come twice, and every kind of key. `c` follows `p` by a foreign key. */
const schema = [
  `create table p (
    id int primary key, k int not null unique, n int unique, a int, b int not null, t text, u text not null,
    f boolean not null, d timestamptz, e timestamptz not null, unique (b, k))`,
  'create index on p (b)',
  'create index on p (u)',
  `create table c (id int primary key, p_id int not null references p, a int, b int not null, u text not null)`,
  'create index on c (b)',
  'create index on c (u)',
  'create table small (id int, b int)',
];

/** Other data by each seed: few different values, so that there are many that are equal. */
const refill = (seed: number) => `
  select setseed(${seed / 1_000});
  delete from c; delete from p; delete from small;
  insert into p select g, g * 7 % 31, nullif(g % 9, 0) * 0 + g, nullif((random() * 4)::int, 0), (random() * 3)::int,
    nullif('t' || (random() * 3)::int, 't0'), 'u' || (random() * 3)::int, random() < 0.5,
    case when random() < 0.5 then timestamptz '2026-01-01' + (random() * 3)::int * interval '1 day' end,
    timestamptz '2026-01-01' + (random() * 3)::int * interval '1 day'
  from generate_series(1, 2 + (random() * 10)::int) g;
  insert into c select g, 1 + (random() * 1)::int, nullif((random() * 4)::int, 0), (random() * 3)::int, 'u' || (random() * 3)::int
  from generate_series(1, (random() * 15)::int) g;
  insert into small select nullif((random() * 3)::int, 0), (random() * 3)::int from generate_series(1, (random() * 5)::int)`;

let database: TestDatabase;
let client: pg.Client;
let relations: Relation[];

beforeAll(async () => {
  database = await createDatabase();
  await database.run(...schema);
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const names = ['p', 'c', 'small', 'large', 'child'].map((name) => ({ schema: undefined, name }));
  await client.query(`
    create table large (id int primary key, b int not null, u text not null, g int not null, d timestamptz);
    insert into large select g, g % 5000, 'u' || g, g % 20, case when g % 2 = 0 then now() end from generate_series(1, 40000) g;
    create index on large (b); create index on large (u);
    create table child (id int primary key, large_id int not null, b int not null, u text not null);
    insert into child select g, g, g % 5000, 'u' || g from generate_series(1, 30000) g;
    create index on child (large_id); create index on child (b); create index on child (u);
    analyze`);
  relations = await withSession(database.url, (session) => readRelations(session, names));
});

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

/** A text with values in the place of its parameters. */
const filled = (sql: string, values: readonly string[]) =>
  sql.replaceAll(/\$(\d+)/g, (_, n) => values[Number(n) - 1] ?? 'null');

async function rowsOf(sql: string): Promise<string[]> {
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  return rows.map((row) => JSON.stringify(row)).sort();
}

const oneOf = (...texts: string[]) => fc.constantFrom(...texts);
const maybe = (arbitrary: fc.Arbitrary<string>) => fc.oneof(arbitrary, fc.constant(''));
/** A text with pieces of it drawn by chance, as `drawn\`select ${oneOf('a', 'b')}\``. */
const drawn = (texts: TemplateStringsArray, ...pieces: fc.Arbitrary<string>[]) =>
  fc.tuple(...pieces).map((chosen) => texts.map((text, i) => text + (chosen[i] ?? '')).join(''));

const ofP = oneOf('p.id', 'p.k', 'p.n', 'p.a', 'p.b', 'p.t', 'p.u', 'p.f', 'p.d', 'p.e');
const ofC = oneOf('c.id', 'c.p_id', 'c.a', 'c.b', 'c.u');
const several = (column: fc.Arbitrary<string>) =>
  fc.array(column, { minLength: 1, maxLength: 3 }).map((all) => [...new Set(all)].join(', '));
const number = oneOf('$1', '$2', '$3');
const aboutP = fc.oneof(
  drawn`p.${oneOf('id', 'a', 'b', 'k', 'n')} ${oneOf('=', '<', '>=', '<>')} ${number}`,
  oneOf('p.a is null', 'p.a is not null', 'p.t is null', 'p.d is not null', 'p.f', 'not p.f', 'p.n is null'),
);
const aboutC = fc.oneof(
  drawn`c.${oneOf('id', 'a', 'b', 'p_id')} ${oneOf('=', '<', '>')} ${number}`,
  oneOf('c.a is null'),
);
const joined = oneOf(
  'c join p on p.id = c.p_id',
  'c left join p on p.id = c.p_id',
  'c right join p on p.id = c.p_id',
  'c full join p on p.id = c.p_id',
  'c join p on p.b = c.b',
  'c join p on p.n = c.a',
  'c left join p on p.k = c.b and p.b = c.b',
  'c left join p on c.p_id = 1 and p.b = 2',
  'c cross join p',
  'c, p',
  'p join c using (id)',
  'p left join c using (b)',
  'p natural join c',
);
const seeds = fc.integer({ min: 0, max: 900 });
/** In quotes they are of whatever type they are compared to. */
const numbers = fc.array(oneOf("'0'", "'1'", "'2'", "'3'", 'null'), { minLength: 3, maxLength: 3 });

/** Statements that look as if they could be rewritten, those that must not be among them. */
const statements: Record<string, fc.Arbitrary<string>> = {
  'queries/not-in-subquery': fc.oneof(
    drawn`select p.id from p where ${oneOf('', 'not ')}(${ofP} not in (select ${ofC} from c ${maybe(drawn`where ${aboutC}`)})) ${oneOf('', 'and p.b > 0', 'or p.b = 1')}`,
    drawn`select id from p where ${oneOf('id', 'k', 'b', 'a', 'n')} not in (select ${oneOf('p_id', 'b', 'a', 'id', 'distinct p_id')} from c ${maybe(drawn`where ${aboutC} or b = 1`)})`,
    drawn`select id from p where b not in (select ${oneOf('b', 'x.b', 'p.b')} from ${oneOf('p', 'p as x', 'c as x', 'small x', 'c as p')})`,
    drawn`select x.id from (select p.id, ${ofP} as v from ${joined}) x where x.v not in (select c.b from c)`,
    drawn`select c.id from c where c.b not in (select ${oneOf('p.b', 'p.a', 'x.b')} from c x ${oneOf('left join', 'join', 'right join')} p on p.id = x.p_id ${maybe(drawn`where ${aboutP}`)})`,
    drawn`select c.id from ${joined} where ${oneOf('p.b', 'c.b', 'p.id')} not in (select x.b from c x ${oneOf('', 'group by x.b', 'limit 1', 'order by 1', 'where x.a > 1')})`,
    drawn`select s.v from (select b as v from p group by ${oneOf('b', 'rollup (b)', 'grouping sets ((b), ())')}) s where s.v not in (select c.b from c)`,
    drawn`with w as (select ${ofP} as v, p.id from p) select w.id from w where w.v not in (select c.p_id from c)`,
  ),
  'queries/or-list': fc.oneof(
    drawn`select p.id from p where ${oneOf('', 'not (', '(')}p.${oneOf('a', 'b', 'id')} = $1 or p.a = $2`.map((text) =>
      text.includes('(') ? `${text})` : text,
    ),
    drawn`select id from p where a = $1 or a = $2 or ${oneOf('a = $3', 'b = $3', 'a is null', '(a = $3)')} and b > 0`,
    drawn`select p.id from ${joined} where p.b = $1 or p.b = $2 or p.b = $3`,
    drawn`select p.id from p where p.b > 0 and (a = $1 or a = $2) and ${aboutP}`,
    drawn`select p.id from p where case when a = $1 or a = $2 then f else b = $1 or b = $3 end`,
  ),
  'queries/or-across-columns': fc.oneof(
    drawn`select ${several(fc.oneof(ofP, ofC))}, ${oneOf('c.id', 'p.id', 'c.b', 'p.k')} from ${joined} where ${oneOf('c.b = $1 or p.b = $2', 'p.u = $1 or c.u = $2 or p.id = $3', 'c.b = $1 and c.a > 1 or p.b = $2')}`,
    drawn`select * from ${joined} where ${oneOf('', 'p.a > 1 and ')}(c.b = $1 or p.b in ($2, $3)) ${oneOf('', 'and c.a > 0', 'limit 3', 'order by 1')}`,
  ),
  'queries/needless-distinct': fc.oneof(
    drawn`select distinct ${several(fc.oneof(ofP, ofC))} from ${joined} ${maybe(drawn`where ${fc.oneof(aboutP, aboutC)}`)}`,
    drawn`select distinct ${several(ofP)} from p ${maybe(drawn`where ${aboutP}`)} ${oneOf('', 'order by 1')}`,
    drawn`select distinct ${several(oneOf('p.a', 'p.b', 'count(*)', 'max(p.k)'))} from p group by ${oneOf('p.a', 'p.b', 'p.a, p.b', 'rollup (p.a)', '1')}`,
    drawn`select distinct * from ${joined}`,
    drawn`select distinct ${oneOf('id, generate_series(1, 2)', 'id, b', 'f', 'b, k', 'n', 'n, b')} from p`,
    drawn`select c.id from c where c.a ${oneOf('in', 'not in')} (select distinct ${ofP.filter((column) => /[kabn]$|id/.test(column))} from p ${maybe(drawn`where ${aboutP}`)} ${oneOf('', 'limit 1')})`,
    drawn`select distinct x.v, x.w from (select ${ofP} as v, ${ofC} as w from ${joined}) x ${oneOf('', 'group by x.v, x.w')}`,
    drawn`select distinct s.a from (select y.id as a, x.id as b from p x, p y) s group by s.a, s.b`,
  ),
  'queries/union-not-all': fc.oneof(
    drawn`select ${oneOf('id, a', 'k, a', 'a', 'id', 'b, k', 'n')} from p where ${aboutP} union select ${oneOf('id, a', 'k, a', 'a', 'id', 'b, k', 'n')} from p where ${aboutP}`.filter(
      (text) =>
        [...text.matchAll(/select (.*?) from/g)]
          .map(([, list]) => list?.split(',').length)
          .every((n, _, [m]) => n === m),
    ),
    drawn`select id, b from p where ${oneOf('d is null', 'd > now()', 'f', 'not f', 'a < $1', 'a >= $1', 'a = $2', 'a <> $2')} union ${oneOf('', 'distinct ')}select id, b from p where ${oneOf('d is not null', 'd is null', 'f', 'not f', 'a < $1', 'a >= $1', 'a = $2', 'a <> $2', 'a is null')}`,
  ),
  'queries/count-distinct-large': fc.oneof(
    drawn`select count(distinct ${fc.oneof(ofP, ofC)}) ${oneOf('', 'as n')} from ${joined} ${maybe(drawn`where ${fc.oneof(aboutP, aboutC)}`)}${oneOf('', ';')}`,
    drawn`select count(distinct ${ofP}) from p ${oneOf('', 'group by p.b', 'having count(*) > 1', 'where p.id < 0')}`,
    drawn`with w as (select a as v from p) select count(distinct v) from w`,
  ),
  'queries/function-on-column': fc.oneof(
    drawn`select id from p where coalesce(${oneOf('u', 't', 'p.u')}, ${oneOf('$1', 't', '$1, $2')}) ${oneOf('=', '<>', '<')} ${oneOf("'u1'", '$2', 'u')}`,
    drawn`select c.id from ${joined} where coalesce(p.${oneOf('u', 't')}, $1) ${oneOf('in', 'not in')} ('u1', $2) ${oneOf('', 'and p.b > 0')}`,
    drawn`select x.id from (select p.u as v, c.id from ${joined}) x where not (coalesce(x.v, $2) = 'u2')`,
  ),
};

/** Whether a text runs at all with values: some of those that are drawn compare a text with a number. */
async function runs(sql: string): Promise<boolean> {
  return rowsOf(sql).then(
    () => true,
    () => false,
  );
}

describe.each(Object.entries(statements))('%s', (rule, texts) => {
  test('answers the same rows in both texts, whatever is in the tables', { timeout: 300_000 }, async () => {
    let rewritten = 0;
    await fc.assert(
      fc.asyncProperty(texts, numbers, seeds, async (query, values, seed) => {
        const rewrite = rewriteOf({ query }, relations);
        if (rewrite?.rule !== rule || !(await runs(filled(query, values)))) return;
        rewritten++;
        for (const each of [seed, seed + 1]) {
          await client.query(refill(each));
          const [before, after] = [filled(query, values), filled(rewrite.sql, values)];
          expect(await rowsOf(after), `${before}\n${after}`).toEqual(await rowsOf(before));
        }
      }),
      { numRuns: 300 },
    );
    expect(rewritten).toBeGreaterThan(3);
  });
});

/** One statement of each kind, over tables that are large enough for the plan to matter. */
const costly: Array<[rule: string, query: string, values: string[]]> = [
  [
    'queries/not-in-subquery',
    'select l.b from large l where l.id not in (select c.large_id from child c where c.b > $1)',
    ['10'],
  ],
  [
    'queries/or-list',
    'select id from large where u = $1 or u = $2 or u = $3 or u = $4',
    ["'u1'", "'u2'", "'u3'", "'u4'"],
  ],
  [
    'queries/or-across-columns',
    'select l.id, c.id from child c join large l on l.id = c.large_id where l.u = $1 or c.u = $2',
    ["'u1'", "'u2'"],
  ],
  [
    'queries/needless-distinct',
    'select distinct l.id, l.u from large l join child c on c.id = l.id where c.b < $1',
    ['100'],
  ],
  [
    'queries/union-not-all',
    'select id, u from large where d is null union select id, u from large where d is not null',
    [],
  ],
  ['queries/count-distinct-large', 'select count(distinct g) from large', []],
  ['queries/function-on-column', 'select id from large where coalesce(u, $1) = $2', ["''", "'u7'"]],
];

describe('on large tables', () => {
  test.each(costly)('%s costs no more: %s', async (rule, query, values) => {
    const rewrite = rewriteOf({ query }, relations);
    expect(rewrite?.rule).toBe(rule);
    // Before PostgreSQL 16 the sort inside of count(DISTINCT …) is missing in the estimate.
    const { rows } = await client.query("select current_setting('server_version_num')::int as version");
    if (rule === 'queries/count-distinct-large' && rows[0].version < 160_000) return;
    // The rule speaks where the subquery is too large for a hash.
    await client.query(`set work_mem = '${rule === 'queries/not-in-subquery' ? '64kB' : '4MB'}'`);
    expect(await costOf(filled(rewrite?.sql ?? '', values))).toBeLessThanOrEqual(await costOf(filled(query, values)));
  });
});

async function costOf(sql: string): Promise<number> {
  const { rows } = await client.query(`explain (format json) ${sql}`);
  return rows[0]['QUERY PLAN'][0].Plan['Total Cost'];
}
