import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FleetOptions } from '../../../../lib/resources/fleet.ts';
import { reasons } from '../../../../lib/resources/leak/verdict.ts';
import { judgeLeak, LeakOptions, LeakVerdict } from '../../../../lib/resources/leak.ts';
import { noise } from '../../noise.ts';
import { environment, sample, series } from './leak-series.ts';

const kilobyte = 1_024;
const megabyte = 2 ** 20;

describe('a leak in the heap', () => {
  test.each([0.25, 0.5, 1, 2, 5, 20])('of %d KB an invocation is found within 1,000 invocations', (size) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { verdict, heap } = judgeLeak(series({ heap: (x) => size * kilobyte * x, seed }));
      expect({ seed, verdict, reason: heap.reason }).toEqual({ seed, verdict: 'leak', reason: 'steady' });
      expect(Math.abs(heap.perInvocation / (size * kilobyte) - 1)).toBeLessThan(0.25);
      expect(heap).toMatchObject({ floors: 'forced', n: 9, from: 200, to: 1_000 });
    }
  });

  test('is told in numbers', () => {
    const { heap } = judgeLeak(series({ heap: (x) => kilobyte * x }));
    expect(heap.interval[0]).toBeLessThan(heap.perInvocation);
    expect(heap.interval[1]).toBeGreaterThan(heap.perInvocation);
    expect(heap.p).toBeLessThan(0.001);
    expect(heap.pStopped).toBeLessThan(0.1);
    expect(heap.late / heap.early).toBeCloseTo(1, 0);
    expect(heap.pWandering).toBeLessThan(0.01);
    expect(heap.grown / kilobyte).toBeCloseTo(800, -2);
  });

  test('is found by a chunk in some of the invocations', () => {
    const chunks = (x: number) => 7 * kilobyte * Math.floor(x / 7);
    expect(judgeLeak(series({ heap: chunks })).verdict).toBe('leak');
  });

  test.each([
    [2, 0.98],
    [4, 0.97],
    [10, 0.94],
  ])('and in descriptors, in one of %d invocations by chance, is found in %d of the cases', (oneIn, least) => {
    const runs = 300;
    let found = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const random = noise(seed);
      let count = 0;
      const counts = Array.from({ length: 1_001 }, (_, x) => (x > 0 && random() * oneIn < 1 ? ++count : count));
      const at = (x: number) => counts[x] ?? 0;
      const leaking = series({
        heap: (x) => oneIn * kilobyte * at(x),
        samples: (x) => ({ descriptors: 20 + at(x) }),
        seed,
      });
      if (judgeLeak(leaking).verdict === 'leak') found++;
    }
    expect(found / runs).toBeGreaterThanOrEqual(least);
  });

  test('of pieces that came more often at first, as they may by chance, is found', () => {
    const random = noise(46);
    let count = 0;
    const counts = Array.from({ length: 1_001 }, (_, x) => (x > 0 && random() * 8 < 1 ? ++count : count));
    const { heap } = judgeLeak(series({ heap: (x) => 8 * kilobyte * (counts[x] ?? 0), seed: 46 }));
    expect(heap.pSlower).toBeLessThan(0.01);
    expect(heap).toMatchObject({ verdict: 'leak', reason: 'steady' });
  });

  test('is found in a restless heap when there are many floors', () => {
    const leaking = series({ heap: (x) => 0.25 * kilobyte * x, invocations: 6_000, noise: 60_000 });
    expect(judgeLeak(leaking).heap).toMatchObject({ verdict: 'leak', reason: 'steady' });
  });

  test('that began after a while is found when it has gone on for long enough', () => {
    const heap = (x: number) => 5 * kilobyte * Math.max(0, x - 1_500);
    expect(judgeLeak(series({ heap, invocations: 1_500 })).verdict).toBe('healthy');
    expect(judgeLeak(series({ heap, invocations: 3_000 })).verdict).toBe('leak');
  });

  test('is no leak yet when there are too few floors', () => {
    const early = judgeLeak(series({ heap: (x) => 20 * kilobyte * x, invocations: 900 }));
    expect(early.heap).toMatchObject({ verdict: 'insufficient-data', reason: 'too-few', n: 8 });
    expect(judgeLeak(series({ heap: (x) => 20 * kilobyte * x, invocations: 900 }), { minFloors: 8 }).verdict).toBe(
      'leak',
    );
  });

  test('is no leak below what counts', () => {
    const tiny = series({ heap: (x) => 60 * x, noise: 100 });
    expect(judgeLeak(tiny).heap).toMatchObject({ verdict: 'healthy', reason: 'flat' });
    expect(judgeLeak(tiny, { minBytesPerInvocation: 20 }).heap.verdict).toBe('leak');
  });
});

