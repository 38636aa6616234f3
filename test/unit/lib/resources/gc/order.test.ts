import { describe, expect, test, vi } from 'vitest';
import { createCache } from '../../../../../lib/cache/cache.ts';
import { obeyOrders } from '../../../../../lib/resources/gc/obey.ts';
import {
  type CollectionOrder,
  type CollectionOrders,
  cachedOrders,
  isToObey,
  orderCollection,
} from '../../../../../lib/resources/gc/order.ts';
import { advance, useFakeClock, within } from '../../cache/clock.ts';
import { ChaosStore, FakeServer, FakeStore } from '../../cache/fake-store.ts';
import { environment } from '../leak-series.ts';

const minute = 60_000;
const order: CollectionOrder = { id: 'o-1', function: null, at: 1_000, until: 2_000 };
const alive = { function: 'checkout', startedAt: 500, obeyed: undefined, now: 1_500 };

describe('an order is obeyed', () => {
  test('by an environment that was there when it was given', () => {
    expect(isToObey(order, alive)).toBe(true);
    expect(isToObey(order, { ...alive, startedAt: 1_000 })).toBe(true);
  });

  test.each([
    ['there is none', null, {}],
    ['it was obeyed already', order, { obeyed: 'o-1' }],
    ['it stands no longer', order, { now: 2_000 }],
    ['the environment is younger', order, { startedAt: 1_001 }],
    ['it is for another function', { ...order, function: 'cart' }, {}],
  ])('not when %s', (_, given, overrides) => {
    expect(isToObey(given, { ...alive, ...overrides })).toBe(false);
  });

  test('by the function that it names', () => {
    expect(isToObey({ ...order, function: 'checkout' }, alive)).toBe(true);
  });
});

describe('to order', () => {
  const kept = () => {
    let last: CollectionOrder | null = null;
    return {
      place: async (given: CollectionOrder) => {
        last = given;
      },
      current: async () => last,
    };
  };

  test('is refused too soon after the last order', async () => {
    const orders = kept();
    const first = await orderCollection(orders, { now: 0, function: 'cart' });
    expect(first).toMatchObject({ kind: 'ordered', order: { function: 'cart', at: 0, until: 15 * minute } });
    expect(await orderCollection(orders, { now: 20_000 })).toEqual({
      kind: 'refused',
      reason: 'too-soon',
      retryAfterMs: 40_000,
    });
    expect(await orderCollection(orders, { now: minute })).toMatchObject({
      kind: 'ordered',
      order: { function: null },
    });
  });

  test('fails when the store does', async () => {
    const orders: CollectionOrders = { ...kept(), place: () => Promise.reject(new Error('no connection')) };
    await expect(orderCollection(orders)).rejects.toThrow('no connection');
  });
});

describe('orders in a cache', () => {
  useFakeClock();

  function environments() {
    const server = new FakeServer();
    const start = () => {
      const store = new ChaosStore(new FakeStore(server));
      return { store, orders: cachedOrders(createCache({ l2: store })) };
    };
    return [start(), start()] as const;
  }

  test('reach the other environments, within a second, and stand for a quarter of an hour', async () => {
    const [here, there] = environments();
    expect(await within(10, there.orders.current())).toBeNull();
    await advance(100);
    const outcome = await within(10, orderCollection(here.orders));
    await advance(1_000);
    const given = outcome.kind === 'ordered' ? outcome.order : undefined;
    expect(await within(10, there.orders.current())).toEqual(given);
    expect(await within(10, here.orders.current())).toEqual(given);
    await advance(14 * minute);
    expect(await within(10, there.orders.current())).toEqual(given);
    await advance(minute);
    expect(await within(10, there.orders.current())).toBeNull();
  });

  test('of an older one are replaced', async () => {
    const [here, there] = environments();
    await within(10, orderCollection(here.orders));
    await advance(1_000);
    expect(await within(10, there.orders.current())).not.toBeNull();
    await advance(minute);
    const outcome = await within(10, orderCollection(there.orders));
    await advance(1_000);
    expect({ kind: 'ordered', order: await within(10, here.orders.current()) }).toEqual(outcome);
  });

  test('cost no question of their own while nothing was invalidated', async () => {
    const [, there] = environments();
    await within(10, there.orders.current());
    await advance(500);
    const reads = there.store.callsOf('read');
    for (let invocation = 0; invocation < 100; invocation++) await within(1, there.orders.current());
    expect(there.store.callsOf('read') - reads).toBeLessThanOrEqual(1);
  });
});

describe('the middleware', () => {
  const here = environment({ function: 'checkout', startedAt: new Date(500).toISOString() });

  test('asks the monitor for a floor, once for an order', async () => {
    let current: CollectionOrder | null = null;
    const requestFloor = vi.fn();
    const { before: look } = obeyOrders(
      { current: async () => current },
      { environment: here, requestFloor },
      () => 1_500,
    );
    await look();
    expect(requestFloor).not.toHaveBeenCalled();
    current = order;
    await look();
    await look();
    expect(requestFloor).toHaveBeenCalledTimes(1);
    current = { ...order, id: 'o-2' };
    await look();
    expect(requestFloor).toHaveBeenCalledTimes(2);
  });

  test('lets the invocation go on when the store fails', async () => {
    const requestFloor = vi.fn();
    const failing = { current: () => Promise.reject(new Error('no connection')) };
    await obeyOrders(failing, { environment: here, requestFloor }).before();
    expect(requestFloor).not.toHaveBeenCalled();
  });
});
