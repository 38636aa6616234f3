import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../lib/advice/finding.ts';
import { collectQueries } from '../../../../lib/queries/collect.ts';
import { syntaxRules } from '../../../../lib/queries/rules/syntax/index.ts';
import type { QuerySnapshot } from '../../../../lib/queries/snapshot.ts';
import { readText } from '../../../../lib/queries/text.ts';
import { createDatabase, type TestDatabase, withSession } from '../../database.ts';

/** A statement as an application sends it, with the values of its parameters if it has some. */
type Sent = string | [text: string, values: unknown[]];

interface Behaviour {
  fires: Sent[];
  /** Statements that look alike. */
  silent: Sent[];
}

const schema = [
  `create table customers (
    id int primary key, email text not null, region text not null, name varchar(80), code uuid not null,
    tenant_id int not null, active boolean not null, created_at timestamptz not null)`,
  `insert into customers select g, 'user' || g || '@example.com', 'region ' || g % 50, 'name ' || g,
    md5(g::text)::uuid, g % 10, g % 2 = 0, now() - g * interval '1 minute' from generate_series(1, 20000) g`,
  'create index customers_email on customers (email)',
  'create index customers_name on customers (name)',
  'create unique index customers_code on customers (code)',
  'create index customers_created on customers (created_at)',
  `create table orders (
    id int primary key, customer_id int not null references customers, referred_by int, status text not null,
    total numeric(10, 2) not null, weight bigint not null, created_at timestamptz not null, closed_at timestamptz)`,
  `insert into orders select g, 1 + g % 20000, nullif(g % 4, 0), 'status ' || g % 5, g % 1000, g,
    now() - g * interval '1 minute', case when g % 2 = 0 then now() end from generate_series(1, 40000) g`,
  'create index orders_customer on orders (customer_id)',
  'create index orders_referred on orders (referred_by)',
  'create index orders_weight on orders (weight)',
  'create index orders_created on orders (created_at)',
  'create index orders_lower_status on orders (lower(status))',
  'create table documents (id int primary key, owner_id int not null, data jsonb not null, body text not null, title text not null)',
  `insert into documents select g, g % 500, jsonb_build_object('kind', g % 10, 'name', md5(g::text)),
    (select string_agg(md5((g * i)::text), '') from generate_series(1, 30) i), 'title ' || g from generate_series(1, 4000) g`,
  `create index documents_kind on documents ((data ->> 'kind'))`,
  'create index documents_owner on documents (owner_id)',
  `create table notes (id int primary key, data jsonb not null, body text not null)`,
  `insert into notes select g, jsonb_build_object('kind', g % 10), repeat(md5(g::text), 10) from generate_series(1, 8000) g`,
  'create table jobs (id int primary key, state text not null, run_at timestamptz not null, parent_id int)',
  `insert into jobs select g, 'new', now(), nullif(g % 4, 0) from generate_series(1, 2000) g`,
  'create table settings (id serial primary key, key text not null unique, value text)',
  'create table big_settings (id bigserial primary key, key text not null unique, value text)',
  'create table regions (region text primary key, country text not null)',
  `insert into regions select 'region ' || g, 'country ' || g % 5 from generate_series(0, 49) g`,
  'vacuum analyze',
];

