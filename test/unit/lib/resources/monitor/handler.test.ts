import middy from '@middy/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { createMonitor, type Monitor, monitor, monitored } from '../../../../../lib/resources/monitor.ts';

let watcher: Monitor;

beforeEach(() => {
  watcher = createMonitor({ sampleEvery: 1, floorEvery: false });
});

const context = { getRemainingTimeInMillis: () => 30_000 };
const count = () => watcher.series().samples.length;
const failing = async () => {
  throw new Error('out of stock');
};

describe('the wrapper', () => {
  test('ends an invocation when the promise of the handler is settled', async () => {
    let answer = (_: string) => {};
    const handler = monitored(
      (_event: object, _context: object) => new Promise<string>((done) => (answer = done)),
      watcher,
    );
    const answered = handler({}, context);
    expect(count()).toBe(0);
    answer('done');
    expect(await answered).toBe('done');
    expect(count()).toBe(1);
  });

  test('passes on what the handler throws', async () => {
    await expect(monitored(failing, watcher)()).rejects.toThrow('out of stock');
    const sync = () => {
      throw new Error('at once');
    };
    expect(() => monitored(sync, watcher)()).toThrow('at once');
    expect(count()).toBe(2);
  });

  test('ends an invocation when the callback is called, once', () => {
    const results: unknown[] = [];
    const handler = (_event: object, _context: object, callback: (...result: unknown[]) => void) => {
      expect(count()).toBe(0);
      callback(null, 'done');
      callback(null, 'again');
    };
    monitored(handler, watcher)({}, context, (...result) => results.push(result));
    expect(results).toEqual([
      [null, 'done'],
      [null, 'again'],
    ]);
    expect(count()).toBe(1);
  });

  test('keeps what marks a handler that streams its response, and finds its context', async () => {
    const mark = Symbol.for('aws.lambda.runtime.handler.streaming');
    let asked = 0;
    const streaming = Object.assign(async (_event: object, _stream: object, _context: object) => {}, {
      [mark]: 'response',
    });
    const handler = monitored(streaming, watcher);
    expect(handler[mark]).toBe('response');
    const counting = { getRemainingTimeInMillis: () => ++asked };
    await handler({}, {}, counting);
    expect(asked).toBeGreaterThan(0);
  });

  test('keeps this', async () => {
    const shop = {
      name: 'shop',
      handler: monitored(
        async function (this: { name: string }) {
          return this.name;
        },
        { sink: false },
      ),
    };
    expect(await shop.handler()).toBe('shop');
  });
});

describe('the middleware', () => {
  const invoke = (handler: ReturnType<typeof middy>) => handler({}, context as never);

  test('takes a sample when the handler has answered', async () => {
    expect(
      await invoke(
        middy()
          .use(monitor(watcher))
          .handler(async () => 'done'),
      ),
    ).toBe('done');
    expect(count()).toBe(1);
  });

  test('takes one when it fails, and leaves the error to others', async () => {
    await expect(invoke(middy().use(monitor(watcher)).handler(failing))).rejects.toThrow('out of stock');
    expect(count()).toBe(1);
  });

  test('begins before the others, and ends after them', async () => {
    const order: string[] = [];
    const begin = watcher.begin.bind(watcher);
    const end = watcher.end.bind(watcher);
    watcher.begin = (...given) => {
      order.push('begin');
      return begin(...given);
    };
    watcher.end = (...given) => {
      order.push('end');
      end(...given);
    };
    const other = { before: () => void order.push('before'), after: () => void order.push('after') };
    await invoke(
      middy()
        .use(monitor(watcher))
        .use(other)
        .handler(async () => void order.push('handler')),
    );
    expect(order).toEqual(['begin', 'before', 'handler', 'after', 'end']);
  });

  test('twice in a handler measures twice, without getting in its own way', async () => {
    const second = createMonitor({ sampleEvery: 1, floorEvery: false });
    await invoke(
      middy()
        .use(monitor(watcher))
        .use(monitor(second))
        .handler(async () => 'done'),
    );
    expect([count(), second.series().samples.length]).toEqual([1, 1]);
  });

  test('refuses options that there are not', () => {
    expect(() => monitor({ every: 1 } as never)).toThrow(expect.objectContaining({ code: 'option-invalid' }));
    expect(() => monitored(failing, { every: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'option-invalid' }),
    );
  });
});

test('handlers may share a monitor', async () => {
  const handlers = [monitored(async () => 1, watcher), monitored(async () => 2, watcher)];
  expect(await Promise.all(handlers.map((handler) => handler()))).toEqual([1, 2]);
  expect(watcher.series().samples.at(-1)?.invocation).toBe(2);
});
