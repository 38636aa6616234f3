import * as z from 'zod';
import { Note } from '../postgres/server.ts';

const meta = {
  /** When the snapshot behind the answer was taken; null where there is none yet. */
  takenAt: z.string().nullable(),
  database: z.string(),
  notes: z.array(Note),
};

/** `{ data: [...], meta }`: `total` rows there are, `limit` at most are answered; `more` is what the meta has besides. */
export function listOf<Row extends z.ZodType, More extends z.ZodRawShape = Record<never, never>>(
  row: Row,
  more?: More,
) {
  return z.strictObject({
    data: z.array(row),
    meta: z.strictObject({ ...meta, total: z.number(), limit: z.number(), ...(more ?? ({} as More)) }),
  });
}

/** `{ data: {...}, meta }`. */
export function objectOf<Data extends z.ZodType>(data: Data) {
  return z.strictObject({ data, meta: z.strictObject(meta) });
}