/** By rule. The thresholds of calls and times are lowered, those of blocks and rows are the defaults. */
const behaviours: Record<string, Behaviour> = {
  'queries/function-on-column': {
    fires: [
      `select id from customers where lower(email) = 'secret-1'`,
      `select count(*) from orders o where date_trunc('day', o.created_at) = '2026-01-01'`,
      `select id from orders where extract(year from created_at) = 1999`,
      `delete from orders where coalesce(referred_by, 0) = 77`,
      `select id from customers where upper(region) in ('secret-2', 'secret-3')`,
    ],
    silent: [
      // It has an index of the expression.
      `select id from orders where lower(status) = 'secret-4'`,
      // The function is over the value.
      `select id from customers where email = lower('SECRET-5')`,
      // Something else finds the rows.
      `select id from orders where customer_id = 5 and upper(status) = 'secret-6'`,
      // Too small a table.
      `select country from regions where upper(region) = 'secret-7'`,
    ],
  },
  'queries/arithmetic-on-column': {
    fires: [
      `select id from orders where created_at + interval '1 day' > now() + interval '10 years'`,
      `select id from orders where weight * 2 = 123456789`,
      `select id from orders where now() - created_at < interval '-10 years'`,
    ],
    silent: [
      `select id from orders where created_at > now() - interval '1 hour'`,
      `select id from orders where weight = 3 * 4`,
      // No index that could be used.
      `select id from orders where total + 1 = 123456`,
    ],
  },
  'queries/implicit-cast': {
    fires: [
      `select email from customers where id::text = '12345'`,
      `select id from orders where weight = 12345::numeric`,
      `select id from orders where created_at::date = '1999-01-01'`,
      `select email from customers where code::text = 'secret-8'`,
      `select id from orders where weight = 123.0::float8`,
    ],
    silent: [
      // Nothing is converted.
      `select id from customers where name::text = 'secret-9'`,
      `select id from orders where weight = 12345::int`,
      `select email from customers where id = '12345'::int`,
      `select id from orders where created_at > '2999-01-01'::date`,
    ],
  },
  'queries/json-key': {
    fires: [
      `select id from notes where data ->> 'kind' = 'secret-10'`,
      `select id from notes where (data ->> 'kind')::int = 1234`,
      `select count(*) from notes n where n.data #>> '{kind}' = 'secret-11'`,
    ],
    silent: [
      `select id from documents where data ->> 'kind' = 'secret-12'`,
      `select id from notes where id = 5 and data ->> 'kind' = 'secret-13'`,
    ],
  },
  'queries/leading-wildcard': {
    fires: [
      [`select id from customers where email like '%' || $1`, ['secret-14']],
      [`select id from customers where name ilike $1`, ['%secret-15%']],
      `select id from customers where email like '%secret-16%'`,
      `select id from customers where lower(email) like '%secret-17%' or lower(name) like '%secret-18%'`,
      `select id from notes where body ~* 'secret-19'`,
    ],
    silent: [
      // Something else finds the rows.
      `select id from customers where id = 7 and name like '%secret-20%'`,
      // Not one row is read for nothing: nearly all match.
      `select id from customers where email not like '%secret-21%'`,
      `select region from regions where country like '%secret-22%'`,
    ],
  },
  'queries/or-across-columns': {
    fires: [
      `select o.id, c.email from orders o join customers c on c.id = o.customer_id where o.referred_by = 99 or c.email = 'secret-23'`,
      `select id from customers where email = 'secret-24' or region = 'secret-25'`,
    ],
    silent: [
      // Both have an index.
      `select id from customers where email = 'secret-26' or name = 'secret-27'`,
      // The next page.
      `select id from customers where region < 'a' or (region = 'a' and id < 5)`,
      `select id from customers where email = 'secret-28' or email is null`,
      // Something else finds the rows.
      `select id from orders where customer_id = 7 and (status = 'secret-29' or referred_by = 5)`,
    ],
  },
  'queries/optional-filter': {
    fires: [
      [`select id from orders where ($1::int is null or customer_id = $1)`, [null]],
      [`select id from orders where customer_id = coalesce($1, customer_id)`, [null]],
    ],
    silent: [
      // No index would find the rows.
      [`select id from orders where ($1::text is null or status = $1)`, [null]],
      // Constants, which PostgreSQL simplifies away.
      `select id from orders where (0 is null or customer_id = 5)`,
    ],
  },
  'queries/or-list': {
    fires: [`select id from orders where id = 1 or id = 2 or id = 3 or id = 4 or id = 5`],
    silent: [
      `select id from orders where id = 1 or id = 2`,
      `select id from orders where id in (1, 2, 3, 4, 5, 6)`,
      `select id from orders where id = 1 or id = 2 or id = 3 or id = 4 or weight = 5`,
    ],
  },
  'queries/not-in-subquery': {
    fires: [
      `select id from customers where id not in (select parent_id from jobs)`,
      `select id from customers where id <> all (select j.parent_id from jobs j where j.state = 'secret-30')`,
      // Never NULL, but slow and large.
      `select id from customers where id not in (select customer_id from orders)`,
    ],
    silent: [
      `select id from customers where id not in (select parent_id from jobs where parent_id is not null)`,
      `select id from customers where id not in (select j.parent_id from jobs j where parent_id > 2)`,
      `select id from customers where id not in (1, 2, 3)`,
      `select id from customers where id in (select referred_by from orders)`,
      `select id from customers c where not exists (select 1 from orders o where o.referred_by = c.id)`,
    ],
  },
  'queries/unbounded-in-list': {
    fires: [`select email from customers where id in (${Array.from({ length: 150 }, (_, i) => i).join(', ')})`],
    silent: [`select name from customers where id in (1, 2, 3)`],
  },
  'queries/missing-join-condition': {
    fires: [
      `select count(*) from customers c, regions r where c.email = 'secret-31' or c.id < 100`,
      `select count(*) from customers c, orders o, regions r where c.id = o.customer_id and o.id < 50`,
    ],
    silent: [
      `select count(*) from customers c, regions r where c.region = r.region`,
      `select count(*) from customers c cross join regions r where c.id < 10`,
      `select count(*) from customers c, (select max(total) from orders) m where c.id < 10`,
      `select count(*) from customers c, generate_series(1, 2) g where c.id < 10`,
      `select count(*) from customers c, lateral (select 1 from orders o where o.customer_id = c.id limit 1) x`,
      `select count(*) from customers c, orders o where c.id = 5 and o.referred_by > 1`,
      `select count(*) from customers c, regions r where exists (select 1 from orders o where o.customer_id = c.id and o.status = r.country)`,
    ],
  },
  'queries/distinct-hides-join': {
    fires: [
      `select distinct c.region, c.email from customers c join orders o on o.customer_id = c.id where o.total > 990`,
    ],
    silent: [
      // The key of regions makes it one row for each customer.
      `select distinct c.tenant_id from customers c join regions r on r.region = c.region`,
      `select distinct c.region, o.status from customers c join orders o on o.customer_id = c.id`,
      `select c.region from customers c join orders o on o.customer_id = c.id group by c.region`,
    ],
  },
  'queries/needless-distinct': {
    fires: [
      `select distinct o.id, c.email from orders o join customers c on c.id = o.customer_id`,
      `select distinct status, count(*) from orders group by status`,
      `select email from customers where id in (select distinct customer_id from orders)`,
    ],
    silent: [
      `select distinct status from orders`,
      `select distinct c.id, o.status from customers c join orders o on o.customer_id = c.id`,
      `select distinct referred_by, id from (select o.referred_by, c.id from orders o, customers c where c.id = o.referred_by) x`,
    ],
  },
  'queries/union-not-all': {
    fires: [
      `select id, status from orders where closed_at is null union select id, status from orders where closed_at > '2000-01-01'`,
      `select email from customers union select status from orders`,
    ],
    silent: [
      `select email from customers union all select status from orders`,
      `select email from customers where id = 1 union select status from orders where id = 2`,
    ],
  },
  'queries/scalar-subquery-in-select': {
    fires: [
      `select c.id, (select count(*) from orders o where o.customer_id = c.id) from customers c where c.tenant_id = 3`,
    ],
    silent: [
      `select c.id, (select max(total) from orders) from customers c where c.tenant_id = 4`,
      `select c.email, (select count(*) from orders o where o.customer_id = c.id) from customers c where c.id = 5`,
    ],
  },
  'queries/count-for-existence': {
    fires: [
      `select email from customers where id = 3 and (select count(*) from orders where status = 'status 1') > 0`,
      `select count(*) > 0 from orders where status = 'status 2'`,
    ],
    silent: [
      `select status from orders group by status having count(*) > 5`,
      `select email from customers where id = 4 and exists (select 1 from orders where status = 'status 3')`,
    ],
  },
  'queries/count-all': {
    fires: [],
    silent: [`select count(*) from customers`, `select count(*) from orders where status = 'status 4'`],
  },
  'queries/count-distinct-large': { fires: [], silent: [`select count(distinct region) from customers`] },
  'queries/offset-paging': {
    fires: [`select id, email from customers order by region, id limit 10 offset 15000`],
    silent: [
      `select id, email, name from customers order by id limit 10 offset 20`,
      `select id from customers order by region limit 10`,
    ],
  },
  'queries/paging-without-order': {
    fires: [`select email, region from customers where tenant_id = 1 limit 10 offset 10`],
    silent: [
      `select email, region from customers where tenant_id = 1 order by id limit 10 offset 10`,
      `select email, region from customers where id = 1 limit 10 offset 0`,
      `select x.email from (select email from customers order by id) x limit 10 offset 5`,
    ],
  },
  'queries/total-with-page': {
    fires: [`select id, count(*) over () from orders where status = 'status 1' order by id limit 10`],
    silent: [
      `select id, row_number() over (order by id) from orders where customer_id = 4 order by id limit 10`,
      `select id, count(*) over (partition by status) from orders order by id limit 10`,
      `select id, count(*) over () from orders where customer_id = 4 limit 10`,
    ],
  },
  'queries/order-by-random': {
    fires: [`select id from customers order by random() limit 5`],
    silent: [
      `select region from regions order by random() limit 5`,
      `select id, random() from customers order by id limit 5`,
    ],
  },
  'queries/select-star': {
    fires: [
      `select * from documents where owner_id < 100`,
      `select d.* from documents d join customers c on c.id = d.owner_id`,
    ],
    silent: [
      `select id, title from documents where owner_id < 100`,
      `select * from documents where id = 5`,
      `select * from customers where tenant_id = 6`,
      `select count(*) from (select * from documents) x`,
    ],
  },
  'queries/update-without-change': {
    fires: [
      `update jobs set state = state where id < 100`,
      `insert into settings (key, value) values ('k1', 'v') on conflict (key) do update set key = excluded.key returning id`,
    ],
    silent: [
      `update jobs set state = 'done' where id < 100`,
      `update jobs j set state = c.region from customers c where c.id = j.id and j.id < 5`,
      `insert into settings (key, value) values ('k1', 'v') on conflict (key) do update set value = excluded.value where settings.value is distinct from excluded.value`,
      `insert into settings (key, value) values ('k2', 'v') on conflict (key) do nothing`,
    ],
  },
  'queries/delete-without-batches': {
    fires: [`update orders set weight = weight + 1 where total > 100`],
    silent: [
      `delete from orders where id = 39999`,
      `insert into big_settings (key) select 'many ' || g from generate_series(1, 12000) g`,
    ],
  },
  'queries/for-update-without-skip-locked': {
    fires: [`select id from jobs where state = 'new' order by run_at limit 1 for update`],
    silent: [
      `select id from jobs where state = 'new' order by run_at limit 1 for update skip locked`,
      `select state from jobs where id = 7 order by id limit 1 for update`,
      `select id from jobs where state = 'new' order by run_at limit 1`,
    ],
  },
  'queries/select-for-update-wide': {
    fires: [`select id, state from jobs where state = 'new' for update`],
    silent: [`select id, state from jobs where id < 10 for update`, `select id, state from jobs where state = 'new'`],
  },
  'queries/upsert-burns-sequence': {
    fires: [`insert into settings (key, value) values ('k1', 'v'), ('k2', 'v') on conflict (key) do nothing`],
    silent: [
      `insert into big_settings (key, value) values ('k1', 'v') on conflict (key) do nothing`,
      `insert into settings (id, key, value) values (0, 'zero', 'v') on conflict (key) do nothing`,
    ],
  },
};

