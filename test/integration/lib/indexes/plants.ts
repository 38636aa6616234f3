/** Faults and look-alikes, each in a table of its own, with what is true of it: for a property over schemas at random. */
import fc from 'fast-check';

/** The rules that can be exactly right. */
export const exactRules = [
  'indexes/duplicate',
  'indexes/redundant',
  'indexes/invalid',
  'indexes/missing-foreign-key',
  'tables/no-primary-key',
  'tables/not-validated',
  'tables/autovacuum-disabled',
  'sequences/exhaustion',
] as const;
export type ExactRule = (typeof exactRules)[number];

/** A finding that must be there, and no other of its rule about the table: about any one of these indexes, where it is about one. */
export interface Truth {
  rule: ExactRule;
  anyOf?: string[];
}

/** What is done to a table that exists, and what is true afterwards. */
export interface Plant {
  what: string;
  /** The rule that it is made for: with no truth of that rule it only looks like a fault. */
  of: ExactRule;
  /** `T` stands for the table. It has the columns id, a, b, c, n (integers), s, u (texts) and r (a range). */
  sql: string[];
  truths: Truth[];
  /** How the table is made, when not in the usual way. */
  table?: string;
  /** Statements that must fail, and are run alone. */
  failing?: string[];
  /** The oldest server that knows it, as `server_version_num`. */
  from?: number;
}

/** The usual table: a primary key, and rows that are all different but for c and n. */
export const usualTable = `create table T (
  id int primary key, a int not null, b int not null, c int not null, n int, s text not null, u text not null, r int4range)`;

const columns = fc.shuffledSubarray(['a', 'b', 'c', 's', 'u'], { minLength: 2, maxLength: 3 });
const tail = fc.constantFrom('', ' where n > 3', ' where n is not null', ' with (fillfactor = 70)');

/** A key written in one of the ways that mean the same, ascending. */
const ascending = (column: string) => fc.constantFrom(column, `${column} asc`, `${column} nulls last`);

const listed = (names: readonly string[]) => fc.tuple(...names.map(ascending)).map((keys) => keys.join(', '));

const duplicates = columns.chain((names) =>
  fc.tuple(listed(names), listed(names), tail).map(
    ([one, two, rest]): Plant => ({
      what: `a copy over (${names})${rest}`,
      of: 'indexes/duplicate',
      sql: [`create index T_x on T (${one})${rest}`, `create index T_y on T (${two})${rest}`],
      truths: [{ rule: 'indexes/duplicate', anyOf: ['x', 'y'] }],
    }),
  ),
);

const mirrors = columns.map(
  (names): Plant => ({
    what: `the mirror of (${names})`,
    of: 'indexes/duplicate',
    sql: [`create index T_x on T (${names})`, `create index T_y on T (${names.map((name) => `${name} desc`)})`],
    truths: [{ rule: 'indexes/duplicate', anyOf: ['x', 'y'] }],
  }),
);

const prefixes = columns.chain((names) =>
  fc.tuple(listed(names.slice(0, -1)), tail, fc.constantFrom('', ' include (n)')).map(
    ([start, rest, include]): Plant => ({
      what: `a prefix of (${names})${include}${rest}`,
      of: 'indexes/redundant',
      sql: [`create index T_x on T (${start})${rest}`, `create index T_y on T (${names})${include}${rest}`],
      truths: [{ rule: 'indexes/redundant', anyOf: ['x'] }],
    }),
  ),
);

