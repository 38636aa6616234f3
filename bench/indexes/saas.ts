/**
 * The tables and statements of an imaginary help desk, as a service with an API has them: tenants of very different sizes, rows that
 * are deleted softly, queues of which few rows are open, a log, and statements of which few make most calls.
 */

/** A statement with its calls in an hour. */
export interface Weighed {
  name: string;
  sql: string;
  calls: number;
}

/** The tables, filled with so many thousand tickets, and analyzed. Values depend on nothing but the row's number. */
export function saasSchema(thousands: number): readonly string[] {
  const tickets = thousands * 1_000;
  // Numbers that look random and are the same in every run.
  const hash = (seed: string, to: number | string) => `(abs(hashint8extended(g, ${seed})) % (${to}))`;
  return [
    'create table accounts (id bigint primary key, slug text not null, plan text not null, deleted_at timestamptz, created_at timestamptz not null)',
    'create table agents (id bigint primary key, account_id bigint not null, email text not null, name text not null, active boolean not null, last_seen_at timestamptz)',
    'create table customers (id bigint primary key, account_id bigint not null, email text not null, phone text, external_id text, deleted_at timestamptz, created_at timestamptz not null)',
    'create table tickets (id bigint primary key, account_id bigint not null, customer_id bigint not null, agent_id bigint, status text not null, priority smallint not null, subject text not null, due_at timestamptz, deleted_at timestamptz, created_at timestamptz not null, updated_at timestamptz not null)',
    'create table messages (id bigint primary key, ticket_id bigint not null, author_id bigint not null, is_public boolean not null, body text not null, sent_at timestamptz not null)',
    'create table jobs (id bigint primary key, queue text not null, state text not null, run_at timestamptz not null, attempts smallint not null, payload text not null)',
    'create table events (id bigint primary key, account_id bigint not null, kind text not null, actor_id bigint, created_at timestamptz not null, payload text not null)',
    'create table api_keys (id bigint primary key, account_id bigint not null, token text not null, revoked_at timestamptz)',
    `insert into accounts select g, 'account-' || g, (array['free','team','enterprise'])[1 + ${hash('1', 3)}], case when g % 20 = 0 then timestamptz '2026-01-01' end, timestamptz '2024-01-01' + g * interval '1 hour' from generate_series(1, 2000) g`,
    `insert into agents select g, 1 + ${hash('2', 2000)}, 'agent' || g || '@Example.com', 'Agent ' || g, g % 4 > 0, case when g % 3 > 0 then timestamptz '2026-01-01' + g * interval '1 minute' end from generate_series(1, 20000) g`,
    `insert into customers select g, 1 + floor(2000 * (${hash('3', 100000)} / 100000.0) ^ 3)::int, 'customer' || g || '@Mail.example.org', case when g % 5 = 0 then '+49' || g end, case when g % 10 = 0 then md5(g::text) end, case when g % 33 = 0 then timestamptz '2026-01-01' end, timestamptz '2024-06-01' + g * interval '3 minutes' from generate_series(1, ${Math.round(tickets / 2)}) g`,
    `insert into tickets select g, 1 + floor(2000 * (${hash('4', 100000)} / 100000.0) ^ 3)::int, 1 + ${hash('5', Math.round(tickets / 2))}, case when g % 7 > 0 then 1 + ${hash('6', 20000)} end, case when ${hash('7', 100)} < 94 then 'closed' when ${hash('7', 100)} < 97 then 'pending' else 'open' end, ${hash('8', 4)}, repeat('subject ', 4) || g, case when g % 50 = 0 then timestamptz '2026-02-01' + g * interval '1 second' end, case when g % 25 = 0 then timestamptz '2026-01-15' end, timestamptz '2025-01-01' + g * interval '30 seconds', timestamptz '2025-01-01' + g * interval '31 seconds' from generate_series(1, ${tickets}) g`,
    `insert into messages select g, 1 + ${hash('9', tickets)}, 1 + ${hash('10', 20000)}, g % 3 > 0, repeat('words ', 12), timestamptz '2025-01-01' + g * interval '10 seconds' from generate_series(1, ${tickets * 3}) g`,
    `insert into jobs select g, (array['mail','export','webhook','index'])[1 + ${hash('11', 4)}], case when g > ${tickets} - ${Math.round(tickets / 50)} then 'ready' when g % 200 = 0 then 'failed' else 'done' end, timestamptz '2025-06-01' + g * interval '20 seconds', ${hash('12', 5)}, repeat('x', 60) from generate_series(1, ${tickets}) g`,
    `insert into events select g, 1 + floor(2000 * (${hash('13', 100000)} / 100000.0) ^ 3)::int, (array['login','view','view','view','update','export'])[1 + ${hash('14', 6)}], case when g % 5 > 0 then 1 + ${hash('15', 20000)} end, timestamptz '2025-09-01' + g * interval '5 seconds', repeat('y', 80) from generate_series(1, ${tickets * 3}) g`,
    `insert into api_keys select g, 1 + ${hash('16', 2000)}, md5('key' || g), case when g % 3 = 0 then timestamptz '2026-01-01' end from generate_series(1, 30000) g`,
    'vacuum analyze',
  ];
}

