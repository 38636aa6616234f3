import { maxTimerMs } from './deadlines.ts';
import { CacheError } from './errors.ts';
import type { Load } from './load.ts';

/** What Lambda tells a handler of its time: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface InvocationContext {
  /** Where it is missing, as in a test, the invocation has all the time that its work takes. */
  getRemainingTimeInMillis?(): number;
}

/** An invocation that uses the cache. Ends when it is disposed of, or told so. */
export interface Scope extends AsyncDisposable {
  /** Waits for the work that was started behind the callers' backs, for as long as the invocation has time. */
  end(): Promise<void>;
}

/** What is left of an invocation's time when the waiting ends: for the answer to be sent. In milliseconds. */
const marginMs = 50;

/**
 * The invocations under way, and the work that they own: refreshes, and writes to the second level. An environment is
 * frozen when its last invocation has answered, so the last one waits for all of that work, and what cannot be finished
 * in its time is given up. Without any invocation, in a process that is never frozen, work just runs.
 */
export class Invocations {
  readonly #open = new Map<Scope, { startedAt: number; context: InvocationContext | undefined }>();
  readonly #work = new Set<Promise<unknown>>();
  readonly #loads = new Set<Load>();
  /** Is told when the last invocation that is under way began; undefined when there is none. */
  onChange: (startedAt: number | undefined) => void = () => {};

  /**
   * Begins an invocation.
   *
   * @param context without one it has all the time that its work takes
   * @param atEnd called when all work is done; it may bring more
   * @param onDrop is told how many loads were given up
   */
  begin(context: InvocationContext | undefined, atEnd: () => void, onDrop: (loads: number) => void): Scope {
    let ended: Promise<void> | undefined;
    const end = () => {
      ended ??= this.#end(scope, context, atEnd, onDrop);
      return ended;
    };
    const scope = { end, [Symbol.asyncDispose]: end };
    this.#open.set(scope, { startedAt: Date.now(), context });
    this.#tell();
    return scope;
  }

  /** Whether one is under way. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Takes work that nobody waits for, and of whose failure nobody wants to know. */
  own(work: Promise<unknown>): void {
    const done = work
      .catch(() => {})
      .then(() => {
        this.#work.delete(done);
      });
    this.#work.add(done);
  }

  /** Takes note of a load that is to be aborted when the invocation's time is up. */
  watch(load: Load): void {
    if (this.isOpen) this.#loads.add(load);
  }

  /** Is told that a load is over. */
  unwatch(load: Load): void {
    this.#loads.delete(load);
  }

  /** Waits until no work is left, and what it leads to is done as well. */
  async settle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #end(
    scope: Scope,
    context: InvocationContext | undefined,
    atEnd: () => void,
    onDrop: (loads: number) => void,
  ): Promise<void> {
    this.#forgetLost(scope);
    try {
      if (this.#open.size > 1) return;
      const work = this.settle()
        .then(atEnd)
        .then(() => this.settle());
      const restMs = context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
      const isDone = await isDoneWithin(work, restMs - marginMs);
      // One that has begun meanwhile owns what is left.
      if (isDone || this.#open.size > 1) return;
      onDrop(this.#loads.size);
      for (const load of this.#loads) {
        load.abort(new CacheError('invocation-over', 'The invocation ended before the load did.'));
      }
      this.#loads.clear();
      this.#work.clear();
    } finally {
      this.#open.delete(scope);
      this.#tell();
    }
  }

  /** An invocation whose time is over has ended, even if nobody said so: a middleware may answer before ours is asked. */
  #forgetLost(current: Scope): void {
    for (const [scope, { context }] of this.#open) {
      if (scope !== current && (context?.getRemainingTimeInMillis?.() ?? 1) <= 0) this.#open.delete(scope);
    }
  }

  #tell(): void {
    const starts = [...this.#open.values()].map(({ startedAt }) => startedAt);
    this.onChange(starts.length === 0 ? undefined : Math.max(...starts));
  }
}

async function isDoneWithin(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.min(Math.max(0, ms), maxTimerMs), false);
  });
  const isDone = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isDone;
}
