/** A choice among others: how much space it takes, and what the workload costs with it. */
export interface Weighed {
  sizeBytes: number;
  cost: number;
}

/**
 * Adds a choice to a front: by size, and none both as large and as dear as another. The same front when the choice is beaten.
 */
export function addToFront<Choice extends Weighed>(front: readonly Choice[], choice: Choice): readonly Choice[] {
  // Larger choices cost less: of those that are no larger the last is the cheapest.
  const larger = firstLarger(front, choice.sizeBytes);
  const cheapest = front[larger - 1];
  if (cheapest && cheapest.cost <= choice.cost) return front;
  const from = cheapest?.sizeBytes === choice.sizeBytes ? larger - 1 : larger;
  let to = from;
  while (to < front.length && (front[to] as Choice).cost >= choice.cost) to++;
  return front.toSpliced(from, to - from, choice);
}

/** The place of the first choice that is larger, found by halves. */
function firstLarger(front: readonly Weighed[], sizeBytes: number): number {
  let [from, to] = [0, front.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((front[middle] as Weighed).sizeBytes > sizeBytes) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** The best choice within a budget. The front has the empty one, which fits any. */
export function within<Choice extends Weighed>(front: readonly Choice[], budgetBytes: number): Choice {
  return front.findLast(({ sizeBytes }) => sizeBytes <= budgetBytes) as Choice;
}