let database: TestDatabase;
let snapshot: QuerySnapshot;
let findings: Finding[];

/** What every option about calls and time is lowered to: what is tested is what statements say. */
const anyCost = { minCalls: 1, minMeanMs: 0, minTotalMs: 0 };
const lowered: Record<string, object> = {
  'queries/not-in-subquery': { slowMeanMs: 0 },
  'queries/upsert-burns-sequence': { minAttempts: 3 },
};

beforeAll(async () => {
  database = await createDatabase();
  await database.run(...schema);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (const { fires, silent } of Object.values(behaviours)) {
    for (const sent of [...fires, ...silent]) {
      const [text, values] = typeof sent === 'string' ? [sent, undefined] : sent;
      await client.query(text, values);
    }
  }
  // What fires only after a while: the row is there already.
  const [upsert] = behaviours['queries/upsert-burns-sequence']?.fires ?? [];
  for (let i = 0; i < 20; i++) await client.query(upsert as string);
  await client.end();
  snapshot = await withSession(database.url, collectQueries);
  // PostgreSQL 18 makes an IN of a chain of ORs by itself. So little memory that no hash of all orders fits.
  const judged = {
    ...snapshot,
    settings: snapshot.settings && { ...snapshot.settings, workMemKilobytes: 512 },
    server: { ...snapshot.server, versionNumber: Math.min(snapshot.server.versionNumber, 170_000) },
  };
  findings = syntaxRules.flatMap((rule) => rule.check(judged, rule.options.parse({ ...anyCost, ...lowered[rule.id] })));
});

