import { type Linked, List } from './list.ts';

/** As long as a timer can wait: 24 days. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const maxTimerMs = 2 ** 31 - 1;

/** Something that must be over by a time. */
export abstract class Deadline implements Linked<Deadline> {
  /** By `performance.now()`. */
  at = 0;
  isPending = false;
  older: Deadline | undefined;
  newer: Deadline | undefined;

  /** Is told that the time has come. */
  abstract expire(): void;
}

/**
 * Deadlines that are all equally far away: one timer serves them all, and one that is met costs next to nothing. The timer
 * does not keep the process from ending.
 */
export class Deadlines {
  /** How far away each is, in milliseconds. */
  readonly ms: number;
  /** In the order of their time, since each is set equally far ahead. */
  readonly #pending = new List<Deadline>();
  #isArmed = false;

  constructor(ms: number) {
    this.ms = ms;
  }

  /**
   * Sets a deadline: it expires after the time, unless it is met before.
   *
   * @param started where the time begins, by `performance.now()`
   */
  set(deadline: Deadline, started = performance.now()): void {
    deadline.at = started + this.ms;
    deadline.isPending = true;
    this.#pending.add(deadline);
    if (!this.#isArmed) this.#arm(this.ms);
  }

  /** Meets a deadline. Returns whether that is in time, and for the first time. */
  meet(deadline: Deadline): boolean {
    if (!deadline.isPending) return false;
    deadline.isPending = false;
    this.#pending.remove(deadline);
    return true;
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    // After a freeze, or a long piece of work, the timer is early: what has arrived meanwhile is read first.
    setTimeout(() => setImmediate(() => this.#check()), Math.min(Math.max(1, Math.ceil(ms)), maxTimerMs)).unref();
  }

  #check(): void {
    this.#isArmed = false;
    const now = performance.now();
    for (let deadline = this.#pending.oldest; deadline; deadline = this.#pending.oldest) {
      if (deadline.at > now) {
        this.#arm(deadline.at - now);
        return;
      }
      this.meet(deadline);
      deadline.expire();
    }
  }
}
