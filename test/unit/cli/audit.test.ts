import { describe, expect, test } from 'vitest';
import { restrict } from '../../../cli/audit.ts';
import { roster } from '../../../lib/audit.ts';

describe('--only', () => {
  test('left out changes nothing', () => {
    const configuration = { 'indexes/unused': { maxScans: 3 }, 'queries/slow': false as const };
    expect(restrict(configuration, undefined, roster)).toBe(configuration);
  });

  test('switches off every rule that it does not name', () => {
    const others = roster.map(({ id }) => id).filter((id) => id !== 'indexes/unused');
    expect(restrict({}, ['indexes/unused'], roster)).toEqual({
      'indexes/unused': {},
      ...Object.fromEntries(others.map((id) => [id, false])),
    });
  });

  test('keeps the options of those that it names', () => {
    const only = restrict(
      { 'indexes/unused': { maxScans: 3 }, 'queries/slow': { minCalls: 2 } },
      ['indexes/unused'],
      roster,
    );
    expect(only).toMatchObject({ 'indexes/unused': { maxScans: 3 }, 'queries/slow': false });
  });

  test('runs a rule that the file switched off: who names it wants it', () => {
    expect(restrict({ 'queries/slow': false }, ['queries/slow'], roster)).toMatchObject({ 'queries/slow': {} });
  });

  test('takes several, and each of them twice', () => {
    const on = restrict({}, ['queries/slow', 'indexes/unused', 'queries/slow'], roster);
    expect(Object.keys(on).filter((id) => on[id] !== false)).toEqual(['indexes/unused', 'queries/slow']);
  });

  test.each([['indexes/unsued'], ['unused'], ['indexes/*'], ['']])(
    'refuses "%s", and tells the rules that there are',
    (id) => {
      expect(() => restrict({}, ['queries/slow', id], roster)).toThrow(
        expect.objectContaining({
          code: 'configuration-invalid',
          message: `There is no rule "${id}". Rules: ${roster.map((rule) => rule.id).join(', ')}.`,
        }),
      );
    },
  );
});
