import type { ApiQuery } from './query.ts';

/** As servers and libraries write them that make SQL of a request: PostgREST, Hasura, PostGraphile, and queues of jobs. */
export const services: readonly ApiQuery[] = [
  {
    name: 'PostgREST: read',
    sql: `WITH pgrst_source AS (SELECT "public"."tasks"."id", "public"."tasks"."title", row_to_json("tasks_projects_1".*)::jsonb AS "projects" FROM "public"."tasks" LEFT JOIN LATERAL ( SELECT "projects_1"."name" FROM "public"."projects" AS "projects_1" WHERE "projects_1"."id" = "public"."tasks"."project_id" ) AS "tasks_projects_1" ON TRUE WHERE "public"."tasks"."status" = $1 AND "public"."tasks"."priority" >= $2 ORDER BY "public"."tasks"."id" ASC LIMIT $3 OFFSET $4 ) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted FROM ( SELECT * FROM pgrst_source ) _postgrest_t`,
    values: ['open', 2, 20, 0],
  },
  {
    name: 'PostgREST: write',
    sql: `WITH pgrst_source AS (WITH pgrst_payload AS (SELECT $1::json AS json_data), pgrst_body AS ( SELECT CASE WHEN json_typeof(json_data) = 'array' THEN json_data ELSE json_build_array(json_data) END AS val FROM pgrst_payload) INSERT INTO "public"."tags"("name", "organization_id") SELECT "pgrst_body"."name", "pgrst_body"."organization_id" FROM (SELECT json_data FROM pgrst_payload) pgrst_payload, LATERAL (SELECT "name", "organization_id" FROM json_to_record(pgrst_payload.json_data) AS _("name" text, "organization_id" bigint) ) pgrst_body RETURNING "public"."tags".*) SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, array[]::text[] AS header, coalesce(json_agg(_postgrest_t), '[]') AS body FROM (SELECT * FROM pgrst_source) _postgrest_t`,
    values: ['{"name":"rest","organization_id":3}'],
  },
  {
    name: 'PostgREST: settings',
    sql: `select set_config('search_path', $1, true), set_config('role', $2, true), set_config('request.jwt.claims', $3, true)`,
    values: ['public', 'postgres', '{}'],
  },
  {
    name: 'Hasura: nested query',
    sql: `SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.base"."name" AS "name", "_root.ar.root.tasks"."tasks" AS "tasks") AS "_e")) AS "root" FROM (SELECT * FROM "public"."projects" WHERE (("public"."projects"."organization_id") = (($1)::bigint)) ORDER BY "id" DESC NULLS FIRST LIMIT 10) AS "_root.base" LEFT OUTER JOIN LATERAL (SELECT coalesce(json_agg("tasks"), '[]') AS "tasks" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_b"."id" AS "id", "_b"."title" AS "title") AS "_e")) AS "tasks" FROM (SELECT * FROM "public"."tasks" WHERE (("_root.base"."id") = ("project_id")) LIMIT 5) AS "_b") AS "_x") AS "_root.ar.root.tasks" ON ('true')) AS "_root"`,
    values: [3],
  },
  {
    name: 'PostGraphile: connection',
    sql: `select to_json(json_build_array(__local_0__."id")) as "__identifiers", to_json((__local_0__."id")) as "id", to_json((__local_0__."title")) as "title" from (with __local_1__ as (select * from "public"."tasks" where ("project_id" = $1) and (TRUE) order by "id" ASC limit 21) select * from __local_1__) as __local_0__ order by __local_0__."id" limit 20`,
    values: [7],
  },
  {
    name: 'pg-boss: fetch',
    sql: `WITH next AS (SELECT id FROM tasks WHERE status < 'qzzz' AND title = $1 AND due_on < now() ORDER BY priority desc, created_at, id LIMIT $2 FOR UPDATE SKIP LOCKED) UPDATE tasks j SET status = 'active', updated_at = now(), position = CASE WHEN position > 0 THEN position + 1 ELSE position END FROM next WHERE j.id = next.id RETURNING j.id, j.title, EXTRACT(epoch FROM now() - j.created_at) as age`,
    values: ['mail', 5],
  },
  {
    name: 'Graphile Worker: get_job',
    sql: `with j as (select tasks.id from tasks where tasks.due_on is null and tasks.priority <= now()::date - date '2000-01-01' and tasks.title = any(array['mail','bill']::text[]) order by priority asc, created_at asc limit 1 for update skip locked) update tasks jobs set position = jobs.position + 1, updated_at = now() + interval '4 hours' from j where jobs.id = j.id returning *`,
  },
  {
    name: 'Que: poll',
    sql: `WITH RECURSIVE jobs AS (SELECT (j).*, pg_try_advisory_xact_lock((j).id) AS locked FROM (SELECT j FROM tasks AS j WHERE status = $1::text AND NOT id = ANY($2::bigint[]) ORDER BY priority, created_at, id LIMIT 1) AS t1 UNION ALL (SELECT (j).*, pg_try_advisory_xact_lock((j).id) AS locked FROM (SELECT (SELECT j FROM tasks AS j WHERE status = $1::text AND NOT id = ANY($2::bigint[]) AND (priority, created_at, id) > (jobs.priority, jobs.created_at, jobs.id) ORDER BY priority, created_at, id LIMIT 1) AS j FROM jobs WHERE jobs.id IS NOT NULL LIMIT 1) AS t1)) SELECT id, priority FROM jobs WHERE locked LIMIT $3::integer`,
    values: ['queued', [1, 2], 5],
  },
  {
    name: 'River: completer',
    sql: `WITH job_to_update AS (SELECT t.id FROM tasks t JOIN unnest($1::bigint[], $2::text[]) AS x(id, status) ON x.id = t.id WHERE t.status <> 'done'), updated AS (UPDATE tasks SET status = 'done', updated_at = coalesce($3::timestamptz, now()) FROM job_to_update WHERE tasks.id = job_to_update.id RETURNING tasks.*) SELECT id, status FROM tasks WHERE id IN (SELECT id FROM job_to_update EXCEPT SELECT id FROM updated) UNION SELECT id, status FROM updated`,
    values: [[1], ['done'], null],
  },
  {
    name: 'Auth.js: session and user',
    sql: `select s.*, row_to_json(u) as "user" from sessions s inner join users u on s.user_id = u.id where s.token = $1`,
    values: ['7d444840-9dc0-11d1-b245-5ffdce74fad2'],
  },
  {
    name: 'connect-pg-simple: touch',
    sql: `UPDATE "public"."sessions" SET expires_at = to_timestamp($1) WHERE token = $2 RETURNING token`,
    values: [1_800_000_000, '7d444840-9dc0-11d1-b245-5ffdce74fad2'],
  },
  {
    name: 'rate limit',
    sql: `with hit as (insert into events (organization_id, user_id, kind) values ($1, $2, 'hit') returning id) select count(*) + 1 as hits, extract(epoch from (min(created_at) + $3::interval - now()))::int as retry_after from events where organization_id = $1 and kind = 'hit' and created_at > now() - $3::interval`,
    values: [3, null, '1 minute'],
  },
  { name: 'health check', sql: 'select 1' },
  { name: 'who am I', sql: 'SELECT version(), current_user, current_database()' },
  { name: 'advisory lock', sql: 'select pg_try_advisory_xact_lock($1, hashtext($2))', values: [1, 'cron'] },
  {
    name: 'table exists',
    sql: `select exists (select from information_schema.tables where table_schema = 'public' and table_name = $1)`,
    values: ['users'],
  },
];
