/** A database with an index of every kind, under names that need quoting. */
export const strangeSchema = 'Ça "va" 😀';
export const strangeTable = 'Order "Items" \\ %s';
export const strangeIndex = `Idx 'a' "b" \\ 🐘 %I`;

const strange = `"Ça ""va"" 😀"."Order ""Items"" \\ %s"`;

/** Statements for an empty database; the last ones need a server of at least the version before them. */
export const zoo: readonly string[] = [
  'create extension pg_trgm',
  'create extension btree_gist',
  'create schema "Ça ""va"" 😀"',
  `create table ${strange} ("Key" int primary key, "sp ace" text, "emoji 🐘" text, "back\\slash" int, "select" int)`,
  `create index "Idx 'a' ""b"" \\ 🐘 %I" on ${strange} ("sp ace", "emoji 🐘" desc nulls last)
     include ("back\\slash", "select") where "Key" > 0`,
  `insert into ${strange} select g, 'x' || g, 'y', g, g from generate_series(1, 500) g`,

  `create table kinds (id int primary key, a int, b text, d jsonb, e int4range, f point, n int, u int, v int,
     constraint k_excluded exclude using gist (a with =, e with &&),
     constraint k_deferrable unique (u) deferrable initially deferred)`,
  'create index k_expression on kinds (lower(b), (a + n))',
  `create index k_partial on kinds (a) where a > 10 and b <> 'it''s "quoted" \\'`,
  'create index k_include on kinds (a) include (n, b)',
  'create index k_collation on kinds (b collate "C")',
  'create index k_pattern on kinds (b text_pattern_ops)',
  'create index k_siglen on kinds using gist (b gist_trgm_ops (siglen = 32))',
  'create index k_desc on kinds (a desc, n nulls first, u desc nulls last)',
  'create index k_hash on kinds using hash (b)',
  'create index k_gin on kinds using gin (d jsonb_path_ops) with (fastupdate = off)',
  'create index k_brin on kinds using brin (a) with (pages_per_range = 32, autosummarize = on)',
  'create index k_spgist on kinds using spgist (f)',
  'create unique index k_unique on kinds (v) with (fillfactor = 55)',
  'create collation "Ça ""va"" 😀"."My Collation" from "C"',
  `create operator class "Ça ""va"" 😀".my_ops for type int4 using btree as
     operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp (int4, int4)`,
  'create index k_foreign on kinds (a "Ça ""va"" 😀".my_ops, b collate "Ça ""va"" 😀"."My Collation")',
  `insert into kinds select g, g, 'b' || g, '{"a":1}', int4range(g, g + 1), point(g, g), g, g, g from generate_series(1, 2000) g`,

  'create table parent (id int primary key, code int not null)',
  'create unique index parent_code on parent (code)',
  'alter table parent replica identity using index parent_code',
  'create table child (id int primary key, p int references parent (id), q int references parent (code))',
  'create table other (id int primary key, p int constraint "other fk" references parent (id))',
  'create index child_q on child (q)',
  'cluster child using child_q',
  'insert into parent select g, g from generate_series(1, 300) g',

  'create table twins (a int)',
  'insert into twins values (1), (1)',
  'create unlogged table unlogged (a int)',
  'create index unlogged_a on unlogged (a)',
  'create materialized view view as select id, b from kinds',
  'create unique index view_id on view (id)',

  // What is left out.
  'create table owned (a int primary key)',
  'alter extension pg_trgm add table owned',
  'create schema streamgate',
  'create table streamgate.mine (a int primary key)',

  'create table read (id int primary key, a int, b int)',
  'create index read_a on read (a)',
  'create index read_never on read (b)',
  'insert into read select g, g % 100, g from generate_series(1, 5000) g',
  'update read set b = b + 1 where id <= 50',
  'delete from read where id > 4990',
  'vacuum analyze read',
];
