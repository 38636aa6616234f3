import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadParser, readText } from '../../../../lib/queries/text.ts';

beforeAll(() => loadParser());

describe('the kind of a statement', () => {
  test.each([
    ['select 1', 'select'],
    ['SELECT 1', 'select'],
    ['values (1)', 'select'],
    ['table t', 'select'],
    ['(select 1) union (select 2)', 'select'],
    ['with x as (select 1) select * from x', 'select'],
    ['/* select */ insert into t values (1)', 'insert'],
    ['update t set a = $1', 'update'],
    ['delete from t', 'delete'],
    ['with gone as (select 1) delete from t', 'delete'],
    ['merge into t using s on t.a = s.a when matched then delete', 'merge'],
    ['create index i on t (a)', 'utility'],
    ['create table x as select 1', 'utility'],
    ['explain select 1', 'utility'],
    ['vacuum t', 'utility'],
    ['copy t to stdout', 'utility'],
    ['call p()', 'utility'],
    ['do $$ begin end $$', 'utility'],
    ['begin', 'utility'],
    ['select 1; select 2', 'utility'],
    ['selec 1', 'unknown'],
    ['select * from t where a in ($1, $2', 'unknown'],
  ] as const)('%s is %s', (text, kind) => {
    expect(readText(text).kind).toBe(kind);
  });
});

describe('the text of a query', () => {
  test.each([
    ['is as it was written', 'select a,  b\nfrom t where c = $1', 'select a,  b\nfrom t where c = $1'],
    ['has no line comment', 'select a -- geheim\n, b', 'select a \n, b'],
    ['has no block comment, nested or not', '/* geheim */ select /* a /* geheim */ b */ a', 'select  a'],
    ['keeps what only looks like a comment', 'select "--", "/* x */" from t', 'select "--", "/* x */" from t'],
    ['has no string that PostgreSQL left', "select a from t group by 'geheim'", 'select a from t group by $1'],
    [
      'keeps numbers that are positions, in every query of it',
      'select a, count(*) from (select a from u group by 1) t where ssn = 123456789 group by 1 order by 2 desc limit 10',
      'select a, count(*) from (select a from u group by 1) t where ssn = $1 group by 1 order by 2 desc limit $2',
    ],
    ['numbers on from the parameters that it has', "select $1, $12 group by 'geheim'", 'select $1, $12 group by $13'],
    ['keeps names with quotes', 'select "o\'brien" from "t\'"', 'select "o\'brien" from "t\'"'],
    ['keeps names and characters of any language', 'select "naïve", 名 from t -- 🦆', 'select "naïve", 名 from t'],
  ])('%s', (_, text, expected) => {
    expect(readText(text).query).toBe(expected);
  });

  test.each([
    ["'geheim'", '$1'],
    ["'it''s geheim'", '$1'],
    ["'ge'\n  'heim'", '$1'],
    ["E'\\'geheim'", '$1'],
    ["e'geheim'", '$1'],
    ["U&'\\0067eheim'", '$1'],
    ["u&'d!0061geheim' uescape '!'", '$1 uescape $2'],
    ["B'1010'", '$1'],
    ["x'1F'", '$1'],
    ['$$geheim$$', '$1'],
    ['$tag$ge $$ heim$tag$', '$1'],
    ["$ü$it's geheim$ü$", '$1'],
  ])('has no constant %s', (constant, masked) => {
    expect(readText(`select 🦆 group by ${constant}`).query).toBe(`select 🦆 group by ${masked}`);
  });
});

describe('the text of a utility statement', () => {
  test.each([
    ["alter role x password 'geheim'", 'alter role x password $1'],
    ["create user x password E'ge\\'heim' valid until '2030-01-01'", 'create user x password $1 valid until $2'],
    ["set x = 'geheim'", 'set x = $1'],
    ['set x = 123', 'set x = $1'],
    ['set x = -1.5e10', 'set x = $1$2'],
    ['set my.token = hunter2', 'set my.token = $1'],
    ['set local my.token to hunter2, "hunter3"', 'set local my.token to $1, $2'],
    ['set x = .5', 'set x = $1'],
    ['set x = 0x1F', 'set x = $1'],
    ['alter role x set my.token = geheim', 'alter role x set my.token = $1'],
    ['alter role x in database "set" set my.token to geheim', 'alter role x in database "set" set my.token to $1'],
    ['alter database d set my.token = geheim', 'alter database d set my.token = $1'],
    ['alter system set my.token = geheim', 'alter system set my.token = $1'],
    ['alter function f(int) set my.token = geheim', 'alter function f(int) set my.token = $1'],
    [
      "create function f(a int = 5) returns int language sql set my.token = geheim as 'select 1'",
      'create function f(a int = $1) returns int language sql set my.token = $2 $3 $4',
    ],
    ["do $$ begin perform 'geheim'; end $$", 'do $1'],
    ["explain select * from t where a = 'geheim' and b = 42", 'explain select * from t where a = $1 and b = $2'],
    ["select 'geheim'; select 42", 'select $1; select $2'],
    ["comment on table t is 'geheim'", 'comment on table t is $1'],
    [
      "create subscription s connection 'host=h password=geheim' publication p",
      'create subscription s connection $1 publication p',
    ],
  ])('has no constant: %s', (text, expected) => {
    expect(readText(text)).toMatchObject({ kind: 'utility', query: expected });
  });
});

