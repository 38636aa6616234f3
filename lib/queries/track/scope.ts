/** Scopes: what belongs together, such as the queries of one invocation. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { isThenable } from './answer.ts';
import { Calls, type RepeatedStatement } from './repetition.ts';
import type { KnownText, Tracked } from './statements.ts';

/** What Lambda tells a handler: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface InvocationContext {
  awsRequestId?: string;
  getRemainingTimeInMillis?(): number;
}

/** What a scope did. Times in milliseconds, all calls together; at once they may have taken less. */
export interface ScopeReport {
  /** Lambda's; undefined outside of it. */
  requestId: string | undefined;
  /** That were answered before it ended. */
  calls: number;
  errors: number;
  totalMs: number;
  /** What it waited for connections. It is not part of the other time. */
  waitMs: number;
  /** Most calls first. */
  repeated: RepeatedStatement[];
}

/** A scope that is under way. Ends when it is disposed of, or told so. */
export interface Scope extends Disposable {
  /** What it did. The queries that come later do not belong to it. */
  end(): ScopeReport;
}

/** Is told when a scope ends. */
type OnEnd = (report: ScopeReport, repeated: ReadonlyMap<Tracked, RepeatedStatement>) => void;

/** So many may be under way that nobody runs a function in: those that are never ended must not fill the memory. */
const maxOpen = 1_000;

/** The scopes of a tracker. */
export class Scopes {
  readonly #repeats: number;
  readonly #onEnd: OnEnd;
  readonly #current = new AsyncLocalStorage<OpenScope>();
  /** Those that have begun without a function that they last for. */
  readonly #open = new Set<OpenScope>();

  /** @param repeats so many calls of a statement are one too many */
  constructor(repeats: number, onEnd: OnEnd) {
    this.#repeats = repeats;
    this.#onEnd = onEnd;
  }

  /** The scope that a query belongs to which is asked here and now. */
  current(): OpenScope | undefined {
    const scope = this.#current.getStore();
    if (scope !== undefined && !scope.isOver) return scope;
    // Whoever began it may have done so in a function that this one does not follow. With several it is anyone's.
    if (this.#open.size !== 1) return undefined;
    const [only] = this.#open;
    return only;
  }

  begin(context: InvocationContext | undefined): OpenScope {
    for (const scope of this.#open) if (scope.isLost || this.#open.size >= maxOpen) scope.end();
    const scope = this.#make(context);
    this.#open.add(scope);
    this.#current.enterWith(scope);
    return scope;
  }

  /** Runs a function in a scope that ends with it. */
  run<Result>(work: (scope: Scope) => Result): Result {
    const scope = this.#make(undefined);
    const end = () => {
      scope.end();
    };
    return this.#current.run(scope, () => {
      let result: Result;
      try {
        result = work(scope);
      } catch (error) {
        end();
        throw error;
      }
      // What is no promise but can be awaited may only begin then: it does so here, within the scope.
      if (isThenable(result)) return Promise.resolve(result).finally(end) as Result;
      end();
      return result;
    });
  }

  #make(context: InvocationContext | undefined): OpenScope {
    const scope = new OpenScope(context, this.#repeats, (report, repeated) => {
      this.#open.delete(scope);
      this.#onEnd(report, repeated);
    });
    return scope;
  }
}

class OpenScope implements Scope {
  readonly #context: InvocationContext | undefined;
  readonly #repeats: number;
  readonly #onEnd: OnEnd;
  readonly #byStatement = new Map<Tracked, Calls>();
  #calls = 0;
  #errors = 0;
  #totalMs = 0;
  #waitMs = 0;
  #report: ScopeReport | undefined;

  constructor(context: InvocationContext | undefined, repeats: number, onEnd: OnEnd) {
    this.#context = context;
    this.#repeats = repeats;
    this.#onEnd = onEnd;
  }

  get isOver(): boolean {
    return this.#report !== undefined;
  }

  /** Whether the time of its invocation is up: then it has ended, even if nobody said so. */
  get isLost(): boolean {
    return (this.#context?.getRemainingTimeInMillis?.() ?? 1) <= 0;
  }

  /**
   * Takes note of a call before it is sent.
   *
   * @param caller the function that the application called
   */
  ask(text: KnownText, values: unknown, caller: (...values: never[]) => unknown): void {
    const { statement } = text;
    if (statement.purpose === 'other') return;
    let calls = this.#byStatement.get(statement);
    if (calls === undefined) {
      calls = new Calls();
      this.#byStatement.set(statement, calls);
    }
    calls.add(text, values, this.#repeats, caller);
  }

  /** Takes note of what became of a call. */
  answer(statement: Tracked, ms: number, failed: boolean): void {
    this.#calls++;
    this.#totalMs += ms;
    if (failed) this.#errors++;
    const calls = this.#byStatement.get(statement);
    if (calls) calls.totalMs += ms;
  }

  /** Takes note of how long it took to get a connection. */
  wait(ms: number): void {
    this.#waitMs += ms;
  }

  end(): ScopeReport {
    if (this.#report) return this.#report;
    const repeated = new Map<Tracked, RepeatedStatement>();
    for (const [statement, calls] of this.#byStatement) {
      const found = calls.repeated(statement, this.#repeats);
      if (found) repeated.set(statement, found);
    }
    this.#byStatement.clear();
    this.#report = {
      requestId: this.#context?.awsRequestId,
      calls: this.#calls,
      errors: this.#errors,
      totalMs: this.#totalMs,
      waitMs: this.#waitMs,
      repeated: [...repeated.values()].sort((a, b) => b.calls - a.calls),
    };
    this.#onEnd(this.#report, repeated);
    return this.#report;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

export type { OpenScope };
