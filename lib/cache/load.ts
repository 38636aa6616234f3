import type { Deadlines } from './deadlines.ts';
import { CacheError } from './errors.ts';
import type { LoadContext } from './plan.ts';

/** What is called for a value, and for what. */
export interface Loader {
  /** The whole key. */
  readonly key: string;
  /** The identifier that the caller gave. */
  readonly raw: unknown;
  load(raw: unknown, context: LoadContext): unknown;
}

/** A call of a loader under way: what the loader is told of it, and how to end it. */
export class Load implements LoadContext {
  readonly key: string;
  readonly previous: unknown;
  #controller: AbortController | undefined;
  #reason: unknown;
  #reject: ((reason: unknown) => void) | undefined = undefined;

  constructor(key: string, previous: unknown) {
    this.key = key;
    this.previous = previous;
  }

  /** Made when somebody looks at it: most loaders do not, and it is not cheap. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Ends it: whoever waits gets the error, and the loader is told through its signal. */
  abort(reason: Error): void {
    this.#reason = reason;
    this.#reject?.(reason);
    this.#controller?.abort(reason);
  }

  /**
   * Calls a loader, for no longer than the deadlines allow.
   *
   * @param started when that is, by `performance.now()`
   * @throws what the loader throws; CacheError `load-timeout` when it takes too long
   */
  call(loader: Loader, started: number, deadlinesOf: () => Deadlines): Promise<unknown> {
    let loading: PromiseLike<unknown> | null | undefined;
    try {
      loading = loader.load(loader.raw, this) as typeof loading;
    } catch (error) {
      return Promise.reject(error);
    }
    return typeof loading?.then === 'function' ? this.#wait(loading, started, deadlinesOf()) : Promise.resolve(loading);
  }

  #wait(loading: PromiseLike<unknown>, started: number, deadlines: Deadlines): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      const late = () => new CacheError('load-timeout', `The load of "${this.key}" took more than ${deadlines.ms} ms.`);
      const done = deadlines.set(() => this.abort(late()), started);
      loading.then(
        (value) => {
          done();
          resolve(value);
        },
        (error) => {
          done();
          reject(error);
        },
      );
    });
  }
}
