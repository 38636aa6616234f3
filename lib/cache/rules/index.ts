import type { AnyRule } from '../../advice/configuration.ts';
import { evictions } from './evictions.ts';
import { hitRate } from './hit-rate.ts';
import { l1TooSmall } from './l1-too-small.ts';
import { l2Full } from './l2-full.ts';
import { l2TimeOuts } from './l2-timeouts.ts';
import { loadFailures } from './load-failures.ts';
import { noJitter } from './no-jitter.ts';
import { noStale } from './no-stale.ts';
import { serviceEvictions } from './service-evictions.ts';
import { serviceLimits } from './service-limits.ts';

/** Every rule over what a cache has counted. */
export const cacheRules: readonly AnyRule[] = [
  hitRate,
  l1TooSmall,
  evictions,
  l2Full,
  l2TimeOuts,
  noJitter,
  loadFailures,
  noStale,
  serviceLimits,
  serviceEvictions,
];
