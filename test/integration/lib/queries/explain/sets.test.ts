import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queries as apiQueries } from '../../../../../bench/queries/api/queries.ts';
import { schema as apiSchema } from '../../../../../bench/queries/api/schema.ts';
import { queries as tpchQueries } from '../../../../../bench/queries/tpch/queries.ts';
import { schema as tpchSchema } from '../../../../../bench/queries/tpch/schema.ts';
import type { Session } from '../../../../../lib/postgres/session.ts';
import { StatementPlan } from '../../../../../lib/queries/snapshot.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { explainTexts, failuresOf, openAuditor, type Sent, textsOf } from './workload.ts';

describe.each([
  ['TPC-H', tpchSchema, tpchQueries],
  ['the API', apiSchema, apiQueries],
] as [string, readonly string[], readonly Sent[]][])('the statements of %s', (_, schema, queries) => {
  let database: TestDatabase;
  let auditor: { session: Session; drop(): Promise<void> };
  let texts: string[];

  beforeAll(async () => {
    database = await createDatabase();
    await database.run(...schema);
    texts = await textsOf(database, queries);
    auditor = await openAuditor(database);
  });

  afterAll(async () => {
    await auditor?.drop();
    await database?.drop();
  });

  it('are explained as pg_stat_statements shows them, by a role that may only read', async () => {
    expect(texts).toHaveLength(queries.length);
    const plans = await explainTexts(auditor.session, texts);
    expect(failuresOf(plans)).toEqual([]);
    expect(plans.map(({ queryId }) => queryId)).toEqual(texts);
    for (const plan of plans) expect(StatementPlan.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });
});
