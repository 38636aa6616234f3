import { describe, expect, test } from 'vitest';
import { storeContract } from '../../../../lib/cache/contract.ts';
import { ChaosStore, FakeServer, FakeStore } from './fake-store.ts';

describe('the fake store keeps the contract', () => {
  storeContract({
    test: (name, body) => test.concurrent(name, body),
    async open(options) {
      const server = new FakeServer(options);
      return {
        store: new FakeStore(server),
        another: async () => new FakeStore(server),
        lose: async () => server.lose(),
        close: async () => {},
      };
    },
  });
});

describe('and so does chaos that is quiet', () => {
  storeContract({
    test: (name, body) => test.concurrent(name, body),
    async open(options) {
      const server = new FakeServer(options);
      const another = () => new ChaosStore(new FakeStore(server)).neverThrow();
      return {
        store: another(),
        another: async () => another(),
        lose: async () => server.lose(),
        close: async () => {},
      };
    },
  });
});

test('chaos refuses, hangs, does without answering, and stops', async () => {
  const server = new FakeServer();
  const store = new ChaosStore(new FakeStore(server)).alwaysThrow('read');
  await expect(store.read([], undefined)).rejects.toThrow('chaos');
  await expect(store.size()).resolves.toMatchObject({ entries: 0 });
  expect(() => store.alwaysThrowAtOnce().size()).toThrow('at once');
  const { end } = server;
  let answers = 0;
  const count = () => answers++;
  store
    .alwaysHang()
    .invalidate({ keys: ['a'], tags: [] }, undefined)
    .then(count);
  expect(server.end).toBe(end);
  store
    .alwaysMute()
    .invalidate({ keys: ['a'], tags: [] }, undefined)
    .then(count);
  await Promise.resolve();
  expect(server.end).toBe(end + 1);
  await store.neverThrow().read([], undefined);
  expect(answers).toBe(0);
  expect(store.callsOf('invalidate')).toBe(2);
  expect(store.callsOf()).toBe(6);
});
