import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duplicate } from '../../../../../lib/indexes/rules/duplicate.ts';
import type { Index } from '../../../../../lib/indexes/snapshot.ts';
import { indexes } from '../../../generated.ts';
import { descending, element, index, indexSnapshot } from '../../../snapshots.ts';

const runs = { numRuns: 500 };

/** Written apart from the rule, pair by pair: whether two indexes can answer the same queries. */
function canDoTheSame(a: Index, b: Index): boolean {
  const pairs = a.elements.map((mine, i) => [mine, b.elements[i]] as const);
  const sameDirection = pairs.every(([x, y]) => x.descending === y?.descending && x.nullsFirst === y.nullsFirst);
  const mirrored = pairs.every(([x, y]) => x.descending !== y?.descending && x.nullsFirst !== y?.nullsFirst);
  return (
    a.schema === b.schema &&
    a.table === b.table &&
    a.method === b.method &&
    a.predicate === b.predicate &&
    a.partitioned === b.partitioned &&
    a.elements.length === b.elements.length &&
    pairs.every(([x, y]) => x.column === y?.column && x.collation === y.collation) &&
    (a.method !== 'btree' || sameDirection || mirrored) &&
    a.included.every((column) => b.included.includes(column)) &&
    b.included.every((column) => a.included.includes(column))
  );
}

/** The indexes that the rule would drop, and those that remain in force. */
function outcome(all: Index[]) {
  const found = duplicate.check(indexSnapshot(all), duplicate.options.parse({}));
  const names = new Set(found.map(({ subject }) => subject.index));
  return {
    found,
    dropped: all.filter((each) => names.has(each.index)),
    left: all.filter((each) => !names.has(each.index) && each.valid && each.ready),
  };
}

test('for each index that is reported one that can do the same remains', () => {
  fc.assert(
    fc.property(indexes, (all) => {
      const { dropped, left } = outcome(all);
      for (const gone of dropped) expect(left.filter((each) => canDoTheSame(each, gone))).not.toEqual([]);
    }),
    runs,
  );
});

test('the index that a finding tells to keep is one of those that remain, and can do the same', () => {
  fc.assert(
    fc.property(indexes, (all) => {
      const { found, left } = outcome(all);
      for (const { subject, evidence } of found) {
        const kept = left.find((each) => each.index === evidence.keep);
        const gone = all.find((each) => each.index === subject.index);
        expect(kept && gone && canDoTheSame(kept, gone)).toBe(true);
      }
    }),
    runs,
  );
});

test('of plain duplicates no two remain', () => {
  fc.assert(
    fc.property(indexes, (all) => {
      const plain = outcome(all).left.filter(
        (each) => !each.unique && each.constraint === null && each.parent === null && !each.clustered,
      );
      for (const one of plain) expect(plain.filter((other) => other !== one && canDoTheSame(one, other))).toEqual([]);
    }),
    runs,
  );
});

test('what a key, an exclusion, a foreign key, replication or a partitioned index needs is never reported', () => {
  fc.assert(
    fc.property(indexes, (all) => {
      for (const gone of outcome(all).dropped) {
        expect(gone).toMatchObject({
          primary: false,
          exclusion: false,
          referencedBy: 0,
          replicaIdentity: false,
          parent: null,
        });
        expect(gone).toMatchObject({ valid: true, ready: true });
      }
    }),
    runs,
  );
});

test('uniqueness that a reported index enforces is still enforced, at once and as strictly, by one that remains', () => {
  fc.assert(
    fc.property(indexes, (all) => {
      const { dropped, left } = outcome(all);
      for (const gone of dropped.filter(({ unique }) => unique)) {
        const guards = left.filter(
          (each) =>
            canDoTheSame(each, gone) &&
            each.unique &&
            !each.constraint?.deferrable &&
            (each.nullsNotDistinct || !gone.nullsNotDistinct),
        );
        expect(guards).not.toEqual([]);
      }
    }),
    runs,
  );
});

test('the order of the snapshot does not matter', () => {
  const shuffled = indexes.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      const sorted = (list: Index[]) => outcome(list).found.sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(sorted(other)).toEqual(sorted(all));
    }),
    runs,
  );
});

test('no index is reported twice', () => {
  fc.assert(
    fc.property(indexes, (all) => {
      const ids = outcome(all).found.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }),
    runs,
  );
});

test('nothing in the snapshot is changed', () => {
  const all = [
    index('b', { elements: [descending('a')], included: ['y', 'x'] }),
    index('a', { elements: [element('a')] }),
  ];
  const before = structuredClone(all);
  outcome(all);
  expect(all).toEqual(before);
});
