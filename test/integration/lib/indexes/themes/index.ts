import { fragmented, oversized } from './sizes.ts';
import { bloat } from './space.ts';
import { sequentialScans, staleStatistics, wraparound } from './tables.ts';
import type { Theme } from './theme.ts';
import { unused, writeHeavy } from './use.ts';
import { lowSelectivity } from './values.ts';

/** Every rule over indexes, tables and sequences that weighs numbers, but for the advisor's. */
export const themes: readonly Theme[] = [
  unused,
  writeHeavy,
  lowSelectivity,
  fragmented,
  oversized,
  bloat,
  staleStatistics,
  sequentialScans,
  wraparound,
];