/** Pairs that look like duplicates or prefixes: each differs in one thing. */
const lookAlikes = columns.chain((names) => {
  const [first = 'a', ...others] = names;
  const text = names.find((name) => 'su'.includes(name)) ?? 's';
  const all = names.join(', ');
  const pairs: [string, string, string][] = [
    ['another order', `(${all})`, `(${[...others, first]})`],
    ['another predicate', `(${all}) where n > 3`, `(${all}) where n > 4`],
    ['a predicate on one side', `(${all})`, `(${all}) where n > 3`],
    ['one direction turned', `(${all})`, `(${first} desc, ${others})`],
    ['nulls elsewhere', `(${all})`, `(${first} nulls first, ${others})`],
    ['another collation', `(${text})`, `(${text} collate "POSIX")`],
    ['another operator class', `(${text})`, `(${text} text_pattern_ops)`],
    ['another method', `(${first})`, `using hash (${first})`],
    ['a prefix of another method', `using hash (${first})`, `(${all})`],
    ['other columns by INCLUDE', `(${first}) include (n)`, `(${first}, ${others})`],
    ['a prefix by INCLUDE', `(${first}, ${others})`, `(${others}) include (${first})`],
    ['an expression', `(${text})`, `(lower(${text}))`],
    ['a prefix with a predicate', `(${first}) where n > 3`, `(${all})`],
    ['a prefix of a partial one', `(${first})`, `(${all}) where n > 3`],
    ['BRIN', `using brin (${first})`, `using brin (${all})`],
    ['BRIN of another granularity', `using brin (${first})`, `using brin (${first}) with (pages_per_range = 8)`],
    ['GIN', `using gin (string_to_array(s, ' '))`, `using gin (string_to_array(u, ' '))`],
    ['a prefix with another direction inside', `(${first}, ${others[0]} desc)`, `(${all})`],
  ];
  // The one that comes first by its name is the one that stays, where nothing else decides.
  return fc.tuple(fc.constantFrom(...pairs), fc.boolean()).map(
    ([[what, x, y], isTurned]): Plant => ({
      what: `${what}: ${x} and ${y}`,
      of: what.includes('prefix') ? 'indexes/redundant' : 'indexes/duplicate',
      sql: [`create index T_x on T ${isTurned ? y : x}`, `create index T_y on T ${isTurned ? x : y}`],
      truths: [],
    }),
  );
});

const duplicate = (what: string, sql: string[], ...anyOf: string[]): Plant => ({
  what,
  of: 'indexes/duplicate',
  sql,
  truths: anyOf.length > 0 ? [{ rule: 'indexes/duplicate', anyOf }] : [],
});
const redundant = (what: string, sql: string[], ...anyOf: string[]): Plant => ({
  what,
  of: 'indexes/redundant',
  sql,
  truths: anyOf.length > 0 ? [{ rule: 'indexes/redundant', anyOf }] : [],
});

const uniques: Plant[] = [
  duplicate('plain beside unique', ['create index T_x on T (a)', 'create unique index T_y on T (a)'], 'x'),
  duplicate('plain beside the primary key', ['create index T_x on T (id)'], 'x'),
  duplicate('unique beside the primary key', ['create unique index T_x on T (id)'], 'x'),
  duplicate(
    'two constraints',
    ['alter table T add constraint T_x unique (a)', 'create unique index T_y on T (a)'],
    'y',
  ),
  duplicate(
    'a deferrable constraint beside one that is not',
    ['alter table T add constraint T_x unique (a) deferrable', 'create unique index T_y on T (a)'],
    'x',
  ),
  duplicate('unique beside a deferrable primary key', ['alter table T add constraint T_x unique (a) deferrable']),
  redundant('unique before more columns', ['create unique index T_x on T (a)', 'create index T_y on T (a, b)']),
  redundant(
    'unique implied by unique',
    ['create unique index T_x on T (a)', 'create unique index T_y on T (b, a)'],
    'y',
  ),
  redundant(
    'unique beside unique with INCLUDE',
    ['create unique index T_x on T (a)', 'create unique index T_y on T (a) include (b)'],
    'x',
  ),
  redundant('unique beside a partial unique one', [
    'create unique index T_x on T (a, b)',
    'create unique index T_y on T (a) where n > 3',
  ]),
  redundant('unique that a deferrable one would imply', [
    'create unique index T_x on T (a, b)',
    'alter table T add constraint T_y unique (a) deferrable',
  ]),
  redundant('behind the primary key', ['create index T_x on T (id, a)']),
  redundant('unique that a foreign key refers to', [
    'create unique index T_x on T (a)',
    'alter table T add constraint T_y unique (a, b)',
    'create table T_ref (id int primary key, a int, b int, foreign key (a, b) references T (a, b))',
    'create index T_ref_i on T_ref (a, b)',
  ]),
  redundant('the replica identity', [
    'create unique index T_x on T (a)',
    'create unique index T_y on T (a, b)',
    'alter table T replica identity using index T_y',
  ]),
  redundant('what CLUSTER uses', [
    'create index T_x on T (a)',
    'create index T_y on T (a, b)',
    'alter table T cluster on T_x',
  ]),
  duplicate(
    'a plain one beside an exclusion constraint',
    ['alter table T add constraint T_y exclude using gist (r with &&)', 'create index T_x on T using gist (r)'],
    'x',
  ),
];

