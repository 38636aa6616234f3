/** How many of the last collections count. */
const remembered = 5;

/** A Lambda function has a whole processor from this much memory on. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const wholeProcessorBytes = 1_769 * 2 ** 20;

/** A line through what was measured with a whole processor: 10, 33, 71 and 158 ms at 10, 50, 100 and 200 MB. */
const fixedMs = 2;
const msPerMegabyte = 0.8;

/**
 * How long a forced collection will take. It begins with what was measured elsewhere, and learns from what it measures here: the
 * slowest of the last five, since a collection that is cut short by the time limit fails the invocation.
 */
export class CollectionCost {
  /** How many times as long as the line says. */
  readonly #slowness: number[];

  /** @param memoryLimitBytes what the function is given: Lambda gives processor time in proportion; null for all of it */
  constructor(memoryLimitBytes: number | null = null) {
    this.#slowness = [Math.max(1, wholeProcessorBytes / (memoryLimitBytes ?? wholeProcessorBytes))];
  }

  /** The expected time in milliseconds, with so much of the heap in use. */
  estimateMs(heapBytes: number): number {
    return Math.max(...this.#slowness) * usualMs(heapBytes);
  }

  /** Takes note of a collection: of how much, and how long it took. */
  learn(heapBytes: number, durationMs: number): void {
    this.#slowness.push(durationMs / usualMs(heapBytes));
    if (this.#slowness.length > remembered) this.#slowness.shift();
  }
}

function usualMs(heapBytes: number): number {
  return fixedMs + (msPerMegabyte * heapBytes) / 2 ** 20;
}
