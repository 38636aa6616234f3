import { expect, test } from 'vitest';
import { z } from 'zod';
import { Finding, findingId } from '../../../../lib/advice/finding.ts';
import { defineRule } from '../../../../lib/advice/rule.ts';

const rule = defineRule({
  id: 'demo/short',
  title: 'Short word',
  why: 'Because.',
  severity: 'warning',
  options: z.strictObject({ least: z.number().default(3) }),
  check: (words: string[], { least }) =>
    words
      .filter((word) => word.length < least)
      .map((word) => ({
        ...(word === '' ? { severity: 'critical' as const } : {}),
        subject: { database: 'd', table: word },
        title: word,
        detail: 'Short.',
        evidence: { length: word.length },
      })),
});

test('a rule signs what it finds with its id, its severity and the id of the finding', () => {
  const [found] = rule.check(['ab', 'abc'], { least: 3 });
  expect(found).toEqual({
    id: findingId('demo/short', { database: 'd', table: 'ab' }),
    rule: 'demo/short',
    severity: 'warning',
    subject: { database: 'd', table: 'ab' },
    title: 'ab',
    detail: 'Short.',
    evidence: { length: 2 },
  });
  expect(Finding.safeParse(found).success).toBe(true);
});

test('a finding may be worse than its rule usually is', () => {
  expect(rule.check([''], { least: 3 }).map(({ severity }) => severity)).toEqual(['critical']);
});

test('the page of a rule follows from its id', () => {
  expect(rule.docs).toBe('docs/rules/demo/short.md');
});

test('a rule that finds nothing answers an empty list', () => {
  expect(rule.check([], { least: 3 })).toEqual([]);
});
