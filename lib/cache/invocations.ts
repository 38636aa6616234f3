import { CacheError } from './errors.ts';
import type { Load } from './load.ts';

/** What Lambda tells a handler of its time: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface InvocationContext {
  getRemainingTimeInMillis(): number;
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
  readonly #open = new Map<symbol, number>();
  readonly #work = new Set<Promise<unknown>>();
  readonly #loads = new Set<Load>();
  readonly #onChange: (startedAt: number | undefined) => void;
  readonly #onDrop: (loads: number) => void;

  /**
   * @param onChange is told when the last invocation that is under way began; undefined when there is none
   * @param onDrop is told how many loads were given up
   */
  constructor(onChange: (startedAt: number | undefined) => void, onDrop: (loads: number) => void) {
    this.#onChange = onChange;
    this.#onDrop = onDrop;
  }

  /** Begins an invocation. Without a context it has all the time that its work takes. */
  begin(context: InvocationContext | undefined, onEnd: () => Promise<void>): Scope {
    const id = Symbol('invocation');
    this.#open.set(id, Date.now());
    this.#tell();
    let ended: Promise<void> | undefined;
    const end = () => (ended ??= this.#end(id, context, onEnd));
    return { end, [Symbol.asyncDispose]: end };
  }

  /** Whether one is under way. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Takes work that nobody waits for. It must not reject. */
  own(work: Promise<unknown>): void {
    this.#work.add(work);
    work.then(() => this.#work.delete(work));
  }

  /** Takes note of a load that is to be aborted when time is up. Returns what to call when it is over. */
  watch(load: Load): () => void {
    this.#loads.add(load);
    return () => this.#loads.delete(load);
  }

  /** Waits until no work is left, and what it leads to is done as well. */
  async settle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #end(id: symbol, context: InvocationContext | undefined, onEnd: () => Promise<void>): Promise<void> {
    const isLast = this.#open.size === 1;
    if (isLast) await this.#within(context, this.settle());
    if (isLast) await this.#within(context, onEnd());
    this.#open.delete(id);
    this.#tell();
  }

  /** Waits for work, and when the time is up drops the loads under way. */
  async #within(context: InvocationContext | undefined, work: Promise<void>): Promise<void> {
    if (!context) return work;
    let timer: NodeJS.Timeout | undefined;
    const isUp = await Promise.race([
      work.then(() => false),
      new Promise<boolean>((resolve) => {
        const restMs = context.getRemainingTimeInMillis() - marginMs;
        timer = setTimeout(() => resolve(true), Math.max(0, restMs));
      }),
    ]);
    clearTimeout(timer);
    if (!isUp) return;
    this.#onDrop(this.#loads.size);
    for (const load of this.#loads) load.abort(new CacheError('load-timeout', 'The invocation is over.'));
    this.#loads.clear();
    this.#work.clear();
  }

  #tell(): void {
    const starts = [...this.#open.values()];
    this.#onChange(starts.length === 0 ? undefined : Math.max(...starts));
  }
}
