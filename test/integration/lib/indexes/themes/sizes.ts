/** Rules over the size of indexes, and over what of it is waste. */
import fc from 'fast-check';
import { byIndex, referring, type Scene, type Theme, usual, without } from './theme.ts';

/** Without a primary key, of which the same would be true. */
const indexed = (rows: number, keys: string): string[] => [
  'create table T (id int not null, a int not null, b int not null, s text not null)',
  `insert into T select g, hashint4(g), g, 's' || g from generate_series(1, ${rows}) g`,
  `create index T_x on T ${keys}`,
];

const filled = fc.integer({ min: 12_000, max: 25_000 });
const keys = fc.constantFrom('(a)', '(a desc)', '(a, b)', '(s)', '(a) where b > 0', '(a) include (b)');

const deleted = (
  min: number,
  max: number,
  how: fc.Arbitrary<string> = keys,
  more: string[] = [],
): fc.Arbitrary<Scene> =>
  fc.tuple(filled, how, fc.integer({ min, max })).map(([rows, key, percent]) => ({
    what: `${key}, ${percent} % deleted${more.length > 0 ? `, then ${more}` : ''}`,
    steps: [indexed(rows, key), [without(percent)], ['vacuum analyze T', ...more]],
  }));

export const fragmented: Theme = {
  rule: 'indexes/fragmented',
  subject: 'T_x',
  faults: [deleted(38, 60), deleted(60, 99)],
  lookAlikes: [
    deleted(0, 22),
    deleted(38, 99, keys, ['reindex index T_x']),
    deleted(38, 99, fc.constant('using hash (a)')),
    fc.tuple(filled, fc.integer({ min: 30, max: 89 })).map(([rows, fillfactor]) => ({
      what: `a fillfactor of ${fillfactor}`,
      steps: [indexed(rows, `(a) with (fillfactor = ${fillfactor})`), ['vacuum analyze T']],
    })),
    fc.integer({ min: 38, max: 99 }).map((percent) => ({
      what: 'a small one',
      steps: [indexed(4_000, '(a)'), [without(percent)], ['vacuum analyze T']],
    })),
  ],
};

/** Reads so many rows by T_x, away from both ends of the column: there the planner looks into the index itself. */
const range = (rows: number, width: number) =>
  byIndex(`select count(s) from T where a > ${Math.floor(rows / 20)} and a <= ${Math.floor(rows / 20) + width}`, {
    bitmap: false,
  });

/** Rows in an order, of which a scan reads those but 5,000. */
const wide = fc.integer({ min: 10_500, max: 20_000 });

const scanned = (what: string, made: (rows: number) => string[], width = (rows: number) => rows - 5_000) =>
  wide.map(
    (few): Scene => ({
      what: `${what}, ${few + 5_000} rows`,
      steps: [made(few + 5_000), ['analyze T'], range(few + 5_000, width(few + 5_000))],
    }),
  );

const ordered = (index: string) => (rows: number) => [...usual(rows), index];
const plain = ordered('create index T_x on T (a)');

const inOrder = (order: (rows: number) => string) => (rows: number) => [
  'create table T (id int primary key, a int not null, b int not null, s text not null)',
  `insert into T select g, ${order(rows)}, g, 's' || g from generate_series(1, ${rows}) g`,
  'create index T_x on T (a)',
];

const texts = (rows: number, times: number, filler: string) => [
  'create table T (id int primary key, s text not null, filler text)',
  'alter table T alter filler set storage external',
  `insert into T select g, repeat(md5(g::text), ${times}), ${filler} from generate_series(1, ${rows}) g`,
];

const worded = (what: string, filler: string, index: string, more: string[] = []) =>
  fc.tuple(fc.integer({ min: 3_000, max: 5_000 }), fc.integer({ min: 2, max: 6 })).map(
    ([rows, times]): Scene => ({
      what: `${what}, ${rows} texts of ${32 * times}`,
      steps: [[...texts(rows, times, filler), `create index T_x on T ${index}`], more, ['vacuum analyze T']],
    }),
  );

export const oversized: Theme = {
  rule: 'indexes/oversized',
  subject: 'T_x',
  options: { minBytes: 128 * 1024 },
  faults: [
    scanned('in order', plain),
    scanned('in order, read backwards', ordered('create index T_x on T (a desc)')),
    scanned(
      'in backward order',
      inOrder((rows) => `${rows + 1} - g`),
    ),
    worded('a text twice', 'null', '(s, lower(s))'),
    worded('a text twice, included', 'null', '(reverse(s)) include (s)'),
  ],
  lookAlikes: [
    scanned('a scan of too few rows', plain, (rows) => Math.floor(rows / 3)),
    scanned('a scan of a few rows', plain, () => 10),
    wide.map((rows) => ({ what: 'no scan', steps: [plain(rows), ['analyze T']] })),
    scanned(
      'no order',
      inOrder(() => 'abs(hashint4(g)) % 30000'),
    ),
    wide.map((rows) => ({
      what: 'rows that are changed',
      steps: [plain(rows + 5_000), ['update T set b = 0 where id % 30 = 0'], ['analyze T'], range(rows + 5_000, rows)],
    })),
    wide.map((rows) => ({
      what: 'rows that are deleted',
      steps: [plain(rows + 5_000), [`delete from T where id > ${rows + 4_500}`], ['analyze T'], range(rows, rows)],
    })),
    scanned('unique', ordered('create unique index T_x on T (a)')),
    scanned('two columns', ordered('create index T_x on T (a, b)')),
    scanned('a condition', ordered('create index T_x on T (a) where a > 0')),
    scanned('behind a foreign key', (rows) => [...usual(rows), ...referring(rows), 'create index T_x on T (a)']),
    worded('a text once', `repeat('x', 100)`, '(s)'),
    worded('a text twice, of a wider table', `repeat('x', 700)`, '(s, lower(s))'),
    worded('a text twice, with TOAST beside the table', `repeat('x', 2500)`, '(s, lower(s))'),
    worded('merely fragmented', 'null', '(s)', ['delete from T where id > 500']),
    fc.constant({
      what: 'a small one',
      steps: [[...texts(400, 2, 'null'), 'create index T_x on T (s, lower(s))'], ['vacuum analyze T']],
    }),
  ],
};
