import type { Monitor } from '../monitor/core.ts';
import type { Sink } from '../monitor/options.ts';
import type { Environment, Sample } from '../sample.ts';
import type { SampleStore } from '../store.ts';

/** When samples are brought to the store. */
export interface KeeperOptions {
  /** At most every so many milliseconds. Default: 10,000. */
  everyMs?: number;
  /** How many samples wait at most, while the store does not take them; then the oldest go. Default: 120. */
  mostWaiting?: number;
  /** A clock in milliseconds that does not jump. */
  now?: () => number;
}

/**
 * Gathers the samples of a monitor, and brings them to a store at the end of invocations: a Lambda function is frozen when it has
 * answered, so that what nobody waits for is not sent. A store that fails is asked again after the same time, and harms nobody.
 *
 * @example
 * const keeper = new SampleKeeper(store);
 * const watcher = createMonitor({ sink: keeper.sink });
 * // The other way round than they are used: the sample is taken before it is brought away.
 * export const handler = middy().use(keeper.middleware()).use(monitor(watcher)).handler(…);
 */
export class SampleKeeper {
  readonly #store: Pick<SampleStore, 'append'>;
  readonly #options: Required<KeeperOptions>;
  #environment: Environment | undefined;
  #waiting: Sample[] = [];
  #dueAt = Number.NEGATIVE_INFINITY;
  #bringing: Promise<void> | undefined;

  constructor(store: Pick<SampleStore, 'append'>, options: KeeperOptions = {}) {
    this.#store = store;
    this.#options = { everyMs: 10_000, mostWaiting: 120, now: () => performance.now(), ...options };
  }

  /** Takes a sample: the sink of one monitor. */
  readonly sink: Sink = (sample: Sample, environment: Monitor['environment']) => {
    this.#environment = environment;
    this.#waiting.push(sample);
    if (this.#waiting.length > this.#options.mostWaiting) this.#waiting.shift();
  };

  /** Brings what has been gathered to the store, if it is time to. Never rejects. */
  async flush(): Promise<void> {
    const now = this.#options.now();
    if (this.#waiting.length === 0 || now < this.#dueAt) return;
    this.#dueAt = now + this.#options.everyMs;
    this.#bringing ??= this.#bring().finally(() => {
      this.#bringing = undefined;
    });
    await this.#bringing;
  }

  /** A middy middleware that flushes when the handler has answered, or has failed. */
  middleware() {
    const flush = () => this.flush();
    return { after: flush, onError: flush };
  }

  async #bring(): Promise<void> {
    const environment = this.#environment;
    if (!environment) return;
    const samples = [...this.#waiting];
    try {
      await this.#store.append({ environment: { ...environment }, samples });
      const brought = new Set(samples);
      this.#waiting = this.#waiting.filter((sample) => !brought.has(sample));
    } catch {
      // They wait for the next time.
    }
  }
}
