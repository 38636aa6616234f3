import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atLeast, bySeverity, findingId, type Subject, severities } from '../../../../lib/advice/finding.ts';
import { findings } from '../../generated.ts';
import { finding } from '../../snapshots.ts';

const subjects: fc.Arbitrary<Subject> = fc
  .record(
    {
      database: fc.string(),
      schema: fc.string(),
      table: fc.string(),
      index: fc.string(),
      queryId: fc.string(),
      function: fc.string(),
    },
    { requiredKeys: ['database'] },
  )
  .map((subject) => subject as Subject);

describe('the id of a finding', () => {
  test('is 64 bits in hex and never changes: recommendations are followed by it', () => {
    expect(findingId('indexes/unused', { database: 'shop', schema: 'public', table: 't', index: 'i' })).toBe(
      'b9d9146642674e0b',
    );
  });

  test('never changes for a statement or a function either', () => {
    expect(findingId('queries/slow', { database: 'shop', queryId: '-42' })).toBe('d77b007037556678');
    expect(findingId('memory/leak', { database: 'shop', function: 'api' })).toBe('6367919e4fe84d94');
  });

  test('does not depend on the order in which the subject was written', () => {
    expect(findingId('r', { index: 'i', database: 'd' })).toBe(findingId('r', { database: 'd', index: 'i' }));
  });

  test('is the same for equal subjects and differs for different ones', () => {
    const known = ['database', 'schema', 'table', 'index', 'queryId', 'function'] as const;
    fc.assert(
      fc.property(subjects, subjects, (a, b) => {
        const same = known.every((key) => a[key] === b[key]);
        expect(findingId('r', a) === findingId('r', b)).toBe(same);
        expect(findingId('r', { ...a })).toBe(findingId('r', a));
      }),
    );
  });

  test('does not run neighbouring parts together', () => {
    expect(findingId('r', { database: 'd', schema: 'ab', table: 'c' })).not.toBe(
      findingId('r', { database: 'd', schema: 'a', table: 'bc' }),
    );
    expect(findingId('r', { database: 'd', schema: 'x' })).not.toBe(findingId('r', { database: 'd', table: 'x' }));
    expect(findingId('r', { database: 'd', table: '' })).not.toBe(findingId('r', { database: 'd' }));
  });

  test('differs between rules', () => {
    expect(findingId('a', { database: 'd' })).not.toBe(findingId('b', { database: 'd' }));
  });
});

describe('the order of findings', () => {
  test('is worst first, then the larger gain of time, then of space', () => {
    const made = (name: string, severity: 'critical' | 'warning', impact: { msPerDay?: number; bytes?: number }) =>
      finding({ severity, subject: { database: 'shop', index: name }, impact });
    const sorted = [
      made('critical', 'critical', {}),
      made('minutes', 'warning', { msPerDay: 60_000 }),
      made('seconds', 'warning', { msPerDay: 1_000, bytes: 10 ** 9 }),
      made('large', 'warning', { bytes: 10 ** 9 }),
      made('small', 'warning', { bytes: 1 }),
    ];
    const names = (list: typeof sorted) => list.map(({ subject }) => subject.index);
    expect(names([...sorted].reverse().sort(bySeverity))).toEqual(names(sorted));
  });

  test('among equals of severity is by time a day, and among equals of that by space', () => {
    fc.assert(
      fc.property(findings, findings, (a, b) => {
        fc.pre(a.severity === b.severity);
        const [time, space] = (['msPerDay', 'bytes'] as const).map(
          (key) => (b.impact?.[key] ?? 0) - (a.impact?.[key] ?? 0),
        );
        const expected = Math.sign(time || space || 0);
        if (expected !== 0) expect(Math.sign(bySeverity(a, b))).toBe(expected);
      }),
    );
  });

  test('is total: of two different findings exactly one comes first', () => {
    fc.assert(
      fc.property(findings, findings, (a, b) => {
        fc.pre(a.id !== b.id);
        expect(Math.sign(bySeverity(a, b))).toBe(-Math.sign(bySeverity(b, a)));
        expect(bySeverity(a, b)).not.toBe(0);
      }),
    );
  });

  test('is transitive', () => {
    fc.assert(
      fc.property(findings, findings, findings, (a, b, c) => {
        fc.pre(new Set([a.id, b.id, c.id]).size === 3);
        if (bySeverity(a, b) < 0 && bySeverity(b, c) < 0) expect(bySeverity(a, c)).toBeLessThan(0);
      }),
    );
  });

  test('does not depend on the order in which they were found', () => {
    const lists = fc.uniqueArray(findings, { selector: ({ id }) => id });
    fc.assert(
      fc.property(
        lists.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(shuffled.sort(bySeverity)).toEqual(list.sort(bySeverity));
        },
      ),
    );
  });
});

test('a severity is at least as bad as itself and as everything milder', () => {
  const table = severities.map((severity) => severities.filter((bound) => atLeast(severity, bound)));
  expect(table).toEqual([['critical', 'warning', 'info'], ['warning', 'info'], ['info']]);
});
