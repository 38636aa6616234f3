/**
 * Student's t distribution for whole degrees of freedom. Its probability is a finite sum then (Abramowitz and Stegun, 26.7.3
 * and 26.7.4), so that nothing has to be approximated. The absolute error is below 1e-13.
 */

/** The probability that a variable with so many degrees of freedom is larger than `t`. NaN for less than 1 degree. */
export function studentUpperTail(t: number, degrees: number): number {
  if (!(degrees >= 1)) return Number.NaN;
  const within = centralShare(Math.abs(t), degrees);
  return t > 0 ? (1 - within) / 2 : (1 + within) / 2;
}

/** The probability of a value between −t and t: A(t|ν) of Abramowitz and Stegun. */
function centralShare(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power < degrees; power += 2) {
    term *= ((power - 1) / power) * cosine * cosine;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