const keyTo = 'references P (id)';
const missing = (what: string, ...sql: string[]): Plant => ({
  what: `foreign key: ${what}`,
  of: 'indexes/missing-foreign-key',
  sql: [`alter table T add constraint T_fk foreign key (a) ${keyTo}`, ...sql],
  truths: [{ rule: 'indexes/missing-foreign-key' }],
});
const covered = (what: string, ...sql: string[]): Plant => ({ ...missing(what, ...sql), truths: [] });
const two = 'alter table T add constraint T_fk foreign key (a, b) references P2 (a, b)';

const foreignKeys: Plant[] = [
  missing('no index'),
  missing('the column comes second', 'create index T_x on T (b, a)'),
  missing('a partial index', 'create index T_x on T (a) where n > 3'),
  missing('BRIN', 'create index T_x on T using brin (a)'),
  missing('an expression', 'create index T_x on T ((a + 0))'),
  missing('by INCLUDE only', 'create index T_x on T (b) include (a)'),
  covered('an index', 'create index T_x on T (a)'),
  covered('the first column', 'create index T_x on T (a desc, b)'),
  covered('hash', 'create index T_x on T using hash (a)'),
  covered('of the rows that are not null', 'create index T_x on T (a) where a is not null'),
  covered('GiST', 'create index T_x on T using gist (a, r)'),
  covered('a unique constraint', 'alter table T add constraint T_x unique (a, b)'),
  {
    what: 'foreign key of two columns, none',
    of: 'indexes/missing-foreign-key',
    sql: [two],
    truths: [{ rule: 'indexes/missing-foreign-key' }],
  },
  {
    what: 'foreign key of two columns, one of them',
    of: 'indexes/missing-foreign-key',
    sql: [two, 'create index T_x on T (a)'],
    truths: [{ rule: 'indexes/missing-foreign-key' }],
  },
  {
    what: 'foreign key of two columns, in another order',
    of: 'indexes/missing-foreign-key',
    sql: [two, 'create index T_x on T (b, a, c)'],
    truths: [],
  },
  {
    what: 'foreign key of two columns, unique over one',
    of: 'indexes/missing-foreign-key',
    sql: [two, 'create unique index T_x on T (b)'],
    truths: [],
  },
  {
    what: 'foreign key under another collation',
    of: 'indexes/missing-foreign-key',
    sql: [
      'alter table T add constraint T_fk foreign key (s) references P3 (s)',
      'create index T_x on T (s collate "POSIX")',
    ],
    truths: [{ rule: 'indexes/missing-foreign-key' }],
  },
  {
    what: 'two foreign keys, one index',
    of: 'indexes/missing-foreign-key',
    sql: [two, `alter table T add constraint T_fk2 foreign key (b) ${keyTo}`],
    truths: [{ rule: 'indexes/missing-foreign-key' }],
  },
  {
    what: 'foreign key of partitions, each with an index',
    of: 'indexes/missing-foreign-key',
    table: 'create table T (id int, a int, b int, primary key (id)) partition by range (id)',
    sql: [
      'create table T_p partition of T for values from (0) to (100000)',
      'create index T_p_a on T_p (a)',
      `alter table T add constraint T_fk foreign key (a) ${keyTo}`,
    ],
    truths: [],
  },
  {
    what: 'foreign key of partitions, one without an index',
    of: 'indexes/missing-foreign-key',
    table: 'create table T (id int, a int, b int, primary key (id)) partition by range (id)',
    sql: [
      'create table T_p partition of T for values from (0) to (100000)',
      'create table T_q partition of T for values from (100000) to (200000)',
      'create index T_p_a on T_p (a)',
      `alter table T add constraint T_fk foreign key (a) ${keyTo}`,
    ],
    truths: [{ rule: 'indexes/missing-foreign-key' }],
  },
];

