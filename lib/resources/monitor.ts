/**
 * Measures a Lambda function, or a process, from the inside: memory that is left after a collection, processor time, the event
 * loop, collections, and what is left open. Depends on Node.js alone.
 *
 * - **invocation**: a call of the handler. The x-axis of all trends: time passes while an environment is frozen, too.
 * - **environment**: a Lambda execution environment, or a thread of one: it freezes between invocations.
 * - **sample**: what an environment looked like at the end of an invocation.
 * - **floor**: the memory that is left after everything that can be collected was: only it tells growth from garbage.
 */
import { isMainThread } from 'node:worker_threads';
import type { InvocationContext } from '../cache/invocations.ts';
import { emf } from './emf.ts';
import { CollectionGuard } from './gc/guard.ts';
import { CollectionRecorder } from './gc/recorder.ts';
import { type Invocation, Monitor } from './monitor/core.ts';
import { EventLoopDelay } from './monitor/delay.ts';
import { describeEnvironment, initMs, isSequential } from './monitor/environment.ts';
import { type Handler, monitoredHandler } from './monitor/handler.ts';
import { type MonitorOptions, monitorSettings } from './monitor/options.ts';
import { runtime } from './monitor/runtime.ts';

export { emf, type SampleEmfOptions } from './emf.ts';
export { type ForcedCollection, forceCollection } from './gc/force.ts';
export {
  CollectionGuard,
  type CollectionGuardOptions,
  type CollectionOutcome,
  type CollectionRefusal,
  type ForcedCollectionStatistics,
  type RefusedCollection,
} from './gc/guard.ts';
export type { Invocation, Monitor } from './monitor/core.ts';
export { MonitorError, type MonitorErrorCode } from './monitor/errors.ts';
export type { Handler } from './monitor/handler.ts';
export type { MonitorOptions, Sink } from './monitor/options.ts';
export type { Environment, Sample, Series } from './sample.ts';

/** What middy hands a middleware: https://middy.js.org/docs/writing-middlewares */
interface MiddyRequest {
  context: InvocationContext;
  internal: Record<string, unknown>;
}

/**
 * Makes a monitor: for handlers that share one, and for whoever wants to read its samples.
 *
 * @throws MonitorError `option-invalid`
 * @example
 * const watcher = createMonitor({ floorEvery: false });
 * export const handler = monitored(async (event) => …, watcher);
 * watcher.series();
 */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const { env } = process;
  const settings = monitorSettings(options, env, emf());
  const environment = describeEnvironment(settings, env);
  return new Monitor({
    settings,
    environment,
    runtime,
    delay: new EventLoopDelay(runtime),
    collections: new CollectionRecorder(),
    guard: new CollectionGuard({ minIntervalMs: 0, memoryLimitBytes: environment.memoryLimitBytes }),
    isSequential: isSequential(env, isMainThread),
    onFirst: (at) => {
      environment.initMs = initMs(env, at);
    },
  });
}

/**
 * A middy middleware that monitors the function. Use it first, so that it begins before all others and ends after them.
 *
 * @throws MonitorError `option-invalid`
 * @example export const handler = middy().use(monitor({ stage: 'prod' })).handler(async (event) => …);
 */
export function monitor(options: MonitorOptions | Monitor = {}) {
  const watcher = monitorFrom(options);
  const name = Symbol('streamgate monitor') as unknown as string;
  const end = (request: MiddyRequest): void => {
    const invocation = request.internal[name] as Invocation | undefined;
    if (invocation) watcher.end(invocation);
  };
  return {
    before: (request: MiddyRequest): void => {
      request.internal[name] = watcher.begin(request.context);
    },
    after: end,
    onError: end,
  };
}

/**
 * Monitors a handler without middy: one that is async, that takes a callback, or that streams its response.
 *
 * @throws MonitorError `option-invalid`
 * @example export const handler = monitored(async (event, context) => …);
 */
export function monitored<Wrapped extends Handler>(handler: Wrapped, options: MonitorOptions | Monitor = {}): Wrapped {
  return monitoredHandler(handler, monitorFrom(options));
}

function monitorFrom(options: MonitorOptions | Monitor): Monitor {
  return options instanceof Monitor ? options : createMonitor(options);
}
