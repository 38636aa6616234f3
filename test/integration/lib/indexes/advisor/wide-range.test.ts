/** Of a range whose value it does not know the planner expects a third; pg_stat_statements has counted nearly all rows. */
import { expect, it } from 'vitest';
import { judge, takeSnapshot } from '../../../../../lib/audit.ts';
import { createDatabase, createHypopg, forgetStatements } from '../../../database.ts';

it('proposes no index for a statement that answers nearly all rows each time', async ({ skip }) => {
  const database = await createDatabase();
  try {
    skip(!(await createHypopg(database)));
    await database.run(
      'create table ballast as select repeat(md5(g::text), 30) from generate_series(1, 40000) g',
      'create table t (id int primary key, a int, b int, s text)',
      `insert into t select g, g, g, 's' || g from generate_series(1, 30000) g`,
      'vacuum analyze',
      forgetStatements,
      ...Array<string>(20).fill('select * from t where a > 100'),
    );
    expect(judge(await takeSnapshot(database.url)).filter(({ rule }) => rule === 'indexes/missing')).toEqual([]);
  } finally {
    await database.drop();
  }
});
