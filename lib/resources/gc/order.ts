import type { Cache } from '../../cache/cache.ts';
import type { RefusedCollection } from './guard.ts';

/** That environments are to collect their garbage, each once. Times in milliseconds since 1970. */
export interface CollectionOrder {
  id: string;
  /** Whose environments; null is those of all functions. */
  function: string | null;
  at: number;
  /** From then on nobody obeys it any more. */
  until: number;
}

/** Where all environments find the order that was given last. */
export interface CollectionOrders {
  /** Puts an order in the place of the one before. @throws what the store throws */
  place(order: CollectionOrder): Promise<void>;
  /** The last order; null when there is none. @throws what the store throws */
  current(): Promise<CollectionOrder | null>;
}

/** An order stands for so long: an environment that is not invoked in that time has no need to collect. */
const standsMs = 15 * 60_000;

/**
 * Orders in a cache: its second level is what environments share. They learn of a new one as they learn of any value that was
 * replaced, so that looking costs nothing that an invocation does not do anyway.
 */
export function cachedOrders(cache: Pick<Cache, 'define'>): CollectionOrders {
  const orders = cache.define<string, CollectionOrder | null>('collection-order', {
    load: () => null,
    // An order that has stood for long enough is replaced by none, and not before.
    fresh: standsMs,
    jitter: 0,
    earlyRefresh: 0,
  });
  return { place: (order) => orders.set('last', order), current: () => orders.get('last') };
}

/** What came of the wish that all environments collect. */
export type OrderOutcome = { kind: 'ordered'; order: CollectionOrder } | RefusedCollection;

/** Who is to collect, and by which clock. */
export interface OrderOptions {
  /** Default: null, the environments of all functions. */
  function?: string | null;
  /** Between two orders. Default: 60,000 ms. */
  minIntervalMs?: number;
  /** Milliseconds since 1970. */
  now?: number;
}

/**
 * Orders that environments collect, at the end of their next invocation; refused too soon after the last order.
 *
 * @throws what the store throws
 */
export async function orderCollection(
  orders: CollectionOrders,
  { function: of = null, minIntervalMs = 60_000, now = Date.now() }: OrderOptions = {},
): Promise<OrderOutcome> {
  const last = await orders.current();
  const restMs = last ? last.at + minIntervalMs - now : 0;
  if (restMs > 0) return { kind: 'refused', reason: 'too-soon', retryAfterMs: Math.ceil(restMs) };
  const order = { id: crypto.randomUUID(), function: of, at: now, until: now + standsMs };
  await orders.place(order);
  return { kind: 'ordered', order };
}

/** Who looks at an order. Times in milliseconds since 1970. */
export interface Obedience {
  function: string;
  startedAt: number;
  /** The order that was obeyed last. */
  obeyed: string | undefined;
  now: number;
}

/** Whether an environment has to obey: an order for it that still stands, that it has not obeyed, and that it is not younger than. */
export function isToObey(
  order: CollectionOrder | null,
  { function: name, startedAt, obeyed, now }: Obedience,
): boolean {
  if (!order || order.id === obeyed || now >= order.until || startedAt > order.at) return false;
  return order.function === null || order.function === name;
}
