/**
 * Statements that were damaged: their texts can be read, masked and judged, whatever they have become. As many runs as FUZZ_RUNS
 * says.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { Finding } from '../../../../lib/advice/finding.ts';
import { syntaxRules } from '../../../../lib/queries/rules/syntax/index.ts';
import { loadParser, readText } from '../../../../lib/queries/text.ts';
import { maskText } from '../../../../lib/queries/track/mask.ts';
import { querySnapshot, relation, statement } from '../../snapshots.ts';

const numRuns = Number(process.env.FUZZ_RUNS ?? 2_000) / 2;
const secret = 'Zsecret';

beforeAll(() => loadParser());

/** With a secret wherever one is written. */
const statements = [
  `select * from orders o join customers c on c . id = o . customer_id where lower ( c . email ) = '${secret}' order by o . id offset 1000 limit 20`,
  `select count ( distinct id ) from orders where status in ( 'a' , '${secret}' ) or total > 5 and name like '%${secret}'`,
  `select a from orders where id not in ( select customer_id from customers where email <> E'${secret}\\'' ) union select b from orders`,
  `select distinct o . id , ( select max ( id ) from customers where id = o . id ) from orders o , customers c`,
  `with recursive t as ( select 1 as n union all select n + 1 from t where n < 10 ) select * from t group by 1 having count ( * ) > 2 order by random ( )`,
  `insert into orders ( id , name ) values ( 1 , '${secret}' ) , ( 2 , $$${secret}$$ ) on conflict ( id ) do update set name = excluded . name where orders . id > 5 returning *`,
  `update orders set name = U&'${secret}\\0021' , total = total + 1 from customers c where c . id = orders . customer_id and ( $1 is null or c . id = $1 )`,
  `delete from orders using customers where orders . id = customers . id and customers . email = $tag$${secret}$tag$`,
  `merge into orders t using customers s on t . id = s . id when matched and s . email = '${secret}' then delete when not matched then insert values ( s . id )`,
  `select sum ( total ) over ( partition by id order by created rows between 1 preceding and current row ) filter ( where name = '${secret}' ) from orders`,
  `select data ->> '${secret}' , data -> 'a' -> 'b' , array [ 1 , 2 ] , row ( 1 , '${secret}' ) , case when id = 1 then '${secret}' else null end from orders for update skip locked`,
  `select interval '1 day' , date '2026-01-01' , '${secret}' :: text , B'1' , X'1F' , 1.5e10 , - .5 , 0x1F , 1_000 from orders tablesample system ( 10 )`,
  `explain ( analyze , buffers ) select * from orders where name = '${secret}'`,
  `create index concurrently i on orders ( lower ( name ) ) where name = '${secret}'`,
  `alter role x password '${secret}' valid until '${secret}'`,
  `create user mapping for x server y options ( user '${secret}' , password '${secret}' )`,
  `copy orders ( name ) from program '${secret}' with ( format csv , null '${secret}' )`,
  `do $body$ begin perform '${secret}' ; end $body$`,
  `create function f ( a text default '${secret}' ) returns text language sql as 'select ''${secret}'''`,
  `prepare p ( text ) as select * from orders where name = '${secret}' ; execute p ( '${secret}' )`,
  `declare c cursor for select * from orders where name = '${secret}'`,
  `select x . * from json_to_recordset ( '[{"a":"${secret}"}]' ) as x ( a text ) left join lateral ( select 1 ) y on true`,
  `select /* ${secret} */ 1 , "a b" , "o'brien" from orders -- ${secret}`,
].map((text) => text.split(' '));

const words = statements.flat().filter((word) => !/['"$]|Zs|^(?:\/\*|--|\*\/)$/.test(word));

const harm = fc.record({
  at: fc.nat(),
  to: fc.nat(),
  how: fc.constantFrom('drop', 'double', 'swap', 'insert', 'word', 'cut', 'nest', 'characters'),
});

const junk = [
  '(',
  ')',
  ',',
  ';',
  '*',
  '=',
  '$1',
  '$999999999',
  '::',
  '🦆',
  'ß',
  '/*',
  '--\n',
  'select',
  'from',
  'where',
  'null',
  'not',
  '.',
  '[',
  'as',
  '1e5',
  '\t',
  '\u0000',
  '|| ',
  'union',
  'case',
];

/** Damages the words of a statement, and leaves its strings whole. */
function damaged(which: number, harms: readonly { at: number; to: number; how: string }[]): string[] {
  const text = [...(statements[which] ?? [])];
  for (const { at: place, to, how } of harms) {
    const at = place % Math.max(1, text.length);
    const isString = /Zs|['"$]/.test(text[at] ?? '') || text[at] === '/*' || text[at] === '*/' || text[at] === '--';
    if (how === 'drop' && !isString) text.splice(at, 1);
    if (how === 'double' && !isString) text.splice(at, 0, text[at] ?? '');
    if (how === 'swap' && !isString) text.splice(to % (text.length + 1), 0, ...text.splice(at, 1));
    if (how === 'insert') text.splice(at, 0, junk[to % junk.length] ?? '');
    if (how === 'word') text.splice(at, 0, words[to % words.length] ?? '');
    if (how === 'cut') text.length = at;
    if (how === 'nest') text.splice(at, 0, ...Array.from({ length: to % 300 }, () => '('));
  }
  return text;
}

const rules = syntaxRules.map((rule) => ({ rule, options: rule.options.parse({}) }));
const tables = ['orders', 'customers'].map((table) => relation(table, { rows: 1e6 }));

/** Reads and judges a text, as an audit and as an application does. */
function judged(text: string): string[] {
  const read = readText(text);
  expect(read.text.length).toBeGreaterThanOrEqual(0);
  const snapshot = querySnapshot(
    [
      statement({
        query: read.query,
        kind: read.kind,
        fingerprint: read.fingerprint,
        calls: 1e4,
        totalMs: 1e6,
        meanMs: 100,
        maxMs: 1e3,
      }),
    ],
    { relations: tables },
  );
  const found = rules.flatMap(({ rule, options }) =>
    rule.check(snapshot, options).map((finding) => Finding.parse(finding)),
  );
  return [read.text, read.query, maskText(text).query, JSON.stringify(found)];
}

test('what is left of a damaged statement is read and judged, and shows none of its strings', () => {
  fc.assert(
    fc.property(fc.nat(statements.length - 1), fc.array(harm, { maxLength: 6 }), (which, harms) => {
      for (const shown of judged(damaged(which, harms).join(' '))) expect(shown).not.toContain(secret);
    }),
    { numRuns },
  );
}, 120_000);

test('any characters are read and judged', () => {
  const part = fc.oneof(
    fc.constantFrom(...junk, ...words, "'", '"', '$$', '$a$', "E'", "U&'", '\\', '*/', '\ud83d', '\r\n', '/*/*'),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(
      fc.nat(statements.length - 1),
      fc.array(harm, { maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), part), { minLength: 1, maxLength: 8 }),
      (which, harms, parts) => {
        let text = damaged(which, harms).join(' ');
        for (const [place, inserted] of parts) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + inserted + text.slice(at + (place % 3));
        }
        for (const shown of judged(text)) expect(typeof shown).toBe('string');
      },
    ),
    { numRuns },
  );
}, 120_000);
