import type { ApiQuery } from './query.ts';

/** As ActiveRecord writes them: values as parameters of prepared statements, but lists, intervals and fragments as constants. */
export const activerecord: readonly ApiQuery[] = [
  {
    name: 'ActiveRecord: find',
    sql: 'SELECT "users".* FROM "users" WHERE "users"."id" = $1 LIMIT $2',
    values: [42, 1],
  },
  {
    name: 'ActiveRecord: exists?',
    sql: 'SELECT 1 AS one FROM "users" WHERE "users"."email" = $1 AND "users"."id" != $2 LIMIT $3',
    values: ['ada@example.com', 42, 1],
  },
  {
    name: 'ActiveRecord: includes',
    sql: 'SELECT "comments".* FROM "comments" WHERE "comments"."task_id" IN ($1, $2, $3, $4, $5)',
    values: [1, 2, 3, 4, 5],
  },
  {
    name: 'ActiveRecord: eager_load with limit',
    sql: `SELECT DISTINCT "tasks"."created_at" AS alias_0, "tasks"."id" FROM "tasks" LEFT OUTER JOIN "comments" ON "comments"."task_id" = "tasks"."id" WHERE "tasks"."project_id" = $1 AND "comments"."body" LIKE '%bug%' ORDER BY "tasks"."created_at" DESC LIMIT $2`,
    values: [7, 25],
  },
  {
    name: 'ActiveRecord: where with ranges',
    sql: `SELECT COUNT(*) FROM "events" WHERE "events"."created_at" BETWEEN '2026-01-01 00:00:00' AND '2026-01-31 23:59:59.999999' AND "events"."kind" = 'request'`,
  },
  {
    name: 'ActiveRecord: group by day (groupdate)',
    sql: `SELECT COUNT(*) AS "count_all", DATE_TRUNC('day', "events"."created_at"::timestamptz AT TIME ZONE 'Europe/Zurich')::date AS "date_trunc_day" FROM "events" WHERE "events"."organization_id" = 3 AND ("events"."created_at" IS NOT NULL) GROUP BY DATE_TRUNC('day', "events"."created_at"::timestamptz AT TIME ZONE 'Europe/Zurich')::date`,
  },
  {
    name: 'ActiveRecord: group by week (groupdate)',
    sql: `SELECT COUNT(*) AS count_all, (DATE_TRUNC('day', ("tasks"."created_at"::timestamptz - INTERVAL '0 second') AT TIME ZONE 'Etc/UTC') - EXTRACT(DOW FROM ("tasks"."created_at"::timestamptz - INTERVAL '0 second') AT TIME ZONE 'Etc/UTC') * INTERVAL '1 day') AT TIME ZONE 'Etc/UTC' AS week FROM "tasks" GROUP BY (DATE_TRUNC('day', ("tasks"."created_at"::timestamptz - INTERVAL '0 second') AT TIME ZONE 'Etc/UTC') - EXTRACT(DOW FROM ("tasks"."created_at"::timestamptz - INTERVAL '0 second') AT TIME ZONE 'Etc/UTC') * INTERVAL '1 day') AT TIME ZONE 'Etc/UTC'`,
  },
  {
    name: 'ActiveRecord: find_in_batches',
    sql: 'SELECT "events".* FROM "events" WHERE "events"."id" > $1 AND ("events"."created_at" < now() - interval \'90 days\') ORDER BY "events"."id" ASC LIMIT $2',
    values: [1000, 1000],
  },
  {
    name: 'ActiveRecord: has_many through',
    sql: 'SELECT "tags".* FROM "tags" INNER JOIN "task_tags" ON "tags"."id" = "task_tags"."tag_id" WHERE "task_tags"."task_id" = $1 ORDER BY lower("tags"."name")',
    values: [7],
  },
  {
    name: 'ActiveRecord: or, not, merge',
    sql: `SELECT "projects".* FROM "projects" WHERE (("projects"."archived_at" IS NULL AND "projects"."budget" >= $1) OR "projects"."id" = $2) AND NOT ("projects"."name" = 'x' OR "projects"."organization_id" = 5) AND "projects"."organization_id" IN (SELECT "memberships"."organization_id" FROM "memberships" WHERE "memberships"."user_id" = $3)`,
    values: [1000.5, 7, 42],
  },
  {
    name: 'ActiveRecord: pluck with Arel.sql',
    sql: `SELECT "invoices"."status", sum(total) filter (where paid_at > '2026-01-01'), coalesce(max(issued_on), '1970-01-01') FROM "invoices" WHERE "invoices"."organization_id" = $1 GROUP BY "invoices"."status" HAVING (sum(total) > 100)`,
    values: [3],
  },
  {
    name: 'ActiveRecord: in_order_of',
    sql: `SELECT "tasks".* FROM "tasks" WHERE "tasks"."status" IN ('open', 'late', 'done') ORDER BY CASE WHEN "tasks"."status" = 'open' THEN 1 WHEN "tasks"."status" = 'late' THEN 2 WHEN "tasks"."status" = 'done' THEN 3 END ASC`,
  },
  {
    name: 'ActiveRecord: insert_all',
    sql: `INSERT INTO "tags" ("organization_id","name") VALUES (3, 'a'), (3, 'b') ON CONFLICT ("organization_id","name") DO UPDATE SET "name"=excluded."name" RETURNING "id"`,
  },
  {
    name: 'ActiveRecord: update',
    sql: 'UPDATE "tasks" SET "title" = $1, "updated_at" = $2 WHERE "tasks"."id" = $3',
    values: ['Write', '2026-03-01 10:00:00.123456', 7],
  },
  {
    name: 'ActiveRecord: update_all over a join',
    sql: `UPDATE "tasks" SET "status" = 'archived' WHERE "tasks"."id" IN (SELECT "tasks"."id" FROM "tasks" INNER JOIN "projects" ON "projects"."id" = "tasks"."project_id" WHERE "projects"."archived_at" IS NOT NULL)`,
  },
  {
    name: 'ActiveRecord: counter cache and touch',
    sql: `UPDATE "tasks" SET "position" = COALESCE("position", 0) + 1, "updated_at" = '2026-03-01 10:00:00.1' WHERE "tasks"."id" = 7`,
  },
  {
    name: 'ActiveRecord: with_lock',
    sql: 'SELECT "invoices".* FROM "invoices" WHERE "invoices"."id" = $1 LIMIT $2 FOR UPDATE',
    values: [1, 1],
  },
  {
    name: 'ActiveRecord: delete_all',
    sql: `DELETE FROM "sessions" WHERE "sessions"."expires_at" < '2026-01-01 00:00:00'`,
  },
  {
    name: 'GoodJob: dequeue',
    sql: `WITH "rows" AS MATERIALIZED ( SELECT "tasks"."id", "tasks"."priority" FROM "tasks" WHERE "tasks"."status" = 'queued' AND ("tasks"."due_on" <= '2026-03-01' OR "tasks"."due_on" IS NULL) ORDER BY "tasks"."priority" DESC NULLS LAST, "tasks"."created_at" ASC LIMIT 1000) SELECT "rows"."id" FROM "rows" WHERE pg_try_advisory_xact_lock(('x' || substr(md5('good_jobs' || '-' || "rows"."id"::text), 1, 16))::bit(64)::bigint) LIMIT 1`,
  },
  {
    name: 'pg_search',
    sql: `SELECT "tasks".*, (ts_rank((to_tsvector('simple', coalesce("tasks"."title"::text, ''))), (to_tsquery('simple', ''' ' || 'invoice' || ' ''' || ':*')), 0)) AS rank FROM "tasks" WHERE ((to_tsvector('simple', coalesce("tasks"."title"::text, ''))) @@ (to_tsquery('simple', ''' ' || 'invoice' || ' ''' || ':*'))) ORDER BY rank DESC, "tasks"."id" ASC LIMIT 20`,
  },
  {
    name: 'Rails: columns of a table',
    sql: `SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  },
];
