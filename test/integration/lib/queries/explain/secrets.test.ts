import fc from 'fast-check';
import { scanSync } from 'libpg-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readServer, type Server } from '../../../../../lib/postgres/server.ts';
import { openSession, type Session } from '../../../../../lib/postgres/session.ts';
import { applyEdits } from '../../../../../lib/queries/explain/edits.ts';
import { explainStatement } from '../../../../../lib/queries/explain/explain.ts';
import { explainWorkload } from '../../../../../lib/queries/explain/workload.ts';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { createDatabase, type TestDatabase } from '../../../database.ts';
import { groups, schema } from './odd-statements.ts';
import { statement } from './workload.ts';

let database: TestDatabase;
let session: Session;
let server: Server;

const marker = 'hunter2';
/** A number that no cost and no count of rows is. */
const number = '73914682';

beforeAll(async () => {
  await loadParser();
  database = await createDatabase();
  await database.run(
    ...schema,
    // Whatever is looked for is a common value, so that the plan is asked for with it.
    `insert into t (a, c, "Quoted Name") select ${number}, '${marker}', '${marker}' from generate_series(1, 900)`,
    `insert into t (a, c, "Quoted Name") select g, 'x' || g, 'x' || g from generate_series(1, 100) g`,
    'create index on t (a)',
    'create index on t (c)',
    'analyze',
  );
  session = await openSession(database.url);
  server = await readServer(session);
});

afterAll(async () => {
  await session?.close();
  await database?.drop();
});

/** A statement of the set whose constants are secrets. */
const secretive = fc
  .constantFrom(...Object.values(groups).flat())
  .chain((each) =>
    fc.record({
      sql: fc.constant(typeof each === 'string' ? each : each.sql),
      quote: fc.constantFrom(
        `'${marker}'`,
        `E'\\n${marker}'`,
        `$$ ${marker} $$`,
        `'it''s ${marker}'`,
        `'{"a": "${marker}"}'`,
      ),
      share: fc.constantFrom(1, 0.5),
      comment: fc.constantFrom('', ` /* ${marker} */`, ` -- ${marker}`),
    }),
  )
  .map(({ sql, quote, share, comment }) => {
    const constants = scanSync(sql).tokens.filter(({ text }) => /^(?:'|\d)/.test(text));
    const changed = constants.slice(0, Math.ceil(share * constants.length));
    return (
      applyEdits(
        sql,
        changed.map(({ start, end, text }) => ({ start, end, text: text.startsWith("'") ? quote : number })),
      ) + comment
    );
  });

describe('no constant of a statement', () => {
  it('is in what is kept of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(secretive, { minLength: 1, maxLength: 5 }), async (statements) => {
        const masked = statements.map((sql) => statement(readText(sql).text));
        // The number of a column is kept, and no column has this one.
        fc.pre(!masked.some(({ query }) => query.includes(number)));
        const kept = await explainWorkload(session, server, masked, {
          deadline: Number.POSITIVE_INFINITY,
          shareCovered: 1,
        });
        expect(JSON.stringify(kept)).not.toMatch(new RegExp(`${marker}|${number}`));
      }),
      { numRuns: 100 },
    );
  });

  it('is in the reason why it has no plan, nor in an error', async () => {
    await fc.assert(
      fc.asyncProperty(secretive, async (sql) => {
        const told = await explainStatement(session, server, sql).then(
          ({ failure }) => JSON.stringify(failure),
          (error: Error) => error.message,
        );
        expect(told).not.toMatch(new RegExp(`${marker}|${number}`));
      }),
      { numRuns: 100 },
    );
  });

  it('comes out of the statistics either, which its plan is tried with', async () => {
    const asked = [
      'select * from t where a = $1',
      'select * from t where c = $1',
      'delete from t where "Quoted Name" = $1',
    ];
    const kept = await explainWorkload(
      session,
      server,
      asked.map((text) => statement(text)),
      {
        deadline: Number.POSITIVE_INFINITY,
        shareCovered: 1,
      },
    );
    expect(kept.plans.map(({ parameterCosts }) => parameterCosts?.column)).toEqual(['a', 'c', 'Quoted Name']);
    expect(JSON.stringify(kept)).not.toMatch(new RegExp(`${marker}|${number}|x\\d`));
  });
});
