import * as z from 'zod';
import { statuses } from '../advice/recommendation.ts';

/** The longest list that is answered. */
const maxLimit = 500;

/** How long a list is when nothing is said. */
export const defaultLimit = 50;

const database = z
  .string()
  .min(1)
  .optional()
  .describe('Which database, where several are configured; the first one when left out.');

const limit = z
  .string()
  .regex(/^\d+$/, `not a whole number from 1 to ${maxLimit}`)
  .transform(Number)
  .pipe(z.number().min(1).max(maxLimit))
  .default(defaultLimit)
  .describe('How many rows to answer at most.')
  // Written as text in a URL, but an integer to whoever reads the description.
  .meta({ type: 'integer', minimum: 1, maximum: maxLimit, default: defaultLimit, pattern: undefined });

/** Of an endpoint that answers one object. */
export const databaseParameters = z.strictObject({ database });

/** Of an endpoint that answers a list. */
export const listParameters = z.strictObject({ database, limit });

/** What the statements of a list can be sorted by: figures of the statement, or of its last window. */
export const statementOrders = [
  'totalMs',
  'meanMs',
  'maxMs',
  'stddevMs',
  'calls',
  'rows',
  'planMs',
  'sharedBlocksRead',
  'tempBlocksWritten',
  'walBytes',
  'jitMs',
] as const;

/** The longest text that can be searched for. */
const maxSearch = 200;

/** Of the list of statements. */
export const statementParameters = z.strictObject({
  database,
  limit,
  offset: z
    .string()
    .regex(/^\d{1,7}$/, 'not a whole number from 0 to 9999999')
    .transform(Number)
    .default(0)
    .describe('How many rows to leave out first: the next page begins at offset + limit.')
    .meta({ type: 'integer', minimum: 0, maximum: 9_999_999, default: 0, pattern: undefined }),
  sort: z.enum(statementOrders).default('totalMs').describe('What to sort by.'),
  order: z.enum(['desc', 'asc']).default('desc').describe('Which end first.'),
  window: z
    .enum(['all', 'last'])
    .default('all')
    .describe('Since the counters began, or only since the audit before the newest: then by the figures in `window`.'),
  search: z
    .string()
    .min(1)
    .max(maxSearch)
    .optional()
    .describe('Only statements whose text has this in it, whatever the case of its letters.'),
});

/** Of the statistics of statements. */
export const statisticsParameters = z.strictObject({
  database,
  queryId: z
    .string()
    .regex(/^-?\d{1,20}$/, 'not a query id: a whole number as `queryId` in the lists')
    .optional()
    .describe('One statement: its figures, its windows, its plans and what was found about it.'),
});

const functionName = z
  .string()
  .min(1)
  .max(140)
  .optional()
  .describe('One function, by its name; all of them when left out.');

/** Of the samples of functions. */
export const sampleParameters = z.strictObject({
  database,
  function: functionName,
  limit,
  since: z.iso
    .datetime({ offset: true, error: 'not a time such as 2026-01-31T12:00:00Z' })
    .transform((time) => new Date(time).toISOString())
    .optional()
    .describe('Only samples from this time on.')
    .meta({ type: 'string', format: 'date-time' }),
});

/** Of what is known of functions. */
export const functionParameters = z.strictObject({ database, function: functionName });

/** Of a collection that is asked for. */
export const collectionParameters = z.strictObject({
  scope: z
    .enum(['environment', 'fleet'])
    .default('environment')
    .describe('The environment that answers, at once; or all environments, each at its next invocation.'),
  function: functionName.describe('With `scope=fleet`: only the environments of this function.'),
});

/** Of the recommendations. */
export const recommendationParameters = z.strictObject({
  database,
  limit,
  status: z
    .enum([...statuses, 'all'])
    .default('open')
    .describe('Which recommendations, by where they are in their life.'),
});

/** Of an endpoint that takes none. */
export const noParameters = z.strictObject({});
