import type { AnyRule } from '../../advice/configuration.ts';
import { planRules } from '../plan/rules/index.ts';
import { counterRules } from './counters/index.ts';
import { slow } from './slow.ts';
import { syntaxRules } from './syntax/index.ts';

/** Every rule over the statements of a database: their figures, their texts and their plans. */
export const queryRules: readonly AnyRule[] = [slow, ...counterRules, ...syntaxRules, ...planRules];
