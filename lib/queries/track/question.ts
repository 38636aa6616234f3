/** What the application asks, out of whatever a query can be given as: https://node-postgres.com/apis/client#clientquery */
export interface Question {
  text: string;
  values: unknown;
}

/** A `pg.Query`, a cursor, a stream: whatever `pg` tells what comes from the server. */
export interface Submittable {
  submit: unknown;
}

/**
 * The text and the values. Undefined where `pg` has something to say about it, where there is only the name of a prepared
 * statement, and where reading it fails: it must not fail earlier, or in another way, than it does in `pg`.
 */
export function questionOf(config: unknown, values: unknown): Question | undefined {
  if (typeof config === 'string') return { text: config, values };
  if (typeof config !== 'object' || config === null) return undefined;
  try {
    return questionIn(config, values);
  } catch {
    return undefined;
  }
}

function questionIn(config: { text?: unknown; values?: unknown; cursor?: unknown }, values: unknown) {
  const { text } = config;
  if (typeof text === 'string') return { text, values: Array.isArray(values) ? values : config.values };
  // A stream that reads a cursor.
  const cursor = config.cursor as { text?: unknown; values?: unknown } | null | undefined;
  return typeof cursor?.text === 'string' ? { text: cursor.text, values: cursor.values } : undefined;
}

/** Whether it is one that `pg` does not make itself. */
export function isSubmittable(config: unknown): config is Submittable {
  return typeof (config as Submittable).submit === 'function';
}
