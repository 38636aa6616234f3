import middy from '@middy/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { createMonitor, monitor } from '../../../../../lib/resources/monitor.ts';
import type { Series } from '../../../../../lib/resources/sample.ts';
import { SampleKeeper } from '../../../../../lib/resources/store/keeper.ts';
import type { SampleStore } from '../../../../../lib/resources/store.ts';
import { environment, sample } from '../leak-series.ts';

let appended: Series[];
let now: number;
let store: Pick<SampleStore, 'append'>;

beforeEach(() => {
  appended = [];
  now = 0;
  store = { append: async (series) => void appended.push(series) };
});

const here = environment();
const invocations = () => appended.map(({ samples }) => samples.map(({ invocation }) => invocation));

describe('a keeper', () => {
  test('brings all that has come since, when it is time to', async () => {
    const keeper = new SampleKeeper(store, { everyMs: 100, now: () => now });
    keeper.sink(sample(1), here);
    await keeper.flush();
    keeper.sink(sample(2), here);
    keeper.sink(sample(3), here);
    await keeper.flush();
    expect(invocations()).toEqual([[1]]);
    now = 100;
    await keeper.flush();
    await keeper.flush();
    expect(invocations()).toEqual([[1], [2, 3]]);
    expect(appended[0]?.environment).toEqual(here);
  });

  test('asks for nothing when there is nothing', async () => {
    await new SampleKeeper(store).flush();
    expect(appended).toEqual([]);
  });

  test('tries again what failed, later, and harms nobody', async () => {
    let isDown = true;
    const keeper = new SampleKeeper(
      {
        append: async (series) => {
          if (isDown) throw new Error('no connection');
          appended.push(series);
        },
      },
      { everyMs: 100, mostWaiting: 3, now: () => now },
    );
    for (const invocation of [1, 2, 3, 4]) keeper.sink(sample(invocation), here);
    await keeper.flush();
    isDown = false;
    await keeper.flush();
    expect(appended).toEqual([]);
    now = 100;
    await keeper.flush();
    expect(invocations()).toEqual([[2, 3, 4]]);
  });

  test('loses nothing of what comes while it brings', async () => {
    let answer = () => {};
    const keeper = new SampleKeeper(
      {
        append: (series) => {
          appended.push(series);
          return new Promise((done) => (answer = done));
        },
      },
      { everyMs: 0, now: () => now },
    );
    keeper.sink(sample(1), here);
    const first = keeper.flush();
    keeper.sink(sample(2), here);
    const second = keeper.flush();
    answer();
    await Promise.all([first, second]);
    const third = keeper.flush();
    answer();
    await third;
    expect(invocations()).toEqual([[1], [2]]);
  });
});

test('as a middleware around the monitor it brings the sample of the same invocation', async () => {
  const keeper = new SampleKeeper(store, { everyMs: 0 });
  const watcher = createMonitor({ sampleEvery: 1, floorEvery: false, sink: keeper.sink });
  const handler = middy()
    .use(keeper.middleware())
    .use(monitor(watcher))
    .handler(async () => 'done');
  expect(await handler({}, {} as never)).toBe('done');
  expect(invocations()).toEqual([[1]]);
  const failing = middy()
    .use(keeper.middleware())
    .use(monitor(watcher))
    .handler(async () => {
      throw new Error('out of stock');
    });
  await expect(failing({}, {} as never)).rejects.toThrow('out of stock');
  expect(invocations()).toEqual([[1], [2]]);
});
