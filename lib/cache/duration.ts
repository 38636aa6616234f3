import { CacheError } from './errors.ts';

/** A span of time: milliseconds as a number, or a number with its unit, such as `'250ms'`, `'90s'`, `'5m'`, `'12h'`, `'7d'`. */
export type Duration = number | `${number}ms` | `${number}s` | `${number}m` | `${number}h` | `${number}d`;

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A duration in milliseconds.
 *
 * @param name what the duration is for, as the error names it
 * @throws CacheError `option-invalid` unless it is a number of at least 0 with a known unit
 */
export function milliseconds(duration: Duration, name: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration));
  const ms = typeof duration === 'number' ? duration : Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN);
  if (ms >= 0) return ms;
  throw new CacheError(
    'option-invalid',
    `${name}: "${String(duration)}" is not a duration. Write milliseconds, or '250ms', '90s', '5m', '12h', '7d'.`,
  );
}
