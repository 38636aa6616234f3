/** Rules over what is read and written: what the counters of a real server must say of indexes. */
import fc from 'fast-check';
import { byIndex, referring, type Scene, type Theme, usual } from './theme.ts';

/** An index, and a statement that it answers. */
const readable = fc.constantFrom<[keys: string, sql: string]>(
  ['(a)', 'select * from T where a = 7'],
  ['(a desc, b)', 'select * from T where a = 7'],
  ['(b) include (s)', 'select * from T where b = 7'],
  ['(lower(s))', `select * from T where lower(s) = 's7'`],
  ['(a) where b > 3', 'select * from T where a = 7 and b > 3'],
  ['using hash (s)', `select * from T where s = 's7'`],
  ['using brin (a)', 'select * from T where a = 7'],
  [`using gin (string_to_array(s, ' '))`, `select * from T where string_to_array(s, ' ') @> '{s7}'`],
);

/** More than fit a leaf page. */
const some = fc.integer({ min: 2_000, max: 5_000 });

const of = (what: string, steps: (rows: number) => string[][], rows = some): fc.Arbitrary<Scene> =>
  rows.map((count) => ({ what: `${what}, ${count} rows`, steps: steps(count) }));

const partitions = (rows: number): string[] => [
  'create table T (id int not null, a int not null) partition by range (id)',
  'create table T_low partition of T for values from (0) to (1000)',
  `create table T_high partition of T for values from (1000) to (${rows + 1})`,
  `insert into T select g, g from generate_series(1, ${rows}) g`,
  'create index T_x on T (a)',
];

export const unused: Theme = {
  rule: 'indexes/unused',
  subject: 'T_x',
  faults: [
    fc.tuple(some, readable).map(([rows, [keys]]) => ({
      what: `${keys}, never read`,
      steps: [[...usual(rows), `create index T_x on T ${keys}`]],
    })),
    of('partitions, none of them read', (rows) => [partitions(rows)]),
    of('beside the one behind a foreign key', (rows) => [
      [...usual(rows), ...referring(rows), 'create index T_y on T (a)', 'create index T_x on T (b)'],
    ]),
  ],
  lookAlikes: [
    fc.tuple(some, readable).map(([rows, [keys, sql]]) => ({
      what: `${keys}, read once`,
      steps: [[...usual(rows), `create index T_x on T ${keys}`, 'analyze T'], byIndex(sql)],
    })),
    of('unique', (rows) => [[...usual(rows), 'create unique index T_x on T (a)']]),
    of('a unique constraint', (rows) => [[...usual(rows), 'alter table T add constraint T_x unique (b, a)']]),
    of('an exclusion constraint', (rows) => [
      [...usual(rows), 'alter table T add constraint T_x exclude using btree (a with =)'],
    ]),
    of('what CLUSTER uses', (rows) => [[...usual(rows), 'create index T_x on T (b)', 'alter table T cluster on T_x']]),
    of('one leaf page', () => [[...usual(90), 'create index T_x on T (b)']]),
    of('behind a foreign key', (rows) => [[...usual(rows), ...referring(rows), 'create index T_x on T (a, b)']]),
    of('partitions, one of them read', (rows) => [
      [...partitions(rows), 'analyze T'],
      byIndex('select * from T_high where a = 1500'),
    ]),
    of('to take the place of another', (rows) => [
      [...usual(rows), 'create index T_y on T (a)', 'analyze T'],
      byIndex('select * from T where a = 7'),
      ['create index T_x on T (a, b)'],
    ]),
  ],
};

const filled = fc.integer({ min: 6_000, max: 12_000 });

const lookUps = (times: number) =>
  byIndex(`do $$ begin for n in 1..${times} loop perform * from T where a = n * 7; end loop; end $$`);

const rewrite = (column: string) =>
  `do $$ begin for n in 1..80 loop update T set ${column} = ${column} + 1; commit; end loop; end $$`;

const once = (rows: number, ...made: string[]) => [[...usual(rows), ...made, 'analyze T'], lookUps(1)];

export const writeHeavy: Theme = {
  rule: 'indexes/write-heavy',
  subject: 'T_x',
  options: { minWrites: 5_000 },
  days: 40,
  faults: [
    fc.tuple(filled, fc.constantFrom('(a)', 'using hash (a)', '(a, b)')).chain(([rows, keys]) =>
      fc.integer({ min: 1, max: Math.floor(rows / 1_250) }).map((reads) => ({
        what: `${keys}, ${rows} writes, ${reads} reads`,
        steps: [[...usual(rows), `create index T_x on T ${keys}`, 'analyze T'], lookUps(reads)],
      })),
    ),
    of('a column that is updated all the time', () => [
      [...usual(100), 'create index T_x on T (b)', rewrite('b')],
      ['vacuum analyze T'],
      byIndex('select * from T where b = 90'),
    ]),
  ],
  lookAlikes: [
    filled.chain((rows) =>
      fc.integer({ min: Math.ceil(rows / 800), max: 60 }).map((reads) => ({
        what: `${rows} writes, ${reads} reads`,
        steps: [[...usual(rows), 'create index T_x on T (a)', 'analyze T'], lookUps(reads)],
      })),
    ),
    filled.chain((rows) =>
      fc.integer({ min: Math.ceil(rows / 800), max: 2_000 }).map((width) => ({
        what: `${rows} writes, a read of ${width} rows`,
        steps: [
          [...usual(rows), 'create index T_x on T (a)', 'analyze T'],
          byIndex(`select * from T where a between 1000 and ${999 + width}`),
        ],
      })),
    ),
    of('that nobody reads', (rows) => [[...usual(rows), 'create index T_x on T (a)']], filled),
    of('that is unique', (rows) => once(rows, 'create unique index T_x on T (a)'), filled),
    of('behind a foreign key', (rows) => once(rows, ...referring(rows), 'create index T_x on T (a)'), filled),
    of(
      'of which there is another',
      (rows) => once(rows, 'create index T_x on T (a)', 'create unique index T_y on T (a)'),
      filled,
    ),
    of('of few rows', () => once(3_000, 'create index T_x on T (a)')),
    of('beside heap-only updates', () => [
      [
        'create table T (id int primary key, a int not null, b int not null) with (fillfactor = 30)',
        'insert into T select g, g, g from generate_series(1, 100) g',
        'create index T_x on T (a)',
        rewrite('b'),
      ],
      ['analyze T'],
      lookUps(1),
    ]),
  ],
};
