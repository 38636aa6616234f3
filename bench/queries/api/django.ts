import type { ApiQuery } from './query.ts';

/** As Django and SQLAlchemy write them: the driver puts the values into the text (psycopg2), or the mapper casts them (psycopg 3). */
export const django: readonly ApiQuery[] = [
  {
    name: 'Django: get',
    sql: `SELECT "users"."id", "users"."email", "users"."name" FROM "users" WHERE "users"."id" = 42 LIMIT 21`,
  },
  {
    name: 'Django: select_related',
    sql: `SELECT "tasks"."id", "tasks"."title", "projects"."id", "projects"."name" FROM "tasks" INNER JOIN "projects" ON ("tasks"."project_id" = "projects"."id") LEFT OUTER JOIN "users" ON ("tasks"."assignee_id" = "users"."id") WHERE ("projects"."organization_id" = 3 AND NOT ("tasks"."status" IN ('done', 'dropped') AND "tasks"."status" IS NOT NULL)) ORDER BY "tasks"."due_on" ASC NULLS LAST LIMIT 20 OFFSET 20`,
  },
  {
    name: 'Django: icontains and istartswith',
    sql: `SELECT "users"."id" FROM "users" WHERE (UPPER("users"."name"::text) LIKE UPPER('%ada%') OR UPPER("users"."email"::text) LIKE UPPER('ada%'))`,
  },
  {
    name: 'Django: annotate with Case',
    sql: `SELECT "projects"."id", COUNT("tasks"."id") FILTER (WHERE "tasks"."status" = 'done') AS "done", CASE WHEN COUNT("tasks"."id") > 10 THEN 'big' WHEN COUNT("tasks"."id") > 0 THEN 'small' ELSE NULL END AS "size" FROM "projects" LEFT OUTER JOIN "tasks" ON ("projects"."id" = "tasks"."project_id") GROUP BY "projects"."id" HAVING COUNT("tasks"."id") > 2 ORDER BY 2 DESC`,
  },
  {
    name: 'Django: TruncMonth',
    sql: `SELECT DATE_TRUNC('month', "invoices"."paid_at" AT TIME ZONE 'UTC') AS "month", SUM("invoices"."total") AS "sum" FROM "invoices" WHERE "invoices"."paid_at" >= '2025-01-01T00:00:00+00:00'::timestamptz GROUP BY 1 ORDER BY 1 ASC`,
  },
  {
    name: 'Django: ExtractYear, year lookup',
    sql: `SELECT EXTRACT(YEAR FROM "invoices"."issued_on") AS "year", COUNT(*) AS "n" FROM "invoices" WHERE ("invoices"."issued_on" BETWEEN '2025-01-01'::date AND '2025-12-31'::date AND EXTRACT(MONTH FROM "invoices"."issued_on") = 3) GROUP BY EXTRACT(YEAR FROM "invoices"."issued_on")`,
  },
  {
    name: 'Django: Coalesce, F and ExpressionWrapper',
    sql: `SELECT "invoice_items"."id", ("invoice_items"."quantity" * "invoice_items"."unit_price") AS "amount", COALESCE("invoice_items"."unit_price", 0.0) AS "price", (("invoice_items"."quantity" * 100) / 7) AS "share" FROM "invoice_items" WHERE ("invoice_items"."quantity" + 1) > ("invoice_items"."unit_price" - 2.5)`,
  },
  {
    name: 'Django: Exists and OuterRef',
    sql: `SELECT "users"."id", EXISTS(SELECT 1 AS "a" FROM "tasks" U0 WHERE (U0."assignee_id" = ("users"."id") AND U0."status" = 'open') LIMIT 1) AS "busy" FROM "users" WHERE "users"."last_seen_at" > ((NOW() AT TIME ZONE 'UTC') - '7 days 00:00:00.000000'::interval)`,
  },
  {
    name: 'Django: Subquery',
    sql: `SELECT "tasks"."id", (SELECT U0."body" FROM "comments" U0 WHERE U0."task_id" = ("tasks"."id") ORDER BY U0."created_at" DESC LIMIT 1) AS "last" FROM "tasks" WHERE "tasks"."project_id" IN (1, 2, 3)`,
  },
  {
    name: 'Django: values and distinct',
    sql: `SELECT DISTINCT ON ("tasks"."project_id") "tasks"."project_id" AS "col1", "tasks"."title" AS "col2" FROM "tasks" WHERE "tasks"."priority" >= 2 ORDER BY "tasks"."project_id" ASC, "tasks"."created_at" DESC`,
  },
  {
    name: 'Django: JSONField key transforms',
    sql: `SELECT "events"."id", ("events"."payload" -> 'browser') AS "browser" FROM "events" WHERE (("events"."payload" -> 'plan') = '"pro"'::jsonb AND ("events"."payload" #>> '{browser,name}') LIKE 'Fire%' AND "events"."payload" ? 'path' AND "events"."payload" @> '{"ok": true}'::jsonb AND ("events"."payload" -> 'tags' -> 0)::text = 'x')`,
  },
  {
    name: 'Django: ArrayField and range',
    sql: `SELECT "Product"."id" FROM "Product" WHERE ("Product"."tags" && (ARRAY['new', 'sale'])::text[] AND array_length("Product"."tags", 1) > 2 AND "Product"."tags"[1] = 'new')`,
  },
  {
    name: 'Django: search',
    sql: `SELECT "tasks"."id", ts_rank(setweight(to_tsvector('english'::regconfig, COALESCE("tasks"."title", '')), 'A'), plainto_tsquery('english'::regconfig, 'invoice')) AS "rank" FROM "tasks" WHERE to_tsvector('english'::regconfig, COALESCE("tasks"."title", '')) @@ (plainto_tsquery('english'::regconfig, 'invoice')) ORDER BY 2 DESC`,
  },
  {
    name: 'Django: window',
    sql: `SELECT * FROM (SELECT "invoices"."id" AS "col1", ROW_NUMBER() OVER (PARTITION BY "invoices"."organization_id" ORDER BY "invoices"."total" DESC) AS "qual0", LAG("invoices"."total", 1) OVER (ORDER BY "invoices"."issued_on") AS "before", NTILE(4) OVER (ORDER BY "invoices"."total") AS "quarter" FROM "invoices") "qualify" WHERE "qual0" <= 3`,
  },
  {
    name: 'Django: bulk_update',
    sql: `UPDATE "tasks" SET "position" = (CASE WHEN ("tasks"."id" = 1) THEN 10 WHEN ("tasks"."id" = 2) THEN 20 ELSE NULL END)::integer, "status" = CASE WHEN ("tasks"."id" = 1) THEN 'open' WHEN ("tasks"."id" = 2) THEN 'done' ELSE NULL END WHERE "tasks"."id" IN (1, 2) AND "tasks"."id" < 0`,
  },
  {
    name: 'Django: update with F',
    sql: `UPDATE "invoices" SET "total" = ("invoices"."total" + 12.50), "paid_at" = '2026-03-01T10:00:00+00:00'::timestamptz WHERE ("invoices"."status" = 'open' AND "invoices"."id" = 9)`,
  },
  {
    name: 'Django: delete, cascading by hand',
    sql: `DELETE FROM "task_tags" WHERE "task_tags"."task_id" IN (SELECT U0."id" FROM "tasks" U0 WHERE U0."project_id" = 99)`,
  },
  {
    name: 'Django: bulk_create, ignoring conflicts',
    sql: `INSERT INTO "memberships" ("organization_id", "user_id", "role") SELECT * FROM UNNEST(('{3}')::bigint[], ('{42}')::bigint[], ('{member}')::text[]) WHERE false ON CONFLICT DO NOTHING`,
  },
  {
    name: 'Django: select_for_update',
    sql: `SELECT "tasks"."id" FROM "tasks" WHERE "tasks"."id" = 7 LIMIT 21 FOR NO KEY UPDATE SKIP LOCKED`,
  },
  {
    name: 'SQLAlchemy: casts of asyncpg',
    sql: `SELECT tasks.id, tasks.title FROM tasks JOIN projects ON projects.id = tasks.project_id WHERE projects.organization_id = $1::BIGINT AND tasks.status = $2::VARCHAR AND tasks.due_on < $3::DATE ORDER BY tasks.id LIMIT $4::INTEGER OFFSET $5::INTEGER`,
    values: [3, 'open', '2026-03-01', 20, 0],
  },
  {
    name: 'SQLAlchemy: selectinload',
    sql: `SELECT comments.task_id AS comments_task_id, comments.id AS comments_id FROM comments WHERE comments.task_id IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)`,
  },
  {
    name: 'SQLAlchemy: tuple_ IN',
    sql: `SELECT memberships.role FROM memberships WHERE (memberships.organization_id, memberships.user_id) IN ((3, 1), (3, 2), (4, 1))`,
  },
  {
    name: 'SQLAlchemy: cte and func',
    sql: `WITH totals AS (SELECT invoices.organization_id AS organization_id, sum(invoices.total) AS total FROM invoices WHERE invoices.status = 'paid' GROUP BY invoices.organization_id) SELECT organizations.name, coalesce(totals.total, 0) AS coalesce_1, round(CAST(totals.total / 12.0 AS NUMERIC(10, 2)), 1) AS monthly FROM organizations LEFT OUTER JOIN totals ON totals.organization_id = organizations.id ORDER BY coalesce(totals.total, 0) DESC`,
  },
  {
    name: 'SQLAlchemy: insert from a select that returns',
    sql: `INSERT INTO events (organization_id, kind, payload) SELECT o.id, p1::VARCHAR, p2::JSONB FROM organizations o, (VALUES ('audit', '{"a": 1}', 0)) AS imp_sen(p1, p2, sen_counter) WHERE o.slug = 'nobody' ORDER BY sen_counter RETURNING events.id, events.id AS id__1`,
  },
];
