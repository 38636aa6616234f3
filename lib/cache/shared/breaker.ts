/** When a circuit breaker opens, and for how long. */
export interface BreakerOptions {
  /** It opens after so many failures in a row. */
  failures: number;
  /** For how long it stays open at first, in milliseconds; twice as long after each probe that failed. */
  cooldownMs: number;
}

/** Whether calls are let through: all, none, or one to see whether they work again. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** It stays open no longer than this at a time. */
const maxCooldownMs = 30_000;

/**
 * A circuit breaker: while a level does not answer, it is not asked, but for a probe now and then. It has no
 * timer: that it may probe it finds out when it is asked.
 *
 * Nygard, "Release It!", 2018; https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #opened = 0;
  #openUntil = 0;
  #probing = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** How it stands. */
  state(now: number): BreakerState {
    if (this.#openUntil === 0) return 'closed';
    return now < this.#openUntil ? 'open' : 'half-open';
  }

  /** Whether a call may be made now. Of a half-open breaker only one may, until its outcome is told. */
  admits(now: number): boolean {
    const state = this.state(now);
    if (state === 'closed') return true;
    if (state === 'open' || this.#probing) return false;
    this.#probing = true;
    return true;
  }

  /** Is told that a call was answered. */
  succeeded(): void {
    this.#failures = 0;
    this.#opened = 0;
    this.#openUntil = 0;
    this.#probing = false;
  }

  /** Is told that a call was not answered, or not in time. */
  failed(now: number): void {
    this.#probing = false;
    this.#failures++;
    if (this.#failures < this.#options.failures) return;
    // What was under way when it opened says nothing new.
    if (this.#openUntil !== 0 && now < this.#openUntil) return;
    this.#openUntil = now + Math.min(this.#options.cooldownMs * 2 ** this.#opened, maxCooldownMs);
    this.#opened++;
  }
}
