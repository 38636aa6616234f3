import type { Reporter } from '../level.ts';
import type { Statistics } from '../statistics.ts';
import type { Counts } from '../store.ts';
import { countsOf, countsSince } from './counts.ts';

/**
 * Hands the counters of a process on, as what has come to them since the last time: so that those of many processes, some
 * of which live for seconds, add up. When that fails, it is handed on again.
 */
export class DeltaReporter implements Reporter {
  readonly #statistics: Statistics;
  readonly #everyMs: number;
  readonly #tell: (news: Counts) => Promise<void> | void;
  #told: Counts | undefined;
  #flushing: Promise<void> = Promise.resolve();
  dueAt: number;

  /** @param tell is told what is new; `maxima` are those that have grown */
  constructor(statistics: Statistics, everyMs: number, tell: (news: Counts) => Promise<void> | void) {
    this.#statistics = statistics;
    this.#everyMs = everyMs;
    this.dueAt = Date.now() + everyMs;
    this.#tell = tell;
  }

  async flush(): Promise<void> {
    this.dueAt = Date.now() + this.#everyMs;
    this.#flushing = this.#flushing.then(() => this.#flush()).catch(() => {});
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    const counts = countsOf(this.#statistics);
    const news = countsSince(counts, this.#told);
    if (Object.keys(news.sums).length === 0) return;
    await this.#tell(news);
    this.#told = counts;
  }
}
