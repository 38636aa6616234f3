import { Deadline, type Deadlines } from './deadlines.ts';
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

/** A call of a loader: what the loader is told of it, and how to end it. */
export class Load extends Deadline implements LoadContext {
  readonly key: string;
  readonly previous: unknown;
  readonly #deadlines: Deadlines;
  readonly #started = performance.now();
  #tookMs: number | undefined;
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #reject: ((reason: Error) => void) | undefined = undefined;

  /** @param deadlines how long it may take */
  constructor(key: string, previous: unknown, deadlines: Deadlines) {
    super();
    this.key = key;
    this.previous = previous;
    this.#deadlines = deadlines;
  }

  /** Made when somebody looks at it: most loaders do not, and it is not cheap. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /**
   * Calls a loader, for no longer than the deadlines allow.
   *
   * @returns what it brings, or a promise of that
   * @throws what the loader throws; CacheError `load-timeout` when it takes too long
   */
  call(loader: Loader): unknown {
    const loading = loader.load(loader.raw, this) as PromiseLike<unknown> | null | undefined;
    if (typeof loading?.then !== 'function') return loading;
    this.#deadlines.set(this, this.#started);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      loading.then(resolve, reject);
    });
  }

  /** Is told that it is over. Returns how long it took, in milliseconds. */
  end(): number {
    this.#tookMs ??= performance.now() - this.#started;
    this.#deadlines.meet(this);
    return this.#tookMs;
  }

  /** Ends it: whoever waits gets the error, and the loader is told through its signal. */
  abort(reason: Error): void {
    this.#reason = reason;
    this.#reject?.(reason);
    this.#controller?.abort(reason);
  }

  expire(): void {
    const { ms } = this.#deadlines;
    this.abort(new CacheError('load-timeout', `The load of "${this.key}" took more than ${ms} ms.`));
  }
}
