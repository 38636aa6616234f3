import { type EmfOptions, emfLine } from './emf.ts';
import type { Remote } from './remote.ts';
import { countsSince, type Statistics } from './statistics.ts';
import type { Counts } from './store.ts';

/** Counters are kept by the hour. */
const spanMs = 3_600_000;

/** For a day, and the hour that is under way. */
const keepMs = 25 * spanMs;

/** When the hour began in which a time lies. In milliseconds since 1970. */
export function spanOf(time: number): number {
  return time - (time % spanMs);
}

const nothing: Counts = { sums: {}, maxima: {} };

/**
 * Hands the counters on, as what has come to them since the last time: so that those of many processes, some of
 * which live for seconds, add up.
 */
export class Reporter {
  readonly #statistics: Statistics;
  readonly #remote: Remote | undefined;
  readonly #options: { everyMs: number; emf: EmfOptions | undefined };
  #at = Date.now();
  #span = spanOf(Date.now());
  #logged = nothing;
  #told = nothing;
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    statistics: Statistics,
    remote: Remote | undefined,
    options: { everyMs: number; emf: EmfOptions | undefined },
  ) {
    this.#statistics = statistics;
    this.#remote = remote;
    this.#options = options;
  }

  /** Whether it is time again. */
  isDue(now: number): boolean {
    return now - this.#at >= this.#options.everyMs;
  }

  /** Hands on what is new. Never rejects: what could not be told is told the next time. */
  flush(): Promise<void> {
    this.#at = Date.now();
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    if (this.#options.everyMs === Number.POSITIVE_INFINITY) return;
    const counts = this.#statistics.counts();
    this.#log(counts);
    if (this.#remote) await this.#tell(this.#remote, counts);
    const span = spanOf(Date.now());
    if (span === this.#span) return;
    // What was counted until now belongs to the hour that is over, give or take the time between two reports.
    this.#span = span;
    this.#statistics.startSpan();
    this.#told = { sums: this.#told.sums, maxima: {} };
  }

  #log(counts: Counts): void {
    const { emf } = this.#options;
    const news = countsSince(counts, this.#logged);
    if (!emf || Object.keys(news.sums).length === 0) return;
    process.stdout.write(`${emfLine(news, emf, Date.now())}\n`);
    this.#logged = counts;
  }

  async #tell(remote: Remote, counts: Counts): Promise<void> {
    const news = countsSince(counts, this.#told);
    if (Object.keys(news.sums).length === 0) return;
    try {
      await remote.count(this.#span, news, keepMs);
      this.#told = counts;
    } catch {
      // The level that does not answer has its own counter.
    }
  }
}
