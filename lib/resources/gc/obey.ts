import type { Monitor } from '../monitor/core.ts';
import { type CollectionOrders, isToObey } from './order.ts';

/**
 * Looks for an order to collect at the beginning of an invocation, and has the monitor obey it once: at the end of the first
 * invocation that has the time for it. What came of it stands in the sample, as the floor.
 *
 * A middy middleware; use it after the monitor.
 *
 * @example middy().use(monitor(watcher)).use(obeyOrders(cachedOrders(cache), watcher))
 */
export function obeyOrders(
  orders: Pick<CollectionOrders, 'current'>,
  monitor: Pick<Monitor, 'environment' | 'requestFloor'>,
  now: () => number = Date.now,
) {
  let obeyed: string | undefined;
  return {
    before: async (): Promise<void> => {
      // Whether garbage is collected is not worth a failed invocation.
      const order = await orders.current().catch(() => null);
      const { function: name, startedAt } = monitor.environment;
      if (!isToObey(order, { function: name, startedAt: Date.parse(startedAt), obeyed, now: now() })) return;
      obeyed = order?.id;
      monitor.requestFloor();
    },
  };
}
