import * as z from 'zod';

/** Whether the service works: `status` for everybody, `details` for the bearer of a token. */
export const Health = z
  .strictObject({
    data: z.strictObject({
      status: z.enum(['up', 'down']),
      details: z
        .strictObject({
          version: z.string(),
          history: z.strictObject({ status: z.enum(['up', 'down']), message: z.string().optional() }),
          audits: z.array(
            z.strictObject({
              database: z.string(),
              part: z.string(),
              takenAt: z.string().nullable(),
              ageSeconds: z.number().nullable(),
              notes: z.array(z.string()),
            }),
          ),
        })
        .optional(),
    }),
    meta: z.strictObject({}),
  })
  .meta({ id: 'Health', description: 'Whether the service works.' });
export type Health = z.infer<typeof Health>;
