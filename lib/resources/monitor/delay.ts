import { Histogram } from '../../cache/histogram.ts';
import { addDuration, noDurations } from '../gc/tally.ts';
import type { Sample } from '../sample.ts';
import type { Runtime } from './runtime.ts';

/** The timer is set so often. What blocks the loop for less than this may go unseen. */
const everyMs = 10;

/** How late a timer was. */
export type Delays = Omit<Sample['eventLoop'], 'utilization'>;

/**
 * How late the event loop is to its timers, in invocations only: what the loop could not do because something else ran.
 *
 * `perf_hooks.monitorEventLoopDelay` sees neither what blocks the loop until the handler has answered nor the difference between
 * a freeze and a delay, counts its own interval as delay, and forgets the earlier invocations when it is reset.
 * The timer is unref'd, and is not set again when no invocation is under way.
 *
 * A process that is stopped while its loop waits is late to its timer too, but had nothing else to do: what counts is at most
 * the time for which the loop was busy.
 */
export class EventLoopDelay {
  readonly #runtime: Pick<Runtime, 'now' | 'loop'>;
  /** Made at once: a timer keeps the async context that it was made in, and that of an invocation must not live on. */
  readonly #timer: NodeJS.Timeout = setTimeout(() => this.#fire(), everyMs).unref();
  /** When the timer that is set should fire. */
  #dueAt: number | undefined;
  /** For how long the loop had been busy when it was set. */
  #busyMs = 0;
  /** Since when an invocation is under way. */
  #begunAt: number | undefined;
  #histogram = new Histogram();
  #durations = noDurations();

  constructor(runtime: Pick<Runtime, 'now' | 'loop'>) {
    this.#runtime = runtime;
  }

  /** An invocation begins, and none was under way. */
  begin(): void {
    this.#begunAt = this.#runtime.now();
    if (this.#dueAt === undefined) this.#set(this.#begunAt);
  }

  /** The last invocation that was under way ends. */
  end(): void {
    this.#look(this.#runtime.now());
    this.#begunAt = undefined;
  }

  /** The delays since the last call; zeros where no timer was due. */
  take(): Delays {
    const { count, totalMs, longestMs } = this.#durations;
    const p99Ms = this.#histogram.percentiles().p99 ?? 0;
    this.#histogram = new Histogram();
    this.#durations = noDurations();
    return {
      meanDelayMs: totalMs / (count || 1),
      p99DelayMs: Math.min(p99Ms, longestMs),
      longestDelayMs: longestMs,
    };
  }

  #set(now: number): void {
    this.#dueAt = now + everyMs;
    this.#busyMs = this.#runtime.loop().active;
    this.#timer.refresh();
  }

  #fire(): void {
    const now = this.#runtime.now();
    this.#look(now);
    this.#dueAt = undefined;
    if (this.#begunAt !== undefined) this.#set(now);
  }

  /** A timer that was due before the invocation began, as after a freeze, is late since then only. */
  #look(now: number): void {
    if (this.#dueAt === undefined || this.#begunAt === undefined || now < this.#dueAt) return;
    const busyMs = this.#runtime.loop().active - this.#busyMs;
    const delayMs = Math.max(0, Math.min(now - Math.max(this.#dueAt, this.#begunAt), busyMs));
    this.#histogram.record(delayMs);
    addDuration(this.#durations, delayMs);
  }
}
