/**
 * A statement that one scope calls again and again. With other values each time it is a list that is gone through one by one;
 * with the same ones it is an answer that nobody kept.
 */
import { digestOfValues } from './digest.ts';
import { placeAbove } from './place.ts';
import type { Purpose } from './purpose.ts';
import type { KnownText } from './statements.ts';

/**
 * What is repeated:
 * - `n-plus-one`: a read with different values. One that asks for all of them at once would do.
 * - `row-by-row`: a change with different values. It may be meant so; else one that changes all rows at once is quicker.
 * - `same-values`: a read with the same values. Its answer could have been kept.
 */
export type RepetitionKind = 'n-plus-one' | 'row-by-row' | 'same-values';

/** A statement that was called again and again in one scope. */
export interface RepeatedStatement {
  query: string;
  kind: RepetitionKind;
  calls: number;
  /** All calls together, in milliseconds; at once they may have taken less. */
  totalMs: number;
  /** The place in the code from which it was called, as a path with line and column; null when it is not known. */
  place: string | null;
}

/** The calls of one statement in one scope. */
export class Calls {
  /** All together, in milliseconds. */
  totalMs = 0;
  #count = 0;
  #place: string | null = null;
  /** Digests of different values, until there are enough of them. */
  readonly #different = new Set<number>();

  /**
   * Takes note of a call.
   *
   * @param enough from so many calls on it is repeated
   * @param caller the function that the application called
   */
  add(text: KnownText, values: unknown, enough: number, caller: (...values: never[]) => unknown): void {
    this.#count++;
    if (this.#different.size < enough)
      this.#different.add(digestOfValues(Array.isArray(values) ? values : [], text.constants));
    // Where it is one too many is where the others come from, too; a stack costs too much to take it at every call.
    if (this.#count === enough) this.#place = placeAbove(caller);
  }

  /** What is repeated, if anything is. */
  repeated({ query, purpose }: { query: string; purpose: Purpose }, enough: number): RepeatedStatement | undefined {
    if (this.#count < enough) return undefined;
    const differ = this.#different.size >= enough || this.#different.size > this.#count / 2;
    const kind = kindOf(purpose, differ);
    return kind && { query, kind, calls: this.#count, totalMs: this.totalMs, place: this.#place };
  }
}

function kindOf(purpose: Purpose, differ: boolean): RepetitionKind | undefined {
  if (purpose === 'read') return differ ? 'n-plus-one' : 'same-values';
  return differ ? 'row-by-row' : undefined;
}
