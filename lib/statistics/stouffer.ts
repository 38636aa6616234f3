/**
 * Several tests of the same thing as one: their z-values add up.
 *
 * S. A. Stouffer et al., "The American Soldier", 1949; with weights: T. Lipták, "On the combination of independent tests", 1958.
 * Weights that go with the square root of the sample sizes lose the least power: M. C. Whitlock, Journal of Evolutionary
 * Biology 18(5), 2005.
 */
import { normalUpperTail } from './normal.ts';

/** The outcome of a test, and how much it counts. */
export interface Weighted {
  z: number;
  /** Above 0. */
  weight: number;
}

/** The outcome of all. */
export interface Combined {
  z: number;
  /** How likely so large a z, or a larger one, would be: one-sided. */
  p: number;
}

/** Combines tests that do not depend on each other. Nothing to combine shows nothing: p is 1. */
export function stouffer(tests: readonly Weighted[]): Combined {
  const norm = Math.sqrt(tests.reduce((sum, { weight }) => sum + weight ** 2, 0));
  if (norm === 0) return { z: 0, p: 1 };
  const z = tests.reduce((sum, test) => sum + test.z * test.weight, 0) / norm;
  return { z, p: normalUpperTail(z) };
}
