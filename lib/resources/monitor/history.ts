import type { Sample } from '../sample.ts';

/**
 * The last samples: the newer half as they came, and in the older half those with a floor, which are rarer and tell more. It
 * takes all of its memory with the first sample: what fills up over time would look like a leak to the monitor that it is in.
 */
export class History {
  readonly #size: number;
  readonly #samples: Sample[] = [];
  /** Copies of the first sample, in the place of those that are still to come. */
  #reserve: Sample[] | undefined;

  /** @param size how many samples */
  constructor(size: number) {
    this.#size = size;
  }

  push(sample: Sample): void {
    this.#reserve ??= Array.from({ length: this.#size }, () => structuredClone(sample));
    this.#samples.push(sample);
    if (this.#reserve.pop()) return;
    const expendable = this.#samples.slice(0, this.#size / 2).findIndex(({ floor }) => !floor);
    this.#samples.splice(Math.max(0, expendable), 1);
  }

  /** The samples, oldest first. */
  samples(): Sample[] {
    return [...this.#samples];
  }
}
