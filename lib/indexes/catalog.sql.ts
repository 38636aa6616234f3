/**
 * The catalog queries of the index part, for PostgreSQL 13 to 18. They read catalogs and counters
 * only, never a table's rows. https://www.postgresql.org/docs/current/catalog-pg-index.html
 */
import { escapeIdentifier } from 'pg';

/** What whoever builds, drops or rebuilds an index holds on its table: https://www.postgresql.org/docs/current/explicit-locking.html */
const workingModes = `array['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']`;

/**
 * Tables that are left out: PostgreSQL's own, temporary ones, those that an extension owns (nobody
 * may drop their indexes), and StreamGate's history. A table that somebody holds in ACCESS
 * EXCLUSIVE mode, or waits to, is left out as well: to ask for its size would be to queue for the lock.
 */
export const lookedAt = `
  t.relpersistence <> 't'
  and n.nspname <> 'information_schema' and n.nspname <> 'streamgate' and n.nspname !~ '^pg_'
  and t.oid not in (
    -- What is owned, and not who owns t: few rows, read once, where there are very many tables.
    select d.objid from pg_depend d
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e')
  and t.oid not in (select relation from locked)`;

/** The tables that {@link lookedAt} leaves out because of locks, to stand behind `with`. */
export const lockedRelations = `
  recursive locked as (
    select coalesce(i.indrelid, l.relation) as relation
    from pg_locks l left join pg_index i on i.indexrelid = l.relation
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
      -- A prepared transaction holds its locks without a process.
      and l.pid is distinct from pg_backend_pid()
      and l.database = (select oid from pg_database where datname = current_database())
      and l.relation >= 16384
    union
    -- Without one partition the counters of the whole are too low.
    select h.inhparent from locked join pg_inherits h on h.inhrelid = locked.relation)`;

/** Names of the tables that {@link indexesSql} leaves out because they are locked. */
export const lockedTablesSql = `
with ${lockedRelations}
select format('%I.%I', n.nspname, t.relname) as name
from locked join pg_class t on t.oid = locked.relation join pg_namespace n on n.oid = t.relnamespace
where t.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_'
group by 1 order by 1`;

/** The oids that cut all indexes into pages of so many ($1). */
export const pagesSql = `
select indexrelid as oid
from (select indexrelid, row_number() over (order by indexrelid) as position from pg_index) as numbered
where position % $1::int = 0 order by 1`;

/**
 * The indexes whose oids are above $1 and not above $2: a page, so that no statement takes long however many there are. Each has
 * its own counters: those of a partitioned index are zero, see partitions.ts. Of the keys it answers the numbers of the catalog, as
 * text: keys.ts makes keys of them. `offset 0` keeps what a page needs of pg_class apart, which would be read as a whole otherwise.
 */
