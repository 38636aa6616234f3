import type { AnyRule } from '../../advice/configuration.ts';
import { duplicate } from './duplicate.ts';
import { fragmented } from './fragmented.ts';
import { unused } from './unused.ts';

/** Every rule over the indexes of a database. */
export const indexRules: readonly AnyRule[] = [unused, duplicate, fragmented];
