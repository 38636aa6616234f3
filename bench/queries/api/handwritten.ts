import type { ApiQuery } from './query.ts';

/** As people write them into reports and searches. */
export const handwritten: readonly ApiQuery[] = [
  {
    name: 'categories below one',
    sql: `with recursive below as (select id, parent_id, name, 0 as depth, array[id] as path from categories where parent_id = 1
union all select c.id, c.parent_id, c.name, b.depth + 1, b.path || c.id from categories c join below b on b.id = c.parent_id where b.depth < 5 and c.id <> all(b.path))
select repeat('  ', depth) || name as label from below order by path`,
  },
  {
    name: 'measurements, latest of each device',
    sql: `select distinct on (device_id) device_id, taken_at, value from measurements where taken_at > now() - interval '1 hour' order by device_id, taken_at desc`,
  },
  {
    name: 'measurements, by five minutes',
    sql: `select to_timestamp(floor(extract(epoch from taken_at) / 300) * 300) as bucket, avg(value), percentile_disc(0.5) within group (order by value)
from measurements where device_id = $1 and taken_at between $2 and $3 group by 1 order by 1`,
    values: [1, '2026-01-05', '2026-01-06'],
  },
  {
    name: 'measurements, outliers',
    sql: `select m.* from measurements m cross join lateral (select avg(value) as mean, stddev(value) as dev from measurements where device_id = m.device_id and taken_at >= date '2026-01-01') s where abs(m.value - s.mean) > 3 * s.dev`,
  },
  {
    name: 'view',
    sql: `select * from open_tasks where organization_id = 3 and due_on < current_date + interval '1 week'`,
  },
  {
    name: 'materialized view',
    sql: `select * from organization_totals where total > 1000 order by total desc limit 5`,
  },
  {
    name: 'another schema',
    sql: `select account, sum(amount) filter (where booked_on < '2026-01-01') as before, sum(amount) as now from billing.ledger where account like '4%' group by account`,
  },
  {
    name: 'another schema, by search path',
    sql: `select l.account, o.name from ledger l join organizations o on o.id = l.organization_id where l.amount <> 0`,
  },
  {
    name: 'similar names',
    sql: `select id, name, similarity(name, 'adda') as s from users where name % 'adda' order by s desc, name <-> 'adda' limit 10`,
  },
  {
    name: 'free rooms',
    sql: `select room, during from bookings where during && tstzrange('2026-03-01 10:00+00', '2026-03-01 11:00+00', '[)') and lower(during) > now() - '1 day'::interval`,
  },
  {
    name: 'free days',
    sql: `select d::date from generate_series('2026-03-01'::timestamp, '2026-03-31', '1 day') d where extract(isodow from d) < 6 and not exists (select from bookings where during @> d::timestamptz and room = 'blue')`,
  },
  {
    name: 'pivot',
    sql: `select kind, count(*) filter (where created_at >= '2026-01-01' and created_at < '2026-02-01') as jan, count(*) filter (where created_at >= '2026-02-01' and created_at < '2026-03-01') as feb, round(avg(duration_ms)::numeric, 2) as mean from events group by rollup (kind) order by kind nulls last`,
  },
  {
    name: 'grouping sets',
    sql: `select coalesce(o.plan, 'all') as plan, date_part('year', i.issued_on) as year, sum(i.total) * 1.077 as gross, grouping(o.plan) from invoices i join organizations o on o.id = i.organization_id group by grouping sets ((o.plan, date_part('year', i.issued_on)), (o.plan), ()) having sum(i.total) > 0`,
  },
  {
    name: 'histogram',
    sql: `select width_bucket(duration_ms, 0, 1000, 20) as bucket, count(*), min(duration_ms) || ' - ' || max(duration_ms) as range from events where duration_ms is not null group by 1 order by 1`,
  },
  {
    name: 'funnel',
    sql: `select count(*) filter (where s.step >= 1), count(*) filter (where s.step >= 2), round(100.0 * count(*) filter (where s.step >= 2) / nullif(count(*), 0), 1)
from (select user_id, max(case kind when 'visit' then 1 when 'order' then 2 else 0 end) as step from events where created_at > current_timestamp - interval '14' day group by user_id) s`,
  },
  {
    name: 'gaps',
    sql: `select id, created_at, created_at - lag(created_at) over w as gap from events where user_id = 42 window w as (partition by user_id order by created_at) order by gap desc nulls last limit 5`,
  },
  {
    name: 'moving average',
    sql: `select issued_on, avg(total) over (order by issued_on range between interval '30 days' preceding and current row) from invoices where status in ('paid', 'open')`,
  },
  {
    name: 'due and overdue',
    sql: `select id, case when due_on < current_date then 'overdue' when due_on - current_date <= 7 then 'soon' else 'later' end as due, age(due_on, current_date), (current_date - due_on) * 24 as hours, justify_days(make_interval(days => 45)) from tasks where due_on is not null order by case when due_on < current_date then 0 else 1 end, due_on`,
  },
  {
    name: 'JSON elements',
    sql: `select e.id, item ->> 'sku' as sku, (item ->> 'quantity')::int * (item ->> 'price')::numeric as amount from events e, jsonb_array_elements(e.payload -> 'items') as item where e.kind = 'order' and item ->> 'sku' like 'LA-%'`,
  },
  {
    name: 'JSON path',
    sql: `select id, jsonb_path_query_first(payload, '$.items[*] ? (@.price > 10)') from events where payload @? '$.items[*] ? (@.price > 10)' and jsonb_path_exists(payload, '$.paid')`,
  },
  {
    name: 'JSON change',
    sql: `update organizations set settings = jsonb_set(coalesce(settings, '{}'), '{theme,color}', to_jsonb($1::text), true) - 'old' || '{"seen": true}' where id = $2`,
    values: ['red', 3],
  },
  {
    name: 'JSON record',
    sql: `select x.a, x.b from events, jsonb_to_record(payload) as x(a int, b text) where x.a > 3 and payload #>> '{meta,0,id}' = 'z'`,
  },
  {
    name: 'sum of differences',
    sql: `select user_id, sum(duration_ms) - 100 as over, greatest(max(duration_ms), 50) as worst, 1.5 * avg(duration_ms) from events group by user_id having avg(duration_ms) * 2 > 10 or count(*) between 5 and 10`,
  },
  {
    name: 'nearest price',
    sql: `select id, "priceCents" from "Product" order by abs("priceCents" - 1500), id limit 3`,
  },
  {
    name: 'names and initials',
    sql: `select id, initcap(name), substring(name from 1 for 1) || '.' as initial, position('@' in email), split_part(email, '@', 2) as domain, overlay(email placing '***' from 2 for 3), trim(both ' ' from name), left(name, 3), lpad(id::text, 6, '0'), regexp_replace(name, '\\s+', ' ', 'g') from users where email ~* '^[a-z]+@example\\.(com|org)$' and char_length(name) > 2 and name not similar to '(x|y)%' collate "C"`,
  },
  {
    name: 'hash and token',
    sql: `select id from users where md5(email || 'salt') = 'd41d8cd98f00b204e9800998ecf8427e' or encode(sha256(email::bytea), 'hex') = $1`,
    values: ['abc'],
  },
  {
    name: 'interval arithmetic',
    sql: `select date_trunc('month', current_date) + interval '1 month' - interval '1 day' as last, timestamp '2026-01-01' + 5 * interval '1 hour', now() at time zone 'Europe/Zurich', date '2026-03-01' + time '10:00', extract(epoch from interval '1' hour), date '2026-03-01' - 7, current_date - '7 days'::interval from organizations limit 1`,
  },
  {
    name: 'overlaps',
    sql: `select a.room from bookings a join bookings b on a.room = b.room and a.during && b.during and a.during <> b.during where (lower(a.during), upper(a.during)) overlaps (timestamptz '2026-03-01', interval '2 days')`,
  },
  {
    name: 'set operations',
    sql: `select user_id from memberships where role = 'owner' intersect select assignee_id from tasks where status = 'open' except (select user_id from sessions where expires_at < now()) order by 1 limit 10`,
  },
  {
    name: 'values as a table',
    sql: `select v.code, count(t.id) from (values ('open', 1), ('late', 2), ('done', 3)) as v(code, rank) left join tasks t on t.status = v.code and t.priority >= v.rank group by v.code, v.rank order by v.rank`,
  },
  {
    name: 'lateral top',
    sql: `select o.slug, top.* from organizations o cross join lateral (select i.number, i.total, rank() over (order by i.total desc) as place from invoices i where i.organization_id = o.id and i.total > o.id * 10) top where top.place <= 3`,
  },
  {
    name: 'row comparison',
    sql: `select * from invoice_items where (invoice_id, quantity) = (select id, 1 from invoices order by id desc limit 1) or row(unit_price, quantity) < row(10, 5)`,
  },
  {
    name: 'sampling',
    sql: `select avg(duration_ms) from events tablesample bernoulli (10) repeatable (42) where kind = 'request'`,
  },
  {
    name: 'upsert with a condition',
    sql: `insert into invoices (organization_id, number, status, total) values ($1, $2, 'draft', $3::numeric * 1.1) on conflict (number) do update set total = invoices.total + excluded.total, status = case when invoices.total > 100 then 'big' else invoices.status end where invoices.status = 'draft' returning (xmax = 0) as inserted`,
    values: [3, 'A-1', 100],
  },
  {
    name: 'move rows',
    sql: `with moved as (delete from comments where created_at < now() - interval '5 years' returning task_id, author_id, body, created_at) insert into events (organization_id, user_id, kind, payload, created_at) select 3, author_id, 'comment', jsonb_build_object('task', task_id, 'body', left(body, 100)), created_at from moved`,
  },
  {
    name: 'delete duplicates',
    sql: `delete from tags a using tags b where a.organization_id = b.organization_id and lower(a.name) = lower(b.name) and a.id > b.id and a.id > 1000000`,
  },
  {
    name: 'delete in batches',
    sql: `delete from events where ctid = any(array(select ctid from events where created_at < now() - interval '1 year' limit 1000))`,
  },
  {
    name: 'update several columns from a subquery',
    sql: `update invoices i set (total, status) = (select coalesce(sum(quantity * unit_price), 0), 'open' from invoice_items where invoice_id = i.id) where i.id = any($1) and i.paid_at is null`,
    values: [[1, 2]],
  },
  {
    name: 'update by rank',
    sql: `with ranked as (select id, row_number() over (partition by project_id order by position, id) * 10 as place from tasks where project_id = 7) update tasks set position = ranked.place from ranked where ranked.id = tasks.id and tasks.position <> ranked.place`,
  },
  {
    name: 'insert with look-ups',
    sql: `insert into events (organization_id, user_id, kind) values ((select id from organizations where slug = 'acme'), (select id from users where email = 'ada@example.com'), 'look-up')`,
  },
  {
    name: 'insert, a copy of another',
    sql: `insert into invoice_items (invoice_id, description, quantity, unit_price) select $1, description, quantity, unit_price * 1.05 from invoice_items where invoice_id = $2 and quantity > 0 order by id returning id`,
    values: [2, 1],
  },
  {
    name: 'parameters in odd places',
    sql: `select $1::text || name, $2 - 1 + id, -$3::int, not $4, array[$5, $6]::int[], ($7::jsonb) ->> $8 from users where id > $9 - 10 and created_at > now() - make_interval(hours => $10) order by id limit $11`,
    values: ['Dr. ', 5, 4, true, 1, 2, '{"a":1}', 'a', 50, 24, 10],
  },
  {
    name: 'casts of parameters',
    sql: `select id from events where created_at >= $1::date and created_at < ($1::date + interval '1 day') and duration_ms > $2::numeric / 1000 and user_id = any(string_to_array($3, ',')::bigint[])`,
    values: ['2026-01-01', '1500', '1,2,3'],
  },
  {
    name: 'tenant by setting',
    sql: `select id, name from projects where organization_id = current_setting('app.organization', true)::bigint and name > 'a'`,
  },
];