describe('a text that was cut off', () => {
  test.each([
    ["alter role x password 'gehei", 'alter role x password…'],
    ["create user x password 'a' valid until '2030", 'create user x password $1 valid until…'],
    ['select 1 /* gehei', 'select $1…'],
    ['do $$ gehei', 'do…'],
    ['select "gehei', 'select…'],
    ["select '🦆', '名', E'gehei", 'select $1, $2,…'],
    ["select '🦆🦆🦆🦆🦆🦆', lower(b), 'gehei", 'select $1, lower(b),…'],
  ])('ends before the constant or comment: %s', (text, expected) => {
    expect(readText(text)).toMatchObject({ kind: 'unknown', query: expected });
  });

  test('shows nothing that cannot be scanned', () => {
    expect(readText("🦆 select 'geheim").query).not.toMatch(/geheim/);
    expect(readText("select E'geheim\\uD83D").query).not.toMatch(/geheim/);
  });

  test.each(['', ' ', ';', '…', '--', '$', "'", '"', "E'\\", "U&'", '$a$', '\u0000', '\ud83d'])(
    'may be next to nothing: %j',
    (text) => {
      expect(() => readText(text)).not.toThrow();
    },
  );
});

describe('no secret is ever shown', () => {
  const secret = fc
    .array(fc.constantFrom('Zq', 'ß', '名', '🦆', ' ', "''", '"', '--', '/*', '*/', ';', '…', '%', 'é'), {
      maxLength: 8,
    })
    .map((parts) => `Zsecret${parts.join('')}Zq`);
  const statements: ((secret: string) => string)[] = [
    (s) => `alter role "🦆" /* 名 🦆 */ password '${s}'`,
    (s) => `create role ü login password E'${s}\\'${s}' valid until '2030-01-01'`,
    (s) => `select '🦆', "名" from t group by U&'${s}', '${s}'`,
    (s) => `-- 🦆\ninsert into "tä" values (B'01', '${s}', $$ ${s} $$)`,
    (s) => `do $ü$ begin perform '${s}'; end $ü$ language plpgsql`,
    (s) => `select 1 -- 🦆 ${s.replaceAll('\n', ' ')}\n, '${s}'`,
    (s) => `set x.y = '${s}'; alter role x password '${s}'`,
    (s) => `select '🦆🦆' '${s}' from t where a = '${s}'`,
    (s) => `comment on table t is '${s}'\n  '${s}'`,
  ];

  test('not even in a text that was cut off, wherever', () => {
    fc.assert(
      fc.property(secret, fc.nat({ max: statements.length - 1 }), (hidden, which) => {
        const text = Array.from(statements[which]?.(hidden) ?? '');
        for (let end = 0; end <= text.length; end++) {
          const { query } = readText(text.slice(0, end).join(''));
          expect(query).not.toMatch(/Zs/);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('nor when the syntax is wrong in front of it', () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom('selec', '🦆 (', 'alter alter', ') ,', 'select from where'),
        (hidden, junk) => {
          expect(readText(`${junk} password '${hidden}'`).query).not.toMatch(/Zs/);
          expect(readText(`${junk} password '${hidden}`).query).not.toMatch(/Zs/);
        },
      ),
    );
  });

  test('nor what is behind a character that ends a text in C', () => {
    expect(readText("select a \u0000, 'geheim'").query).toBe('select a…');
  });

  test('nor a number in what cannot be parsed', () => {
    expect(readText('select * from t where card = 4111111111111111 and').query).toBe(
      'select * from t where card = $1 and',
    );
  });
});

describe('a very long text', () => {
  test('is shortened', () => {
    const { kind, query } = readText(`select ${'a, '.repeat(5_000)} a`);
    expect(kind).toBe('select');
    expect(query.length).toBe(4_001);
    expect(query.endsWith('…')).toBe(true);
  });

  test('of just the longest length is kept', () => {
    const text = `select ${'a'.repeat(4_000 - 7)}`;
    expect(readText(text).query).toBe(text);
  });

  test('is never broken in the middle of a character', () => {
    for (const lead of ['', 'x']) {
      const { query } = readText(`select "${lead}${'🦆'.repeat(3_000)}"`);
      expect(query.isWellFormed()).toBe(true);
      expect(query.length).toBeLessThanOrEqual(4_001);
    }
  });

  test('may have more constants and parameters than a call takes arguments', () => {
    const list = Array.from({ length: 70_000 }, (_, i) => (i % 2 ? `$${i}` : "'geheim'")).join(', ');
    const { kind, text } = readText(`select * from t where a in (${list})`);
    expect(kind).toBe('select');
    expect(text.startsWith('select * from t where a in ($70000, $1, $70001, $3,')).toBe(true);
    expect(text).not.toContain('geheim');
  });

  test('is masked before it is shortened', () => {
    expect(readText(`alter role x password 'geheim${'x'.repeat(10_000)}'`).query).toBe('alter role x password $1');
  });
});
