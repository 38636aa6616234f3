/**
 * What an application asks its database, seen from the application: every statement with its calls, errors, rows and true
 * percentiles, what it waited for a connection, and which statements one invocation asks again and again (N+1).
 * Neither parameters nor constants are kept: digests tell whether they are the same.
 *
 * - **statement**: texts that differ only in constants, spacing and comments.
 * - **scope**: what belongs together, such as the queries of one invocation.
 */
import { StreamGateError } from '../errors.ts';
import { instrument, type Trackable } from './track/instrument.ts';
import { Observer, type SlowCall } from './track/observer.ts';
import type { RepeatedStatement } from './track/repetition.ts';
import { type InvocationContext, type Scope, type ScopeReport, Scopes } from './track/scope.ts';
import { Statements, type Tracked } from './track/statements.ts';
import {
  type ConnectionStatistics,
  connectionStatisticsOf,
  statisticsOf,
  type TrackedStatement,
} from './track/statistics.ts';

export { emf, type QueryEmfOptions } from './track/emf.ts';
export type { Trackable } from './track/instrument.ts';
export { queryScope } from './track/middleware.ts';
export type { SlowCall } from './track/observer.ts';
export type { RepeatedStatement, RepetitionKind } from './track/repetition.ts';
export type { InvocationContext, Scope, ScopeReport } from './track/scope.ts';
export type { Repetition } from './track/statements.ts';
export type { ConnectionStatistics, Percentiles, TrackedStatement } from './track/statistics.ts';

/** How a pool or a client is tracked. */
export interface TrackOptions {
  /** From so many milliseconds on a call is slow. Default: 100. */
  slowMs?: number | undefined;
  /** From so many calls in one scope on a statement is repeated. Default: 10. */
  repeats?: number | undefined;
  /** So many statements are kept apart; further ones are counted together. Default: 500. */
  maxStatements?: number | undefined;
  /** Is told of each slow call when it ends. */
  onSlow?: ((call: SlowCall) => void) | undefined;
  /** Is told of each repeated statement when its scope ends. */
  onRepeated?: ((repeated: RepeatedStatement) => void) | undefined;
  /** Is told what each scope did when it ends, such as {@link emf}. */
  onScope?: ((report: ScopeReport) => void) | undefined;
}

/** Tracks the queries of a pool or a client. Made by {@link trackQueries}. */
export interface QueryTracker {
  /** What each statement did since tracking began, most time first. Loads PostgreSQL's parser for the fingerprints, where it is there. */
  stats(): Promise<TrackedStatement[]>;
  /** What `pool.query` and `pool.connect` waited for a connection since tracking began. */
  connections(): ConnectionStatistics;
  /**
   * Begins a scope that lasts until it is told to end: for functions that serve one invocation at a time.
   *
   * @param context Lambda's
   */
  invocation(context?: InvocationContext): Scope;
  /** Runs a function in a scope of its own, for programs that serve many at once. The scope ends with the function, or its promise. */
  run<Result>(work: (scope: Scope) => Result): Result;
  /** Ends the tracking: the pool and its clients are as they were. What was counted stays. */
  stop(): void;
}

const defaults = { slowMs: 100, repeats: 10, maxStatements: 500 };

/** By pool and by client, so that nothing is counted twice. */
const trackers = new WeakMap<object, QueryTracker>();

/** Those that were told to stop: their clients may be tracked anew. */
const stopped = new WeakSet<QueryTracker>();

/**
 * Tracks the queries of a `pg.Pool` and its clients, or of a `pg.Client`. Their behaviour does not change. What is tracked
 * already keeps its tracker, and its options. A client that is out of the pool is tracked from the next time on that it
 * is taken out.
 *
 * @throws StreamGateError `configuration-invalid` for an unknown option, or one that is not what it should be
 *
 * @example
 * const pool = new pg.Pool();
 * const tracker = trackQueries(pool, { onRepeated: (found) => console.warn(JSON.stringify(found)) });
 */
export function trackQueries(target: Trackable, options: TrackOptions = {}): QueryTracker {
  const { slowMs, repeats, maxStatements, onSlow, onRepeated, onScope } = checked(target, options);
  const known = trackers.get(target);
  if (known && !stopped.has(known)) return known;
  const statements = new Statements(maxStatements);
  const scopes = new Scopes(repeats, (report, repeated) => {
    for (const [statement, found] of repeated) {
      remember(statement, found);
      tell(onRepeated, found);
    }
    tell(onScope, report);
  });
  const observer = new Observer(statements, scopes, slowMs, (call) => tell(onSlow, call));
  const takeBack = instrument(target, observer, (client) => trackers.set(client, tracker));
  const tracker: QueryTracker = {
    stats: () => statisticsOf(statements.all()),
    connections: () => connectionStatisticsOf(observer),
    invocation: (context) => scopes.begin(context),
    run: (work) => scopes.run(work),
    stop() {
      takeBack();
      stopped.add(tracker);
    },
  };
  trackers.set(target, tracker);
  return tracker;
}

/** Keeps what the worst scope did. */
function remember(statement: Tracked, { calls, kind, place }: RepeatedStatement): void {
  const { invocations, mostCalls } = statement.repetition ?? { invocations: 0, mostCalls: 0 };
  if (statement.repetition === undefined || calls > mostCalls)
    statement.repetition = { invocations: invocations + 1, mostCalls: calls, kind, place };
  else statement.repetition.invocations++;
}

function checked(target: Trackable, options: TrackOptions) {
  if (typeof target?.query !== 'function' || typeof target.connect !== 'function')
    throw new StreamGateError('configuration-invalid', 'trackQueries needs a pg.Pool or a pg.Client.');
  const { slowMs, repeats, maxStatements, onSlow, onRepeated, onScope, ...unknown } = options;
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new StreamGateError('configuration-invalid', `trackQueries has no option "${name}".`);
  const numbers = {
    slowMs: slowMs ?? defaults.slowMs,
    repeats: repeats ?? defaults.repeats,
    maxStatements: maxStatements ?? defaults.maxStatements,
  };
  for (const [option, value] of Object.entries(numbers)) {
    const least = option === 'slowMs' ? 0 : option === 'repeats' ? 2 : 1;
    if (typeof value === 'number' && value >= least) continue;
    throw new StreamGateError('configuration-invalid', `\`${option}\` of trackQueries must be ${least} or more.`);
  }
  const listeners = { onSlow, onRepeated, onScope };
  for (const [option, value] of Object.entries(listeners)) {
    if (value === undefined || typeof value === 'function') continue;
    throw new StreamGateError('configuration-invalid', `\`${option}\` of trackQueries must be a function.`);
  }
  return { ...numbers, ...listeners };
}

/** What a listener throws is not the query's fault: it becomes a warning of the process. */
function tell<Told>(listener: ((told: Told) => void) | undefined, told: Told): void {
  try {
    listener?.(told);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