export function indexesSql(versionNumber: number): string {
  const since = (version: number, expression: string, before: string) =>
    versionNumber >= version ? expression : before;
  return `
with ${lockedRelations},
busy as materialized (
  select relation from pg_locks
  where locktype = 'relation' and mode = any(${workingModes}) and pid is distinct from pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database()))
select
  i.indexrelid as oid,
  n.nspname as schema,
  t.relname as table,
  c.relname as index,
  am.amname as method,
  pg_get_indexdef(i.indexrelid) as definition,
  coalesce(pg_relation_size(i.indexrelid), 0) as "sizeBytes",
  coalesce(pg_stat_get_numscans(i.indexrelid), 0) as scans,
  ${since(160_000, 'pg_stat_get_lastscan(i.indexrelid)', 'null::timestamptz')} as "lastScanAt",
  coalesce(pg_stat_get_tuples_returned(i.indexrelid), 0) as "tuplesRead",
  coalesce(pg_stat_get_tuples_fetched(i.indexrelid), 0) as "tuplesFetched",
  coalesce(pg_stat_get_blocks_hit(i.indexrelid), 0) as "blocksHit",
  coalesce(pg_stat_get_blocks_fetched(i.indexrelid) - pg_stat_get_blocks_hit(i.indexrelid), 0) as "blocksRead",
  i.indnkeyatts as "keyCount",
  i.indkey::text as attributes,
  i.indclass::text as classes,
  i.indcollation::text as collations,
  i.indoption::text as orders,
  (select json_object_agg(a.attnum, json_build_array(a.attname, a.attcollation::int8))::text
   from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.indkey)) as columns,
  case when 0 = any(i.indkey) then (
    select json_object_agg(k, pg_get_indexdef(i.indexrelid, k, false))::text
    from generate_series(1, i.indnkeyatts) k where i.indkey[k - 1] = 0) end as expressions,
  (select json_object_agg(a.attnum, a.attoptions)::text
   from pg_attribute a where a.attrelid = i.indexrelid and a.attoptions is not null) as parameters,
  pg_get_expr(i.indpred, i.indrelid) as predicate,
  i.indisunique as unique,
  ${since(150_000, 'i.indnullsnotdistinct', 'false')} as "nullsNotDistinct",
  i.indisprimary as primary,
  i.indisexclusion as exclusion,
  case when con.oid is not null then json_build_object(
    'name', con.conname,
    'type', case con.contype when 'p' then 'primary key' when 'u' then 'unique' else 'exclusion' end,
    'deferrable', con.condeferrable,
    'definition', pg_get_constraintdef(con.oid)) end as constraint,
  i.indisvalid as valid,
  i.indisready and i.indislive as ready,
  not i.indisvalid and i.indrelid in (select relation from busy) as building,
  i.indisreplident as "replicaIdentity",
  i.indisclustered as clustered,
  coalesce(
    case when c.reloptions is not null then
      (select option_value::int from pg_options_to_table(c.reloptions) where option_name = 'fillfactor') end,
    case am.amname when 'btree' then 90 when 'hash' then 75 when 'gist' then 90 when 'spgist' then 80 else 100 end) as fillfactor,
  case when c.reloptions is not null then
    (select json_agg(option_name || '=' || option_value order by option_name)
     from pg_options_to_table(c.reloptions) where option_name <> 'fillfactor') end as options,
  case when c.reltablespace <> 0 then
    (select format('%I', spcname) from pg_tablespace where oid = c.reltablespace) end as tablespace,
  c.relkind = 'I' as partitioned,
  case when c.relispartition then (select h.inhparent from pg_inherits h where h.inhrelid = i.indexrelid) end as "parentOid",
  format('%I.%I', n.nspname, c.relname) as "indexSql",
  quote_ident(c.relname) as "nameSql",
  format('%I.%I', n.nspname, t.relname) as "tableSql",
  quote_ident(con.conname) as "constraintSql"
from pg_index i
cross join lateral (select * from pg_class where oid = i.indrelid offset 0) t
join pg_namespace n on n.oid = t.relnamespace
cross join lateral (select * from pg_class where oid = i.indexrelid offset 0) c
join pg_am am on am.oid = c.relam
left join lateral (
  select con.oid, con.conname, con.contype, con.condeferrable from pg_constraint con
  where con.conrelid = i.indrelid and con.conindid = i.indexrelid and con.contype in ('p', 'u', 'x')
    and (i.indisunique or i.indisexclusion)
  limit 1) con on true
where i.indexrelid > $1 and i.indexrelid <= $2 and ${lookedAt}`;
}

/**
 * What the numbers of keys stand for: operator classes ($1) and collations ($2), qualified unless they are PostgreSQL's own. A class has
 * equality where its family has the "=" of its own type. Trigrams have it, too, but find a value by all that is like it.
 */