/** What the API asks, with how often. */
export const saasQueries: readonly Weighed[] = [
  {
    name: 'key',
    calls: 40_000,
    sql: "select account_id from api_keys where token = md5('key4711') and revoked_at is null",
  },
  {
    name: 'account',
    calls: 9_000,
    sql: "select id, plan from accounts where slug = 'account-77' and deleted_at is null",
  },
  {
    name: 'agent by mail',
    calls: 4_000,
    sql: "select id, account_id, name from agents where lower(email) = 'agent1234@example.com'",
  },
  {
    name: 'customer by mail',
    calls: 2_500,
    sql: "select * from customers where account_id = 21 and lower(email) = 'customer5000@mail.example.org' and deleted_at is null",
  },
  {
    name: 'customer of another system',
    calls: 1_500,
    sql: "select id from customers where external_id = 'c4ca4238a0b923820dcc509a6f75849b'",
  },
  {
    name: 'inbox',
    calls: 6_000,
    sql: "select id, subject, priority, updated_at from tickets where account_id = 17 and status = 'open' and deleted_at is null order by updated_at desc limit 50",
  },
  {
    name: 'my tickets',
    calls: 5_000,
    sql: "select id, subject, status from tickets where agent_id = 1500 and status in ('open', 'pending') and deleted_at is null order by priority desc, created_at limit 25",
  },
  {
    name: 'count of open',
    calls: 8_000,
    sql: "select count(*) from tickets where account_id = 17 and status = 'open' and deleted_at is null",
  },
  {
    name: 'nobody has',
    calls: 1_200,
    sql: "select id, subject from tickets where account_id = 40 and agent_id is null and status = 'open' order by created_at limit 20",
  },
  {
    name: 'tickets of a customer',
    calls: 3_000,
    sql: 'select id, subject, status, created_at from tickets where customer_id = 4242 and deleted_at is null order by created_at desc limit 20',
  },
  {
    name: 'overdue',
    calls: 400,
    sql: "select id, account_id, due_at from tickets where due_at < timestamptz '2026-02-02' and status <> 'closed' and deleted_at is null order by due_at limit 100",
  },
  {
    name: 'conversation',
    calls: 9_000,
    sql: 'select id, author_id, body, sent_at from messages where ticket_id = 31337 order by sent_at',
  },
  {
    name: 'public conversation',
    calls: 2_000,
    sql: 'select body, sent_at from messages where ticket_id = 31337 and is_public order by sent_at desc limit 10',
  },
  { name: 'last message', calls: 3_000, sql: 'select max(sent_at) from messages where ticket_id = 777' },
  {
    name: 'next job',
    calls: 20_000,
    sql: "select id, payload from jobs where state = 'ready' and queue = 'mail' and run_at <= timestamptz '2026-06-01' order by run_at limit 1",
  },
  {
    name: 'jobs that failed',
    calls: 120,
    sql: "select queue, count(*) from jobs where state = 'failed' group by queue",
  },
  {
    name: 'log',
    calls: 900,
    sql: 'select id, kind, actor_id, created_at from events where account_id = 5 order by created_at desc limit 100',
  },
  {
    name: 'logins',
    calls: 300,
    sql: "select actor_id, max(created_at) from events where account_id = 5 and kind = 'login' and created_at > timestamptz '2025-10-01' group by actor_id",
  },
  {
    name: 'trail of an agent',
    calls: 200,
    sql: 'select kind, created_at from events where actor_id = 1200 order by created_at desc limit 50',
  },
  {
    name: 'exports of a day',
    calls: 60,
    sql: "select account_id, count(*) from events where kind = 'export' and created_at >= timestamptz '2025-09-20' and created_at < timestamptz '2025-09-21' group by account_id",
  },
  {
    name: 'agents at work',
    calls: 1_000,
    sql: "select a.id, a.name, count(t.id) from agents a join tickets t on t.agent_id = a.id where a.account_id = 12 and a.active and t.status = 'open' group by a.id, a.name",
  },
  {
    name: 'ticket with all',
    calls: 5_000,
    sql: 'select t.id, t.subject, c.email, a.name from tickets t join customers c on c.id = t.customer_id left join agents a on a.id = t.agent_id where t.id = 9001',
  },
  {
    name: 'customers who wait',
    calls: 250,
    sql: "select c.id, c.email from customers c where c.account_id = 9 and exists (select from tickets t where t.customer_id = c.id and t.status = 'pending') limit 50",
  },
  {
    name: 'report of a month',
    calls: 4,
    sql: "select date_trunc('day', created_at), count(*) from tickets where account_id = 3 and created_at >= timestamptz '2025-03-01' and created_at < timestamptz '2025-04-01' group by 1",
  },
  {
    name: 'touch a ticket',
    calls: 4_000,
    sql: "update tickets set status = 'pending', updated_at = now() where id = 555",
  },
  { name: 'new message', calls: 6_000, sql: "insert into messages values (0, 1, 1, true, 'text', now())" },
  { name: 'new event', calls: 30_000, sql: "insert into events values (0, 1, 'view', 1, now(), 'text')" },
  { name: 'job is done', calls: 15_000, sql: "update jobs set state = 'done' where id = 900" },
];
