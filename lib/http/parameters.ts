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
