import type { AnyRule } from '../../advice/configuration.ts';
import { slow } from './slow.ts';

/** Every rule over the statements of a database. */
export const queryRules: readonly AnyRule[] = [slow];
