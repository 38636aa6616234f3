/** How a query that `pg` makes itself answers: through a callback, wherever that was given, or else through a promise. */
import type { Call } from './observer.ts';
import type { Method } from './shadow.ts';

/**
 * Asks, and tells a call how it ended.
 *
 * @param given what the application gave `client.query`
 */
export function ask(original: Method, client: unknown, given: unknown[], call: Call): unknown {
  const place = typeof given[2] === 'function' ? 2 : 1;
  const callback = given[place];
  if (isCallback(callback)) return original.apply(client, given.with(place, observed(callback, call)));
  const [config] = given;
  if (typeof config === 'object' && config !== null && 'callback' in config && isCallback(config.callback)) {
    // It is not ours to change: what inherits from it has all that it has.
    const value = observed(config.callback, call);
    const own = Object.create(config, { callback: { value, writable: true, enumerable: true, configurable: true } });
    return original.apply(client, given.with(0, own));
  }
  const result = original.apply(client, given);
  if (!isThenable(result)) return result;
  // Not beside the application's own: then a rejection that nobody handles would seem to be handled.
  return result.then(
    (answer) => {
      call.end(rowsIn(answer), false);
      return answer;
    },
    (error) => {
      call.end(0, true);
      throw error;
    },
  );
}

function observed(callback: Method, call: Call): Method {
  return function (this: unknown, ...answer) {
    const [error] = answer;
    call.end(error ? 0 : rowsIn(answer[1]), Boolean(error));
    return callback.apply(this, answer);
  };
}

/** Of one answer, or of the several that a text with several statements has. */
function rowsIn(answer: unknown): number {
  if (Array.isArray(answer)) return answer.reduce((sum: number, each) => sum + rowsIn(each), 0);
  const { rowCount, rows } = (answer ?? {}) as { rowCount?: number | null; rows?: unknown[] };
  // Of what was fetched in portions it is the number of the last one.
  return Math.max(rowCount ?? 0, rows?.length ?? 0);
}

function isCallback(value: unknown): value is Method {
  return typeof value === 'function';
}

/** Whether it is a promise, of whatever class. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