const keys: Plant[] = [
  {
    what: 'no key',
    of: 'tables/no-primary-key',
    table: 'create table T (id int, a int)',
    sql: [],
    truths: [{ rule: 'tables/no-primary-key' }],
  },
  {
    what: 'no key but a unique index',
    of: 'tables/no-primary-key',
    table: 'create table T (id int not null unique, a int)',
    sql: [],
    truths: [{ rule: 'tables/no-primary-key' }],
  },
  {
    what: 'a key of two columns',
    of: 'tables/no-primary-key',
    table: 'create table T (id int, a int, primary key (a, id))',
    sql: [],
    truths: [],
  },
  {
    what: 'partitions with a key',
    of: 'tables/no-primary-key',
    table: 'create table T (id int, a int, primary key (id)) partition by range (id)',
    sql: ['create table T_p partition of T for values from (0) to (1000)'],
    truths: [],
  },
  {
    what: 'partitions without a key',
    of: 'tables/no-primary-key',
    table: 'create table T (id int, a int) partition by range (id)',
    sql: ['create table T_p partition of T for values from (0) to (1000)'],
    truths: [{ rule: 'tables/no-primary-key' }],
  },
  {
    what: 'a materialized view',
    of: 'tables/no-primary-key',
    sql: ['create materialized view T_v as select * from T'],
    truths: [],
  },
];

const invalid: Plant[] = [
  {
    what: 'a unique index that failed',
    of: 'indexes/invalid',
    sql: [],
    failing: ['create unique index concurrently T_x on T (c)'],
    truths: [{ rule: 'indexes/invalid', anyOf: ['x'] }],
  },
  {
    what: 'a partitioned index without its part',
    of: 'indexes/invalid',
    table: 'create table T (id int primary key, a int) partition by range (id)',
    sql: ['create table T_p partition of T for values from (0) to (1000)', 'create index T_x on only T (a)'],
    truths: [{ rule: 'indexes/invalid', anyOf: ['x'] }],
  },
  {
    what: 'a partitioned index with its part',
    of: 'indexes/invalid',
    table: 'create table T (id int primary key, a int) partition by range (id)',
    sql: ['create table T_p partition of T for values from (0) to (1000)', 'create index T_x on T (a)'],
    truths: [],
  },
];

const full = (what: string, type: string, value: string, isFull: boolean, more: string[] = []): Plant => ({
  what: `a sequence: ${what}`,
  of: 'sequences/exhaustion',
  table: `create table T (id ${type} primary key, a int)`,
  sql: [...more, `select setval(pg_get_serial_sequence('T', 'id'), ${value})`],
  truths: isFull ? [{ rule: 'sequences/exhaustion' }] : [],
});

const sequences: Plant[] = [
  full('a serial near its end', 'serial', '2000000000', true),
  full('a serial at its beginning', 'serial', '1000', false),
  full('a smallserial near its end', 'smallserial', '32000', true),
  full('a bigserial far beyond an integer', 'bigserial', '2100000000', false),
  full('an identity near its end', 'int generated always as identity', '2147483647', true),
  full('a maximum of its own', 'bigint generated always as identity (maxvalue 1000)', '990', true),
  full('one that begins anew', 'bigint generated always as identity (maxvalue 1000 cycle)', '990', false),
  full('downwards', 'int generated always as identity (increment -1)', '-2100000000', true),
  full('downwards, at its beginning', 'int generated always as identity (increment -1)', '-5', false),
  {
    what: 'a sequence: a column that is narrower than it',
    of: 'sequences/exhaustion',
    table: 'create table T (id int primary key, a int)',
    sql: [
      'create sequence T_own',
      "alter table T alter id set default nextval('T_own')",
      "select setval('T_own', 2000000000)",
    ],
    truths: [{ rule: 'sequences/exhaustion' }],
  },
];

const check = 'alter table T add constraint T_c check (a > 0)';
const indexed = 'create index T_x on T (a)';
const notValid = (what: string, isFault: boolean, sql: string[], more: Partial<Plant> = {}): Plant => ({
  what: `a constraint: ${what}`,
  of: 'tables/not-validated',
  sql,
  truths: isFault ? [{ rule: 'tables/not-validated' }] : [],
  ...more,
});
const ofPartitions = {
  table: 'create table T (id int primary key, a int) partition by range (id)',
};
const onePart = 'create table T_p partition of T for values from (0) to (100000)';

