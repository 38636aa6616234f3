/**
 * The tables of an imaginary project-management service, the kind that most APIs have: tenants, users, tasks, bills and a log,
 * and a shop as Prisma makes it; some of what else there is in a database: enums, arrays, ranges, partitions, views, schemas.
 */
export const schema: readonly string[] = [
  `create table organizations (
    id bigint generated always as identity primary key,
    slug text not null unique,
    name text not null,
    plan text not null default 'free',
    settings jsonb not null default '{}',
    created_at timestamptz not null default now()
  )`,
  `create table users (
    id bigint generated always as identity primary key,
    email text not null unique,
    name text not null,
    is_active boolean not null default true,
    last_seen_at timestamptz,
    created_at timestamptz not null default now()
  )`,
  `create table memberships (
    organization_id bigint not null references organizations,
    user_id bigint not null references users,
    role text not null default 'member',
    primary key (organization_id, user_id)
  )`,
  `create table sessions (
    token uuid primary key,
    user_id bigint not null references users,
    address inet,
    expires_at timestamptz not null
  )`,
  `create table projects (
    id bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    name text not null,
    budget numeric(12, 2),
    archived_at timestamptz,
    created_at timestamptz not null default now()
  )`,
  `create table tasks (
    id bigint generated always as identity primary key,
    project_id bigint not null references projects,
    assignee_id bigint references users,
    title text not null,
    status text not null default 'open',
    priority integer not null default 3,
    position integer not null default 0,
    estimate_hours numeric(6, 2),
    due_on date,
    search tsvector generated always as (to_tsvector('english', title)) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create table comments (
    id bigint generated always as identity primary key,
    task_id bigint not null references tasks,
    author_id bigint not null references users,
    body text not null,
    created_at timestamptz not null default now()
  )`,
  `create table tags (
    id integer generated always as identity primary key,
    organization_id bigint not null references organizations,
    name text not null,
    unique (organization_id, name)
  )`,
  `create table task_tags (
    task_id bigint not null references tasks,
    tag_id integer not null references tags,
    primary key (task_id, tag_id)
  )`,
  `create table invoices (
    id bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    number text not null unique,
    status text not null default 'draft',
    total numeric(12, 2) not null default 0,
    issued_on date,
    paid_at timestamptz
  )`,
  `create table invoice_items (
    id bigint generated always as identity primary key,
    invoice_id bigint not null references invoices,
    description text not null,
    quantity integer not null,
    unit_price numeric(12, 2) not null
  )`,
  `create table events (
    id bigint generated always as identity primary key,
    organization_id bigint not null references organizations,
    user_id bigint references users,
    kind text not null,
    payload jsonb not null default '{}',
    duration_ms double precision,
    created_at timestamptz not null default now()
  )`,
  "insert into organizations (slug, name) values ('initech', 'Initech'), ('hooli', 'Hooli'), ('acme', 'Acme')",
  'create index on tasks (project_id, status)',
  'create index on tasks using gin (search)',
  'create index on comments (task_id, created_at)',
  'create index on invoice_items (invoice_id)',
  'create index on events (organization_id, created_at)',
  'create index on events using gin (payload jsonb_path_ops)',
  'create extension pg_trgm',
  `create type "OrderStatus" as enum ('PENDING', 'PAID', 'SHIPPED', 'CANCELLED')`,
  `create table "Customer" (
    "id" text primary key,
    "email" text not null unique,
    "firstName" text,
    "metadata" jsonb,
    "createdAt" timestamp(3) not null default current_timestamp
  )`,
  `create table "Product" (
    "id" serial primary key,
    "sku" text not null unique,
    "name" text not null,
    "priceCents" integer not null,
    "tags" text[] not null default '{}',
    "attributes" jsonb,
    "deletedAt" timestamp(3)
  )`,
  `create table "Order" (
    "id" uuid primary key,
    "customerId" text not null references "Customer",
    "status" "OrderStatus" not null default 'PENDING',
    "totalCents" integer not null,
    "placedAt" timestamp(3) not null default current_timestamp
  )`,
  `create table "OrderItem" (
    "id" serial primary key,
    "orderId" uuid not null references "Order",
    "productId" integer not null references "Product",
    "quantity" integer not null
  )`,
  'create table categories (id integer primary key, parent_id integer references categories, name text not null)',
  'create table measurements (device_id integer not null, taken_at timestamptz not null, value double precision) partition by range (taken_at)',
  "create table measurements_2025 partition of measurements for values from ('2025-01-01') to ('2026-01-01')",
  "create table measurements_2026 partition of measurements for values from ('2026-01-01') to ('2027-01-01')",
  'create table bookings (room text not null, during tstzrange not null)',
  `create view open_tasks as
    select p.organization_id, t.id, t.title, t.due_on from tasks t join projects p on p.id = t.project_id where t.status = 'open'`,
  `create materialized view organization_totals as
    select organization_id, sum(total) as total from invoices group by organization_id`,
  'create schema billing',
  'create table billing.ledger (account text not null, organization_id bigint, amount numeric(12, 2) not null, booked_on date)',
  'create index on measurements (device_id, taken_at)',
  'create index on bookings using gist (during)',
  'create index on "Product" using gin ("tags")',
  'create index on users using gin (name gin_trgm_ops)',
  // Applications of this database look into both schemas.
  `do $$ begin execute format('alter database %I set search_path = "$user", public, billing', current_database()); end $$`,
];
