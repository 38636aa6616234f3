import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToFront, type Weighed, within } from '../../../../../lib/indexes/advisor/front.ts';

/** Few sizes and costs, so that many are equal. */
const choices = fc.array(fc.record({ sizeBytes: fc.nat(12), cost: fc.nat(12) }), { maxLength: 30 });
const frontOf = (all: readonly Weighed[]) => all.reduce<readonly Weighed[]>(addToFront, []);

describe('a front', () => {
  test('holds every choice that no other beats, once, by size', () => {
    fc.assert(
      fc.property(choices, (all) => {
        const unbeaten = all.filter(
          (one) =>
            !all.some(
              (other) =>
                other.sizeBytes <= one.sizeBytes &&
                other.cost <= one.cost &&
                (other.sizeBytes < one.sizeBytes || other.cost < one.cost),
            ),
        );
        const distinct = new Map(unbeaten.map((each) => [`${each.sizeBytes} ${each.cost}`, each]));
        expect(frontOf(all)).toEqual([...distinct.values()].toSorted((a, b) => a.sizeBytes - b.sizeBytes));
      }),
    );
  });

  test('is the same when a choice is beaten, or is there already', () => {
    fc.assert(
      fc.property(choices, (all) => {
        const front = frontOf(all);
        for (const choice of all) expect(addToFront(front, { ...choice })).toBe(front);
      }),
    );
  });

  test('answers a budget with the cheapest choice that fits', () => {
    fc.assert(
      fc.property(choices, fc.nat(15), (all, budget) => {
        const front = frontOf([{ sizeBytes: 0, cost: 100 }, ...all]);
        const cheapest = Math.min(100, ...all.filter(({ sizeBytes }) => sizeBytes <= budget).map(({ cost }) => cost));
        expect(within(front, budget).cost).toBe(cheapest);
      }),
    );
  });
});
