import type { OpenScope, Scopes } from './scope.ts';
import { Sketch } from './sketch.ts';
import type { Statements, Tracked } from './statements.ts';

/** A call that took long. It holds no value and no message, which may quote one. */
export interface SlowCall {
  query: string;
  ms: number;
  rows: number;
  failed: boolean;
  /** When it ended, in ISO 8601. */
  at: string;
}

/** Whoever is told when calls begin and end. */
export class Observer {
  /** How long it took to get a connection of the pool, in milliseconds. */
  readonly waits = new Sketch();
  waitedMs = 0;
  longestWaitMs = 0;
  /** Those that got none. */
  refused = 0;
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
    const known = this.#statements.of(text);
    const scope = this.#scopes.current();
    scope?.ask(known, values, caller);
    return new Call(known.statement, scope, this);
  }

  /** Somebody begins to wait for a connection. Call what it returns when that is over. */
  beginWait(): (failed: boolean) => void {
    const scope = this.#scopes.current();
    const begunAt = performance.now();
    return (failed) => this.countWait(performance.now() - begunAt, failed, scope);
  }

  /** A wait for a connection is over. */
  countWait(ms: number, failed: boolean, scope: OpenScope | undefined): void {
    this.waits.record(ms);
    this.waitedMs += ms;
    if (ms > this.longestWaitMs) this.longestWaitMs = ms;
    if (failed) this.refused++;
    scope?.wait(ms);
  }

  /** A call has ended. */
  count(statement: Tracked, ms: number, rows: number, failed: boolean): void {
    statement.calls++;
    statement.rows += rows;
    statement.totalMs += ms;
    statement.times.record(ms);
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
    this.#waited(this.#sentAt - this.#begunAt, false);
  }

  /** There was no connection for it: it has no time. */
  refuse(): void {
    this.#isOver = true;
    this.#statement.calls++;
    this.#statement.errors++;
    this.#waited(performance.now() - this.#begunAt, true);
    this.#scope?.answer(this.#statement, 0, true);
  }

  /** It is over. Several may say so; the first one counts. */
  end(rows: number, failed: boolean): void {
    if (this.#isOver || this.#sentAt === undefined) return;
    this.#isOver = true;
    const ms = performance.now() - this.#sentAt;
    this.#observer.count(this.#statement, ms, rows, failed);
    this.#scope?.answer(this.#statement, ms, failed);
  }

  #waited(ms: number, failed: boolean): void {
    this.#statement.waitMs += ms;
    this.#observer.countWait(ms, failed, this.#scope);
  }
}
