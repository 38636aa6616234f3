import type { Deadlines } from './deadlines.ts';
import { CacheError } from './errors.ts';
import type { LoadContext } from './plan.ts';

/** A call of a loader under way. */
export interface Load {
  value: Promise<unknown>;
  /** Ends it: whoever waits gets the error, and the loader is told through its signal. */
  abort(reason: Error): void;
}

/** What a loader is told. The signal is made when somebody looks at it: most loaders do not, and it is not cheap. */
class Context implements LoadContext {
  readonly key: string;
  readonly previous: unknown;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(key: string, previous: unknown) {
    this.key = key;
    this.previous = previous;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason && !this.#controller.signal.aborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/**
 * Calls a loader, for no longer than the deadlines allow.
 *
 * @throws what the loader throws; CacheError `load-timeout` when it takes too long
 */
export function startLoad(
  loader: { load(context: LoadContext): unknown },
  key: string,
  previous: unknown,
  deadlines: Deadlines,
): Load {
  const context = new Context(key, previous);
  let abort: Load['abort'] = () => {};
  const value = new Promise<unknown>((resolve, reject) => {
    abort = (reason) => {
      reject(reason);
      context.abort(reason);
    };
    const done = deadlines.set(() =>
      abort(new CacheError('load-timeout', `The load of "${key}" took more than ${deadlines.ms} ms.`)),
    );
    try {
      Promise.resolve(loader.load(context)).then(
        (loaded) => {
          done();
          resolve(loaded);
        },
        (error) => {
          done();
          reject(error);
        },
      );
    } catch (error) {
      done();
      reject(error);
    }
  });
  return { value, abort };
}
