/** The catalog queries about tables, for PostgreSQL 13 to 18. They read catalogs and counters only, never a table's rows. */
import { escapeIdentifier } from 'pg';
import { lockedRelations, lookedAt } from '../indexes/catalog.sql.ts';

/** Every table and materialized view, largest first. The counters of a partitioned table are zero. */
export function tablesSql(versionNumber: number): string {
  const enforced = versionNumber >= 180_000 ? 'and con.conenforced' : '';
  return `
with ${lockedRelations},
published as materialized (
  -- Without FOR ALL TABLES a publication names its tables, or since PostgreSQL 15 their schemas.
  select relid from pg_publication p, pg_get_publication_tables(p.pubname) where p.pubupdate or p.pubdelete)
select
  n.nspname as schema,
  t.relname as table,
  case t.relkind when 'p' then 'partitioned table' when 'm' then 'materialized view' else 'table' end as kind,
  case when t.relispartition then (
    select format('%I.%I', pn.nspname, p.relname)
    from pg_inherits h join pg_class p on p.oid = h.inhparent join pg_namespace pn on pn.oid = p.relnamespace
    where h.inhrelid = t.oid) end as parent,
  format('%I.%I', n.nspname, t.relname) as sql,
  case when t.reltuples < 0 then null else t.reltuples::int8 end as rows,
  -- Of the table alone: to ask for its TOAST table too is to wait for whoever reindexes that.
  pg_relation_size(t.oid) as "sizeBytes",
  coalesce(toast.relpages, 0)::int8 * current_setting('block_size')::int8 as "toastBytes",
  coalesce(pg_stat_get_numscans(t.oid), 0) as "sequentialScans",
  coalesce(pg_stat_get_tuples_returned(t.oid), 0) as "sequentialRows",
  coalesce(pg_stat_get_tuples_inserted(t.oid), 0) as inserts,
  coalesce(pg_stat_get_tuples_updated(t.oid), 0) as updates,
  coalesce(pg_stat_get_tuples_hot_updated(t.oid), 0) as "hotUpdates",
  coalesce(pg_stat_get_tuples_deleted(t.oid), 0) as deletes,
  coalesce(pg_stat_get_live_tuples(t.oid), 0) as "liveRows",
  coalesce(pg_stat_get_dead_tuples(t.oid), 0) as "deadRows",
  coalesce(pg_stat_get_mod_since_analyze(t.oid), 0) as "changedSinceAnalyze",
  greatest(pg_stat_get_last_analyze_time(t.oid), pg_stat_get_last_autoanalyze_time(t.oid)) as "analyzedAt",
  greatest(pg_stat_get_last_vacuum_time(t.oid), pg_stat_get_last_autovacuum_time(t.oid)) as "vacuumedAt",
  coalesce(
    case when t.reloptions is not null then
      (select option_value::int from pg_options_to_table(t.reloptions) where option_name = 'fillfactor') end, 100) as fillfactor,
  coalesce(
    case when t.reloptions is not null then
      (select option_value::bool from pg_options_to_table(t.reloptions) where option_name = 'autovacuum_enabled') end, true)
    as autovacuum,
  case when t.relkind <> 'p' then greatest(age(t.relfrozenxid), coalesce(age(toast.relfrozenxid), 0)) end as "transactionAge",
  case when t.relkind <> 'p' then greatest(mxid_age(t.relminmxid), coalesce(mxid_age(toast.relminmxid), 0)) end as "multixactAge",
  exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary) as "hasPrimaryKey",
  case t.relreplident when 'd' then 'default' when 'n' then 'nothing' when 'f' then 'full' else 'index' end as "replicaIdentity",
  t.oid in (select relid from published) as "publishesChanges",
  coalesce((
    select json_agg(format('%I', con.conname) order by con.conname) from pg_constraint con
    -- What it has from its parent is validated with that.
    where con.conrelid = t.oid and not con.convalidated ${enforced} and con.coninhcount = 0), '[]') as "notValidated",
  coalesce((
    select json_agg(a.attname order by a.attnum) from pg_attribute a
    where a.attrelid = t.oid and a.attnum > 0 and a.attnotnull and not a.attisdropped), '[]') as "notNull",
  t.oid
from pg_class t join pg_namespace n on n.oid = t.relnamespace left join pg_class toast on toast.oid = t.reltoastrelid
where t.relkind in ('r', 'p', 'm') and ${lookedAt}
order by "sizeBytes" desc, 1, 2`;
}

/**
 * What ANALYZE knows of the columns of b-tree indexes of tables of at least so many pages ($1); no value of them.
 * https://www.postgresql.org/docs/current/view-pg-stats.html
 */
