import fc from 'fast-check';
import { scanSync } from 'libpg-query';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadParser, readText } from '../../../../../lib/queries/text.ts';
import { maskText as read, unreadable } from '../../../../../lib/queries/track/mask.ts';

const maskText = (text: string) => read(text).query;

beforeAll(() => loadParser());

describe('constants give way to parameters', () => {
  test.each([
    ['select 1', 'select $1'],
    ['select 1.5, .5, 1e10, 1.5e-3, 0xFF, 1_000', 'select $1, $2, $3, $4, $5, $6'],
    ['select -5', 'select -$1'],
    ["select 'it''s'", 'select $1'],
    ["select E'it\\'s', e'\\\\'", 'select $1, $2'],
    ["select B'101', x'1F', N'text', U&'d\\0061t'", 'select $1, $2, $3, $4'],
    ["select $$it's$$, $tag$ $$ $tag$, $é$x$é$", 'select $1, $2, $3'],
    ["select '100\\%'", 'select $1'],
    ["select * from t where a = $1 and b = 'x' and c = $3", 'select * from t where a = $1 and b = $4 and c = $3'],
    ["select 'a'\n'b'", 'select $1 $2'],
    ["insert into t values (1, 'x'), (2, 'y')", 'insert into t values ($1, $2), ($3, $4)'],
    ["select '{1}'::int[], date '2020-01-01'", 'select $1::int[], date $2'],
    ["notify channel, 'payload'", 'notify channel, $1'],
    ["select 'x", 'select $1'],
    ['select $a$ never ends', 'select $1'],
    ["select E'never ends\\", 'select $1'],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

describe('what is no constant stays', () => {
  test.each([
    ['select a1, b_2, c$3, "1" from "T 5" where t1.x2 = $1', 'select a1, b_2, c$3, "1" from "T 5" where t1.x2 = $1'],
    ['select "a""b", "it\'s"', 'select "a""b", "it\'s"'],
    ['select é1, größe', 'select é1, größe'],
    ['select a #>> b, a @> b, a / b - c, a->b', 'select a #>> b, a @> b, a / b - c, a->b'],
    ['select u & v, e, b, x', 'select u & v, e, b, x'],
    ['select a[$1], $2::text', 'select a[$1], $2::text'],
    ['begin', 'begin'],
    ['', ''],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

describe('spaces and comments do not tell texts apart', () => {
  test.each([
    ['  select\n\t a ,\r\n b  ', 'select a , b'],
    ['select a -- for bob\nfrom t', 'select a from t'],
    ['select a --', 'select a'],
    ["/* traceparent='00-1' */ select a", 'select a'],
    ['select /* a /* nested */ comment */ a', 'select a'],
    ['select a /* never ends', 'select a'],
    ['select a/*x*/from t', 'select a from t'],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

describe('the values of a SET need no quotes', () => {
  test.each([
    ['set app.user = bob', 'set app.user = $1'],
    ['SET LOCAL search_path TO tenant_7, public', 'SET LOCAL search_path TO $1, $2'],
    ['set x to "Bob"', 'set x to $1'],
    ['begin; set app.user = bob; select bob', 'begin; set app.user = $1; select bob'],
    ['update t set a = b', 'update t set a = b'],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

test.each(["select 'it\\'s secret'", "select 'a\\'', secret, 'b'", "like 'x' escape '\\'"])(
  'where nobody knows where a string ends nothing is shown: %s',
  (text) => {
    expect(maskText(text)).toBe(unreadable);
  },
);

test('a long text is cut, and is not read to its end', () => {
  const masked = maskText(`select ${'column_name, '.repeat(100_000)}`);
  expect(masked).toHaveLength(4_001);
  expect(masked.endsWith('…')).toBe(true);
  expect(maskText(`insert into t values ('${'x'.repeat(1_000_000)}')`)).toBe('insert into t values ($1)');
});

const secret = 'SeCrEt42';
const quoted = fc.constantFrom(
  `'${secret}'`,
  `'a''${secret}'`,
  `E'\\'${secret}'`,
  `E'${secret}\\\\'`,
  `$$${secret}$$`,
  `$q$'${secret}$q$`,
  `U&'${secret}'`,
  `n'${secret}'`,
  `-- ${secret}\n`,
  `/* ' ${secret} */`,
  `/* /* */ ${secret} */`,
);
const plain = fc.constantFrom(
  ' ',
  'select',
  ',',
  '(',
  ')',
  '=',
  '"a"',
  '"it\'s"',
  '$1',
  'x',
  '-',
  '/',
  '*',
  '1',
  '.5',
  ';',
  'é',
);

test('no constant and no comment shows, whatever stands around it', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(quoted, plain), { maxLength: 30 }), (parts) => {
      // A word right before a quote may make another string of it.
      expect(maskText(parts.join(' '))).not.toContain(secret);
    }),
    { numRuns: 2_000 },
  );
});

test('what PostgreSQL takes for a constant or a comment does not show', () => {
  const isConstant = (token: string) => /^([ebxn]|u&)?'|^\.?\d|^\$\D|^--|^\/\*/i.test(token);
  const characters = fc.constantFrom(
    ...`'"$-/*\\;=,.0aeExuU&té\n `.split(''),
    '--',
    '/*',
    '*/',
    "''",
    '$$',
    '$1',
    '4242',
    'zq',
  );
  let scanned = 0;
  fc.assert(
    fc.property(fc.array(characters, { maxLength: 25 }), (text) => {
      const masked = maskText(text.join(''));
      const before = tokensOf(text.join(''));
      if (before === undefined || masked === unreadable) return;
      scanned++;
      for (const secret of ['zq', '4242']) {
        if (!before.some((token) => token.includes(secret) && !isConstant(token))) expect(masked).not.toContain(secret);
      }
    }),
    { numRuns: 5_000 },
  );
  expect(scanned).toBeGreaterThan(500);
});

/** Undefined where the scanner refuses the text. */
function tokensOf(text: string): string[] | undefined {
  try {
    return scanSync(text).tokens.map((token) => token.text);
  } catch {
    return undefined;
  }
}

test.each([
  "select * from orders where id = 7 and name = 'bob'",
  "insert into t (a, b) values (1, 'x') on conflict do nothing",
  'update t set a = 5 where b in (1, 2, 3)',
  'delete from t where a = $1 and b < 10',
  'select count(*) filter (where a > 5) from t group by 2 order by 1 limit 10',
])('it is the same statement to PostgreSQL: %s', (text) => {
  expect(readText(maskText(text)).fingerprint).toBe(readText(text).fingerprint);
  expect(readText(text).fingerprint).not.toBeNull();
});
