import { describe, expect, test } from 'vitest';
import type { Report } from '../../../cli/report/report.ts';
import { render } from '../../../cli/report.ts';
import { Finding } from '../../../lib/advice/finding.ts';
import { finding, server, takenAt } from '../snapshots.ts';

const report = (overrides: Partial<Report> = {}): Report => ({
  takenAt,
  server: server(),
  notes: [],
  findings: [],
  ...overrides,
});
const note = { code: 'pgstattuple-missing', message: 'Not measured.', rules: ['indexes/fragmented'] };

describe('the report for programs', () => {
  test('has exactly the keys that are promised', () => {
    const json = JSON.parse(render('json', report({ notes: [note], findings: [finding()] }), false));
    expect(json).toEqual({ snapshot: { takenAt, server: server(), notes: [note] }, findings: [finding()] });
    expect(Object.keys(json)).toEqual(['snapshot', 'findings']);
    expect(Finding.safeParse(json.findings[0]).success).toBe(true);
  });

  test('is one document that ends its last line', () => {
    const json = render('json', report({ findings: [finding({ title: 'two\nlines \u2028 🦆' })] }), true);
    expect(json.endsWith('}\n')).toBe(true);
    expect(JSON.parse(json).findings[0].title).toBe('two\nlines \u2028 🦆');
  });

  test('has an empty list where nothing was found', () => {
    expect(JSON.parse(render('json', report(), false)).findings).toEqual([]);
  });

  test('has no colours, even at a terminal', () => {
    expect(render('json', report({ findings: [finding()] }), true)).not.toContain('\u001b');
    expect(render('markdown', report({ findings: [finding()] }), true)).not.toContain('\u001b');
  });
});
