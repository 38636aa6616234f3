import type { AnyRule } from '../../advice/configuration.ts';
import { duplicate } from './duplicate.ts';
import { fragmented } from './fragmented.ts';
import { invalid } from './invalid.ts';
import { lowSelectivity } from './low-selectivity.ts';
import { missing } from './missing.ts';
import { missingForeignKey } from './missing-foreign-key.ts';
import { oversized } from './oversized.ts';
import { redundant } from './redundant.ts';
import { unused } from './unused.ts';
import { writeHeavy } from './write-heavy.ts';

/** Every rule over the indexes of a database. */
export const indexRules: readonly AnyRule[] = [
  unused,
  duplicate,
  redundant,
  fragmented,
  invalid,
  missing,
  missingForeignKey,
  lowSelectivity,
  oversized,
  writeHeavy,
];
