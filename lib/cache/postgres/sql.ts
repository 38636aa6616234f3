/**
 * All SQL of the PostgreSQL store: five unlogged tables, and a function for each method that takes more than one step.
 *
 * **Why functions.** A statement sees the database as it was when the statement began. One that waits for the row of
 * the log's end, or for a lease, goes on with the newest version of that row, but still sees everything else as it
 * was before it waited: it would tell a position without the changes up to it, or grant a lease without seeing the
 * entry that its last holder wrote. In a function each statement looks anew, in one round trip and with no
 * transaction to hold open; and its plans are kept by the server's process, also behind a pooler that allows no
 * prepared statements. https://www.postgresql.org/docs/current/xfunc-volatility.html
 *
 * **No deadlocks.** Locks are taken in this order: the row of the log's end, entries by their key, leases, the clean-up.
 * Marking as used and removing pass over rows that are locked, but keep to the order all the same: `skip locked` waits
 * after all for whoever changes a row again that has just been changed. The clean-up cannot keep to it, and gives up.
 *
 * **Names are bytes.** A text of PostgreSQL cannot hold the character NUL, nor what its encoding lacks. Answers are
 * text in hexadecimal or base64, so that no type parser that a pool was given can garble them.
 */

/**
 * Stands in the names of the functions. To be raised when one of them changes: processes of the version before go on
 * calling theirs. The tables are shared by all versions; a change of those needs another default for the schema.
 */
const version = 1;

/** The statements of the store in one schema. The numbers of their parameters are their order here. */
export interface Statements {
  /** keys, since, granularity in ms, most changes. */
  read: string;
  /** {@link entryColumns}, most entries, chance of a clean-up for each entry. */
  write: string;
  /** labels, keys, since, most changes, size of the log, then what `write` takes, for one replacement or none. */
  invalidate: string;
  /** key, token, time in ms. */
  lease: string;
  /** key, token. */
  release: string;
  /** start of the span, time to keep in ms, whether largest, names, values. */
  count: string;
  /** start of the first span. */
  counts: string;
  size: string;
}

/** What the arrays that describe entries on their way into the store are made of, in their order. */
const entryColumns = `keys bytea[], tokens bytea[], positions bigint[], ttls double precision[],
  bytes_from integer[], sizes integer[], tags_from integer[], tags_to integer[], tags bytea[], contents bytea`;