const constraints: Plant[] = [
  notValid('a check that was not validated', true, [`${check} not valid`]),
  notValid('a foreign key that was not validated', true, [
    `alter table T add constraint T_fk foreign key (a) ${keyTo} not valid`,
    indexed,
  ]),
  notValid('two that were not validated', true, [
    `${check} not valid`,
    'alter table T add constraint T_d check (b > 0) not valid',
  ]),
  notValid('one of two that was not validated', true, [
    check,
    'alter table T add constraint T_d check (b > 0) not valid',
  ]),
  notValid('of a partitioned table', true, [onePart, `${check} not valid`], ofPartitions),
  notValid(
    'of a partitioned table, each partition by itself',
    true,
    [onePart, `${check} not valid`, 'alter table T_p validate constraint T_c'],
    ofPartitions,
  ),
  notValid('not null, not validated', true, ['alter table T add constraint T_n not null n not valid'], {
    from: 180_000,
  }),
  notValid('validated at once', false, [check]),
  notValid('validated later', false, [`${check} not valid`, 'alter table T validate constraint T_c']),
  notValid('a foreign key that was validated later', false, [
    `alter table T add constraint T_fk foreign key (a) ${keyTo} not valid`,
    'alter table T validate constraint T_fk',
    indexed,
  ]),
  notValid('dropped', false, [`${check} not valid`, 'alter table T drop constraint T_c']),
  notValid(
    'of a partitioned table, validated later',
    false,
    [onePart, `${check} not valid`, 'alter table T validate constraint T_c'],
    ofPartitions,
  ),
  notValid('not enforced', false, [`${check} not enforced`], { from: 180_000 }),
  notValid('a deferrable one', false, ['alter table T add constraint T_x unique (a) deferrable initially deferred']),
];

const vacuumed = (what: string, isFault: boolean, sql: string[], table: Partial<Plant> = {}): Plant => ({
  what: `autovacuum: ${what}`,
  of: 'tables/autovacuum-disabled',
  sql,
  truths: isFault ? [{ rule: 'tables/autovacuum-disabled' }] : [],
  ...table,
});
const without = (options: string) => ({ table: `create table T (id int primary key, a int) with (${options})` });

const settings: Plant[] = [
  vacuumed('off', true, [], without('autovacuum_enabled = off')),
  vacuumed('no', true, [], without('autovacuum_enabled = 0, fillfactor = 70')),
  vacuumed('switched off later', true, ['alter table T set (autovacuum_enabled = false)']),
  vacuumed('off for a materialized view', true, [
    'create materialized view T_v with (autovacuum_enabled = no) as select * from T',
  ]),
  vacuumed(
    'off for one of the partitions',
    true,
    [onePart, 'create table T_q partition of T for values from (100000) to (200000) with (autovacuum_enabled = false)'],
    ofPartitions,
  ),
  vacuumed('on', false, [], without('autovacuum_enabled = on')),
  vacuumed(
    'switched on later',
    false,
    ['alter table T set (autovacuum_enabled = true)'],
    without('autovacuum_enabled = off'),
  ),
  vacuumed('reset', false, ['alter table T reset (autovacuum_enabled)'], without('autovacuum_enabled = off')),
  vacuumed('seldom', false, [], without('autovacuum_vacuum_scale_factor = 0.9, fillfactor = 70')),
  vacuumed('without truncation', false, [], without('vacuum_truncate = off')),
];

/** Any of them; the kinds of pairs most often. */
export const plant: fc.Arbitrary<Plant> = fc.oneof(
  { weight: 3, arbitrary: duplicates },
  { weight: 1, arbitrary: mirrors },
  { weight: 3, arbitrary: prefixes },
  { weight: 6, arbitrary: lookAlikes },
  { weight: 4, arbitrary: fc.constantFrom(...uniques) },
  { weight: 4, arbitrary: fc.constantFrom(...foreignKeys) },
  { weight: 2, arbitrary: fc.constantFrom(...keys) },
  { weight: 2, arbitrary: fc.constantFrom(...invalid) },
  { weight: 2, arbitrary: fc.constantFrom(...constraints) },
  { weight: 2, arbitrary: fc.constantFrom(...settings) },
  { weight: 2, arbitrary: fc.constantFrom(...sequences) },
);

/** Every plant that is not made at random. */
export const everyPlant: readonly Plant[] = [
  ...uniques,
  ...foreignKeys,
  ...keys,
  ...invalid,
  ...constraints,
  ...settings,
  ...sequences,
];