describe('no leak', () => {
  const filling = (timeConstant: number) => (x: number) => 4 * megabyte * (1 - Math.exp(-x / timeConstant));
  const shapes: [string, (x: number) => number][] = [
    ['nothing', () => 0],
    ['a cache that fills in 100 invocations', filling(100)],
    ['a cache that fills in 400 invocations', filling(400)],
    ['a cache that takes as long as the run', filling(1_000)],
    ['a cache that takes longer than the run', filling(1_500)],
    ['a cache of new keys that is full half-way', (x) => 4 * kilobyte * Math.min(x, 500)],
    ['a cache of new keys that has just become full', (x) => 4 * kilobyte * Math.min(x, 850)],
    ['a step', (x) => (x > 550 ? 8 * megabyte : 0)],
    ['a small step', (x) => (x > 550 ? megabyte / 2 : 0)],
    ['a step at the end', (x) => (x > 950 ? 8 * megabyte : 0)],
    ['two steps', (x) => (x > 350 ? megabyte : 0) + (x > 750 ? megabyte : 0)],
    ['bursts', (x) => (x % 400 === 0 ? 3 * megabyte : 0)],
    ['a day after the other', (x) => 2 * megabyte * Math.sin(x / 60)],
    ['two kinds of work', (x) => (Math.floor(x / 150) % 2) * 4 * megabyte],
    ['batches', (x) => (x % 170) * 20 * kilobyte],
    ['memory that is given back', (x) => -2 * kilobyte * x],
  ];

  test.each(shapes)('is %s', (_, heap) => {
    for (let seed = 1; seed <= 20; seed++) {
      expect({ seed, verdict: judgeLeak(series({ heap, seed })).verdict }).not.toMatchObject({ verdict: 'leak' });
    }
  });

  test.each(shapes)('is %s, and in the end that is certain', (name, heap) => {
    const verdict = judgeLeak(series({ heap, invocations: 20_000 })).heap;
    expect({ name, verdict: verdict.verdict }).toEqual({ name, verdict: 'healthy' });
  });

  test('is a random walk, but for 1 in 100', () => {
    let leaks = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const steps = series({ seed, noise: 100 * kilobyte }).samples.map(({ floor }) => floor?.heapBytes ?? 0);
      const walk = (x: number) =>
        steps.slice(0, x / 10).reduce((sum, step) => sum + (step === 0 ? 0 : step - 20 * megabyte), 0);
      if (judgeLeak(series({ heap: walk, noise: 0 })).verdict === 'leak') leaks++;
    }
    expect(leaks).toBeLessThanOrEqual(4);
  });

  test('is a cache that fills where the heap is restless, but for 1 in 10', () => {
    const heap = (x: number) => 2 * megabyte * (1 - Math.exp(-x / 600));
    const leaks = Array.from({ length: 100 }, (_, seed) => judgeLeak(series({ heap, seed, noise: 60_000 })).verdict);
    expect(leaks.filter((verdict) => verdict === 'leak').length).toBeLessThanOrEqual(10);
  });

  test('is compiled code, which is in the heap', () => {
    const code = (x: number) => megabyte * (1 + 2 * Math.min(1, x / 5_000));
    const compiling = series({
      heap: (x) => code(x) - megabyte,
      samples: (x) => ({ spaces: { code_space: code(x), old_space: 30 * megabyte } }),
    });
    expect(judgeLeak(compiling).heap).toMatchObject({ verdict: 'healthy', reason: 'flat' });
    const unknown = compiling.samples.map((one) => ({ ...one, spaces: {} }));
    expect(judgeLeak({ ...compiling, samples: unknown }).heap.verdict).not.toBe('healthy');
  });

  describe('is what V8 keeps for code that it compiles throughout', () => {
    const spaces = (codePerInvocation: number) => (x: number) => ({
      spaces: { code_space: megabyte, trusted_space: megabyte + codePerInvocation * x },
    });
    // What is compiled is in the heap, too.
    const compiling = (bytes: number, code: number) =>
      series({ heap: (x) => (bytes + code) * x, samples: spaces(code) });

    test.each([
      [1_000, 2_200, 'suspect', 'compiling'],
      [1_000, 1_200, 'suspect', 'compiling'],
      [1_000, 700, 'leak', 'steady'],
      [300, 200, 'leak', 'steady'],
    ])('%d bytes beside %d bytes of code: %s', (bytes, code, verdict, reason) => {
      const { heap } = judgeLeak(compiling(bytes, code));
      expect(heap).toMatchObject({ verdict, reason });
      expect(heap.codePerInvocation).toBeCloseTo(code, 6);
    });

    test('and code that is compiled while the environment warms up says nothing', () => {
      const early = (x: number) => 3_000 * Math.min(x, 150);
      const leaking = series({
        heap: (x) => kilobyte * x + early(x),
        samples: (x) => ({ spaces: { trusted_space: early(x) } }),
      });
      expect(judgeLeak(leaking).heap).toMatchObject({ verdict: 'leak', codePerInvocation: 0 });
    });
  });

  test('code that is about to be dropped hides no leak', () => {
    const spike = (x: number) => ({
      spaces: { code_space: megabyte, trusted_space: x === 300 || x === 1_000 ? 1.3 * megabyte : megabyte },
    });
    expect(judgeLeak(series({ heap: (x) => 0.5 * kilobyte * x, samples: spike })).verdict).toBe('leak');
  });
});

