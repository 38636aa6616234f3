import type { AnyRule } from '../../advice/configuration.ts';
import { autovacuumDisabled } from './autovacuum-disabled.ts';
import { bloat } from './bloat.ts';
import { exhaustion } from './exhaustion.ts';
import { noPrimaryKey } from './no-primary-key.ts';
import { notValidated } from './not-validated.ts';
import { sequentialScans } from './sequential-scans.ts';
import { staleStatistics } from './stale-statistics.ts';
import { wraparound } from './wraparound.ts';

/** Every rule over the tables and sequences of a database. */
export const tableRules: readonly AnyRule[] = [
  staleStatistics,
  bloat,
  sequentialScans,
  noPrimaryKey,
  wraparound,
  autovacuumDisabled,
  notValidated,
  exhaustion,
];
