/** A choice among others: how much space it takes, and what the workload costs with it. */
export interface Weighed {
  sizeBytes: number;
  cost: number;
}

/**
 * Adds a choice to a front: by size, and none both as large and as dear as another. The same front when the choice is beaten.
 */
export function addToFront<Choice extends Weighed>(front: readonly Choice[], choice: Choice): readonly Choice[] {
  const beats = (one: Weighed, other: Weighed) => one.sizeBytes <= other.sizeBytes && one.cost <= other.cost;
  if (front.some((other) => beats(other, choice))) return front;
  return [...front.filter((other) => !beats(choice, other)), choice].toSorted((a, b) => a.sizeBytes - b.sizeBytes);
}

/** The best choice within a budget. The front has the empty one, which fits any. */
export function within<Choice extends Weighed>(front: readonly Choice[], budgetBytes: number): Choice {
  return front.findLast(({ sizeBytes }) => sizeBytes <= budgetBytes) as Choice;
}
