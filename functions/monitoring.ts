/** What the functions of the service measure of themselves, where it goes, and how they are told to collect their garbage. */

import { obeyOrders } from '../lib/resources/gc/obey.ts';
import type { Sink } from '../lib/resources/monitor/options.ts';
import { createMonitor, type Environment, emf, monitor, monitored } from '../lib/resources/monitor.ts';
import { SampleKeeper } from '../lib/resources/store/keeper.ts';
import { history, orders } from './environment.ts';

const keeper = new SampleKeeper({ append: async (series) => (await history()).samples.append(series) });

const log: Sink | undefined = process.env.AWS_LAMBDA_FUNCTION_NAME ? emf() : undefined;

/** The metrics of all functions are one set under this name, since each is paid for. What tells them apart is in the history. */
export const nameOfAll = 'streamgate';

let pooled: Environment | undefined;

/** Of this environment. On one machine all functions are in one process, and so in one environment. */
export const watcher = createMonitor({
  sink: (sample, environment) => {
    pooled ??= { ...environment, function: nameOfAll };
    log?.(sample, pooled);
    keeper.sink(sample, environment);
  },
});

/** The middlewares of a monitored endpoint, the outermost first. */
export function monitoring() {
  return [
    keeper.middleware(),
    monitor(watcher),
    obeyOrders({ current: async () => (await orders()).current() }, watcher),
  ];
}

/** A monitored handler that is no endpoint. */
export function monitoredAudit<Event, Context, Result>(
  handler: (event: Event, context?: Context) => Promise<Result>,
): (event: Event, context?: Context) => Promise<Result> {
  const inner = monitored(handler, watcher);
  return async (event, context) => {
    try {
      return await inner(event, context);
    } finally {
      await keeper.flush();
    }
  };
}
