import { beforeAll, describe, expect, test } from 'vitest';
import { builtAmong, type ExistingIndex } from '../../../../lib/indexes/built.ts';
import { madeIndex } from '../../../../lib/indexes/same-index.ts';
import { loadParser } from '../../../../lib/queries/text.ts';

beforeAll(loadParser);

/** On the left what is recommended, on the right how PostgreSQL prints it. */
test.each([
  ['create index concurrently if not exists "x" on "public"."t" ("a")', 'CREATE INDEX y ON public.t USING btree (a)'],
  ['create index x on s.t ("a" desc)', 'CREATE INDEX y ON s.t USING btree (a DESC)'],
  ['create index x on s.t (a desc nulls last, b)', 'CREATE INDEX y ON s.t USING btree (a DESC NULLS LAST, b)'],
  ['create index x on s.t (a) include (c, b)', 'CREATE INDEX y ON s.t USING btree (a) INCLUDE (b, c)'],
  ['create index x on s.t ((lower("email")))', 'CREATE INDEX y ON s.t USING btree (lower((email)::text))'],
  ['create index x on s.t (a) where ("b" is not null)', 'CREATE INDEX y ON s.t USING btree (a) WHERE (b IS NOT NULL)'],
  [
    `create index x on s.t (a) where (b = 'open')`,
    `CREATE INDEX y ON s.t USING btree (a) WHERE ((b)::text = 'open'::text)`,
  ],
  [
    `create index x on s.t (a) where (b in ('p', 'q'))`,
    `CREATE INDEX y ON s.t USING btree (a) WHERE (b = ANY (ARRAY['p'::text, 'q'::text]))`,
  ],
  [
    `create index x on s.t (a) where (b not in ('p', 'q'))`,
    `CREATE INDEX y ON s.t USING btree (a) WHERE ((b)::text <> ALL ((ARRAY['p'::character varying, 'q'::character varying])::text[]))`,
  ],
  ['create index x on s.t (a) where (b = 5)', `CREATE INDEX y ON s.t USING btree (a) WHERE (b = '5'::bigint)`],
  ['create index x on s.t using brin (a)', 'CREATE INDEX y ON s.t USING brin (a)'],
  ['create index x on s.t using gin (a "gin_trgm_ops")', 'CREATE INDEX y ON s.t USING gin (a public.gin_trgm_ops)'],
  ['create index x on only s.t (a)', 'CREATE INDEX y ON ONLY s.t USING btree (a)'],
  ['create extension e; create index x on s.t (a)', 'CREATE INDEX y ON s.t USING btree (a)'],
])('%s is %s', (wanted, printed) => {
  expect(madeIndex(wanted)).toBeDefined();
  expect(madeIndex(wanted)?.key).toBe(madeIndex(printed)?.key);
});

test.each([
  ['create index x on t (a, b)', 'create index x on t (b, a)'],
  ['create index x on t (a)', 'create index x on t (a desc)'],
  ['create index x on t (a)', 'create index x on t (a nulls first)'],
  ['create index x on t (a)', 'create unique index x on t (a)'],
  ['create index x on t (a)', 'create index x on t using hash (a)'],
  ['create index x on t (a)', 'create index x on t (a) where b'],
  ['create index x on t (a) where b', 'create index x on t (a) where not b'],
  [`create index x on t (a) where b = 'p'`, `create index x on t (a) where b = 'q'`],
  [`create index x on t (a) where b in ('p')`, `create index x on t (a) where b not in ('p')`],
  ['create index x on t (a)', 'create index x on t (a text_pattern_ops)'],
  ['create index x on t (a)', 'create index x on t (a collate "C")'],
  ['create index x on t (a, b)', 'create index x on t (a) include (b)'],
  ['create index x on t (lower(a))', 'create index x on t (upper(a))'],
])('%s is not %s', (one, other) => {
  expect(madeIndex(one)?.key).not.toBe(madeIndex(other)?.key);
});

test.each(['', 'Make an index: CREATE INDEX CONCURRENTLY … ON t ((a))', 'reindex index x', 'create index on'])(
  'there is none in: %s',
  (text) => {
    expect(madeIndex(text)).toBeUndefined();
  },
);

describe('among the indexes that are there', () => {
  const existing = (overrides: Partial<ExistingIndex> = {}): ExistingIndex => ({
    schema: 'public',
    table: 't',
    definition: 'CREATE INDEX mine ON public.t USING btree (a)',
    sizeBytes: 8192,
    valid: true,
    sql: { index: 'public.mine' },
    ...overrides,
  });
  const wanted = {
    id: '1',
    action: { kind: 'sql' as const, sql: 'CREATE INDEX CONCURRENTLY "t_a_idx" ON "public"."t" ("a");' },
  };

  test('that of the same definition is found, whatever its name', () => {
    expect([...builtAmong([wanted], [existing()])]).toEqual([['1', { index: 'public.mine', sizeBytes: 8192 }]]);
  });

  test.each([
    ['an invalid one', existing({ valid: false })],
    [
      'that of another schema',
      existing({ schema: 'other', definition: 'CREATE INDEX mine ON other.t USING btree (a)' }),
    ],
    ['that of another table', existing({ table: 'u', definition: 'CREATE INDEX mine ON public.u USING btree (a)' })],
  ])('%s is not', (_, index) => {
    expect(builtAmong([wanted], [index]).size).toBe(0);
  });

  test('advice without an index finds none', () => {
    expect(builtAmong([{ id: '2' }], [existing()]).size).toBe(0);
  });
});
