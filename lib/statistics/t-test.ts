/**
 * Student's t tests of means, one-sided: W. S. Gosset ("Student"), "The Probable Error of a Mean", Biometrika 6, 1908; that of two
 * samples takes their variances to be equal.
 */
import { studentUpperTail } from './student.ts';

/**
 * How likely the mean would be so large, or larger, if that of all values were 0. 1 for fewer than two values.
 *
 * @example meanTail([1, 2, 3]) // 0.037
 */
export function meanTail(values: readonly number[]): number {
  const degrees = values.length - 1;
  if (degrees < 1) return 1;
  return tail(mean(values), squares(values) / degrees / values.length, degrees);
}

/**
 * How likely the mean of the first sample would be above that of the second by so much, or more, if they were of one kind. One of
 * them may be a single value: whether it belongs to the others. 1 where there is nothing to tell how far values lie apart.
 *
 * @example differenceTail([4, 5, 6], [1, 2, 3]) // 0.011
 */
export function differenceTail(first: readonly number[], second: readonly number[]): number {
  const degrees = first.length + second.length - 2;
  if (degrees < 1 || first.length === 0 || second.length === 0) return 1;
  const variance = (squares(first) + squares(second)) / degrees;
  return tail(mean(first) - mean(second), variance * (1 / first.length + 1 / second.length), degrees);
}

function tail(above: number, variance: number, degrees: number): number {
  // Values that are all alike leave nothing to chance.
  if (variance === 0) return above > 0 ? 0 : 1;
  return studentUpperTail(above / Math.sqrt(variance), degrees);
}

function squares(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