/** Writes the statements for a schema. */
export function statementsFor(schema: string): Statements {
  const s = identifier(schema);
  const f = (name: string) => `${s}.${name}_v${version}`;
  return {
    read: `select * from ${f('read')}($1, $2, $3, $4)`,
    write: `select * from ${f('write')}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    invalidate: `select * from ${f('invalidate')}(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    lease: `select * from ${f('lease')}($1, $2, $3)`,
    release: `delete from ${s}.leases where key = $1 and token = $2`,
    count: `with gone as (
        delete from ${s}.counts where ctid = any(array(
          select ctid from ${s}.counts
          where (select random()) < 0.02 and expires_at <= (select clock_timestamp()) and started_at <> $1
          for update skip locked)))
      insert into ${s}.counts as c (started_at, largest, name, value, expires_at)
      select $1, g.largest, g.name, g.value, clock_timestamp() + $2 * interval '1 millisecond'
      from unnest($3::boolean[], $4::bytea[], $5::double precision[]) g(largest, name, value)
      order by g.largest, g.name
      on conflict (started_at, largest, name) do update set
        value = case when c.largest then greatest(c.value, excluded.value) else c.value + excluded.value end,
        expires_at = greatest(c.expires_at, excluded.expires_at)`,
    counts: `select largest::text, encode(name, 'hex') as name,
        (case when largest then max(value) else sum(value) end)::text as value
      from ${s}.counts where started_at >= $1 and expires_at > (select clock_timestamp()) group by largest, name`,
    size: `select count(*)::text as entries from ${s}.entries where expires_at > (select clock_timestamp())`,
  };
}

/** A name as an identifier, whatever its characters are. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a constant, whatever its characters and the server's settings are. */
function literal(text: string): string {
  return ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A text as a constant that leaves it readable. */
function dollarQuoted(text: string, word: string): string {
  let tag = `$${word}$`;
  for (let i = 1; text.includes(tag); i++) tag = `$${word}${i}$`;
  return `${tag}${text}${tag}`;
}

/**
 * One statement that makes the schema, the tables, the functions and the beginning of the log where they are missing.
 * Any number of processes may run it at once; it touches nothing that is in use. When a table was missing the log
 * begins anew even if its end was still there, since nobody knows what has gone.
 *
 * @param known the highest position that the caller has seen
 */
export function preparation(schema: string, known: number): string {
  const s = identifier(schema);
  const functions = functionsOf(s, schema).map(
    ([name, definition]) => `
  if not exists (select from pg_catalog.pg_proc where pronamespace = home and proname = '${name}_v${version}') then
    create function ${s}.${name}_v${version}${definition};
  end if;`,
  );
  const body = `
declare
  home oid;
  existing oid;
  is_new boolean := false;
  start bigint;
begin
  -- For this statement only, which is a transaction.
  perform set_config('lock_timeout', '5s', true);
  perform pg_advisory_xact_lock(hashtextextended(${literal(`streamgate cache ${schema}`)}, 1));
  select oid into home from pg_catalog.pg_namespace where nspname = ${literal(schema)};
  if home is null then
    if not has_database_privilege(current_database(), 'CREATE') then
      raise insufficient_privilege using
        message = format('role %I may not make a schema in database %I', current_user, current_database()),
        hint = format('CREATE SCHEMA %I AUTHORIZATION %I', ${literal(schema)}, current_user);
    end if;
    create schema ${s};
    select oid into home from pg_catalog.pg_namespace where nspname = ${literal(schema)};
  end if;
  ${tables.map((table) => tablePreparation(s, schema, table)).join('')}
  ${functions.join('')}
  start := greatest(floor(extract(epoch from clock_timestamp()) * 1000000)::bigint, ${Math.trunc(known) + 1});
  insert into ${s}.state as t (one, position, floor, labels) values (true, start, start, 0)
    on conflict (one) do update set position = greatest(t.position + 1, start), floor = greatest(t.position + 1, start)
    where is_new;
end`;
  return `do ${dollarQuoted(body, 'prepare')}`;
}

/** Makes a table where it is missing, and refuses one of that name that is not ours. */
function tablePreparation(s: string, schema: string, table: Table): string {
  const { name, columns, constraint, fillfactor, more, afterwards } = table;
  const definition = [
    ...Object.entries(columns).map((column) => column.join(' ')),
    ...(constraint ? [constraint] : []),
  ];
  // Unlogged: nothing is written ahead, a commit waits for no disk, and a crash empties all tables together.
  // Their rows change all the time, so they are vacuumed early and without pauses, have room for new versions on the
  // same page (what changes often is in no index), and are never cut short at their end: that takes a lock that stops
  // everybody. https://www.postgresql.org/docs/current/sql-createtable.html#RELOPTION-AUTOVACUUM-ENABLED
  return `
  select oid into existing from pg_catalog.pg_class where relnamespace = home and relname = '${name}';
  if existing is null then
    if not has_schema_privilege(home, 'CREATE') then
      raise insufficient_privilege using
        message = format('role %I may not make tables in schema %I', current_user, ${literal(schema)}),
        hint = format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', ${literal(schema)}, current_user);
    end if;
    is_new := true;
    create unlogged table ${s}.${name} (${definition.join(', ')}) with (
      fillfactor = ${fillfactor}, vacuum_truncate = false, autovacuum_vacuum_cost_delay = 0,
      autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500,
      autovacuum_analyze_scale_factor = 0.2${more ?? ''});
    ${afterwards ? `${afterwards(s)};` : ''}
  elsif not starts_with(
    (select string_agg(attname, ',' order by attnum) from pg_catalog.pg_attribute
      where attrelid = existing and attnum > 0 and not attisdropped), '${Object.keys(columns).join(',')}') then
    raise wrong_object_type using message = 'the columns of "${name}" are others';
  end if;`;
}

interface Table {
  name: string;
  columns: Record<string, string>;
  constraint?: string;
  /** How full a page is made, in percent. */
  fillfactor: number;
  /** Further storage parameters. */
  more?: string;
  /** What is to be done when it has been made. */
  afterwards?(s: string): string;
}

const tables: Table[] = [
  {
    // One row: where the log ends, what it has forgotten, and at most how many labels are in it.
    name: 'state',
    columns: {
      one: 'boolean primary key check (one)',
      position: 'bigint not null',
      floor: 'bigint not null',
      labels: 'bigint not null',
    },
    fillfactor: 10,
  },
  {
    name: 'log',
    columns: { label: 'bytea primary key', position: 'bigint not null' },
    fillfactor: 80,
    afterwards: (s) => `create index on ${s}.log (position)`,
  },
  {
    // Tags are labels, in the order in which they were given.
    name: 'entries',
    columns: {
      key: 'bytea primary key',
      bytes: 'bytea not null',
      tags: 'bytea[] not null',
      position: 'bigint not null',
      expires_at: 'timestamptz not null',
      used_at: 'timestamptz not null',
    },
    fillfactor: 75,
    more: `, toast.vacuum_truncate = false, toast.autovacuum_vacuum_scale_factor = 0.1,
      toast.autovacuum_vacuum_threshold = 500, toast.autovacuum_vacuum_cost_delay = 0`,
    // The cache compresses them by itself.
    afterwards: (s) => `alter table ${s}.entries alter column bytes set storage external`,
  },
  {
    name: 'leases',
    columns: { key: 'bytea primary key', token: 'bytea not null', expires_at: 'timestamptz not null' },
    fillfactor: 75,
  },
  {
    name: 'counts',
    columns: {
      started_at: 'bigint',
      largest: 'boolean',
      name: 'bytea',
      value: 'double precision not null',
      expires_at: 'timestamptz not null',
    },
    constraint: 'primary key (started_at, largest, name)',
    fillfactor: 75,
  },
];

/** The functions: each its name, and the rest of its definition. */
function functionsOf(s: string, schema: string): Array<readonly [name: string, definition: string]> {
  /**
   * The plans are made once a connection, perhaps on empty tables, and must stay good when those are full: by index
   * always. Waiting has an end: whoever reads much keeps what it marks locked until all of it is sent, and
   * a process that is frozen meanwhile takes nothing. The settings hold inside the function, and no longer.
   */
  const settings =
    "set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan set lock_timeout = '2s'";
  const plpgsql = (body: string, more = settings) =>
    `language plpgsql volatile ${more} as ${dollarQuoted(body, 'body')}`;

  /** Whether the log says nothing against an entry, `e`, where it ends and begins at `h`. */
  const isValid = (e: string) => `${e}.position between h.floor and h.position and not exists (
          select from ${s}.log l
          where l.label = any(${e}.tags || ('k'::bytea || ${e}.key)) and l.position > ${e}.position)`;

  /** What was invalidated since a position, by the log that ends and begins at `h`: null when it is lost. */
  const changes = `case
        when since is null or since < h.floor or since > h.position then null
        when since = h.position then ''
        else (
          select case when count(*) <= most
            then coalesce(string_agg(encode(c.label, 'hex') || ':' || c.position, ','), '') end
          from (
            select l.label, l.position from ${s}.log l where l.position > since order by l.position limit most + 1) c)
      end`;

  /** An entry, `e`, as three columns of text: its position, its tags and its contents. */
  const asText = (e: string) => `${e}.position::text,
        (select string_agg(encode(t.tag, 'hex'), ',' order by t.nth)
          from unnest(${e}.tags) with ordinality t(tag, nth)),
        encode(${e}.bytes, 'base64')`;

  /**
   * Removes what was used least recently, where there is too much. One does it at a time, and the next one sees what
   * that one left. Whoever waits for its turn writes nothing meanwhile: so the more is written, the less gets ahead.
   */
  const evict = plpgsql(
    `
declare
  lock_number bigint := hashtextextended(${literal(`streamgate cache ${schema}`)}, 2);
  moment timestamptz;
  -- Where not every write cleans up, there is to be room for those that do not.
  reserve bigint := case when chance < 1 then cap / 40 else 0 end;
  low bigint;
  present bigint;
  alive bigint;
begin
  begin
    perform pg_advisory_xact_lock(lock_number);
  exception when lock_not_available then
    return;
  end;
  moment := clock_timestamp();
  select h.floor into low from ${s}.state h where h.one;
  select count(*), count(*) filter (where e.expires_at > moment and e.position >= low) into present, alive
    from ${s}.entries e;
  if present <= cap then return; end if;
  begin
    perform set_config('lock_timeout', '20ms', true);
    if alive < present then
      delete from ${s}.entries d where d.ctid = any(array(
        select e.ctid from ${s}.entries e where e.expires_at <= moment or e.position < low for update skip locked));
    end if;
    if alive > cap then
      delete from ${s}.entries d where d.ctid = any(array(
        select e.ctid from ${s}.entries e where e.expires_at > moment and e.position >= low
        order by e.used_at limit alive - cap + reserve for update skip locked));
    end if;
  exception when lock_not_available or deadlock_detected then
    -- The next one will do it.
    return;
  end;
end`,
    // Here everything is looked at.
    "set enable_seqscan = on set jit = off set lock_timeout = '2s'",
  );

  /** A read is one statement: all it tells is of one moment. What was used lately is marked already. */
  const read = plpgsql(`
declare
  moment timestamptz := clock_timestamp();
begin
  return query
  with h as materialized (select t.position, t.floor from ${s}.state t where t.one),
  found as materialized (
    select k.place, e.*
    from h, unnest(wanted) with ordinality k(key, place) cross join lateral (
      select e.ctid as row, e.key, e.tags, e.position, e.bytes, e.used_at
      from ${s}.entries e
      where e.key = k.key and e.expires_at > moment and ${isValid('e')}
      limit 1
    ) e
  ),
  marked as (
    update ${s}.entries u set used_at = moment where u.ctid = any(array(
      select e.ctid from ${s}.entries e where e.ctid = any(array(
        select f.row from found f where f.used_at < moment - granularity * interval '1 millisecond'))
      order by e.key for update skip locked))
  )
  select '0', h.position::text, ${changes}, null from h
  union all
  select f.place::text, ${asText('f')} from found f;
end`);

  const write = plpgsql(`
declare
  moment timestamptz := clock_timestamp();
  verdict text;
begin
  with h as materialized (select t.position, t.floor from ${s}.state t where t.one),
  given as materialized (
    select g.place, g.key, g.position, substring(contents from g.bytes_from for g.size) as bytes,
      tags[g.tag_from : g.tag_to] as tags, moment + g.ttl * interval '1 millisecond' as expires_at
    from unnest(keys, positions, ttls, bytes_from, sizes, tags_from, tags_to) with ordinality
      g(key, position, ttl, bytes_from, size, tag_from, tag_to, place)
  ),
  valid as materialized (select g.* from h, given g where ${isValid('g')}),
  kept as (
    insert into ${s}.entries as e (key, bytes, tags, position, expires_at, used_at)
    -- The later of a call was used later.
    select distinct on (v.key)
      v.key, v.bytes, v.tags, v.position, v.expires_at, moment + v.place * interval '1 microsecond'
    from valid v order by v.key, v.place desc
    on conflict (key) do update set bytes = excluded.bytes, tags = excluded.tags, position = excluded.position,
      expires_at = excluded.expires_at, used_at = excluded.used_at
    -- An entry from beyond the log as it is seen here came with an invalidation, by which this one is not judged.
    where e.position <= (select h.position from h)
    returning e.key
  )
  select string_agg(case when v.place is null or k.key is null then '0' else '1' end, '' order by g.place) into verdict
  from h cross join given g left join valid v on v.place = g.place left join kept k on k.key = g.key;
  if verdict is null then return; end if;

  delete from ${s}.leases l using (select * from unnest(keys, tokens) t(key, token) order by t.key) g
    where l.key = g.key and l.token = g.token;
  if random() < chance * length(replace(verdict, '0', '')) then perform ${s}.evict_v${version}(cap, chance); end if;
  return query select verdict;
end`);

  /** The row of the log's end is locked first: positions are given in the order in which they can be seen. */
  const invalidate = plpgsql(`
declare
  moment timestamptz := clock_timestamp();
  h record;
  cut bigint;
begin
  update ${s}.state t set position = t.position + 1, labels = t.labels + cardinality(names)
    where t.one returning t.position, t.floor, t.labels into h;
  if not found then return; end if;
  insert into ${s}.log (label, position) select distinct n.label, h.position from unnest(names) n(label)
    on conflict (label) do update set position = excluded.position;

  -- A label that was there already counts twice, until it is counted. So the log is looked at only now and then.
  if h.labels > log_size + log_size / 20 then
    select l.position into cut from ${s}.log l order by l.position desc offset log_size limit 1;
    delete from ${s}.log l where l.position <= cut;
    update ${s}.state t set floor = greatest(t.floor, cut), labels = (select count(*) from ${s}.log)
      where t.one returning t.position, t.floor, t.labels into h;
  end if;

  -- What is locked now, and stays, is invalid by the log.
  delete from ${s}.entries d where d.ctid = any(array(
    select e.ctid from ${s}.entries e where e.key = any(gone) and (cardinality(keys) = 0 or e.key < keys[1])
    order by e.key for update skip locked));
  if cardinality(keys) > 0 then
    insert into ${s}.entries as e (key, bytes, tags, position, expires_at, used_at)
    values (keys[1], contents, tags, h.position, moment + ttls[1] * interval '1 millisecond', moment)
    on conflict (key) do update set bytes = excluded.bytes, tags = excluded.tags, position = excluded.position,
      expires_at = excluded.expires_at, used_at = excluded.used_at;
    delete from ${s}.entries d where d.ctid = any(array(
      select e.ctid from ${s}.entries e where e.key = any(gone) and e.key > keys[1]
      order by e.key for update skip locked));
    delete from ${s}.leases l where l.key = keys[1] and l.token = tokens[1];
    if random() < chance then perform ${s}.evict_v${version}(cap, chance); end if;
  end if;
  return query select h.position::text, ${changes};
end`);

  /** The entry is looked for after the lease was had: whoever held it before has written by then. */
  const lease = plpgsql(`
declare
  moment timestamptz := clock_timestamp();
  is_granted boolean := false;
begin
  -- Most who ask in vain need no lock to learn it.
  if not exists (
    select from ${s}.leases l where l.key = wanted and l.token <> holder and l.expires_at > moment) then
    insert into ${s}.leases as l (key, token, expires_at)
      values (wanted, holder, moment + ttl * interval '1 millisecond')
      on conflict (key) do update set token = excluded.token, expires_at = excluded.expires_at
      where l.token = excluded.token or l.expires_at <= moment;
    is_granted := found;
    -- Those that nobody ended, nor asked for again.
    if random() < 0.01 then
      delete from ${s}.leases d where d.ctid = any(array(
        select l.ctid from ${s}.leases l where l.expires_at <= moment for update skip locked));
    end if;
  end if;
  return query
  select is_granted::text, h.position::text, e.*
  from ${s}.state h left join lateral (
    select ${asText('e')} from ${s}.entries e
    where e.key = wanted and e.expires_at > moment and ${isValid('e')}
    limit 1
  ) e on true
  where h.one;
end`);

  return [
    ['evict', `(cap bigint, chance double precision) returns void ${evict}`],
    [
      'read',
      `(wanted bytea[], since bigint, granularity double precision, most bigint)
      returns table (place text, at_position text, labels text, contents text) ${read}`,
    ],
    ['write', `(${entryColumns}, cap bigint, chance double precision) returns table (kept text) ${write}`],
    [
      'invalidate',
      `(names bytea[], gone bytea[], since bigint, most bigint, log_size bigint, ${entryColumns},
        cap bigint, chance double precision)
      returns table (at_position text, changes text) ${invalidate}`,
    ],
    [
      'lease',
      `(wanted bytea, holder bytea, ttl double precision)
      returns table (granted text, at_position text, entry_position text, labels text, contents text) ${lease}`,
    ],
  ];
}
