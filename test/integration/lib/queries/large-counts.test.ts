/** Rules over counts of large tables, beside counts that look alike. The sizes are the defaults of the rules. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectQueries } from '../../../../lib/queries/collect.ts';
import type { QuerySnapshot } from '../../../../lib/queries/snapshot.ts';
import { createDatabase, type TestDatabase, withSession } from '../../database.ts';
import { about, counted, findingsOf } from './counters/judged.ts';

/** What every option about calls and time is lowered to: what is tested is what statements say. */
const anyCost = { minCalls: 1, minMeanMs: 0, minTotalMs: 0 };

const behaviours: Record<string, { fires: string[]; silent: string[] }> = {
  'queries/count-all': {
    fires: ['select count(*) from large', 'select x.count from (select count(*) from large) x'],
    silent: [
      'select count(*) from small',
      'select count(*) from large where kind = 3',
      'select kind, count(*) from large group by kind',
      'select count(*) from large group by kind',
      'select count(*) from large l join small s on s.kind = l.id',
      'select count(*) from (select kind from large limit 50) x',
    ],
  },
  'queries/count-distinct-large': {
    fires: ['select count(distinct kind) from large', 'select count(distinct kind) from large where id > 7'],
    silent: [
      'select count(distinct kind) from small',
      'select count(kind) from large',
      'select count(*) from (select distinct kind from large) x',
      'select max(distinct kind) from large',
    ],
  },
};

let database: TestDatabase;
let snapshot: QuerySnapshot;

beforeAll(async () => {
  database = await createDatabase();
  await database.run(
    'create table large (id int, kind int)',
    'insert into large select g, g % 9 from generate_series(1, 120000) g',
    'create table small (id int, kind int)',
    'insert into small select g, g % 9 from generate_series(1, 1000) g',
  );
  await database.run(
    'analyze',
    // One that writes files is told of whatever the size of its table.
    `set work_mem = '64MB'`,
    ...Object.values(behaviours).flatMap(({ fires, silent }) => [...fires, ...silent]),
  );
  snapshot = await withSession(database.url, collectQueries);
});

afterAll(() => database?.drop());

describe.each(Object.entries(behaviours))('%s', (rule, { fires, silent }) => {
  const found = (text: string) => about(findingsOf(snapshot, rule, anyCost), counted(snapshot, text));

  test.each(fires)('fires: %s', (text) => {
    expect(found(text)).toMatchObject([{ evidence: { tableRows: 120_000 } }]);
  });

  test.each(silent)('is silent: %s', (text) => {
    expect(found(text)).toEqual([]);
  });
});