afterAll(() => database?.drop());

const textOf = (sent: Sent) => (typeof sent === 'string' ? sent : sent[0]);

function found(rule: string, sent: Sent): Finding[] {
  const { query, fingerprint } = readText(textOf(sent));
  // PostgreSQL 18 makes one text of all lengths of a list.
  const statement =
    snapshot.statements.find((each) => each.query === query) ??
    snapshot.statements.find((each) => each.fingerprint === fingerprint);
  expect(statement, `${textOf(sent)} was not collected`).toBeDefined();
  return findings.filter((finding) => finding.rule === rule && finding.subject.queryId === statement?.queryId);
}

test('every rule has a behaviour', () => {
  expect(Object.keys(behaviours).sort()).toEqual(syntaxRules.map(({ id }) => id).sort());
});

describe.each(Object.entries(behaviours))('%s', (rule, { fires, silent }) => {
  if (fires.length > 0)
    test.each(fires.map((sent) => [textOf(sent), sent] as const))('fires: %s', (_, sent) => {
      expect(found(rule, sent)).toHaveLength(1);
    });

  test.each(silent.map((sent) => [textOf(sent), sent] as const))('is silent: %s', (_, sent) => {
    expect(found(rule, sent)).toEqual([]);
  });
});

describe('the findings', () => {
  test('tell the names of tables and columns, and no constant of a statement', () => {
    expect(findings.length).toBeGreaterThan(40);
    expect(JSON.stringify(findings)).not.toMatch(/secret/i);
  });

  test('are one at most for a statement and a rule', () => {
    expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
  });
});