describe('what is said of growth that is none yet', () => {
  test.each<[string, (x: number) => number, string]>([
    ['a cache that fills', (x) => 8 * megabyte * (1 - Math.exp(-x / 600)), 'slowing-down'],
    ['a pool that has just become full', (x) => 4 * kilobyte * Math.min(x, 900), 'slowing-down'],
    ['steps', (x) => megabyte * [450, 750, 950].filter((at) => x >= at).length, 'uneven'],
  ])('%s: suspect', (_, heap, reason) => {
    expect(judgeLeak(series({ heap })).heap).toMatchObject({ verdict: 'suspect', reason });
  });

  test('a cache that is full: healthy, for it has levelled off', () => {
    const full = series({ heap: (x) => 4 * kilobyte * Math.min(x, 1_000), invocations: 2_000 });
    expect(judgeLeak(full).heap).toMatchObject({ verdict: 'healthy', reason: 'levelled-off' });
  });

  test('what goes up and down by far more than a leak: unclear', () => {
    const restless = series({ noise: 3 * megabyte });
    expect(judgeLeak(restless).heap).toMatchObject({ verdict: 'insufficient-data', reason: 'unclear' });
  });

  test('a cache of new keys looks like a leak, unless it is known what caches may take', () => {
    const filling = series({ heap: (x) => 4 * kilobyte * x });
    expect(judgeLeak(filling).heap.verdict).toBe('leak');
    expect(judgeLeak(filling, { cacheBytes: 8 * megabyte }).heap).toMatchObject({
      verdict: 'suspect',
      reason: 'within-bounds',
    });
    // It has 3.1 MB more than after the warm-up, and 3.9 MB more than at the start.
    expect(judgeLeak(filling, { cacheBytes: 3.5 * megabyte }).heap.verdict).toBe('leak');
  });
});