export const columnsSql = `
with ${lockedRelations},
large as materialized (
  select t.oid, n.nspname, t.relname, t.reltuples
  from pg_class t join pg_namespace n on n.oid = t.relnamespace
  where t.relkind in ('r', 'm') and t.relpages >= $1 and ${lookedAt}),
keys as materialized (
  select distinct t.oid, t.nspname, t.relname, t.reltuples, a.attname
  from large t join pg_index i on i.indrelid = t.oid
  join pg_class c on c.oid = i.indexrelid join pg_am am on am.oid = c.relam
  cross join unnest(i.indkey) as key(attnum)
  join pg_attribute a on a.attrelid = t.oid and a.attnum = key.attnum
  where am.amname = 'btree')
select
  s.schemaname as schema,
  s.tablename as table,
  s.attname as column,
  s.avg_width as "averageBytes",
  s.null_frac::float8 as "nullFraction",
  case when s.n_distinct >= 0 then s.n_distinct else -s.n_distinct * greatest(keys.reltuples, 0) end::float8 as distinct,
  s.correlation::float8 as correlation,
  coalesce(cardinality(s.most_common_freqs), 0) as "listedValues",
  coalesce((select sum(f) from unnest(s.most_common_freqs) f), 0)::float8 as "listedFraction",
  s.most_common_freqs[cardinality(s.most_common_freqs)]::float8 as "rarestListedFraction"
from keys
-- One by one: a join with pg_stats would first make all of it, because it guards what the role may not see.
cross join lateral (
  select * from pg_stats
  where schemaname = keys.nspname and tablename = keys.relname and attname = keys.attname and not inherited) s
order by 1, 2, 3`;

/** How many tables there are of at least so many pages ($1) whose statistics the role may not see. */
export const hiddenStatisticsSql = `
with ${lockedRelations}
select count(*) as hidden
from pg_class t join pg_namespace n on n.oid = t.relnamespace
where t.relkind in ('r', 'm') and t.relpages >= $1 and ${lookedAt}
  and not has_any_column_privilege(t.oid, 'select')`;

/**
 * Every sequence that ends, without its value: a sequence's own, and that of the column that it fills. A sequence that somebody
 * alters is left out.
 */
export const sequencesSql = `
select
  c.oid,
  n.nspname as schema,
  c.relname as sequence,
  format('%I.%I', n.nspname, c.relname) as sql,
  s.seqstart::text as start,
  s.seqmin::text as min,
  s.seqmax::text as max,
  s.seqincrement::text as increment,
  format_type(s.seqtypid, null) as type,
  has_sequence_privilege(c.oid, 'usage, select') as "mayRead",
  (select json_build_object('schema', tn.nspname, 'table', t.relname, 'column', a.attname, 'type', format_type(a.atttypid, null),
      'sql', format('%I.%I', tn.nspname, t.relname), 'columnSql', format('%I', a.attname))
    from (
      -- SERIAL and IDENTITY own their sequence; a DEFAULT only depends on it.
      select d.refobjid as relation, d.refobjsubid as attnum, 1 as rank from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
        and d.deptype in ('a', 'i') and d.refobjsubid > 0
      union all
      select def.adrelid, def.adnum, 2 from pg_depend d join pg_attrdef def on def.oid = d.objid
      where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
    ) filled
    join pg_class t on t.oid = filled.relation join pg_namespace tn on tn.oid = t.relnamespace
    join pg_attribute a on a.attrelid = t.oid and a.attnum = filled.attnum
    -- The narrowest column fills first.
    order by a.attlen, filled.rank, t.oid limit 1) as column
from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
where not s.seqcycle and c.relpersistence <> 't'
  -- On a standby an unlogged sequence has no value.
  and (c.relpersistence = 'p' or not pg_is_in_recovery())
  and n.nspname <> 'information_schema' and n.nspname <> 'streamgate' and n.nspname !~ '^pg_'
  and not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  and not exists (
    select from pg_locks l where l.locktype = 'relation' and l.relation = c.oid and l.pid is distinct from pg_backend_pid()
      and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and l.database = (select oid from pg_database where datname = current_database()))
order by 2, 3`;

/** The values of sequences ($1). Each is locked until the transaction ends: ask for some hundreds at once. */
export const sequenceValuesSql = `
select oid, pg_sequence_last_value(oid::oid::regclass)::text as value
from unnest($1::oid[]) as wanted(oid) where exists (select from pg_class c where c.oid = wanted.oid and c.relkind = 'S')`;

/** Measures one table; reads the pages that the visibility map does not vouch for. */
export function bloatSql(extensionSchema: string, oid: number): string {
  return `
select table_len as "tableBytes", dead_tuple_len as "deadBytes", dead_tuple_count as "deadRows", approx_free_space as "freeBytes",
  scanned_percent as "scannedPercent"
from ${escapeIdentifier(extensionSchema)}.pgstattuple_approx(${oid}::oid::regclass)`;
}
