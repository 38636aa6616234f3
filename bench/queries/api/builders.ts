import type { ApiQuery } from './query.ts';

/** As query builders write them (Drizzle, Knex, Kysely, jOOQ, sqlc), and Hibernate: names in quotes, values as parameters, some raw fragments. */
export const builders: readonly ApiQuery[] = [
  {
    name: 'Drizzle: findMany with relations',
    sql: `select "tasks"."id", "tasks"."title", "tasks_comments"."data" as "comments" from "tasks" "tasks" left join lateral (select coalesce(json_agg(json_build_array("tasks_comments"."id", "tasks_comments"."body")), '[]'::json) as "data" from "comments" "tasks_comments" where "tasks_comments"."task_id" = "tasks"."id") "tasks_comments" on true where "tasks"."project_id" = $1 order by "tasks"."id" limit $2`,
    values: [7, 20],
  },
  {
    name: 'Drizzle: select with and, or, ilike',
    sql: `select "id", "email" from "users" where ("users"."is_active" = $1 and ("users"."name" ilike $2 or "users"."email" ilike $3)) order by "users"."created_at" desc limit $4 offset $5`,
    values: [true, '%a%', '%b%', 10, 0],
  },
  {
    name: 'Drizzle: sql`count(*)::int`',
    sql: `select "status", count(*)::int, sum(case when "due_on" < $1 then 1 else 0 end)::int from "tasks" where "tasks"."project_id" in ($2, $3) group by "tasks"."status" having count(*) > $4`,
    values: ['2026-03-01', 7, 8, 1],
  },
  {
    name: 'Drizzle: insert on conflict',
    sql: `insert into "tags" ("id", "organization_id", "name") values (default, $1, $2) on conflict ("organization_id","name") do update set "name" = $3 returning "id"`,
    values: [3, 'soon', 'soon'],
  },
  {
    name: 'Drizzle: insert several rows',
    sql: `insert into "Product" ("id", "sku", "name", "priceCents", "tags", "attributes", "deletedAt") values (default, $1, $2, $3, default, $4, default), (default, $5, $6, $7, $8, default, default)`,
    values: ['DR-1', 'Drum', 900, '{}', 'DR-2', 'Drill', 1500, ['new']],
  },
  {
    name: 'Drizzle: update from',
    sql: `update "tasks" set "assignee_id" = "users"."id" from "users" where ("users"."email" = $1 and "tasks"."id" = $2) returning "tasks"."id"`,
    values: ['ada@example.com', 7],
  },
  {
    name: 'Drizzle: $count and with',
    sql: `with "sq" as (select "project_id", count(*) as "n" from "tasks" where "status" <> $1 group by "project_id") select "projects"."name", "sq"."n" from "sq" inner join "projects" on "sq"."project_id" = "projects"."id" where "n" > $2 and "projects"."archived_at" is null`,
    values: ['done', 3],
  },
  {
    name: 'Knex: first',
    sql: `select * from "organizations" where "slug" = $1 limit $2`,
    values: ['acme', 1],
  },
  {
    name: 'Knex: whereRaw and orderByRaw',
    sql: `select "t".*, "p"."name" as "projectName" from "tasks" as "t" inner join "projects" as "p" on "p"."id" = "t"."project_id" where t.due_on < now() + interval '3 days' and "t"."status" in ($1, $2) and lower(t.title) like '%' || lower($3) || '%' order by t.priority desc, t.due_on nulls first limit $4`,
    values: ['open', 'late', 'invoice', 50],
  },
  {
    name: 'Knex: countDistinct and clearSelect',
    sql: `select count(distinct "t"."assignee_id") as "n", min("t"."due_on") from "tasks" as "t" where "t"."created_at" between $1 and $2 and "t"."assignee_id" is not null`,
    values: ['2026-01-01', '2026-02-01'],
  },
  {
    name: 'Knex: union',
    sql: `(select "id", 'task' as "type", "title" as "text" from "tasks" where "title" ilike $1 limit $2) union all (select "id", 'comment', "body" from "comments" where "body" ilike $3 limit $4) order by "text" limit 20`,
    values: ['%a%', 5, '%a%', 5],
  },
  {
    name: 'Knex: increment',
    sql: `update "invoice_items" set "quantity" = "quantity" + $1 where "invoice_id" = $2 and "quantity" - $3 >= 0`,
    values: [1, 9, 2],
  },
  {
    name: 'Knex: del with a subquery',
    sql: `delete from "comments" where "task_id" in (select "id" from "tasks" where "project_id" = $1) and "created_at" < $2`,
    values: [99, '2020-01-01'],
  },
  {
    name: 'Kysely: json helpers',
    sql: `select "o"."name", (select coalesce(json_agg(agg), '[]') from (select "p"."id", "p"."name" from "projects" as "p" where "p"."organization_id" = "o"."id" order by "p"."name") as agg) as "projects", (select to_json(obj) from (select "u"."id", "u"."name" from "users" as "u" inner join "memberships" as "m" on "m"."user_id" = "u"."id" where "m"."organization_id" = "o"."id" and "m"."role" = $1 limit 1) as obj) as "owner" from "organizations" as "o" where "o"."id" = $2`,
    values: ['owner', 3],
  },
  {
    name: 'jOOQ: seek',
    sql: `select "public"."events"."id", "public"."events"."kind" from "public"."events" where ("public"."events"."organization_id" = $1 and ("public"."events"."created_at" < cast($2 as timestamp with time zone) or ("public"."events"."created_at" = cast($2 as timestamp with time zone) and "public"."events"."id" < $3))) order by "public"."events"."created_at" desc, "public"."events"."id" desc fetch next $4 rows only`,
    values: [3, '2026-03-01', 900, 50],
  },
  {
    name: 'jOOQ: dateadd and decode',
    sql: `select (cast($1 as date) + ($2 || ' day')::interval), case "status" when $3 then $4 when $5 then $6 else $7 end from "public"."tasks" where "due_on" > (current_date - cast($8 as integer))`,
    values: ['2026-01-01', '3', 'open', 'o', 'done', 'd', '?', 30],
  },
  {
    name: 'Hibernate: entity graph',
    sql: `select t1_0.id,t1_0.title,p1_0.id,p1_0.name,c1_0.task_id,c1_0.id,c1_0.body from tasks t1_0 join projects p1_0 on p1_0.id=t1_0.project_id left join comments c1_0 on t1_0.id=c1_0.task_id where t1_0.id=$1`,
    values: [7],
  },
  {
    name: 'Hibernate: criteria',
    sql: `select count(t1_0.id) from tasks t1_0 where t1_0.status=$1 and lower(t1_0.title) like $2 escape '' and t1_0.estimate_hours*$3>$4 and (t1_0.assignee_id is null or t1_0.assignee_id=any ($5))`,
    values: ['open', '%a%', 2, 1.5, [1, 2]],
  },
  {
    name: 'Hibernate: page',
    sql: `select u1_0.id,u1_0.email from users u1_0 order by u1_0.name offset $1 rows fetch first $2 rows only`,
    values: [20, 10],
  },
  {
    name: 'Hibernate: optimistic update',
    sql: `update tasks set title=$1,status=$2,position=$3 where id=$4 and position=$5`,
    values: ['x', 'open', 2, 7, 1],
  },
  {
    name: 'Spring Data: optional filters',
    sql: `select p.id, p.name from projects p where ($1::text is null or p.name like concat('%', $1, '%')) and (cast($2 as text) is null or p.budget > cast($2 as numeric)) and coalesce(p.archived_at, $3) > $4`,
    values: ['a', '10', '2026-01-01', '2025-01-01'],
  },
  {
    name: 'GORM: preload and scopes',
    sql: `SELECT * FROM "invoices" WHERE organization_id = $1 AND issued_on >= $2 AND "invoices"."status" <> 'void' ORDER BY "invoices"."id" LIMIT $3`,
    values: [3, '2026-01-01', 100],
  },
  {
    name: 'GORM: upsert of several rows',
    sql: `INSERT INTO "tags" ("organization_id","name") VALUES ($1,$2),($3,$4) ON CONFLICT ("organization_id","name") DO NOTHING RETURNING "id"`,
    values: [3, 'x', 3, 'y'],
  },
  {
    name: 'sqlc: coalesce(sqlc.narg(…))',
    sql: `UPDATE users SET name = coalesce($1, name), email = coalesce($2, email), last_seen_at = CASE WHEN $3::boolean THEN now() ELSE last_seen_at END WHERE id = $4 RETURNING id, name`,
    values: ['Ada', null, true, 42],
  },
  {
    name: 'sqlc: unnest',
    sql: `INSERT INTO task_tags (task_id, tag_id) SELECT unnest($1::bigint[]), unnest($2::int[]) WHERE $3 ON CONFLICT DO NOTHING`,
    values: [[1], [2], false],
  },
];
