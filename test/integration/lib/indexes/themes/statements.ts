/** The rule over what the advisor proposes for the statements that were run. */
import fc from 'fast-check';
import { type Scene, type Theme, usual } from './theme.ts';

const large = fc.integer({ min: 20_000, max: 40_000 });

/** Made, and run often. */
const run = (sql: string, made: string[] = [], rows = large): fc.Arbitrary<Scene> =>
  rows.map((count) => ({
    what: `${count} rows, ${[...made, sql].join('; ')}`,
    steps: [[...usual(count), ...made], Array<string>(20).fill(sql)],
  }));

export const missing: Theme = {
  rule: 'indexes/missing',
  subject: 'T',
  faults: [
    run('select * from T where a = 7'),
    run('select * from T where a between 100 and 120'),
    run('select * from T where a = 7 and b = 8'),
    run('select * from T order by a desc limit 10'),
    run('select id, a from T order by a desc nulls last, b desc nulls last limit 5'),
    run(`select * from T where lower(s) = 's7'`),
    run(`update T set s = s || '' where a = 7`),
    run('delete from T where a = -7'),
  ],
  lookAlikes: [
    run('select * from T where a = 7', ['create index T_x on T (a)']),
    run('select * from T where a = 7 and b = 8', ['create index T_x on T (a, b)']),
    run('select * from T order by a desc limit 10', ['create index T_x on T (a)']),
    run(`select * from T where lower(s) = 's7'`, ['create index T_x on T (lower(s))']),
    run('select * from T where id = 7'),
    run('select * from T'),
    run('select * from T where a <> 7'),
    run('select * from T where a = 7', [], fc.constant(60)),
  ],
};
