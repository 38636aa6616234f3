/** A rule over the values of a column, as ANALYZE has seen them. */
import fc from 'fast-check';
import { byIndex, type Scene, type Theme } from './theme.ts';

/** All of them are in the sample of ANALYZE. */
const rows = 12_000;

/** @param value of the column c, for the row g */
const flagged = (value: string, index = '(c)'): string[] => [
  'create table T (id int primary key, c int, filler text)',
  `insert into T select g, ${value}, repeat('x', 60) from generate_series(1, ${rows}) g`,
  `create index T_x on T ${index}`,
];

const scene = (what: string, made: string[], used: string[] = []): Scene => ({
  what,
  steps: [made, ['vacuum analyze T'], used],
});

/** Whoever reads it fetches all of its rows. */
const fetched = byIndex('select count(filler) from T where c = 1', { bitmap: false });
const counted = byIndex('select count(*) from T where c = 1', { bitmap: false });

const few = fc.integer({ min: 2, max: 18 });
const perMille = fc.integer({ min: 1, max: 40 });

/** A column of few values, but an index that is more than that. */
const spared = (what: string, index: string, more: string[] = [], used: string[] = []) =>
  few.map((values) => scene(`${values} values, ${what}`, [...flagged(`g % ${values}`, index), ...more], used));

export const lowSelectivity: Theme = {
  rule: 'indexes/low-selectivity',
  subject: 'T_x',
  faults: [
    few.map((values) => scene(`${values} values, never read`, flagged(`g % ${values}`))),
    few.map((values) => scene(`${values} values, read as a whole`, flagged(`g % ${values}`), fetched)),
    fc
      .integer({ min: 6, max: 50 })
      .map((percent) => scene(`a value of ${percent} %`, flagged(`case when g % 100 < ${percent} then 1 else 0 end`))),
    fc
      .integer({ min: 3, max: 16 })
      .map((values) => scene(`${values - 1} values, and nulls`, flagged(`nullif(g % ${values}, 0)`))),
  ],
  lookAlikes: [
    fc.integer({ min: 24, max: 2_000 }).map((values) => scene(`${values} values`, flagged(`g % ${values}`))),
    perMille.map((share) =>
      scene(`a value of ${share} in 1000`, flagged(`case when g % 1000 < ${share} then 1 else 0 end`)),
    ),
    perMille.map((share) =>
      scene(`nulls of ${share} in 1000`, flagged(`case when g % 1000 < ${share} then null else g % 2 end`)),
    ),
    perMille.map((share) =>
      scene(`2 values, and ${share} in 1000 of many`, flagged(`case when g % 1000 < ${share} then g else g % 2 end`)),
    ),
    spared('a second column', '(c, id)'),
    spared('a column by INCLUDE', '(c) include (id)'),
    spared('a condition', '(c) where id > 5'),
    spared('an expression', '((c + 1))'),
    spared('another method', 'using brin (c)'),
    spared('answered out of the index alone', '(c)', [], counted),
    spared('behind a foreign key', '(c)', [
      'create table T_parent (id int primary key)',
      'insert into T_parent select generate_series(0, 20)',
      'alter table T add foreign key (c) references T_parent (id)',
    ]),
    spared('a table of few rows', '(c)', ['delete from T where id > 8000']),
  ],
};
