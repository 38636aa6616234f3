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
];
