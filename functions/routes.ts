/**
 * The one list of endpoints: the infrastructure makes a function and a route of each, the local
 * gateway serves them, and OpenAPI and the tests are written from it. An endpoint that does not work
 * is not in it.
 */
import * as z from 'zod';
import { Effects } from '../lib/advice/effect.ts';
import { Finding } from '../lib/advice/finding.ts';
import { Recommendation } from '../lib/advice/recommendation.ts';
import { CacheStatistics } from '../lib/cache/snapshot.ts';
import { Health } from '../lib/health.ts';
import type { Route } from '../lib/http/endpoint.ts';
import {
  collectionParameters,
  databaseParameters,
  functionParameters,
  listParameters,
  noParameters,
  recommendationParameters,
  sampleParameters,
  statementParameters,
  statisticsParameters,
} from '../lib/http/parameters.ts';
import { listOf, objectOf } from '../lib/http/shapes.ts';
import { Index } from '../lib/indexes/snapshot.ts';
import type { Part } from '../lib/parts.ts';
import { StatementHistory } from '../lib/queries/history.ts';
import { Statement } from '../lib/queries/snapshot.ts';
import { QueryStatistics } from '../lib/queries/statistics.ts';
import { CollectionAnswer } from '../lib/resources/gc/answer.ts';
import {
  CpuPoint,
  CpuStatistics,
  CpuTrends,
  MemoryPoint,
  MemoryStatistics,
  MemoryTrends,
} from '../lib/resources/snapshot.ts';

const list = <Row extends z.ZodType>(entry: string, summary: string, row: Row) =>
  ({
    method: 'GET',
    path: `/${entry}`,
    entry,
    summary,
    scope: 'read',
    parameters: listParameters,
    response: listOf(row),
  }) as const satisfies Route;

export const indexMetrics = list('optimization/indexes/metrics', 'Every index, largest first.', Index);
export const unusedIndexes = list('optimization/indexes/unused', 'Indexes that no query reads.', Finding);
export const duplicateIndexes = list(
  'optimization/indexes/duplicates',
  'Indexes that another one makes superfluous.',
  Finding,
);
export const fragmentedIndexes = list(
  'optimization/indexes/fragmented',
  'Indexes that waste much of their space.',
  Finding,
);
export const queryMetrics = {
  ...list('optimization/queries/metrics', 'Every statement, most total time first.', Statement),
  parameters: statementParameters,
} as const satisfies Route;
export const slowQueries = list('optimization/queries/slow', 'Statements that are slow on average.', Finding);

export const cacheStats = {
  method: 'GET',
  path: '/optimization/cache/stats',
  entry: 'optimization/cache/stats',
  summary: 'What each level of the cache served in the last 24 hours.',
  scope: 'read',
  parameters: databaseParameters,
  response: objectOf(CacheStatistics),
} as const satisfies Route;

export const queryStats = {
  method: 'GET',
  path: '/optimization/queries/stats',
  entry: 'optimization/queries/stats',
  summary: 'The statements of the database, summed up; or one of them over time.',
  scope: 'read',
  parameters: statisticsParameters,
  response: objectOf(z.union([QueryStatistics, StatementHistory])),
} as const satisfies Route;

export const memoryMetrics = {
  ...list('optimization/memory/metrics', 'The memory of functions, sample by sample, newest first.', MemoryPoint),
  parameters: sampleParameters,
} as const satisfies Route;
export const cpuMetrics = {
  ...list('optimization/cpu/metrics', 'The processor time of functions, sample by sample, newest first.', CpuPoint),
  parameters: sampleParameters,
} as const satisfies Route;

const ofFunctions = <Data extends z.ZodType>(entry: string, summary: string, data: Data) =>
  ({
    method: 'GET',
    path: `/${entry}`,
    entry,
    summary,
    scope: 'read',
    parameters: functionParameters,
    response: objectOf(data),
  }) as const satisfies Route;

export const memoryStats = ofFunctions(
  'optimization/memory/stats',
  'The memory of functions, beside their limits and the target.',
  MemoryStatistics,
);
export const cpuStats = ofFunctions(
  'optimization/cpu/stats',
  'The processor, the event loop and the collections of functions, beside the target.',
  CpuStatistics,
);
export const memoryTrends = ofFunctions(
  'optimization/memory/trends',
  'Where the memory of functions is going, and whether they leak.',
  MemoryTrends,
);
export const cpuTrends = ofFunctions('optimization/cpu/trends', 'Where the use of the processor is going.', CpuTrends);

export const forceCollection = {
  method: 'POST',
  path: '/optimization/gc/force',
  entry: 'optimization/gc/force',
  summary: 'Collects garbage in this environment, or in all of them.',
  scope: 'operate',
  parameters: collectionParameters,
  response: objectOf(CollectionAnswer),
} as const satisfies Route;

export const recommendations = {
  method: 'GET',
  path: '/optimization/recommendations',
  entry: 'optimization/recommendations',
  summary: 'What to change, worst first, with the SQL to do and to undo it.',
  scope: 'read',
  parameters: recommendationParameters,
  response: listOf(Recommendation, { effects: Effects.optional() }),
} as const satisfies Route;

export const health = {
  method: 'GET',
  path: '/optimization/health',
  entry: 'optimization/health',
  summary: 'Up or down to everybody; what works and what does not to the bearer of a token.',
  scope: null,
  parameters: noParameters,
  response: Health,
  // What watches the service looks at the status.
  otherStatuses: [503],
} as const satisfies Route;

export const openapi = {
  method: 'GET',
  path: '/openapi.json',
  entry: 'openapi',
  summary: 'This description.',
  scope: null,
  parameters: noParameters,
  response: z.looseObject({ openapi: z.string() }),
} as const satisfies Route;

/** Every endpoint. */
export const routes: readonly Route[] = [
  cacheStats,
  indexMetrics,
  unusedIndexes,
  duplicateIndexes,
  fragmentedIndexes,
  queryMetrics,
  slowQueries,
  queryStats,
  memoryMetrics,
  memoryStats,
  memoryTrends,
  cpuMetrics,
  cpuStats,
  cpuTrends,
  forceCollection,
  recommendations,
  health,
  openapi,
];

/** A scheduled audit: one function each, run at a rate. */
export interface ScheduledAudit {
  /** The part that it audits, and the name of its file under functions/audits/. */
  part: Part;
  everyMinutes: number;
}

/** Every audit. Statements change by the minute, indexes by the hour. */
export const audits: readonly ScheduledAudit[] = [
  { part: 'queries', everyMinutes: 5 },
  { part: 'indexes', everyMinutes: 60 },
  { part: 'cache', everyMinutes: 60 },
  { part: 'resources', everyMinutes: 5 },
];