describe('without forced floors', () => {
  const natural = (heap: (x: number) => number, every = 50) =>
    series({
      floorEvery: Number.POSITIVE_INFINITY,
      invocations: 3_000,
      samples: (x) => ({
        heapUsedBytes: 40 * megabyte + heap(x),
        spaces: { old_space: 20 * megabyte + heap(x) },
        collections: {
          ...sample(x).collections,
          major: { count: x % every === 0 ? 1 : 0, totalMs: 0, longestMs: 0 },
        },
      }),
    });

  test('a leak is a suspicion', () => {
    expect(judgeLeak(natural((x) => 5 * kilobyte * x))).toMatchObject({
      verdict: 'suspect',
      heap: { verdict: 'suspect', reason: 'without-floors', floors: 'natural' },
    });
  });

  test('the used heap says nothing where V8 has not collected', () => {
    expect(judgeLeak(natural((x) => 5 * kilobyte * x, 1e9))).toMatchObject({
      verdict: 'insufficient-data',
      heap: { verdict: 'insufficient-data', reason: 'too-few', floors: 'natural' },
    });
  });

  test('memory at rest is healthy as far as one can see, and what is outside of the heap is not seen', () => {
    const { heap, external } = judgeLeak(natural(() => 0));
    expect(heap).toMatchObject({ verdict: 'healthy', reason: 'flat', floors: 'natural' });
    expect(external.verdict).toBe('insufficient-data');
  });
});

describe('memory outside of the heap', () => {
  test('is judged by itself', () => {
    const { verdict, heap, external } = judgeLeak(series({ external: (x) => kilobyte * x }));
    expect(verdict).toBe('leak');
    expect(heap.verdict).toBe('healthy');
    expect(external).toMatchObject({ verdict: 'leak', perInvocation: kilobyte });
  });
});

describe('handles', () => {
  const holding = (type: string, count: (x: number) => number, invocations = 1_000) =>
    series({
      invocations,
      samples: (x) => ({ resources: { PipeWrap: 2, ...(count(x) > 0 ? { [type]: count(x) } : {}) } }),
    });

  test.each<[string, (x: number) => number]>([
    ['in every invocation', (x) => x],
    ['in one of five', (x) => Math.floor(x / 5)],
    ['in one of fifteen', (x) => Math.floor(x / 15)],
  ])('that stay open %s are a leak, by their type', (_, count) => {
    const { verdict, handles, heap } = judgeLeak(holding('Timeout', count));
    expect(verdict).toBe('leak');
    expect(handles.Timeout).toMatchObject({ verdict: 'leak', reason: 'steady' });
    expect(handles.Timeout?.perInvocation).toBeCloseTo(count(3_000) / 3_000, 3);
    expect(handles.PipeWrap).toMatchObject({ verdict: 'healthy', perInvocation: 0 });
    expect(heap.verdict).toBe('healthy');
  });

  test('of a pool that slows down as it fills are none, though there are more than pools have', () => {
    const filling = holding('TCPSocketWrap', (x) => Math.round(200 * (1 - Math.exp(-x / 600))));
    expect(judgeLeak(filling).handles.TCPSocketWrap).toMatchObject({ verdict: 'suspect', reason: 'slowing-down' });
    const slowly = holding('TCPSocketWrap', (x) => Math.round(2_000 * (1 - Math.exp(-x / 1_200))));
    expect(judgeLeak(slowly).handles.TCPSocketWrap).toMatchObject({ verdict: 'suspect', reason: 'slowing-down' });
    expect(judgeLeak(slowly).handles.TCPSocketWrap?.pStopped).toBeLessThan(0.1);
  });

  test.each<[string, (x: number) => number]>([
    ['as a few do', () => 3],
    ['as those of a pool that is full', (x) => Math.min(20, Math.floor(x / 10))],
    ['as those of a pool that fills', (x) => Math.min(49, Math.floor(x / 25))],
    ['now and then', (x) => (x % 70 === 0 ? 5 : 0)],
  ])('that are open %s are none', (_, count) => {
    expect(judgeLeak(holding('TCPSocketWrap', count)).handles.TCPSocketWrap?.verdict).not.toBe('leak');
  });

  test('may be as many as pools have', () => {
    const forty = holding('TCPSocketWrap', (x) => Math.floor(x / 25));
    expect(judgeLeak(forty).handles.TCPSocketWrap).toMatchObject({ verdict: 'suspect', reason: 'within-bounds' });
    expect(judgeLeak(forty, { poolHandles: 10 }).handles.TCPSocketWrap?.verdict).toBe('leak');
  });
});

