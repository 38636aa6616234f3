import type { Call } from './observer.ts';
import type { Submittable } from './question.ts';
import { shadow } from './shadow.ts';

/**
 * Listens in on what `pg` tells a query. It is over with ReadyForQuery; of a cursor that is when it was read to its end or
 * closed, so that its time has that of its reader in it.
 */
export function observeSubmittable(query: Submittable, call: Call): void {
  let returned = 0;
  let affected = 0;
  const end = (failed: boolean) => {
    call.end(Math.max(returned, affected), failed);
    for (const each of undo) each();
  };
  const listen = (name: string, listener: (message: unknown) => void) =>
    shadow(
      query,
      name,
      (method) =>
        function (this: unknown, ...given) {
          listener(given[0]);
          return method.apply(this, given);
        },
    );
  const undo = [
    listen('handleDataRow', () => {
      returned++;
    }),
    listen('handleCommandComplete', (message) => {
      affected += rowsOfTag(message);
    }),
    listen('handleReadyForQuery', () => end(false)),
    listen('handleError', () => end(true)),
  ];
}

/** `INSERT 0 5`, `SELECT 3`, `BEGIN`: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function rowsOfTag(message: unknown): number {
  const { text } = message as { text?: unknown };
  return typeof text === 'string' ? Number(/\d+$/.exec(text)?.[0] ?? 0) : 0;
}
