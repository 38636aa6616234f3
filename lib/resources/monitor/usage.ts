import type { Runtime } from './runtime.ts';

/** What invocations used. Times in milliseconds. */
export interface Use {
  cpuMs: number;
  wallMs: number;
  /** Share of the time in which the event loop was busy, 0 to 1. */
  utilization: number;
}

const nothing = { cpuMs: 0, wallMs: 0, active: 0, idle: 0 };
const counters = ['cpuMs', 'wallMs', 'active', 'idle'] as const;

/**
 * Adds up what is used while at least one invocation is under way, so that those that overlap count once and a freeze between
 * two of them counts for nothing.
 */
export class Usage {
  readonly #runtime: Pick<Runtime, 'now' | 'cpuMs' | 'loop'>;
  #begun = nothing;
  #used = { ...nothing };

  constructor(runtime: Pick<Runtime, 'now' | 'cpuMs' | 'loop'>) {
    this.#runtime = runtime;
  }

  /** An invocation begins, and none was under way. What had begun without an end is dropped. */
  begin(): void {
    this.#begun = this.#read();
  }

  /** The last invocation that was under way ends. */
  end(): void {
    const ended = this.#read();
    for (const counter of counters) this.#used[counter] += ended[counter] - this.#begun[counter];
  }

  /** What was used since the last call. */
  take(): Use {
    const { cpuMs, wallMs, active, idle } = this.#used;
    this.#used = { ...nothing };
    // The loop's own clock may differ from itself by a rounding error.
    return { cpuMs, wallMs, utilization: Math.min(1, Math.max(0, active / (active + idle || 1))) };
  }

  #read(): typeof nothing {
    const { idle, active } = this.#runtime.loop();
    return { cpuMs: this.#runtime.cpuMs(), wallMs: this.#runtime.now(), active, idle };
  }
}
