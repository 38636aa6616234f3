/** As long as a timer can wait: 24 days. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const maxTimerMs = 2 ** 31 - 1;

/** Something that must be over by a time. */
interface Deadline {
  at: number;
  expire(): void;
}

/**
 * Deadlines that are all equally far away: one timer serves them all, and one that is met costs two operations on a
 * set. The timer does not keep the process from ending.
 */
export class Deadlines {
  /** How far away each is, in milliseconds. */
  readonly ms: number;
  /** In the order of their time, since each is set equally far ahead. */
  readonly #pending = new Set<Deadline>();
  #isArmed = false;

  constructor(ms: number) {
    this.ms = ms;
  }

  /**
   * Calls `expire` after the time, unless the function that is returned is called before; that says whether it was
   * in time.
   *
   * @param started where the time begins, by `performance.now()`
   */
  set(expire: () => void, started = performance.now()): () => boolean {
    const deadline = { at: started + this.ms, expire };
    this.#pending.add(deadline);
    if (!this.#isArmed) this.#arm(this.ms);
    return () => this.#pending.delete(deadline);
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    // After a freeze, or a long piece of work, the timer is early: what has arrived meanwhile is read first.
    setTimeout(() => setImmediate(() => this.#check()), Math.min(Math.max(1, Math.ceil(ms)), maxTimerMs)).unref();
  }

  #check(): void {
    this.#isArmed = false;
    const now = performance.now();
    for (const deadline of this.#pending) {
      if (deadline.at > now) {
        this.#arm(deadline.at - now);
        return;
      }
      this.#pending.delete(deadline);
      deadline.expire();
    }
  }
}
