/**
 * The catalog queries of the query part, for PostgreSQL 13 to 18. They read catalogs and counters only, take no lock on a
 * user's table, and bring no value of a column: the lists of common values stay where they are.
 * https://www.postgresql.org/docs/current/catalogs.html
 */

/**
 * The relations of those names, what its views are made of, and their columns, indexes and foreign keys. Sizes come from the
 * planner's page counts: to ask for the exact ones would be to wait for whoever holds the table's lock.
 *
 * $1: schemas, null where a statement names none; $2: the names.
 */
export const relationsSql = `
with recursive used as (
  select c.oid
  from unnest($1::text[], $2::text[]) as named(schema, name)
  join pg_class c on c.relname = named.name
  join pg_namespace n on n.oid = c.relnamespace and (named.schema is null or n.nspname = named.schema)
  where n.nspname not in ('information_schema', 'streamgate') and n.nspname !~ '^pg_'
  union
  select d.refobjid
  from used
  join pg_rewrite r on r.ev_class = used.oid
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_class'::regclass and d.deptype = 'n' and d.refobjid >= 16384
),
-- A partitioned table has no rows of its own: what is told of it is the sum over its leaves.
leaves as (
  select c.oid, leaf.oid as leaf
  from used join pg_class c on c.oid = used.oid
  cross join lateral (
    select c.oid where c.relkind <> 'p'
    union all
    select t.relid from pg_partition_tree(c.oid) t where c.relkind = 'p' and t.isleaf
  ) leaf
),
figures as (
  select
    leaves.oid,
    case when bool_and(l.reltuples < 0) then null else sum(greatest(l.reltuples, 0)) end as rows,
    sum(l.relpages) * current_setting('block_size')::int as bytes,
    case when sum(l.relpages) > 0 then least(sum(l.relallvisible)::float8 / sum(l.relpages), 1) else 1 end as visible,
    sum(pg_stat_get_numscans(l.oid)) as scans,
    sum(pg_stat_get_tuples_returned(l.oid)) as returned,
    sum(pg_stat_get_tuples_inserted(l.oid)) as inserted,
    sum(pg_stat_get_tuples_updated(l.oid)) as updated,
    sum(pg_stat_get_tuples_hot_updated(l.oid)) as hot,
    sum(pg_stat_get_tuples_deleted(l.oid)) as deleted,
    sum(pg_stat_get_live_tuples(l.oid)) as live,
    sum(pg_stat_get_dead_tuples(l.oid)) as dead,
    sum(pg_stat_get_mod_since_analyze(l.oid)) as changed,
    max(greatest(pg_stat_get_last_analyze_time(l.oid), pg_stat_get_last_autoanalyze_time(l.oid))) as analyzed,
    max(greatest(pg_stat_get_last_vacuum_time(l.oid), pg_stat_get_last_autovacuum_time(l.oid))) as vacuumed,
    coalesce(sum(i.scans), 0) as index_scans
  from leaves
  join pg_class l on l.oid = leaves.leaf
  left join lateral (
    select sum(pg_stat_get_numscans(x.indexrelid)) as scans from pg_index x where x.indrelid = l.oid
  ) i on true
  group by leaves.oid
)
select
  n.nspname as schema,
  c.relname as table,
  case c.relkind
    when 'r' then 'table' when 'p' then 'partitioned table' when 'm' then 'materialized view'
    when 'f' then 'foreign table' else 'view' end as kind,
  case when c.relkind <> 'v' then f.rows end as rows,
  f.bytes as "sizeBytes",
  coalesce(cols.list, '[]') as columns,
  coalesce(idx.list, '[]') as indexes,
  coalesce(refs.list, '[]') as "references",
  f.scans as "sequentialScans",
  f.returned as "sequentialRows",
  f.index_scans as "indexScans",
  f.inserted as inserts,
  f.updated as updates,
  f.hot as "hotUpdates",
  f.deleted as deletes,
  f.live as "liveRows",
  f.dead as "deadRows",
  f.changed as "changedSinceAnalyze",
  f.analyzed as "analyzedAt",
  f.vacuumed as "vacuumedAt",
  f.visible as "allVisibleFraction"
from used
join pg_class c on c.oid = used.oid
join pg_namespace n on n.oid = c.relnamespace
join figures f on f.oid = c.oid
left join lateral (
  select json_agg(json_build_object(
    'name', a.attname,
    'type', format_type(a.atttypid, a.atttypmod),
    'notNull', a.attnotnull,
    'statistics', case when s.attname is not null then json_build_object(
      'distinct', case when s.n_distinct < 0 then -s.n_distinct * greatest(f.rows, 1) else s.n_distinct end,
      'nullFraction', s.null_frac,
      'averageBytes', s.avg_width,
      'correlation', s.correlation,
      'commonestFraction', s.most_common_freqs[1],
      'rarestListedFraction', s.most_common_freqs[array_upper(s.most_common_freqs, 1)]) end
  ) order by a.attnum) as list
  from pg_attribute a
  left join lateral (
    select * from pg_stats p
    where p.schemaname = n.nspname and p.tablename = c.relname and p.attname = a.attname
    order by p.inherited = (c.relkind = 'p') desc
    limit 1
  ) s on true
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
) cols on true
left join lateral (
  select json_agg(json_build_object(
    'name', ic.relname,
    'method', am.amname,
    'columns', keys.columns,
    'expressions', keys.expressions,
    'descending', keys.descending,
    'operatorClasses', keys.operator_classes,
    'included', array(
      select a.attname from unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
      where k.place > i.indnkeyatts order by k.place),
    'predicate', pg_get_expr(i.indpred, i.indrelid),
    'unique', i.indisunique,
    'primary', i.indisprimary,
    'valid', i.indisvalid,
    'sizeBytes', ic.relpages::float8 * current_setting('block_size')::int
  ) order by ic.relname) as list
  from pg_index i
  join pg_class ic on ic.oid = i.indexrelid
  join pg_am am on am.oid = ic.relam
  cross join lateral (
    select
      json_agg(a.attname order by k.place) as columns,
      json_agg(case when a.attname is null then pg_get_indexdef(i.indexrelid, k.place::int, false) end order by k.place) as expressions,
      json_agg(i.indoption[k.place - 1] & 1 = 1 order by k.place) as descending,
      json_agg(o.opcname order by k.place) as operator_classes
    from unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
    left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum and k.attnum <> 0
    left join pg_opclass o on o.oid = i.indclass[k.place - 1]
    where k.place <= i.indnkeyatts
  ) keys
  where i.indrelid = c.oid
) idx on true
left join lateral (
  select json_agg(json_build_object(
    'columns', array(
      select a.attname from unnest(fk.conkey) with ordinality as k(attnum, place)
      join pg_attribute a on a.attrelid = fk.conrelid and a.attnum = k.attnum order by k.place),
    'toSchema', tn.nspname,
    'toTable', t.relname,
    'toColumns', array(
      select a.attname from unnest(fk.confkey) with ordinality as k(attnum, place)
      join pg_attribute a on a.attrelid = fk.confrelid and a.attnum = k.attnum order by k.place)
  ) order by fk.conname) as list
  from pg_constraint fk
  join pg_class t on t.oid = fk.confrelid
  join pg_namespace tn on tn.oid = t.relnamespace
  where fk.contype = 'f' and fk.conrelid = c.oid
) refs on true
where c.relkind in ('r', 'p', 'm', 'f', 'v')
order by n.nspname, c.relname`;

