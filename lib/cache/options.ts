import { CacheError } from './errors.ts';

/** Refuses options that there are not: a misspelt one would be an option that is silently left out. @throws CacheError `option-invalid` */
export function checkOptions(options: object, known: readonly string[], where: string): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new CacheError('option-invalid', `${where}: there is no option "${name}", but ${known.join(', ')}.`);
  }
}

/** A whole number within bounds. @throws CacheError `option-invalid` */
export function wholeNumber(value: number, least: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new CacheError('option-invalid', `${name}: ${value} is not a whole number of at least ${least}.`);
}