describe('file descriptors', () => {
  test('that stay open are a leak', () => {
    const { verdict, descriptors } = judgeLeak(series({ samples: (x) => ({ descriptors: 20 + x / 10 }) }));
    expect([verdict, descriptors?.verdict]).toEqual(['leak', 'leak']);
    expect(descriptors?.perInvocation).toBeCloseTo(0.1, 6);
  });

  test('that the system does not tell of are not judged', () => {
    expect(judgeLeak(series({ samples: () => ({ descriptors: null }) })).descriptors).toBeNull();
  });
});

describe('work left running', () => {
  const leaving = (type: string, isLeft: (x: number) => boolean, invocations = 1_000) =>
    series({ invocations, samples: (x) => ({ leftRunning: isLeft(x) ? { [type]: 1 } : {} }) });

  test('by most invocations is an execution leak', () => {
    const { verdict, leftRunning } = judgeLeak(leaving('Timeout', () => true));
    expect(verdict).toBe('leak');
    expect(leftRunning.Timeout).toMatchObject({ verdict: 'leak', share: 1, n: 85 });
  });

  test('by a fifth of them is suspect, and by one of them nothing', () => {
    expect(judgeLeak(leaving('Timeout', (x) => x % 50 === 0)).leftRunning.Timeout?.verdict).toBe('suspect');
    expect(judgeLeak(leaving('Timeout', (x) => x === 500)).leftRunning.Timeout?.verdict).toBe('healthy');
  });

  test.each(['TCPSocketWrap', 'ConnectWrap', 'TLSWrap', 'PipeWrap'])(
    'that is a connection is suspect at most: %s',
    (type) => {
      expect(judgeLeak(leaving(type, () => true)).leftRunning[type]?.verdict).toBe('suspect');
    },
  );

  test('is none when it stays open: a pool that fills is not, in whatever rhythm it is looked at', () => {
    const pool = (x: number) => Math.floor(Math.min(x, 800) / 5);
    const filling = series({
      samples: (x) => ({ resources: { Timeout: pool(x) }, leftRunning: { Timeout: pool(x) - pool(x - 1) } }),
    });
    const { verdict, leftRunning } = judgeLeak(filling);
    expect(verdict).not.toBe('leak');
    expect(leftRunning.Timeout).toMatchObject({ verdict: 'healthy', kept: 128 });
    expect(leftRunning.Timeout?.share).toBeGreaterThan(0.7);
  });

  test('of other invocations is no handle: a server that is never at rest, and is asked more and more', () => {
    const asked = (resting: (x: number) => boolean) =>
      series({
        samples: (x) => ({
          resources: { TCPSocketWrap: resting(x) ? 1 : x / 10, Timeout: x / 10 },
          ...(resting(x) ? {} : { underWay: x / 10 }),
        }),
        invocations: 2_000,
      });
    expect(judgeLeak(asked(() => false)).handles).toEqual({});
    const { handles } = judgeLeak(asked((x) => x % 50 === 0));
    expect(handles.TCPSocketWrap?.verdict).toBe('healthy');
    // What is there when nobody asks is.
    expect(handles.Timeout).toMatchObject({ verdict: 'leak', n: 34 });
  });

  test('goes on beside handles that leak', () => {
    const both = series({ samples: (x) => ({ resources: { Timeout: x / 50 }, leftRunning: { Timeout: 1 } }) });
    expect(judgeLeak(both).leftRunning.Timeout).toMatchObject({ verdict: 'leak', share: 1 });
  });

  test('is looked for where no other invocation is under way', () => {
    const busy = series({
      samples: (x) =>
        x % 50 === 0 ? { leftRunning: { Timeout: 1 } } : { underWay: 3, resources: { TCPSocketWrap: 3 } },
      invocations: 2_000,
    });
    expect(judgeLeak(busy).leftRunning.Timeout).toMatchObject({ verdict: 'leak', share: 1, n: 34 });
  });

  test('while the environment warms up does not count', () => {
    expect(judgeLeak(leaving('TCPSocketWrap', (x) => x <= 100)).leftRunning).toEqual({});
  });

  test('needs some samples', () => {
    const short = leaving('Timeout', () => true, 250);
    expect(judgeLeak(short).leftRunning.Timeout).toMatchObject({ verdict: 'insufficient-data', n: 15 });
  });
});

