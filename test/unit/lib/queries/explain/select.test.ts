import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readExplainable, rewritten } from '../../../../../lib/queries/explain/explain.ts';
import { harmless } from '../../../../../lib/queries/explain/harmless.ts';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { statements } from './statements.ts';

beforeAll(loadParser);

function selectOf(text: string, hasNoRows = false): string | undefined {
  const explainable = readExplainable(text);
  if ('code' in explainable) return `(${explainable.code})`;
  return rewritten(explainable.source, 180_000, () => hasNoRows)
    ?.replace(/\s+/g, ' ')
    .trim();
}

describe('a change of rows becomes the SELECT that finds them', () => {
  it.each([
    ['update t set a = $1 where id = $2', 'select "t".ctid from t where id = $2'],
    [
      'update only t as x set a = $1, b = default where x.id = $2 returning *',
      'select "x".ctid from only t as x where x.id = $2',
    ],
    ['update t set a = u.a from u, v where u.id = t.id', 'select "t".ctid from t , u, v where u.id = t.id'],
    ['update t set a = b is distinct from c where d', 'select "t".ctid from t where d'],
    [
      'update t set a = (select 1 from u), (b, c) = (select 2, 3)',
      'select "t".ctid, ((select 1 from u)), (select several from (select 2, 3) as several) from t',
    ],
    ['delete from t where id = $1', 'select "t".ctid from t where id = $1'],
    [
      'delete from "a b"."C" using u where u.id = "C".id returning *',
      'select "C".ctid from "a b"."C" , u where u.id = "C".id',
    ],
    [
      'with x as (select 1) delete from t using x where t.id = x.id',
      'with x as (select 1) select "t".ctid from t , x where t.id = x.id',
    ],
    ['insert into t (a) select b from u where c = $1', 'select b from u where c = $1'],
    [
      'insert into t with x as (select 1) select * from x returning id',
      'select * from (with x as (select 1) select * from x) as given',
    ],
    [
      'with y as (select 1) insert into t with x as (select 1) select * from x',
      'with y as (select 1) select * from (with x as (select 1) select * from x) as given',
    ],
    [
      'insert into t (a, b) values ($1, default), (now(), $2) on conflict do nothing',
      'values ($1, null ), (now(), $2)',
    ],
    [
      'insert into t (a, b) values ($1, $2) on conflict (a) do update set b = $3',
      'select "t".ctid from t where "t"."a" = ($1)',
    ],
    [
      'insert into t as x (a, b) values ($1, f(1, 2)) on conflict (a, b) do nothing',
      'select "x".ctid from t as x where "x"."a" = ($1) and "x"."b" = (f(1, 2))',
    ],
    ['insert into t (a, b) values (default, $1) on conflict (a) do nothing', 'values ( null , $1)'],
    ['insert into t default values', 'select'],
    ['insert into t (a) overriding user value values ($1)', 'values ($1)'],
    ['merge into t using u on t.id = u.id when matched then delete', 'select "t".ctid from t join u on t.id = u.id'],
    [
      'merge into t as x using (select 1 as id) u on x.id = u.id when not matched then do nothing',
      'select "x".ctid from t as x right join (select 1 as id) u on x.id = u.id',
    ],
    ['select * from t where id = $1 for update of t nowait', 'select * from t where id = $1'],
    ['select * from (select * from t for share skip locked) x for key share', 'select * from (select * from t ) x'],
    [
      'with x as (delete from t where a = $1 returning id, b) select id from x',
      'with x as materialized (select id, b from t where a = $1 ) select id from x',
    ],
    [
      'with x as materialized (update t set a = $1 returning *) select * from x',
      'with x as materialized (select * from t ) select * from x',
    ],
    ['delete from t where current of c', undefined],
  ])('%s', (text, select) => {
    expect(selectOf(text)).toBe(select);
  });

  it('reads all of a view, which has no ctid', () => {
    expect(selectOf('delete from v where id = $1', true)).toBe('select "v".* from v where id = $1');
    expect(selectOf('insert into v (id) values ($1) on conflict (id) do nothing', true)).toBe(
      'select "v".* from v where "v"."id" = ($1)',
    );
  });

  it('reads a WITH that changes rows and that nobody reads', () => {
    expect(selectOf('with x as (delete from t) select 1')).toBe(
      'with x as materialized (select "t".ctid from t) select (select count(*) from "x"), main.* from (select 1) as main',
    );
  });

  it('is one harmless SELECT whatever it is made from, and one that says so', () => {
    fc.assert(
      fc.property(statements, fc.boolean(), (sql, hasNoRows) => {
        const text = selectOf(readText(sql).text, hasNoRows) ?? 'select';
        expect(harmless(text), text).toBe(text);
      }),
    );
  });
});

describe('harmless', () => {
  it.each([
    'select 1',
    'values (1)',
    'table t',
    'with x as (select 1) select * from x',
    'select f($1) from t limit $2',
    ' select 1; ',
  ])('takes %s', (text) => {
    expect(harmless(text)).toBe(text);
  });

  it.each([
    ...[
      '',
      ';',
      'select 1; select 2',
      'select 1;; delete from t',
      'select 1\0; delete from t',
      'select 1\0',
      'select'.slice(0, 5),
    ],
    ...[
      'insert into t values (1)',
      'update t set a = 1',
      'delete from t',
      'merge into t using u on true when matched then delete',
    ],
    ...[
      'select * into x from t',
      'select 1 into temp x',
      'select * from t for update',
      'select * from (select * from t for key share) x',
    ],
    ...['with x as (delete from t returning *) select * from x', 'with x as (insert into t select 1) select 1'],
    ...[
      'select * from (with x as (update t set a = 1 returning *) select * from x) y',
      'select (with x as (delete from t returning 1) select * from x)',
    ],
    ...[
      'explain select 1',
      'explain analyze delete from t',
      'copy t to stdout',
      'call f()',
      'do $$begin end$$',
      'create table x as select 1',
      'prepare x as select 1',
      'declare c cursor for select 1',
    ],
    `select ${'not '.repeat(3_000)}true`,
  ])('refuses %s', (text) => {
    expect(harmless(text)).toBeUndefined();
  });
});
