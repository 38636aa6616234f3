/**
 * A cache of up to three levels for functions that are frozen between invocations: memory, a store that all
 * processes share, and a CDN. It depends on nothing.
 *
 * - **level**: L1 (the memory of this process), L2 (Redis, Valkey or PostgreSQL, shared), L3 (a CDN, over HTTP).
 * - **fresh / stale**: a value is served as it is while fresh; while stale it is served and refreshed.
 * - **definition**: values of a kind, with their loader and their policy.
 * - **label**: a key or a tag: what an invalidation names.
 * - **environment**: a Lambda execution environment: it freezes between invocations, and has its own L1.
 */
export { type Cache, type CacheOptions, createCache, type ProcessStatistics } from './cache.ts';
export type { Cdn } from './cdn.ts';
export type { CachedValue, Definition, DefinitionOptions } from './definition.ts';
export type { Duration } from './duration.ts';
export { CacheError, type CacheErrorCode } from './errors.ts';
export type { InvocationContext, Scope } from './invocations.ts';
export type { FleetStatistics, Reporter, SharedLevel } from './level.ts';
export { cacheScope } from './middleware.ts';
export type { LoadContext, Policy } from './plan.ts';
export type { BreakerState } from './shared/breaker.ts';
export type { ShareableStore } from './shared/level.ts';
export type { CacheStatistics } from './statistics.ts';
export type * from './store.ts';