/**
 * What the settings are when nobody sets them for a session, as this one does.
 * https://www.postgresql.org/docs/current/view-pg-settings.html
 */
export const settingsSql = `
select
  max(reset_val::float8) filter (where name = 'work_mem') as "workMemKilobytes",
  max(reset_val::float8) filter (where name = 'hash_mem_multiplier') as "hashMemMultiplier",
  max(reset_val::float8) filter (where name = 'effective_cache_size') * current_setting('block_size')::int / 1024
    as "effectiveCacheSizeKilobytes",
  max(reset_val::float8) filter (where name = 'random_page_cost') as "randomPageCost",
  max(reset_val::float8) filter (where name = 'seq_page_cost') as "seqPageCost",
  bool_or(reset_val::bool) filter (where name = 'jit') as jit,
  max(reset_val::float8) filter (where name = 'jit_above_cost') as "jitAboveCost",
  max(reset_val::float8) filter (where name = 'max_parallel_workers_per_gather') as "parallelWorkersPerGather",
  max(reset_val::float8) filter (where name = 'max_parallel_workers') as "parallelWorkers",
  bool_or(reset_val::bool) filter (where name = 'track_io_timing') as "trackIoTiming",
  coalesce(bool_or(reset_val::bool) filter (where name = 'pg_stat_statements.track_planning'), false) as "trackPlanning",
  max(reset_val::float8) filter (where name = 'pg_stat_statements.max') as "statementsMax",
  max(reset_val::float8) filter (where name = 'default_statistics_target') as "defaultStatisticsTarget"
from pg_settings`;

/** So many transactions are told of, the oldest first: where there are more, they have one cause. */
const maxTransactions = 100;

/** Transactions of other sessions that are open for longer than a second; their texts stay where they are. */
export function transactionsSql(versionNumber: number): string {
  return `
select
  a.pid,
  coalesce(a.state, 'unknown') as state,
  a.usename as role,
  coalesce(a.application_name, '') as application,
  extract(epoch from clock_timestamp() - a.xact_start)::float8 * 1000 as "ageMs",
  coalesce(extract(epoch from clock_timestamp() - a.state_change)::float8 * 1000, 0) as "stateMs",
  ${versionNumber >= 140_000 ? 'nullif(a.query_id, 0)::text' : 'null::text'} as "queryId",
  age(a.backend_xmin) as "xminAge",
  a.wait_event_type as "waitsFor",
  case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) else '{}' end as "blockedBy"
from pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid()
  and a.backend_type = 'client backend'
  and a.xact_start < clock_timestamp() - interval '1 second'
order by a.xact_start
limit ${maxTransactions}`;
}
