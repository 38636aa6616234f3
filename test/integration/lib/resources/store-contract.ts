import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment, Sample, Series } from '../../../../lib/resources/sample.ts';
import type { SampleStore, StoreLimits } from '../../../../lib/resources/store.ts';
import { environment, sample } from '../../../unit/lib/resources/leak-series.ts';

/** What a store of samples is tested with. */
export interface Subject {
  /** An empty store. */
  open(limits?: StoreLimits): Promise<SampleStore> | SampleStore;
  close?(): Promise<void>;
}

/** So many minutes after the beginning. */
const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 0, minutes));
const floor = { heapBytes: 600, externalBytes: 200, collectMs: 12 };

const series = (of: Partial<Environment>, invocations: readonly number[], overrides: Partial<Sample> = {}): Series => ({
  environment: environment(of),
  samples: invocations.map((invocation) => sample(invocation, { at: at(invocation).toISOString(), ...overrides })),
});

const summary = (found: readonly Series[]) =>
  found.map(({ environment: { id }, samples }) => [id, samples.map(({ invocation }) => invocation)]);

/** What every store of samples does. */
export function storeContract(name: string, { open, close = async () => {} }: Subject): void {
  describe(`samples in ${name}`, () => {
    let store: SampleStore;

    beforeEach(async () => {
      store = await open();
    });
    afterEach(close);

    test('are none before there are any', async () => {
      expect(await store.read()).toEqual([]);
      await store.append(series({}, []));
      expect(await store.read()).toEqual([]);
    });

    test('are given back as they were', async () => {
      const given = series({ id: 'a "quoted" id', memoryLimitBytes: null, initMs: null }, [10, 20], {
        resources: { Timeout: 2 },
        spaces: { old_space: 1.5e9 },
        floor,
        descriptors: null,
      });
      await store.append(given);
      expect(await store.read()).toEqual([given]);
    });

    test('come together, those of an environment by their invocations, the environments by their beginnings', async () => {
      await store.append(series({ id: 'b', startedAt: at(5).toISOString() }, [10, 20]));
      await store.append(series({ id: 'a', startedAt: at(1).toISOString() }, [30]));
      await store.append(series({ id: 'b', startedAt: at(5).toISOString() }, [40, 30]));
      expect(summary(await store.read())).toEqual([
        ['a', [30]],
        ['b', [10, 20, 30, 40]],
      ]);
    });

    test('are kept once, as they came first', async () => {
      await store.append(series({}, [10], { cpuMs: 1 }));
      await store.append(series({}, [10, 20], { cpuMs: 2 }));
      const [found] = await store.read();
      expect(found?.samples.map(({ invocation, cpuMs }) => [invocation, cpuMs])).toEqual([
        [10, 1],
        [20, 2],
      ]);
    });

    test('have the environment as it was told last', async () => {
      await store.append(series({ initMs: null }, [10]));
      await store.append(series({ initMs: 300 }, [20]));
      expect((await store.read())[0]?.environment.initMs).toBe(300);
    });

    test('are chosen by function, stage, version and environment', async () => {
      await store.append(series({ id: 'a', function: 'cart' }, [1]));
      await store.append(series({ id: 'b', stage: 'dev' }, [1]));
      await store.append(series({ id: 'c', version: '8' }, [1]));
      await store.append(series({ id: 'd' }, [1]));
      const ids = async (choice: Parameters<SampleStore['read']>[0]) =>
        (await store.read(choice)).map(({ environment: { id } }) => id);
      expect(await ids({ function: 'cart' })).toEqual(['a']);
      expect(await ids({ stage: 'dev' })).toEqual(['b']);
      expect(await ids({ version: '8' })).toEqual(['c']);
      expect(await ids({ environment: 'd' })).toEqual(['d']);
      expect(await ids({ function: 'shop', stage: 'prod', version: '7' })).toEqual(['d']);
      expect(await ids({ function: "'; drop schema streamgate cascade; --" })).toEqual([]);
    });

    test('are chosen by their time, and the newest come first into the limit', async () => {
      await store.append(series({ id: 'a', startedAt: at(1).toISOString() }, [10, 20, 40]));
      await store.append(series({ id: 'b', startedAt: at(2).toISOString() }, [15, 30]));
      expect(summary(await store.read({ since: at(20) }))).toEqual([
        ['a', [20, 40]],
        ['b', [30]],
      ]);
      expect(summary(await store.read({ limit: 3 }))).toEqual([
        ['a', [20, 40]],
        ['b', [30]],
      ]);
      expect(summary(await store.read({ limit: 1, since: at(0) }))).toEqual([['a', [40]]]);
    });

    test('are bounded for an environment, those with a floor apart', async () => {
      store = await open({ samples: 3 });
      await store.append(series({}, [1, 3, 5, 7], { floor }));
      await store.append(series({}, [2, 4, 6, 8, 9, 10]));
      expect(summary(await store.read())).toEqual([['one', [3, 5, 7, 8, 9, 10]]]);
    });

    test('are bounded for a version, and the environments that were heard of last stay', async () => {
      store = await open({ environments: 2 });
      for (const [minute, id] of [...'abac'].entries()) await store.append(series({ id }, [minute + 1]));
      await store.append(series({ id: 'other', version: '8' }, [1]));
      expect((await store.read()).map(({ environment: { id } }) => id).sort()).toEqual(['a', 'c', 'other']);
    });

    test('of environments that were not heard of for long are forgotten', async () => {
      await store.append(series({ id: 'a' }, [10]));
      await store.append(series({ id: 'b' }, [20]));
      await store.append(series({ id: 'b' }, [5]));
      await store.prune(at(11));
      expect(summary(await store.read())).toEqual([['b', [5, 20]]]);
    });
  });
}
