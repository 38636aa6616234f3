/** Rules over what happens to tables: how they are read, what changes of them, and how old their rows are. */
import fc from 'fast-check';
import { type Scene, type Theme, usual, without } from './theme.ts';

const analyzed = (rows: number, ...after: string[]): string[][] => [usual(rows), ['analyze T'], after];

const some = fc.integer({ min: 1_500, max: 4_000 });

const changed = (min: number, max: number, how: string, sql: (percent: number) => string): fc.Arbitrary<Scene> =>
  fc
    .tuple(some, fc.integer({ min, max }))
    .map(([rows, percent]) => ({ what: `${percent} % ${how}`, steps: analyzed(rows, sql(percent)) }));

const updating = (percent: number) => `update T set b = 0 where (id * 31) % 100 < ${percent}`;

const partitioned = (whole: string, part: string, rows: number): string[] => [
  `create table ${whole} (id int primary key, a int) partition by range (id)`,
  `create table ${part} partition of ${whole} for values from (0) to (10000)`,
  `insert into ${whole} select g, g from generate_series(1, ${rows}) g`,
];

export const staleStatistics: Theme = {
  rule: 'tables/stale-statistics',
  subject: 'T',
  faults: [
    changed(32, 99, 'updated', updating),
    changed(32, 99, 'deleted', without),
    some.map((rows) => ({
      what: 'twice as many rows',
      steps: analyzed(rows, `insert into T select ${rows} + g, g, g, 's' from generate_series(1, ${rows}) g`),
    })),
    some.map((rows) => ({ what: 'never analyzed', steps: [usual(rows)] })),
    some.map((rows) => ({ what: 'vacuumed, but never analyzed', steps: [usual(rows), ['vacuum T']] })),
    some.map((rows) => ({
      what: 'partitions, analyzed one by one',
      steps: [partitioned('T', 'T_part', rows), ['analyze T_part']],
      from: 140_000,
    })),
    some.map((rows) => ({
      what: 'a partition that has changed',
      steps: [partitioned('T_whole', 'T', rows), ['analyze T_whole'], ['update T set a = 0']],
    })),
  ],
  lookAlikes: [
    changed(0, 18, 'updated', updating),
    changed(0, 18, 'deleted', without),
    some.map((rows) => ({
      what: 'all updated, and analyzed again',
      steps: [...analyzed(rows, updating(100)), ['analyze T']],
    })),
    some.map((rows) => ({
      what: 'an update that was rolled back',
      steps: analyzed(rows, 'begin', updating(100), 'rollback'),
    })),
    fc.constant({ what: 'a small table, never analyzed', steps: [usual(900)] }),
    some.map((rows) => ({
      what: 'partitions, analyzed as a whole',
      steps: [partitioned('T', 'T_part', rows), ['analyze T']],
    })),
  ],
};

const times = (count: number, statement: string) =>
  `do $$ begin for n in 1..${count} loop perform ${statement}; end loop; end $$`;

const whole = 'count(*) from T where b = n';
const single = '* from T where id = n';

const large = fc.integer({ min: 10_500, max: 13_000 });

const read = (what: string, after: (scans: number) => string[], rows = large): fc.Arbitrary<Scene> =>
  fc
    .tuple(rows, fc.integer({ min: 105, max: 140 }))
    .map(([count, scans]) => ({ what: `${scans} scans, ${what}`, steps: analyzed(count, ...after(scans)) }));

export const sequentialScans: Theme = {
  rule: 'tables/sequential-scans',
  subject: 'T',
  faults: [
    read('and no other', (scans) => [times(scans, whole)]),
    read('and 8 times as many by the key', (scans) => [times(scans, whole), times(8 * scans, single)]),
  ],
  lookAlikes: [
    read('but for 60', (scans) => [times(scans - 60, whole)]),
    read('each of a few rows', (scans) => [times(scans, '1 from T limit 10')]),
    read('and 25 times as many by the key', (scans) => [times(scans, whole), times(25 * scans, single)]),
    read('by the key', (scans) => [times(scans, single)]),
    read('of a small table', (scans) => [times(scans, whole)], fc.constant(8_000)),
  ],
};

/** Says in the catalog that the oldest row is of so many transactions ago: nobody waits for that many. */
const aged = (relation: string, ids: string, next: string, age: number) =>
  `update pg_class set ${ids} = ((${next} % 4294967296 - ${age} + 4294967296) % 4294967296)::text::xid where oid = ${relation}`;

const million = 1_000_000;

const aging = (min: number, max: number, what: string, relation: string, ids: string, next: string) =>
  fc
    .integer({ min: min * million, max: max * million })
    .map((age): Scene => ({ what: `${what}, ${age} ago`, steps: [usual(10), [aged(relation, ids, next, age)]] }));

const agings = (min: number, max: number) =>
  [
    aging(min, max, 'the oldest row', `'T'::regclass`, 'relfrozenxid', 'txid_current()'),
    aging(
      min,
      max,
      'the oldest row in TOAST',
      `(select reltoastrelid from pg_class where oid = 'T'::regclass)`,
      'relfrozenxid',
      'txid_current()',
    ),
    aging(
      min,
      max,
      'the oldest row that several have locked',
      `'T'::regclass`,
      'relminmxid',
      '(select next_multixact_id::text::bigint from pg_control_checkpoint())',
    ),
  ] as const;

export const wraparound: Theme = {
  rule: 'tables/wraparound',
  subject: 'T',
  faults: agings(605, 2_100),
  lookAlikes: agings(1, 595),
};
