/** A rule over the space of tables. */
import fc from 'fast-check';
import { type Scene, type Theme, without } from './theme.ts';

const some = fc.integer({ min: 5_000, max: 9_000 });

const rowsOf = (rows: number, options = '') => [
  `create table T (id int primary key, filler text) ${options}`,
  `insert into T select g, repeat('x', 300) from generate_series(1, ${rows}) g`,
];

const deleted = (min: number, max: number, how: string, after: string[] = []): fc.Arbitrary<Scene> =>
  fc.tuple(some, fc.integer({ min, max })).map(([rows, percent]) => ({
    what: `${percent} % deleted, ${how}`,
    steps: [rowsOf(rows), [without(percent)], after],
  }));

export const bloat: Theme = {
  rule: 'tables/bloat',
  subject: 'T',
  options: { minWastedBytes: 200_000 },
  faults: [deleted(60, 92, 'not vacuumed'), deleted(60, 92, 'vacuumed', ['vacuum T'])],
  lookAlikes: [
    deleted(0, 40, 'not vacuumed'),
    deleted(0, 40, 'vacuumed', ['vacuum T']),
    deleted(60, 92, 'and written anew', ['vacuum full T']),
    fc.tuple(some, fc.integer({ min: 12, max: 40 })).map(([rows, fillfactor]) => ({
      what: `a fillfactor of ${fillfactor}`,
      steps: [rowsOf(rows, `with (fillfactor = ${fillfactor})`), ['vacuum T']],
    })),
    fc.tuple(some, fc.integer({ min: 60, max: 90 })).map(([rows, percent]) => ({
      what: `${percent} % deleted, and filled again`,
      steps: [
        rowsOf(rows),
        [without(percent)],
        ['vacuum T'],
        [
          `insert into T select ${rows} + g, repeat('x', 300) from generate_series(1, ${Math.floor((rows * percent) / 100)}) g`,
        ],
      ],
    })),
    fc.tuple(some, fc.integer({ min: 60, max: 90 })).map(([rows, percent]) => ({
      what: `the last ${percent} % deleted`,
      steps: [rowsOf(rows), [`delete from T where id > ${Math.floor((rows * (100 - percent)) / 100)}`], ['vacuum T']],
    })),
    fc
      .integer({ min: 60, max: 92 })
      .map((percent) => ({ what: 'a small table', steps: [rowsOf(400), [without(percent)], ['vacuum T']] })),
  ],
};
