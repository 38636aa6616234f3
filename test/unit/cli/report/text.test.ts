import { describe, expect, test } from 'vitest';
import type { Report } from '../../../../cli/report/report.ts';
import { text } from '../../../../cli/report/text.ts';
import type { Finding } from '../../../../lib/advice/finding.ts';
import { finding, mebibyte, server, takenAt } from '../../snapshots.ts';

const render = (findings: Finding[], overrides: Partial<Report> = {}, colour = false) =>
  text({ takenAt, server: server(), notes: [], findings, ...overrides }, colour);
const about = (name: string, overrides: Partial<Finding> = {}) =>
  finding({
    subject: { database: 'shop', index: name },
    title: `Title of ${name}`,
    detail: `Detail of ${name}.`,
    ...overrides,
  });
const many = (count: number) => Array.from({ length: count }, (_, i) => about(`i${i}`));

describe('the head', () => {
  test('tells database, version, size and time', () => {
    expect(render([]).split('\n')[0]).toBe('shop on PostgreSQL 18.4 · 512 MB · 2026-03-01 12:00 UTC');
  });

  test('tells a standby, and a size that may not be asked for', () => {
    const head = render([], { server: server({ isStandby: true, sizeBytes: null }) }).split('\n')[0];
    expect(head).toMatch(/size unknown · standby/);
  });
});

describe('the findings', () => {
  test('are told worst first, whatever order they come in', () => {
    const out = render([
      about('c', { severity: 'info' }),
      about('b'),
      about('a', { severity: 'critical', rule: 'queries/slow' }),
    ]);
    const places = [
      'CRITICAL  queries/slow',
      'Title of a',
      'WARNING  indexes/unused',
      'Title of b',
      'INFO  indexes/unused',
      'Title of c',
    ];
    const found = places.map((words) => out.indexOf(words));
    expect(found).not.toContain(-1);
    expect(found).toEqual([...found].sort((a, b) => a - b));
  });

  test('come with what they gain, why, and the SQL', () => {
    const sql = 'DROP INDEX CONCURRENTLY public.i;';
    const out = render([
      about('i', { impact: { bytes: 3 * mebibyte }, action: { kind: 'sql', sql, caution: 'Ask first.' } }),
    ]);
    expect(out).toMatch(/Title of i +frees 3 MB\n/);
    expect(out).toMatch(/^ {4}Detail of i\.$/m);
    expect(out).toMatch(/^ {4}DROP INDEX CONCURRENTLY public\.i;$/m);
    expect(out).toMatch(/^ {4}Ask first\.$/m);
    expect(out).toMatch(/Every insert, and most updates/);
  });

  test('about a statement show it, unless the title does', () => {
    const statement = 'select *\n  from orders';
    expect(render([about('i', { evidence: { statement } })])).toMatch(/^ {4}in: select \* from orders$/m);
    expect(render([about('i', { title: 'Slow: select * from orders', evidence: { statement } })])).not.toContain(
      'in: ',
    );
  });

  test('that gain time tell it by the day', () => {
    expect(render([about('i', { impact: { msPerDay: 90_000 } })])).toMatch(/Title of i +1\.5 min a day/);
  });

  test('that share a caution tell it once', () => {
    const action = { kind: 'sql' as const, sql: 'X;', caution: 'Ask first.' };
    const shared = render([about('i', { action }), about('j', { action })]);
    expect(shared.match(/Ask first\./g)).toHaveLength(1);
    expect(shared).toMatch(/Before any of these: Ask first\./);
    const own = render([about('i', { action }), about('j', { action: { ...action, caution: 'Wait.' } })]);
    expect(own).toMatch(/Ask first\.[\s\S]*Wait\./);
    expect(own).not.toMatch(/Before any of these/);
  });

  test.each([
    [20, undefined],
    [21, 'and 1 more'],
    [45, 'and 25 more'],
  ])('of one rule are at most 20: of %d the rest is counted', (number, words) => {
    const out = render(many(number));
    expect(out.match(/Title of/g)).toHaveLength(20);
    if (words === undefined) expect(out).not.toMatch(/ more: --only/);
    else expect(out).toContain(`… ${words}: --only indexes/unused --format json shows them all.`);
    expect(out).toContain(`${number} findings: ${number} warning.`);
  });

  test('of a rule that is not there any more are told all the same', () => {
    expect(render([about('i', { rule: 'indexes/gone' })])).toMatch(/WARNING {2}indexes\/gone {2}1 finding\n/);
  });

  test('of many words are wrapped at 100 columns', () => {
    const out = render([about('i', { detail: 'word '.repeat(200) })]);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

describe('the last line', () => {
  const last = (findings: Finding[]) => render(findings).trimEnd().split('\n').at(-1);

  test('says when there is nothing', () => {
    expect(last([])).toBe('No findings.');
  });

  test('counts by severity, and the space that can be freed', () => {
    const findings = [
      about('a', { severity: 'critical' }),
      about('b', { impact: { bytes: mebibyte } }),
      about('c', { impact: { bytes: mebibyte } }),
    ];
    expect(last(findings)).toBe('3 findings: 1 critical, 2 warning. About 2 MB of disk can be freed.');
    expect(last([about('a')])).toBe('1 finding: 1 warning.');
  });

  test('frees an index once that two rules report', () => {
    const impact = { bytes: mebibyte };
    expect(last([about('a', { impact }), about('a', { impact, rule: 'indexes/duplicate' })])).toMatch(/About 1 MB/);
  });

  test('frees all of an index that is both unused and fragmented', () => {
    const findings = [
      about('a', { impact: { bytes: 10 * mebibyte } }),
      about('a', { impact: { bytes: mebibyte }, rule: 'indexes/fragmented' }),
    ];
    expect(last(findings)).toMatch(/About 10 MB/);
  });
});

describe('at a terminal', () => {
  const nasty = 'a\u001b[2J\u0007\u009b31m\r\u0000\u007fz';

  test('names with control characters are shown and not obeyed', () => {
    const out = render(
      [about('i', { title: nasty, detail: nasty, action: { kind: 'sql', sql: nasty, caution: nasty } })],
      {
        server: server({ database: nasty, version: nasty }),
        notes: [{ code: 'x', message: nasty, rules: [] }],
      },
    );
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(out).toContain('a\\x1b[2J\\x07\\x9b31m\\x0d\\x00\\x7fz');
  });

  test('there are no escape sequences without colour, and some with it', () => {
    const notes = [{ code: 'x', message: 'Not measured.', rules: [] }];
    const findings = [about('a', { severity: 'critical' }), about('b'), about('c', { severity: 'info' }), ...many(30)];
    expect(render(findings, { notes })).not.toContain('\u001b');
    expect(render(findings, { notes }, true)).toContain('\u001b[31m');
  });

  test('colours change nothing but the colours', () => {
    const findings = [about('a', { severity: 'critical', impact: { bytes: mebibyte } }), about('b')];
    const sequence = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
    expect(render(findings, {}, true).replaceAll(sequence, '')).toBe(render(findings));
  });

  test('a name with a line break stays on its line', () => {
    expect(render([about('i', { title: 'public."x\nCRITICAL  indexes/unused" is not used' })])).not.toMatch(
      /^CRITICAL/m,
    );
  });
});

test('notes tell what was not looked at', () => {
  const notes = [
    { code: 'x', message: 'Not measured.', rules: [] },
    { code: 'y', message: 'Not seen.', rules: [] },
  ];
  expect(render([], { notes })).toMatch(/^note {2}Not measured\.\nnote {2}Not seen\.$/m);
});
