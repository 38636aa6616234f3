import { describe, expect, test } from 'vitest';
import { bySeverity } from '../../../lib/advice/finding.ts';
import { DatabaseSnapshot, judge, notesOf, roster } from '../../../lib/audit.ts';
import { databaseSnapshot, index, mebibyte, statement } from '../snapshots.ts';

const plain = databaseSnapshot();
const note = (code: string) => ({ code, message: `${code}.`, rules: [] });
const fragmentation = {
  wastedPercent: 80,
  wastedBytes: 20 * mebibyte,
  leafDensityPercent: 20,
  leafFragmentationPercent: 0,
  deletedPages: 0,
  emptyPages: 0,
};
const troubled = databaseSnapshot({
  indexes: {
    ...plain.indexes,
    indexes: [index('i', { scans: 1, sizeBytes: 25 * mebibyte, fragmentation }), index('j')],
    notes: [note('a'), note('b')],
  },
  queries: { ...plain.queries, statements: [statement({ meanMs: 5000 })], notes: [note('c')] },
});

describe('judging a snapshot', () => {
  test('runs the rules of every part of a database, and tells the worst first', () => {
    const found = judge(troubled);
    const expected = ['indexes/unused', 'indexes/duplicate', 'indexes/fragmented', 'queries/slow'];
    expect(new Set(found.map(({ rule }) => rule))).toEqual(new Set(expected));
    expect(roster.map(({ id }) => id)).toEqual(
      expect.arrayContaining([...expected, 'plans/sort-spill', 'queries/regressed']),
    );
    expect(found).toEqual([...found].sort(bySeverity));
    expect(found[0]).toMatchObject({ rule: 'queries/slow', severity: 'critical' });
  });

  test('says the same twice, and of a snapshot out of a file', () => {
    const read = DatabaseSnapshot.parse(JSON.parse(JSON.stringify(troubled)));
    expect(judge(read)).toEqual(judge(troubled));
  });

  test('heeds the configuration', () => {
    const found = judge(troubled, {
      'queries/slow': false,
      'indexes/unused': false,
      'indexes/duplicate': { minBytes: 10 ** 9 },
    });
    expect(found.map(({ rule }) => rule)).toEqual(['indexes/fragmented']);
  });

  test('finds nothing in an empty database', () => {
    expect(judge(plain)).toEqual([]);
  });
});

test('the notes of a snapshot are those of all its parts', () => {
  expect(notesOf(troubled).map(({ code }) => code)).toEqual(['a', 'b', 'c']);
});

test('the ids of rules are unique and name their domain', () => {
  const ids = roster.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z]+\/[a-z0-9-]+$/);
});
