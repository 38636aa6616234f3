import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { unverifiedFor } from '../../../../../lib/indexes/advisor/unverified.ts';
import type { Syntax } from '../../../../../lib/queries/syntax/block.ts';
import { parse } from '../../../../../lib/queries/syntax/syntax.ts';
import { loadParser } from '../../../../../lib/queries/text.ts';
import { column, relation, tableIndex } from '../../../snapshots.ts';

beforeAll(() => loadParser());

const types = { title: 'text', document: 'jsonb', words: 'tsvector', tags: 'text[]', number: 'integer' };
const columns = Object.entries(types).map(([name, type]) => column(name, { type }));
const table = relation('notes', { columns });
const statement = (sql: string, queryId = '1') => ({ queryId, syntax: parse(sql) as Syntax });
const keysFor = (condition: string, relations = [table]) =>
  unverifiedFor([statement(`select * from notes where ${condition}`)], relations).map(
    ({ sql }) => /USING gin \((.*)\);$/.exec(sql)?.[1],
  );

const answered: Record<string, string> = {
  "title like '%needle%'": '"title" gin_trgm_ops',
  'title ilike $1': '"title" gin_trgm_ops',
  'document @> $1': '"document"',
  "document ? 'key'": '"document"',
  'words @@ to_tsquery($1)': '"words"',
  'tags && $1': '"tags"',
  'tags @> $1': '"tags"',
};

describe('indexes that only building them could prove', () => {
  for (const [condition, key] of Object.entries(answered)) {
    test(`are named for ${condition}`, () => expect(keysFor(condition)).toEqual([key]));
  }

  test('are not named for what other indexes answer, nor for what must not be so', () => {
    for (const condition of ['number = 1', 'title = $1', "title not like '%x%'", 'number @> 1', 'document = $1']) {
      expect(keysFor(condition)).toEqual([]);
    }
  });

  test('are not named for small tables, for tables that nobody knows, and where there is one', () => {
    const [condition = ''] = Object.keys(answered);
    expect(keysFor(condition, [relation('notes', { columns, rows: 100 })])).toEqual([]);
    expect(keysFor(condition, [])).toEqual([]);
    const indexes = [tableIndex('notes_title', ['title'], { method: 'gin' })];
    expect(keysFor(condition, [relation('notes', { columns, indexes })])).toEqual([]);
  });

  test('are named once each, with every statement that asks for them, whatever order these come in', () => {
    const asked = fc.array(
      fc.record({ queryId: fc.constantFrom('1', '2', '3'), condition: fc.constantFrom(...Object.keys(answered)) }),
    );
    fc.assert(
      fc.property(asked, (all) => {
        const statements = all.map(({ queryId, condition }) =>
          statement(`select 1 from notes where ${condition}`, queryId),
        );
        const found = unverifiedFor(statements, [table]);
        expect(new Set(found.map(({ sql }) => sql)).size).toBe(found.length);
        for (const { sql, queryIds } of found) {
          const asking = all
            .filter(({ condition }) => sql.endsWith(`(${answered[condition]});`))
            .map(({ queryId }) => queryId);
          expect(queryIds.toSorted()).toEqual([...new Set(asking)].toSorted());
        }
        const turned = unverifiedFor(statements.toReversed(), [table]);
        expect(new Set(turned.map(({ sql }) => sql))).toEqual(new Set(found.map(({ sql }) => sql)));
      }),
    );
  });

  test('show no constant of a statement', () => {
    const found = unverifiedFor(
      [statement("select 1 from notes where title like '%secret%' and tags @> '{secret}'")],
      [table],
    );
    expect(found.length).toBe(2);
    expect(JSON.stringify(found)).not.toContain('secret');
  });
});
