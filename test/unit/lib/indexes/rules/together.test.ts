import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runRules } from '../../../../../lib/advice/configuration.ts';
import { indexRules } from '../../../../../lib/indexes/rules/index.ts';
import type { ForeignKey, Index } from '../../../../../lib/indexes/snapshot.ts';
import { elements, indexesOf } from '../../../generated.ts';
import { descending, element, foreignKey, index, indexSnapshot } from '../../../snapshots.ts';

/** What is left when somebody applies every drop that the rules propose, all at once. */
function afterAllDrops(all: Index[], foreignKeys: ForeignKey[] = []): Index[] {
  const found = runRules(indexRules, indexSnapshot(all, { foreignKeys }));
  const dropped = new Set(found.map(({ subject }) => subject.index));
  return all.filter((each) => !dropped.has(each.index));
}

/** Same table, columns, method and so on; the direction of a first column alone can be read either way. */
const ability = ({ table, method, elements: keys, included, predicate, partitioned }: Index) =>
  JSON.stringify([
    table,
    method,
    keys.map(({ column, collation }) => [column, collation]),
    method === 'btree' &&
      keys.map(({ descending: down, nullsFirst }) => [
        down !== keys[0]?.descending,
        nullsFirst !== keys[0]?.descending,
      ]),
    [...included].sort(),
    predicate,
    partitioned,
  ]);

const supports = (each: Index, { table, columns }: ForeignKey) =>
  each.table === table &&
  each.valid &&
  each.predicate === null &&
  columns.every((column) => each.elements.slice(0, columns.length).some((key) => key.column === column));

const keys = fc.subarray([
  foreignKey(['a']),
  foreignKey(['b']),
  foreignKey(['a', 'b']),
  foreignKey(['a'], { table: 'u' }),
]);

describe('applying everything that the rules propose', () => {
  test('never takes away what was used: of every kind of index with a scan one is left', () => {
    fc.assert(
      fc.property(indexesOf(elements), keys, (all, foreignKeys) => {
        const left = new Set(afterAllDrops(all, foreignKeys).map(ability));
        for (const used of all.filter(({ scans, valid }) => scans > 0 && valid)) expect(left).toContain(ability(used));
      }),
      { numRuns: 500 },
    );
  });

  test('never leaves a foreign key without an index that had one', () => {
    fc.assert(
      fc.property(indexesOf(elements), keys, (all, foreignKeys) => {
        const left = afterAllDrops(all, foreignKeys);
        for (const key of foreignKeys.filter((each) => all.some((candidate) => supports(candidate, each)))) {
          expect(left.filter((each) => supports(each, key))).not.toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('never leaves a foreign key without an index, also where two unused ones mirror each other', () => {
    const mirror = [index('i1', { elements: [descending('a')] }), index('i2', { elements: [element('a')] })];
    expect(afterAllDrops(mirror, [foreignKey(['a'])])).not.toEqual([]);
  });
});
