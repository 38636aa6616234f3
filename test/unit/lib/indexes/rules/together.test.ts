import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runRules } from '../../../../../lib/advice/configuration.ts';
import { indexRules } from '../../../../../lib/indexes/rules/index.ts';
import type { ForeignKey, Index } from '../../../../../lib/indexes/snapshot.ts';
import { elements, indexesOf } from '../../../generated.ts';
import { descending, element, foreignKey, index, indexSnapshot, server } from '../../../snapshots.ts';

/** Counters that are old, and counters that are not. */
const ages = fc.constantFrom('2025-06-01T00:00:00.000Z', '2026-02-27T00:00:00.000Z');

/** What is left when somebody applies every drop that the rules propose, all at once. */
function afterAllDrops(all: Index[], foreignKeys: ForeignKey[], statisticsResetAt: string): Index[] {
  const found = runRules(indexRules, indexSnapshot(all, { foreignKeys, server: server({ statisticsResetAt }) }));
  const dropped = new Set(
    found.filter(({ action }) => action?.sql?.includes('DROP')).map(({ subject }) => subject.index),
  );
  return all.filter((each) => !dropped.has(each.index));
}

/** Written apart from the rules: whether one index can answer all that the other can. */
function canDoAllOf(wide: Index, index: Index): boolean {
  const pairs = index.elements.map((mine, at) => [mine, wide.elements[at]] as const);
  const same = pairs.every(([x, y]) => x.descending === y?.descending && x.nullsFirst === y.nullsFirst);
  const mirrored = pairs.every(([x, y]) => x.descending !== y?.descending && x.nullsFirst !== y?.nullsFirst);
  const stored = [...wide.included, ...wide.elements.map(({ column }) => column)];
  return (
    wide.table === index.table &&
    wide.method === index.method &&
    wide.predicate === index.predicate &&
    wide.partitioned === index.partitioned &&
    pairs.every(([x, y]) => x.column === y?.column && x.collation === y.collation) &&
    (index.method === 'btree' ? same || mirrored : wide.elements.length === index.elements.length) &&
    index.included.every((column) => stored.includes(column))
  );
}

/** Rows that the one refuses, the other refuses too, and at once. */
function refusesAllOf(strict: Index, index: Index): boolean {
  return (
    strict.table === index.table &&
    strict.unique &&
    strict.valid &&
    !strict.constraint?.deferrable &&
    (strict.predicate === null || strict.predicate === index.predicate) &&
    (strict.nullsNotDistinct || !index.nullsNotDistinct) &&
    strict.elements.every((element) =>
      index.elements.some(({ column, collation }) => column === element.column && collation === element.collation),
    )
  );
}

const supports = (each: Index, { table, columns }: ForeignKey) =>
  each.table === table &&
  each.valid &&
  each.predicate === null &&
  (columns.every((column) => each.elements.slice(0, columns.length).some((key) => key.column === column)) ||
    (each.unique && each.elements.every((key) => columns.includes(key.column ?? ''))));

const keys = fc.subarray([
  foreignKey(['a']),
  foreignKey(['b']),
  foreignKey(['a', 'b']),
  foreignKey(['a'], { table: 'u' }),
]);

describe('applying everything that the rules propose', () => {
  test('never takes away what was used: one is left that can do all that each index with a scan can', () => {
    fc.assert(
      fc.property(indexesOf(elements), keys, ages, (all, foreignKeys, age) => {
        const left = afterAllDrops(all, foreignKeys, age);
        for (const used of all.filter(({ scans, valid }) => scans > 0 && valid)) {
          expect(left.filter((each) => each.valid && canDoAllOf(each, used))).not.toEqual([]);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('never lets a row in that was refused', () => {
    fc.assert(
      fc.property(indexesOf(elements), keys, ages, (all, foreignKeys, age) => {
        const left = afterAllDrops(all, foreignKeys, age);
        for (const gone of all.filter((each) => each.unique && each.valid && !left.includes(each))) {
          expect(left.filter((each) => refusesAllOf(each, gone))).not.toEqual([]);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('never leaves a foreign key without an index that had one', () => {
    fc.assert(
      fc.property(indexesOf(elements), keys, ages, (all, foreignKeys, age) => {
        const left = afterAllDrops(all, foreignKeys, age);
        for (const key of foreignKeys.filter((each) => all.some((candidate) => supports(candidate, each)))) {
          expect(left.filter((each) => supports(each, key))).not.toEqual([]);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('keeps a unique index that nobody reads where it stays in the place of one that was read', () => {
    const all = [
      index('narrow', { elements: [element('a')], unique: true, scans: 0 }),
      index('wide', { elements: [element('b'), element('a')], unique: true, scans: 0 }),
      index('read', { elements: [element('b'), element('a')], scans: 5 }),
    ];
    const left = afterAllDrops(all, [], '2025-06-01T00:00:00.000Z').map((each) => each.index);
    expect(left).toEqual(['narrow', 'wide']);
  });

  test('never leaves a foreign key without an index, also where two unused ones mirror each other', () => {
    const mirror = [index('i1', { elements: [descending('a')] }), index('i2', { elements: [element('a')] })];
    expect(afterAllDrops(mirror, [foreignKey(['a'])], '2025-06-01T00:00:00.000Z')).not.toEqual([]);
  });
});
