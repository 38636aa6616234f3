/**
 * Numbers as people read them, in English and with no locale of the machine: the same finding must
 * read the same everywhere.
 */

/** 1,234,567. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** "1 day", "2 days", "3 indexes". */
export function plural(value: number, noun: string, several = `${noun}s`): string {
  return `${count(value)} ${count(value) === '1' ? noun : several}`;
}

/** 1,536 becomes "1.5 kB", with the powers of 1,024 that PostgreSQL's pg_size_pretty uses. */
export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${scaled.toLocaleString('en-US', { maximumFractionDigits: scaled < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`;
}

/** 0.42 ms, 12 ms, 3.4 s, 5.1 min, 2.5 h. */
export function milliseconds(value: number): string {
  const steps: [number, string][] = [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  const [size, unit] = steps.find(([least]) => value >= least) ?? [1, 'ms'];
  const scaled = value / size;
  return `${scaled.toLocaleString('en-US', { maximumSignificantDigits: scaled >= 100 ? 3 : 2 })} ${unit}`;
}

/** A text on one line of at most so many letters. */
export function shortened(text: string, letters = 80): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= letters ? line : `${line.slice(0, letters - 1).toWellFormed()}…`;
}
