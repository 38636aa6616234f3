import { type Duration, milliseconds } from './duration.ts';
import { CacheError } from './errors.ts';
import { checkTags } from './key.ts';
import { checkOptions } from './options.ts';

/** What a loader is told beside the identifier. */
export interface LoadContext<Value = unknown> {
  /** Aborted when the load takes longer than `loadTimeout`, or when the invocation that it belongs to is over. */
  readonly signal: AbortSignal;
  /** The whole key, as other processes know it. */
  readonly key: string;
  /** The value that is about to be replaced, if there is one. */
  readonly previous: Value | undefined;
}

/** How values of a kind are kept. */
export interface Policy<Id = unknown, Value = unknown> {
  /** For how long a value is served as it is. Default: one minute. A function decides by the value. */
  fresh?: Duration | ((value: Value, id: Id) => Duration) | undefined;
  /** For how long after that it is still served, while it is refreshed, or because a load failed. Default: not at all. */
  stale?: Duration | undefined;
  /** For how long it is remembered that there is nothing (null or undefined), without being stale afterwards. Default: as any value. 0: not at all. */
  negative?: Duration | undefined;
  /** What a value can be invalidated by, beside its key. */
  tags?: readonly string[] | ((value: Value, id: Id) => readonly string[]) | undefined;
  /** `fresh` is shortened by up to this share, at random, so that what was loaded together does not expire together. Default: 0.1. */
  jitter?: number | undefined;
  /**
   * How eagerly a value is refreshed before it expires: 0 is never, 1 (default) is optimal where hits come at random, more
   * is earlier. The longer its load took, the earlier.
   */
  earlyRefresh?: number | undefined;
  /** How long a load may take. Default: ten seconds. */
  loadTimeout?: Duration | undefined;
  /** For how long nobody tries again after a load has failed. Default: one second. */
  retryAfter?: Duration | undefined;
  /**
   * Lets one process load a key at a time. The others serve what is stale, or wait for so long, and then load it
   * all the same. Default: no lease.
   */
  lease?: Duration | false | undefined;
}

/** How values of a kind are loaded and kept. */
export interface DefinitionOptions<Id, Value> extends Policy<Id, Value> {
  /** Loads a value. Called once for all who wait for it; what it throws reaches them all. */
  load(id: Id, context: LoadContext<Value>): Value | Promise<Value>;
  /** The text of an identifier. Default: strings as they are, anything else as JSON with sorted properties. */
  key?: ((id: Id) => string) | undefined;
}

/** A policy with all its defaults, in milliseconds. */
export interface Plan {
  freshMs(value: unknown, id: unknown): number;
  staleMs(value: unknown): number;
  tagsOf(value: unknown, id: unknown): readonly string[];
  jitter: number;
  earlyRefresh: number;
  loadTimeoutMs: number;
  retryAfterMs: number;
  leaseMs: number;
}

const policyOptions = [
  'fresh',
  'stale',
  'negative',
  'tags',
  'jitter',
  'earlyRefresh',
  'loadTimeout',
  'retryAfter',
  'lease',
] as const satisfies (keyof Policy)[];

/** Checks a policy and fills in what it leaves open. @throws CacheError `option-invalid` */
export function planOf(name: string, policy: Policy): Plan {
  const { fresh = '1m', negative, tags = [], lease = false } = policy;
  checkOptions(policy, policyOptions, `"${name}"`);
  const duration = (value: Duration, option: string) => milliseconds(value, `"${name}", ${option}`);
  const share = (value: number, option: string, most: number) => {
    if (value >= 0 && value <= most) return value;
    throw new CacheError('option-invalid', `"${name}", ${option}: ${value} is not a number from 0 to ${most}.`);
  };
  const fixedMs = typeof fresh === 'function' ? 0 : duration(fresh, 'fresh');
  const staleMs = duration(policy.stale ?? 0, 'stale');
  const negativeMs = negative === undefined ? undefined : duration(negative, 'negative');
  if (typeof tags !== 'function') checkTags(tags);
  return {
    freshMs(value, id) {
      if (negativeMs !== undefined && isNegative(value)) return negativeMs;
      return typeof fresh === 'function' ? duration(fresh(value, id), 'fresh') : fixedMs;
    },
    staleMs: (value) => (isNegative(value) && negativeMs !== undefined ? 0 : staleMs),
    tagsOf: (value, id) => (typeof tags === 'function' ? checkTags(tags(value, id)) : tags),
    jitter: share(policy.jitter ?? 0.1, 'jitter', 0.5),
    earlyRefresh: share(policy.earlyRefresh ?? 1, 'earlyRefresh', 100),
    loadTimeoutMs: duration(policy.loadTimeout ?? '10s', 'loadTimeout'),
    retryAfterMs: duration(policy.retryAfter ?? '1s', 'retryAfter'),
    leaseMs: lease === false ? 0 : duration(lease, 'lease'),
  };
}

/** Whether a value says that there is nothing. */
export function isNegative(value: unknown): boolean {
  return value === null || value === undefined;
}
