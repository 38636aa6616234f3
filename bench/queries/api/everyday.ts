import type { ApiQuery } from './query.ts';

/** As people and mappers write them every day. */
export const everyday: readonly ApiQuery[] = [
  // Keys and lists
  { name: 'user by id', sql: 'select * from users where id = $1', values: [42] },
  {
    name: 'session',
    sql: 'SELECT u.id, u.name, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token = $1 AND s.expires_at > now()',
    values: ['7d444840-9dc0-11d1-b245-5ffdce74fad2'],
  },
  {
    name: 'tasks, by page',
    sql: `SELECT "tasks".* FROM "tasks" WHERE "tasks"."project_id" = 7 AND "tasks"."status" = 'open' ORDER BY "tasks"."position" ASC, "tasks"."id" ASC LIMIT 25 OFFSET 50`,
  },
  {
    name: 'tasks, by page number',
    sql: 'select id, title from tasks where project_id = $1 order by created_at desc limit $2 offset ($3 - 1) * $4',
    values: [7, 25, 3, 25],
  },
  {
    name: 'events, by key',
    sql: "select id, kind, created_at from events where organization_id = 3 and (created_at, id) < (timestamp with time zone '2026-03-01 10:00+00', 900) order by created_at desc, id desc limit 50",
  },
  { name: 'users, some', sql: 'select id, name, email from users where id in (3, 1, 4, 15, 92, 65)' },
  {
    name: 'projects, some',
    sql: 'select id, name from projects where id = any($1) and archived_at is null',
    values: [[1, 2, 3]],
  },
  { name: 'tasks, some', sql: 'select id, title, status from tasks where id = any(array[2, 7, 18, 28])' },
  {
    name: 'tasks, with filters that may be absent',
    sql: 'select * from tasks where ($1::bigint is null or assignee_id = $1) and ($2::text is null or status = $2) order by id limit 100',
    values: [null, 'open'],
  },
  // Joins
  {
    name: 'members',
    sql: "select u.id, u.name, m.role from memberships m join users u on u.id = m.user_id where m.organization_id = 3 and u.is_active = true and m.role <> 'guest' order by u.name",
  },
  {
    name: 'task with its people',
    sql: `select t.id, t.title, p.name as project, coalesce(u.name, 'nobody') as assignee
from tasks t join projects p on p.id = t.project_id left join users u on u.id = t.assignee_id
where p.organization_id = $1 and t.due_on < current_date + 7 and t.status not in ('done', 'dropped')
order by t.due_on nulls last limit 20`,
    values: [3],
  },
  {
    name: 'latest comment of each task',
    sql: `select t.id, t.title, c.body, c.created_at
from tasks t
left join lateral (select body, created_at from comments where task_id = t.id order by created_at desc limit 1) c on true
where t.project_id = 7`,
  },
  {
    name: 'tags of tasks',
    sql: `select tt.task_id, string_agg(g.name, ', ' order by g.name) as tags
from task_tags tt join tags g on g.id = tt.tag_id where g.organization_id = 3 group by tt.task_id having count(*) > 1`,
  },
  // Reports by time
  {
    name: 'events a day',
    sql: `select date_trunc('day', created_at) as day, count(*) from events
where organization_id = 3 and created_at >= now() - interval '30 days' group by date_trunc('day', created_at) order by date_trunc('day', created_at)`,
  },
  {
    name: 'revenue a month',
    sql: `select to_char(issued_on, 'YYYY-MM') as month, sum(total) as revenue from invoices
where status = 'paid' and issued_on >= date '2025-01-01' group by to_char(issued_on, 'YYYY-MM') order by 1`,
  },
  {
    name: 'events an hour of the day',
    sql: `select extract(hour from created_at) as hour, avg(duration_ms) from events
where kind = 'request' group by extract(hour from created_at) order by hour`,
  },
  {
    name: 'sign-ups, with days that had none',
    sql: `select d::date as day, count(u.id)
from generate_series(date '2026-01-01', date '2026-01-31', interval '1 day') as d
left join users u on u.created_at >= d and u.created_at < d + interval '1 day'
group by d order by d`,
  },
  {
    name: 'hours of a year, with weeks that had none',
    sql: `select w.n as week, coalesce(sum(t.estimate_hours), 0) as hours
from generate_series(1, 53) as w(n) left join tasks t on extract(week from t.due_on) = w.n
group by w.n order by w.n`,
  },
  {
    name: 'slow requests',
    sql: `select payload ->> 'path' as path, percentile_cont(0.95) within group (order by duration_ms) as p95, count(*)
from events where kind = 'request' and created_at > now() - '1 day'::interval group by payload ->> 'path' order by p95 desc limit 10`,
  },
  {
    name: 'tasks by state',
    sql: `select p.id, p.name,
  sum(case when t.status = 'done' then 1 else 0 end) as done,
  sum(case when t.status <> 'done' and t.due_on < current_date then 1 else 0 end) as late,
  count(*) filter (where t.priority = 1) as urgent
from projects p join tasks t on t.project_id = p.id where p.organization_id = 3 group by p.id, p.name order by late desc`,
  },
  {
    name: 'budget bands',
    sql: `select case when budget < 1000 then 'small' when budget < 10000 then 'medium' else 'large' end as band, count(*)
from projects group by case when budget < 1000 then 'small' when budget < 10000 then 'medium' else 'large' end order by count(*) desc`,
  },
  {
    name: 'active users of a quarter',
    sql: `select count(distinct user_id) from events
where created_at >= timestamp '2026-01-01 00:00:00' and created_at < timestamp '2026-01-01 00:00:00' + 3 * interval '1 month'`,
  },
  {
    name: 'retention',
    sql: `select date_trunc('week', u.created_at)::date as cohort, (e.created_at::date - u.created_at::date) / 7 as week, count(distinct u.id)
from users u join events e on e.user_id = u.id where u.created_at > current_date - 90
group by 1, 2 order by 1, 2`,
  },
  // Windows and CTEs
  {
    name: 'ranks',
    sql: `select * from (
  select t.*, row_number() over (partition by t.project_id order by t.priority, t.created_at desc) as rank
  from tasks t where t.status = 'open') ranked
where rank <= 3`,
  },
  {
    name: 'running total',
    sql: `select issued_on, total, sum(total) over (order by issued_on rows between 6 preceding and current row) as week
from invoices where organization_id = $1 and issued_on between $2 and $3`,
    values: [3, '2026-01-01', '2026-06-30'],
  },
  {
    name: 'change to the month before',
    sql: `with monthly as (
  select date_trunc('month', paid_at) as month, sum(total) as revenue from invoices where paid_at is not null group by date_trunc('month', paid_at))
select month, revenue, round(100.0 * (revenue - lag(revenue, 1, 0.0) over (order by month)) / nullif(revenue, 0), 1) as change from monthly`,
  },
  {
    name: 'countdown',
    sql: `with recursive days(n) as (select 1 union all select n + 1 from days where n < 14)
select n, count(t.id) from days left join tasks t on t.due_on = current_date + n group by n`,
  },
  // JSON and text
  {
    name: 'events with a property',
    sql: `select id, payload -> 'browser' ->> 'name' as browser from events where payload @> '{"plan": "pro"}' and organization_id = 3`,
  },
  {
    name: 'organization as JSON',
    sql: `select json_build_object('id', o.id, 'name', o.name, 'plan', o.plan, 'projects',
  (select coalesce(json_agg(json_build_object('id', p.id, 'name', p.name)), '[]'::json) from projects p where p.organization_id = o.id))
from organizations o where o.slug = 'acme'`,
  },
  {
    name: 'settings with a flag',
    sql: `select id, slug from organizations where (settings ->> 'beta')::boolean = true and settings ? 'region'`,
  },
  {
    name: 'search',
    sql: `select id, title, ts_rank(search, websearch_to_tsquery('english', $1)) as rank
from tasks where search @@ websearch_to_tsquery('english', $1) order by rank desc limit 20`,
    values: ['invoice or bill'],
  },
  {
    name: 'names that begin so',
    sql: "select id, name from users where name ilike 'ad%' or email like 'ad!_%' escape '!' order by name limit 10",
  },
  // Existence
  {
    name: 'users without a task',
    sql: "select u.id, u.name from users u where not exists (select 1 from tasks t where t.assignee_id = u.id and t.status = 'open')",
  },
  {
    name: 'projects nobody talks about',
    sql: "select id, name from projects where id not in (select t.project_id from tasks t join comments c on c.task_id = t.id where c.created_at > now() - interval '90' day)",
  },
  {
    name: 'is there a task',
    sql: 'select exists (select 1 from tasks where project_id = $1 and title = $2) as found',
    values: [7, 'Write it down'],
  },
  // Changes
  {
    name: 'new comment',
    sql: 'insert into comments (task_id, author_id, body) select id, $2, $3 from tasks where id = $1 returning id',
    values: [7, 42, 'Done.'],
  },
  {
    name: 'log',
    sql: "insert into events (organization_id, user_id, kind, payload, duration_ms) values (3, null, 'request', '{}', 12.5)",
  },
  {
    name: 'remember a tag',
    sql: "insert into tags (organization_id, name) values (3, 'urgent') on conflict (organization_id, name) do update set name = excluded.name returning id",
  },
  {
    name: 'rename',
    sql: 'update tasks set title = $2, updated_at = now() where id = $1 returning *',
    values: [7, 'Write it up'],
  },
  {
    name: 'reorder',
    sql: 'update tasks set position = v.position from (values (7, 1), (8, 2), (9, 3)) as v(id, position) where tasks.id = v.id',
  },
  {
    name: 'sum up an invoice',
    sql: "update invoices i set total = (select coalesce(sum(quantity * unit_price), 0) from invoice_items where invoice_id = i.id), status = 'open' where i.organization_id = 3 and i.status = 'draft'",
  },
  { name: 'end sessions', sql: "delete from sessions where expires_at < now() - interval '7 days' or user_id = 42" },
  {
    name: 'next job',
    sql: `with next as (select id from tasks where status = 'queued' order by priority, id limit 1 for update skip locked)
update tasks set status = 'running' from next where tasks.id = next.id returning tasks.id`,
  },
  {
    name: 'archive events',
    sql: `with gone as (delete from events where created_at < now() - interval '1 year' returning organization_id, kind)
select organization_id, kind, count(*) from gone group by organization_id, kind`,
  },
];
