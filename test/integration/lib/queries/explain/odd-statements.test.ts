import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../../../../lib/postgres/session.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { groups, schema } from './odd-statements.ts';
import { explainTexts, failuresOf, openAuditor, type Sent, textsOf } from './workload.ts';

let database: TestDatabase;
let auditor: { session: Session; drop(): Promise<void> };

beforeAll(async () => {
  database = await createDatabase();
  await database.run(...schema);
  auditor = await openAuditor(database);
});

afterAll(async () => {
  await auditor?.drop();
  await database?.drop();
});

const sent = (sql: string): Sent => ({ sql });
const numbers = Array.from({ length: 2_000 }, (_, i) => i);

/** What mappers write without mercy. */
const long: Sent[] = [
  `select a from t where ${numbers
    .slice(0, 300)
    .map((n) => `a = ${n}`)
    .join(' or ')}`,
  `select a from t where a in (${numbers.join(', ')})`,
  `select a from t where a not in (${numbers.join(', ')}) and c = 'x'`,
  `select a from t where a = any (array[${numbers.join(', ')}])`,
  `select * from t where (a, c) in (${numbers
    .slice(0, 100)
    .map((n) => `(${n}, 'x')`)
    .join(', ')})`,
  `insert into t (a, c) values ${numbers
    .slice(0, 500)
    .map((n) => `(${n}, 'x')`)
    .join(', ')}`,
  `select ${numbers
    .slice(0, 500)
    .map((n) => `a + ${n} as a${n}`)
    .join(', ')} from t`,
  `select * from ${'('.repeat(20)}select 1 as x${')'.repeat(20)} s where x = 1`,
].map(sent);

describe('explainWorkload', () => {
  it.each([
    ...Object.entries(groups).map(([name, list]) => [
      name,
      list.map((each) => (typeof each === 'string' ? sent(each) : each)),
    ]),
    ['long statements', long],
  ] as [string, Sent[]][])('explains %s', async (_, statements) => {
    const texts = await textsOf(database, statements);
    expect(failuresOf(await explainTexts(auditor.session, texts))).toEqual([]);
  });
});
