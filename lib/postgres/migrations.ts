/**
 * The schema of the history, as steps that are applied in order and never changed once released.
 * `json` and not `jsonb`: documents are read whole, and their keys keep the order in which people read them.
 */
export const migrations: readonly (readonly string[])[] = [
  [
    `create table streamgate.audits (
    id bigint generated always as identity primary key,
    database text not null,
    part text not null,
    window_start timestamptz not null,
    taken_at timestamptz not null,
    notes json not null,
    summary json not null,
    -- All of the snapshot but its rows, which are most of it and are read a page at a time.
    snapshot json not null,
    row_count int not null,
    unique (database, part, window_start)
  )`,
    `create table streamgate.rows (
    audit_id bigint not null references streamgate.audits on delete cascade,
    position int not null,
    "row" json not null,
    primary key (audit_id, position)
  )`,
    `create table streamgate.findings (
    audit_id bigint not null references streamgate.audits on delete cascade,
    position int not null,
    rule text not null,
    finding json not null,
    primary key (audit_id, position)
  )`,
    `create table streamgate.recommendations (
    database text not null,
    id text not null,
    part text not null,
    status text not null check (status in ('open', 'applied', 'verified', 'dismissed')),
    last_seen_at timestamptz not null,
    recommendation json not null,
    primary key (database, id)
  )`,
    `create index recommendations_part on streamgate.recommendations (database, part)`,
  ],
  [
    // What each statement gained between two audits.
    `create table streamgate.windows (
    database text not null,
    query_id text not null,
    ended_at timestamptz not null,
    began_at timestamptz not null,
    calls float8 not null,
    total_ms float8 not null,
    stddev_ms float8 not null,
    rows float8 not null,
    blocks float8 not null,
    primary key (database, query_id, ended_at)
  )`,
    `create index windows_ended_at on streamgate.windows (ended_at)`,
    // Every shape that a statement's plan has had, with the latest plan of that shape.
    `create table streamgate.plans (
    database text not null,
    query_id text not null,
    shape text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    plan json not null,
    primary key (database, query_id, shape)
  )`,
    `create index plans_last_seen_at on streamgate.plans (last_seen_at)`,
  ],
  [
    // What functions looked like: the environments that left samples, and their samples.
    `create table streamgate.environments (
    id text primary key,
    function text not null,
    stage text not null,
    version text not null,
    started_at timestamptz not null,
    last_at timestamptz not null,
    environment json not null
  )`,
    `create index environments_function on streamgate.environments (function, stage, version, last_at)`,
    `create table streamgate.samples (
    environment_id text not null references streamgate.environments on delete cascade,
    invocation bigint not null,
    at timestamptz not null,
    has_floor boolean not null,
    sample json not null,
    primary key (environment_id, invocation)
  )`,
    `create index samples_at on streamgate.samples (at)`,
  ],
  [
    // What the index advisor has learned of a database: its next run asks only for the rest.
    `create table streamgate.costs (
    database text primary key,
    learned_at timestamptz not null,
    costs json not null
  )`,
  ],
];
