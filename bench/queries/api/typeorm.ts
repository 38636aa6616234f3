import type { ApiQuery } from './query.ts';

/** As TypeORM and Sequelize write them: aliases for every column, and paging around a DISTINCT. */
export const typeorm: readonly ApiQuery[] = [
  {
    name: 'TypeORM: findOne',
    sql: `SELECT "User"."id" AS "User_id", "User"."email" AS "User_email", "User"."name" AS "User_name" FROM "users" "User" WHERE (("User"."id" = $1)) LIMIT 1`,
    values: [42],
  },
  {
    name: 'TypeORM: paging over a join',
    sql: `SELECT DISTINCT "distinctAlias"."Task_id" AS "ids_Task_id", "distinctAlias"."Task_created_at" FROM (SELECT "Task"."id" AS "Task_id", "Task"."title" AS "Task_title", "Task"."created_at" AS "Task_created_at", "Task__Task_comments"."id" AS "Task__Task_comments_id" FROM "tasks" "Task" LEFT JOIN "comments" "Task__Task_comments" ON "Task__Task_comments"."task_id"="Task"."id" WHERE (("Task"."project_id" = $1))) "distinctAlias" ORDER BY "distinctAlias"."Task_created_at" DESC, "Task_id" ASC LIMIT 10 OFFSET 20`,
    values: [7],
  },
  {
    name: 'TypeORM: the page itself',
    sql: `SELECT "Task"."id" AS "Task_id", "c"."body" AS "c_body" FROM "tasks" "Task" LEFT JOIN "comments" "c" ON "c"."task_id"="Task"."id" WHERE ( (("Task"."project_id" = $1)) ) AND ( "Task"."id" IN (1, 2, 3) ) ORDER BY "Task"."created_at" DESC`,
    values: [7],
  },
  {
    name: 'TypeORM: findAndCount',
    sql: `SELECT COUNT(DISTINCT("Task"."id")) AS "cnt" FROM "tasks" "Task" LEFT JOIN "users" "u" ON "u"."id"="Task"."assignee_id" WHERE "u"."name" ILIKE $1`,
    values: ['%ada%'],
  },
  {
    name: 'TypeORM: exists',
    sql: `SELECT 1 AS "row_exists" FROM (SELECT 1 AS dummy_column) "dummy_table" WHERE EXISTS (SELECT 1 FROM "users" "User" WHERE (("User"."email" = $1))) LIMIT 1`,
    values: ['ada@example.com'],
  },
  {
    name: 'TypeORM: Between, In and Not',
    sql: `SELECT "i"."id" AS "i_id" FROM "invoices" "i" WHERE "i"."issued_on" BETWEEN $1 AND $2 AND "i"."status" IN ($3, $4) AND NOT("i"."number" = $5) AND "i"."paid_at" IS NOT NULL`,
    values: ['2026-01-01', '2026-02-01', 'paid', 'open', 'A-1'],
  },
  {
    name: 'TypeORM: insert',
    sql: `INSERT INTO "events"("organization_id", "kind", "payload", "created_at") VALUES ($1, $2, $3, DEFAULT) RETURNING "created_at", "id"`,
    values: [3, 'login', '{}'],
  },
  {
    name: 'TypeORM: update',
    sql: `UPDATE "tasks" SET "status" = $1, "updated_at" = CURRENT_TIMESTAMP WHERE "id" IN ($2)`,
    values: ['done', 7],
  },
  {
    name: 'TypeORM: increment',
    sql: `UPDATE "tasks" SET "position" = "position" + 1, "updated_at" = CURRENT_TIMESTAMP WHERE "project_id" = $1`,
    values: [7],
  },
  {
    name: 'TypeORM: softDelete',
    sql: `UPDATE "projects" SET "archived_at" = CURRENT_TIMESTAMP WHERE "id" IN ($1, $2, $3) AND "archived_at" IS NULL`,
    values: [1, 2, 3],
  },
  {
    name: 'TypeORM: query builder with a subquery',
    sql: `SELECT "p"."id" AS "p_id", (SELECT COUNT(*) FROM "tasks" "t" WHERE "t"."project_id" = "p"."id" AND "t"."status" = $1) AS "open" FROM "projects" "p" WHERE "p"."organization_id" = $2 GROUP BY "p"."id" HAVING (SELECT COUNT(*) FROM "tasks" "t" WHERE "t"."project_id" = "p"."id") > $3`,
    values: ['open', 3, 5],
  },
  {
    name: 'TypeORM: pessimistic lock',
    sql: `SELECT "i"."id" AS "i_id", "i"."total" AS "i_total" FROM "invoices" "i" WHERE "i"."id" = $1 FOR UPDATE OF "i" NOWAIT`,
    values: [1],
  },
  {
    name: 'TypeORM: columns of a table',
    sql: `SELECT columns.*, pg_catalog.col_description(('"' || table_catalog || '"."' || table_schema || '"."' || table_name || '"')::regclass::oid, ordinal_position) AS description, ('"' || "udt_schema" || '"."' || "udt_name" || '"')::"regtype" AS "regtype", pg_catalog.format_type("col_attr"."atttypid", "col_attr"."atttypmod") AS "format_type" FROM "information_schema"."columns" LEFT JOIN "pg_catalog"."pg_attribute" AS "col_attr" ON "col_attr"."attname" = "columns"."column_name" AND "col_attr"."attrelid" = ( SELECT "cls"."oid" FROM "pg_catalog"."pg_class" AS "cls" LEFT JOIN "pg_catalog"."pg_namespace" AS "ns" ON "ns"."oid" = "cls"."relnamespace" WHERE "cls"."relname" = "columns"."table_name" AND "ns"."nspname" = "columns"."table_schema" ) WHERE ("table_schema" = 'public' AND "table_name" = 'nobody')`,
  },
  {
    name: 'Sequelize: findAll with include',
    sql: `SELECT "Task"."id", "Task"."title", "assignee"."id" AS "assignee.id", "assignee"."name" AS "assignee.name" FROM "tasks" AS "Task" LEFT OUTER JOIN "users" AS "assignee" ON "Task"."assignee_id" = "assignee"."id" AND "assignee"."is_active" = true WHERE ("Task"."status" = 'open' AND "Task"."priority" > 2) ORDER BY "Task"."id" ASC LIMIT 10 OFFSET 0`,
  },
  {
    name: 'Sequelize: Op.or, Op.like, Op.contains',
    sql: `SELECT "id", "sku" FROM "Product" AS "Product" WHERE ("Product"."deletedAt" IS NULL AND (("Product"."name" ILIKE '%lamp%' OR "Product"."sku" LIKE 'LA-%') AND "Product"."tags" @> ARRAY['new','sale']::TEXT[]))`,
  },
  {
    name: 'Sequelize: JSON',
    sql: `SELECT "id" FROM "Product" AS "Product" WHERE ("Product"."attributes"#>>'{size,unit}') = 'cm' AND CAST(("Product"."attributes"#>>'{size,width}') AS DOUBLE PRECISION) > 10`,
  },
  {
    name: 'Sequelize: findOrCreate',
    sql: `WITH "created" AS (INSERT INTO "tags" ("organization_id", "name") VALUES (3, 'later') ON CONFLICT DO NOTHING RETURNING "id") SELECT "id" FROM "created" UNION ALL SELECT "id" FROM "tags" WHERE "organization_id" = 3 AND "name" = 'later' LIMIT 1`,
  },
  {
    name: 'Sequelize: bulk update',
    sql: `UPDATE "tasks" SET "status"=$1,"updated_at"=$2 WHERE "project_id" = $3 AND "due_on" < $4 RETURNING "id","status"`,
    values: ['late', '2026-03-01 10:00:00.000 +00:00', 7, '2026-03-01'],
  },
];
