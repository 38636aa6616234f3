/**
 * Where environments leave their samples, and audits and endpoints find them. What is kept is bounded: of an environment the newest
 * samples, and of those with a floor the newest; of a version of a function the environments that were heard of last.
 */
import type { Series } from './sample.ts';

/** Which samples to read. */
export interface SeriesChoice {
  function?: string | undefined;
  stage?: string | undefined;
  version?: string | undefined;
  /** The id of an environment. */
  environment?: string | undefined;
  /** Samples that were taken before are left out. */
  since?: Date | undefined;
  /** So many samples, the newest ones. Default: all that are kept. */
  limit?: number | undefined;
}

/** An adapter is right when it passes test/integration/lib/resources/store-contract.ts. */
export interface SampleStore {
  /** Adds samples of an environment. One that is kept already, by its invocation, is kept as it was. @throws what the store throws */
  append(series: Series): Promise<void>;
  /**
   * The series of the environments that have such samples, the environment that began first in the first place; samples by their
   * invocations. @throws what the store throws
   */
  read(choice?: SeriesChoice): Promise<Series[]>;
  /** Forgets the environments that were heard of last before a moment. @throws what the store throws */
  prune(before: Date): Promise<void>;
}

/** How much is kept. */
export interface StoreLimits {
  /** Of an environment: so many samples, and so many with a floor, which may be older. Default: 240. */
  samples?: number;
  /** Of a version of a function in a stage. Default: 100. */
  environments?: number;
}

/** The limits unless somebody says otherwise: less than a megabyte for an environment. */
export const storeLimits: Required<StoreLimits> = { samples: 240, environments: 100 };
