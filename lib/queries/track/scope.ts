/**
 * Scopes: what belongs together, such as the queries of one invocation. A statement that is called again and again in one
 * of them, each time with other values, is a list whose items are read one by one (N+1).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { placeAbove } from './place.ts';
import type { Tracked } from './statements.ts';

/** What Lambda tells a handler: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface InvocationContext {
  awsRequestId?: string;
  getRemainingTimeInMillis?(): number;
}

/** A statement that was called again and again in one scope, with different values. */
export interface RepeatedStatement {
  query: string;
  calls: number;
  /** All calls together, in milliseconds; at once they may have taken less. */
  totalMs: number;
  /** The place in the code that called it, as a path with line and column; null when it is not known. */
  place: string | null;
}

/** What a scope did. */
export interface ScopeReport {
  /** Lambda's; undefined outside of it. */
  requestId: string | undefined;
  calls: number;
  errors: number;
  totalMs: number;
  /** Most calls first. */
  repeated: RepeatedStatement[];
}

/** A scope that is under way. Ends when it is disposed of, or told so. */
export interface Scope extends Disposable {
  /** What it did. The queries that come later do not belong to it. */
  end(): ScopeReport;
}

/** What was asked in a scope by one statement. */
interface Asked {
  text: string;
  /** Of the first call, and never told to anybody: only whether others differ is. */
  values: readonly unknown[] | undefined;
  differs: boolean;
  calls: number;
  totalMs: number;
  place: string | null;
}

/** The scopes of a tracker. */
export class Scopes {
  readonly #repeats: number;
  readonly #onEnd: (report: ScopeReport, repeated: ReadonlyMap<Tracked, RepeatedStatement>) => void;
  readonly #current = new AsyncLocalStorage<OpenScope>();
  /** Those that have begun without a function that they last for. */
  readonly #open = new Set<OpenScope>();

  /** @param repeats so many calls of a statement are one too many */
  constructor(
    repeats: number,
    onEnd: (report: ScopeReport, repeated: ReadonlyMap<Tracked, RepeatedStatement>) => void,
  ) {
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
    for (const scope of this.#open) if (scope.isLost) this.#open.delete(scope);
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
    try {
      const result = this.#current.run(scope, work, scope);
      if (!isPromise(result)) {
        end();
        return result;
      }
      return result.finally(end) as Result;
    } catch (error) {
      end();
      throw error;
    }
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
  readonly #onEnd: (report: ScopeReport, repeated: ReadonlyMap<Tracked, RepeatedStatement>) => void;
  readonly #asked = new Map<Tracked, Asked>();
  #calls = 0;
  #errors = 0;
  #totalMs = 0;
  #report: ScopeReport | undefined;

  constructor(
    context: InvocationContext | undefined,
    repeats: number,
    onEnd: (report: ScopeReport, repeated: ReadonlyMap<Tracked, RepeatedStatement>) => void,
  ) {
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
  ask(statement: Tracked, text: string, values: unknown, caller: (...values: never[]) => unknown): void {
    if (statement.isControl) return;
    const list = Array.isArray(values) ? values : undefined;
    const asked = this.#asked.get(statement);
    if (asked === undefined) {
      const first = { text, values: list?.slice(), differs: false, calls: 1, totalMs: 0, place: null };
      this.#asked.set(statement, first);
      return;
    }
    asked.calls++;
    asked.differs ||= asked.text !== text || !areEqual(asked.values, list);
    // Where it is one too many is where the others come from, too; a stack costs too much to take it at every call.
    if (asked.calls === this.#repeats) asked.place = placeAbove(caller);
  }

  /** Takes note of what became of a call. Time in milliseconds. */
  answer(statement: Tracked, ms: number, failed: boolean): void {
    this.#calls++;
    this.#totalMs += ms;
    if (failed) this.#errors++;
    const asked = this.#asked.get(statement);
    if (asked) asked.totalMs += ms;
  }

  end(): ScopeReport {
    if (this.#report) return this.#report;
    const repeated = new Map(
      [...this.#asked]
        .filter(([, { calls, differs }]) => calls >= this.#repeats && differs)
        .sort(([, a], [, b]) => b.calls - a.calls)
        .map(([statement, { calls, totalMs, place }]) => [
          statement,
          { query: statement.query, calls, totalMs, place },
        ]),
    );
    this.#asked.clear();
    this.#report = {
      requestId: this.#context?.awsRequestId,
      calls: this.#calls,
      errors: this.#errors,
      totalMs: this.#totalMs,
      repeated: [...repeated.values()],
    };
    this.#onEnd(this.#report, repeated);
    return this.#report;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

export type { OpenScope };

/** Whether two lists of values are the same, as far as it is quickly told: objects are, when they are the same object. */
function areEqual(first: readonly unknown[] | undefined, second: readonly unknown[] | undefined): boolean {
  if (first === undefined || second === undefined) return first === second;
  return first.length === second.length && first.every((value, i) => isEqual(value, second[i]));
}

function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (one instanceof Date && other instanceof Date) return one.getTime() === other.getTime();
  // A list of ids, for = ANY($1).
  return (
    Array.isArray(one) &&
    Array.isArray(other) &&
    one.length === other.length &&
    one.every((value, i) => Object.is(value, other[i]))
  );
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}
