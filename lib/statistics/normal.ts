/** From here on the continued fraction converges faster than the series. */
const far = 3;

/** Enough for full double precision at z = 3, and for more further out. */
const fractions = 100;

/** The density of the standard normal distribution. */
export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/**
 * The probability that a standard normal variable is larger than `z`.
 *
 * Near the middle the series of G. Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11(4),
 * 2004; in the tail, where that would lose digits, Laplace's continued fraction (Abramowitz and Stegun, 26.2.14). The
 * relative error is below 1e-12.
 */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z);
  return z < far ? 0.5 - normalDensity(z) * oddSeries(z) : normalDensity(z) / continuedFraction(z);
}

/** z + z³/3 + z⁵/15 + z⁷/105 + … */
function oddSeries(z: number): number {
  let sum = z;
  let term = z;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * Number.EPSILON; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return sum;
}

/** z + 1/(z + 2/(z + 3/(z + …))) */
function continuedFraction(z: number): number {
  let value = z;
  for (let numerator = fractions; numerator > 0; numerator--) value = z + numerator / value;
  return value;
}
