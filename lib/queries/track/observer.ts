import type { OpenScope, Scopes } from './scope.ts';
import type { Statements, Tracked } from './statements.ts';

/** A call that took long. It holds no value and no message, which may quote one. */
export interface SlowCall {
  query: string;
  ms: number;
  rows: number;
  failed: boolean;
  /** ISO 8601. */
  at: string;
}

/** Whoever is told when calls begin and end. */
export class Observer {
  readonly #statements: Statements;
  readonly #scopes: Scopes;
  readonly #slowMs: number;
  readonly #onSlow: (call: SlowCall) => void;

  constructor(statements: Statements, scopes: Scopes, slowMs: number, onSlow: (call: SlowCall) => void) {
    this.#statements = statements;
    this.#scopes = scopes;
    this.#slowMs = slowMs;
    this.#onSlow = onSlow;
  }

  /**
   * A call begins: the application has asked.
   *
   * @param caller the function that it called
   */
  begin(text: string, values: unknown, caller: (...values: never[]) => unknown): Call {
    const statement = this.#statements.of(text);
    const scope = this.#scopes.current();
    scope?.ask(statement, text, values, caller);
    return new Call(statement, scope, this);
  }

  /** A call has ended. */
  count(statement: Tracked, ms: number, rows: number, failed: boolean): void {
    statement.calls++;
    statement.rows += rows;
    statement.totalMs += ms;
    statement.histogram.record(ms);
    if (failed) statement.errors++;
    if (ms > statement.maxMs) statement.maxMs = ms;
    if (ms < this.#slowMs) return;
    statement.slowCalls++;
    this.#onSlow({ query: statement.query, ms, rows, failed, at: new Date().toISOString() });
  }
}

/** One call of a statement. */
export class Call {
  readonly #statement: Tracked;
  readonly #scope: OpenScope | undefined;
  readonly #observer: Observer;
  readonly #begunAt = performance.now();
  #sentAt: number | undefined;
  #isOver = false;

  constructor(statement: Tracked, scope: OpenScope | undefined, observer: Observer) {
    this.#statement = statement;
    this.#scope = scope;
    this.#observer = observer;
  }

  /** It goes out on a connection that the application has. */
  sendAtOnce(): void {
    this.#sentAt = this.#begunAt;
  }

  /** The pool has found a connection for it: what it waited for that is counted by itself. */
  send(): void {
    this.#sentAt = performance.now();
    this.#statement.waitMs += this.#sentAt - this.#begunAt;
  }

  /** It is over. Several may say so; the first one counts. */
  end(rows: number, failed: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#sentAt === undefined) {
      this.#refuse();
      return;
    }
    const ms = performance.now() - this.#sentAt;
    this.#observer.count(this.#statement, ms, rows, failed);
    this.#scope?.answer(this.#statement, ms, failed);
  }

  /** There was no connection for it: it has no time. */
  #refuse(): void {
    this.#statement.calls++;
    this.#statement.errors++;
    this.#statement.waitMs += performance.now() - this.#begunAt;
    this.#scope?.answer(this.#statement, 0, true);
  }
}
