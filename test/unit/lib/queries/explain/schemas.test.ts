import fc from 'fast-check';
import type { Node, RangeVar } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  isView,
  type Located,
  pathsFor,
  readPath,
  relationsOf,
  type Schemas,
  schemaOf,
  searchPathOf,
} from '../../../../../lib/queries/explain/schemas.ts';
import { parseOne } from '../../../../../lib/queries/explain/source.ts';
import { loadParser } from '../../../../../lib/queries/text.ts';

beforeAll(loadParser);

function schemas(places: Record<string, Record<string, Partial<Located>>>, configured = [['public']]): Schemas {
  const located = Object.entries(places).flatMap(([name, of]) =>
    Object.entries(of).map(
      ([schema, rest]): Located => ({ schema, name, kind: 'table', rows: 0, usable: true, ...rest }),
    ),
  );
  return { located: Map.groupBy(located, ({ name }) => name), configured, extensions: ['ext'], settings: [] };
}

const relations = (...names: string[]): RangeVar[] =>
  names.map((name) => {
    const [relname, schemaname] = name.split('.').reverse();
    return { relname, ...(schemaname ? { schemaname } : {}) } as RangeVar;
  });

const named = (text: string) =>
  relationsOf(parseOne(text) as Node).map(({ schemaname, relname }) =>
    schemaname ? `${schemaname}.${relname}` : relname,
  );

describe('readPath', () => {
  it.each([
    ['public', ['public']],
    ['"$user", public', ['public']],
    ['$user, public', []],
    ['"Odd ""Schema""", b', ['Odd "Schema"', 'b']],
    ["'a', 'b c'", ['a', 'b c']],
    ['""', []],
    ['', []],
    ['a; drop table t', []],
  ])('%s', (setting, path) => {
    expect(readPath(setting)).toEqual(path);
  });

  it('reads what searchPathOf writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'B', '"', "'", ' ', ',', 'é', '😀'), minLength: 1 })),
        (path) => {
          expect(readPath(searchPathOf(path))).toEqual([...path, 'pg_temp']);
        },
      ),
    );
  });
});

describe('relationsOf', () => {
  it.each([
    ['select * from a, b.c join "D" on true', ['a', 'b.c', 'D']],
    ['with x as (select * from a) select * from x, y', ['y', 'a']],
    ['with x as (select 1) select * from s.x', ['s.x']],
    ['update a set b = (select 1 from c) from d', ['a', 'd', 'c']],
    ['select * from a x for update of x', ['a']],
    ['insert into a select * from b', ['a', 'b']],
    ['select 1', []],
  ])('%s', (text, expected) => {
    expect(named(text).sort()).toEqual([...expected].sort());
  });
});

describe('pathsFor', () => {
  it('tries what is set before what it makes up', () => {
    const known = schemas({ t: { a: {}, b: { rows: 10 } } }, [['b', 'c'], ['a'], ['public']]);
    expect(pathsFor(relations('t'), known)).toEqual({
      paths: [
        ['b', 'c', 'ext', 'public'],
        ['a', 'ext', 'public'],
        ['a', 'b', 'c', 'ext', 'public'],
      ],
    });
  });

  it('adds the schemas that are missing, the one with most of the tables first, then the one with most rows', () => {
    const known = schemas({ t: { a: { rows: 1 }, b: { rows: 9 } }, u: { a: {} }, v: { c: {} } });
    const found = pathsFor(relations('t', 'u', 'v'), known);
    expect('paths' in found && found.paths[0]).toEqual(['public', 'a', 'c', 'ext']);
    const one = pathsFor(relations('t'), known);
    expect('paths' in one && one.paths[0]).toEqual(['public', 'b', 'ext']);
  });

  it.each([
    ['missing-relation', { t: {} }, ['t', 'gone']],
    ['temporary-table', { t: { pg_temp_3: {} } }, ['t']],
    ['permission', { t: { a: { usable: false } } }, ['t']],
  ])('%s', (failure, places, names) => {
    expect(pathsFor(relations(...names), schemas(places))).toEqual({ failure });
  });

  it('asks for nothing of what has its schema, or stands in the catalog', () => {
    const found = pathsFor(relations('s.gone', 'pg_class'), schemas({ pg_class: { pg_catalog: {} } }));
    expect('paths' in found && found.paths[0]).toEqual(['public', 'ext']);
  });

  it('finds every table on each path, and tries only a few', () => {
    const places = fc.dictionary(
      fc.constantFrom('t', 'u', 'v', 'w'),
      fc.dictionary(fc.constantFrom('a', 'b', 'c', 'public'), fc.record({ rows: fc.nat(9) }), { minKeys: 1 }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(places, fc.array(fc.subarray(['a', 'b', 'c']), { minLength: 1 }), (at, configured) => {
        const known = schemas(at, configured);
        const found = pathsFor(relations(...Object.keys(at)), known);
        if (!('paths' in found)) throw new Error(found.failure);
        expect(found.paths.length).toBeGreaterThan(0);
        expect(found.paths.length).toBeLessThanOrEqual(4);
        for (const path of found.paths) {
          expect(new Set(path).size).toBe(path.length);
          for (const relation of relations(...Object.keys(at))) expect(schemaOf(relation, path, known)).toBeDefined();
        }
      }),
    );
  });
});

describe('isView', () => {
  it('is told of the first on the path', () => {
    const known = schemas({ t: { a: { kind: 'view' }, b: {} } });
    const [t] = relations('t');
    expect(isView(t as RangeVar, ['a', 'b'], known)).toBe(true);
    expect(isView(t as RangeVar, ['b', 'a'], known)).toBe(false);
    expect(isView({ relname: 't', schemaname: 'a' } as RangeVar, ['b'], known)).toBe(true);
  });
});