describe('the end of memory', () => {
  const limits = { heapLimitBytes: 180 * megabyte, heapUsedBytes: 80 * megabyte, rssBytes: 130 * megabyte };

  test('comes when the heap is full', () => {
    const { outOfMemory } = judgeLeak(series({ heap: (x) => kilobyte * x, noise: 100, samples: () => limits }));
    expect(outOfMemory).toMatchObject({ limit: 'heap', limitBytes: 180 * megabyte, freeBytes: 100 * megabyte });
    expect(outOfMemory?.invocations).toBeGreaterThan(101_000);
    expect(outOfMemory?.invocations).toBeLessThan(104_000);
    expect(outOfMemory?.interval[0]).toBeLessThanOrEqual(outOfMemory?.invocations ?? 0);
    expect(outOfMemory?.interval[1]).toBeGreaterThanOrEqual(outOfMemory?.invocations ?? 0);
  });

  test('comes when the function has no more memory, if that is sooner', () => {
    const small = series({
      heap: (x) => kilobyte * x,
      external: (x) => kilobyte * x,
      samples: () => ({ ...limits, heapUsedBytes: 20 * megabyte }),
    });
    const { outOfMemory } = judgeLeak(small);
    expect(outOfMemory).toMatchObject({ limit: 'memory', limitBytes: 256 * megabyte, freeBytes: 126 * megabyte });
    expect((outOfMemory?.invocations ?? 0) / (63 * kilobyte)).toBeCloseTo(1, 1);
  });

  test('is not reached by buffers in the heap', () => {
    const buffers = series({ external: (x) => kilobyte * x, samples: () => limits });
    expect(judgeLeak(buffers).outOfMemory?.limit).toBe('memory');
    expect(judgeLeak({ ...buffers, environment: environment({ memoryLimitBytes: null }) }).outOfMemory).toBeNull();
  });

  test('counts from the highest use of the latest samples', () => {
    const peak = (x: number) => ({ ...limits, heapUsedBytes: (x === 940 ? 100 : x === 890 ? 150 : 80) * megabyte });
    const { outOfMemory } = judgeLeak(series({ heap: (x) => kilobyte * x, samples: peak }));
    expect(outOfMemory).toMatchObject({ limit: 'heap', freeBytes: 80 * megabyte });
  });

  test('is nowhere near where nothing grows', () => {
    expect(judgeLeak(series()).outOfMemory).toBeNull();
  });

  test('is now when the limit is passed already', () => {
    const over = series({ heap: (x) => kilobyte * x, samples: () => ({ rssBytes: 300 * megabyte }) });
    expect(judgeLeak(over).outOfMemory).toMatchObject({ freeBytes: 0, invocations: 0 });
  });
});

