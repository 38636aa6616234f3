import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { markdown } from '../../../../cli/report/markdown.ts';
import type { Report } from '../../../../cli/report/report.ts';
import type { Finding } from '../../../../lib/advice/finding.ts';
import { finding, server, takenAt } from '../../snapshots.ts';

const render = (findings: Finding[], overrides: Partial<Report> = {}) =>
  markdown({ takenAt, server: server(), notes: [], findings, ...overrides });

/** The lines outside of fenced code, as CommonMark tells them apart. */
function prose(report: string): string[] {
  let fence = '';
  return report.split('\n').filter((line) => {
    if (fence !== '') {
      if (/^`{3,}\s*$/.test(line) && line.trimEnd().length >= fence.length) fence = '';
      return false;
    }
    fence = /^(`{3,})[^`]*$/.exec(line)?.[1] ?? '';
    return fence === '';
  });
}
/** The same without what a backslash has made harmless. */
const bare = (line: string) => line.replaceAll(/\\./g, '');

describe('a report in Markdown', () => {
  test('tells the server and groups the findings, worst first', () => {
    const out = render([finding(), finding({ severity: 'info' }), finding({ severity: 'critical', title: 'Bad' })]);
    expect(out).toMatch(/^# Audit of shop\n\nPostgreSQL 18\.4, 512 MB, 2026-03-01T12:00:00\.000Z\. 3 findings\.\n/);
    expect(out.match(/^## .*$/gm)).toEqual(['## Critical (1)', '## Warning (1)', '## Info (1)']);
  });

  test('tells the numbers of a finding in a table, and its SQL in fences', () => {
    const action = { kind: 'sql' as const, sql: 'DROP INDEX i;', undoSql: 'CREATE INDEX i;', caution: 'Ask first.' };
    const out = render([finding({ evidence: { scans: 0, sizeBytes: 8192, definition: 'CREATE' }, action })]);
    expect(out).toContain('| scans | sizeBytes |\n|---:|---:|\n| 0 | 8192 |\n');
    expect(out).toContain('```sql\nDROP INDEX i;\n```\n\nAsk first.\n\nTo undo:\n\n```sql\nCREATE INDEX i;\n```\n');
  });

  test('shows the statement that a finding is about', () => {
    expect(render([finding({ evidence: { statement: 'select *\nfrom orders' } })])).toContain(
      'In: select \\* from orders\n',
    );
  });

  test('says when there is nothing, and ends its last line', () => {
    expect(render([], { server: server({ sizeBytes: null }) })).toBe(
      '# Audit of shop\n\nPostgreSQL 18.4, 2026-03-01T12:00:00.000Z. No findings.\n',
    );
  });

  test('lists the notes', () => {
    const notes = [{ code: 'x', message: 'Not *measured*.', rules: [] }];
    expect(render([], { notes })).toMatch(/\n## Notes\n\n- Not \\\*measured\\\*\.\n$/);
  });
});

describe('a name cannot break out', () => {
  const named = (name: string) =>
    render([finding({ title: name, detail: name, action: { kind: 'sql', sql: 'X;', caution: name } })], {
      server: server({ database: name }),
      notes: [{ code: 'x', message: name, rules: [] }],
    });

  test.each([
    ['a line break', 'x\n\n# Owned\n'],
    ['an underline', 'x\n===\ny'],
    ['a list', 'x\n\n- Owned\n1. Owned'],
    ['a carriage return', 'x\r# Owned'],
    ['a line separator', 'x\u2028# Owned'],
    ['a fence', 'x\n```\n# Owned\n```'],
    ['a pipe', 'x | y |'],
    ['backticks', '`code`'],
    ['a link', '[x](https://example.com)'],
    ['HTML', '<script>alert(1)</script><!-- '],
    ['a backslash before markup', '\\*x\\*'],
  ])('by %s', (_, name) => {
    const out = named(name);
    // A name is a part of a line: it never makes another one.
    expect(out.split(/[\n\r\u2028]/).length).toBe(named('plain').split('\n').length);
    const lines = prose(out);
    expect(lines.filter((line) => /^#/.test(line)).map((line) => line.split(' ')[0])).toEqual(['#', '##', '###', '##']);
    for (const line of lines.filter((each) => !each.startsWith('|'))) {
      expect(
        bare(line)
          .replace(/ \(`indexes\/unused`\)$/, '')
          .replace(/^#+ /, ''),
      ).not.toMatch(/[`*_[\]<>|#]/);
    }
  });

  test('whatever it is: headings and fences are the report’s own', () => {
    const names = fc.string({
      unit: fc.constantFrom('`', '```', '\n', '#', '# ', '|', '\\', '<', 'x', ' ', '~~~', '\r', '🦆'),
    });
    fc.assert(
      fc.property(names, names, (name, rest) => {
        const sql = `x${rest}`;
        const out = render([
          finding({ title: name, detail: name, action: { kind: 'sql', sql, undoSql: sql, caution: name } }),
        ]);
        const lines = prose(out);
        expect(lines.filter((line) => /^#/.test(line)).length).toBe(3);
        expect(lines.filter((line) => /^(```|~~~)/.test(line))).toEqual([]);
        expect(lines).toContain('To undo:');
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['DROP INDEX "a`b";', '```'],
  ['DROP INDEX "a```b";', '````'],
  ['DROP INDEX "a`````b``";', '``````'],
])('the fence around %s is longer than what is inside', (sql, fence) => {
  expect(render([finding({ action: { kind: 'sql', sql } })])).toContain(`\n${fence}sql\n${sql}\n${fence}\n`);
});