export const keyNamesSql = `
select
  'class' as kind,
  oc.oid,
  case n.nspname when 'pg_catalog' then '' else quote_ident(n.nspname) || '.' end || oc.opcname as name,
  oc.opcname not like '%trgm%' and exists (
    select from pg_amop ao join pg_operator op on op.oid = ao.amopopr
    where ao.amopfamily = oc.opcfamily and ao.amoppurpose = 's' and op.oprname = '='
      and ao.amoplefttype = oc.opcintype and ao.amoprighttype = oc.opcintype) as equality
from pg_opclass oc join pg_namespace n on n.oid = oc.opcnamespace where oc.oid = any($1)
union all
select
  'collation',
  cl.oid,
  case n.nspname when 'pg_catalog' then '' else quote_ident(n.nspname) || '.' end || cl.collname,
  false
from pg_collation cl join pg_namespace n on n.oid = cl.collnamespace where cl.oid = any($2)`;

/**
 * Of the indexes that are not valid, those at which nobody is at work. Asked for after {@link indexesSql}: an index that is being
 * built may be seen without its lock, or with one that is gone by then, but not both times.
 */
export const abandonedSql = `
select i.indexrelid as oid from pg_index i
where not i.indisvalid and not exists (
  select from pg_locks l
  where l.locktype = 'relation' and l.relation = i.indrelid and l.mode = any(${workingModes})
    and l.database = (select oid from pg_database where datname = current_database()))`;

/**
 * How many foreign keys lean on each index that any leans on. By itself, because pg_constraint has no
 * index for the question: asked index by index it took longer than a statement may, with 5,000 tables.
 */
export const referencesSql = `
select conindid as oid, count(*) as "referencedBy" from pg_constraint where contype = 'f' and conindid <> 0 group by 1`;

/** Every foreign key, with the part of it that each partition has. */
export function foreignKeysSql(versionNumber: number): string {
  return `
with ${lockedRelations}
select
  n.nspname as schema,
  t.relname as table,
  con.conname as name,
  (select json_agg(a.attname order by k)
    from unnest(con.conkey) with ordinality as key(attnum, k)
    join pg_attribute a on a.attrelid = t.oid and a.attnum = key.attnum) as columns,
  rn.nspname as "toSchema",
  r.relname as "toTable",
  con.conparentid <> 0 as inherited
from pg_constraint con
join pg_class t on t.oid = con.conrelid
join pg_namespace n on n.oid = t.relnamespace
join pg_class r on r.oid = con.confrelid
join pg_namespace rn on rn.oid = r.relnamespace
where con.contype = 'f' and ${lookedAt}
  -- PostgreSQL 18 knows keys that are NOT ENFORCED: nobody looks anything up for them.
  ${versionNumber >= 180_000 ? 'and con.conenforced' : ''}
order by 1, 2, 3`;
}

/** The physical replicas that stream from this server, by the names they give themselves. Aurora's are not among them. */
export const replicasSql = `
select coalesce(r.application_name, 'unknown') as name
from pg_stat_replication r
where not exists (
  select from pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')
  and coalesce(r.application_name, '') !~ '^pg_(basebackup|receivewal)'
order by 1`;

/** Whether the role may call the functions of pgstattuple that are wanted, and may enter its schema. */
export const mayMeasureSql = `
select has_schema_privilege(n.oid, 'usage') as "mayEnter",
  bool_and(has_function_privilege(p.oid, 'execute')) as "mayCall"
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.proname = $2 and n.nspname = $1 and p.proargtypes[0] = 'regclass'::regtype
group by n.oid`;

/** Measures one b-tree; reads every page of it. */
export function fragmentationSql(extensionSchema: string, oid: number): string {
  return `
select index_size as "indexBytes", internal_pages as "internalPages", leaf_pages as "leafPages",
  empty_pages as "emptyPages", deleted_pages as "deletedPages",
  avg_leaf_density as "leafDensityPercent", leaf_fragmentation as "leafFragmentationPercent"
from ${escapeIdentifier(extensionSchema)}.pgstatindex(${oid}::oid::regclass)`;
}