describe('whatever the series', () => {
  test('none is too short', () => {
    for (const samples of [[], [sample(1)], [sample(1), sample(2)]]) {
      expect(judgeLeak({ environment: environment(), samples })).toMatchObject({
        verdict: 'insufficient-data',
        outOfMemory: null,
      });
    }
  });

  test('its order, and samples that come twice, do not matter', () => {
    const leaking = series({ heap: (x) => kilobyte * x, samples: (x) => ({ resources: { Timeout: x } }) });
    const shuffled = { ...leaking, samples: [...leaking.samples.toReversed(), ...leaking.samples.slice(20, 50)] };
    expect(judgeLeak(shuffled)).toEqual(judgeLeak(leaking));
  });

  test('the latest samples and the earlier floors are enough', () => {
    const { environment: where, samples } = series({ heap: (x) => kilobyte * x, invocations: 5_000 });
    const ring = samples.filter(({ invocation, floor }) => floor || invocation > 4_400);
    expect(judgeLeak({ environment: where, samples: ring }).verdict).toBe('leak');
    const late = ring.filter(({ invocation }) => invocation > 3_500);
    expect(judgeLeak({ environment: where, samples: late }).heap).toMatchObject({ verdict: 'leak', from: 3_600 });
  });

  test('an option that is not known is refused', () => {
    expect(() => judgeLeak(series(), { minBytes: 1 } as object)).toThrow(/minBytes/);
  });

  test('there is a verdict that can be written as JSON, and its evidence fits the schema', () => {
    const floors = fc.option(
      fc.record({
        heapBytes: fc.integer({ min: 0, max: 1e9 }),
        externalBytes: fc.integer({ min: 0, max: 1e9 }),
        collectMs: fc.constant(1),
      }),
      { nil: null },
    );
    const samples = fc.array(
      fc
        .record({
          invocation: fc.integer({ min: 1, max: 2_000 }),
          floor: floors,
          heapUsedBytes: fc.integer({ min: 0, max: 1e9 }),
          resources: fc.dictionary(fc.constantFrom('Timeout', 'TCPSocketWrap', 'constructor'), fc.nat(50)),
          leftRunning: fc.dictionary(fc.constantFrom('Timeout', 'FSReqCallback'), fc.nat(3)),
          descriptors: fc.option(fc.nat(100), { nil: null }),
          spaces: fc.dictionary(fc.constantFrom('code_space', 'old_space'), fc.nat(1e8)),
        })
        .map((overrides) => sample(overrides.invocation, overrides)),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(samples, (some) => {
        const verdict = judgeLeak({ environment: environment(), samples: some });
        expect(LeakVerdict.parse(JSON.parse(JSON.stringify(verdict)))).toEqual(verdict);
      }),
    );
  });

  test('more of the same leak is never better', () => {
    const order = ['healthy', 'insufficient-data', 'suspect', 'leak'];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 2, max: 64 }), (seed, size) => {
        const [less, more] = [size / 8, size].map(
          (kb) => judgeLeak(series({ heap: (x) => kb * kilobyte * x, seed })).heap.verdict,
        );
        expect(order.indexOf(more ?? '')).toBeGreaterThanOrEqual(order.indexOf(less ?? ''));
      }),
      { numRuns: 50 },
    );
  });
});

describe('docs/guides/leaks.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/guides/leaks.md'), 'utf8');

  test('lists every option with its default', () => {
    const table = page.split('### Options')[1]?.split('## What it cannot tell')[0] ?? '';
    const listed = Object.fromEntries(
      [...table.matchAll(/^\| (`.*?`) \| (.*?) \|/gm)].flatMap(([, names = '', defaults = '']) => {
        const values = [...defaults.matchAll(/`([\d.]+)`/g)].map(([, value]) => Number(value));
        return [...names.matchAll(/`(\w+)`/g)].map(([, name = ''], place) => [name, values[place]]);
      }),
    );
    expect(listed).toEqual({ ...FleetOptions.parse({}), ...LeakOptions.parse({}) });
  });

  test('explains every reason', () => {
    for (const reason of reasons) expect(page).toContain(`\`${reason}\``);
  });
});
