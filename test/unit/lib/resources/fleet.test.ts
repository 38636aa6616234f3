import { describe, expect, test } from 'vitest';
import { FleetVerdict, judgeFleet } from '../../../../lib/resources/fleet.ts';
import type { Environment, Series } from '../../../../lib/resources/sample.ts';
import { type Course, sample, series } from './leak-series.ts';

const kilobyte = 1_024;
const megabyte = 2 ** 20;

/** Environments of a version that take the same course, each with its own noise. */
function fleet(course: Course, several = 8, overrides: Partial<Environment> = {}): Series[] {
  return Array.from({ length: several }, (_, place) =>
    series({
      invocations: 600,
      ...course,
      seed: 100 * (course.seed ?? 1) + place,
      environment: { id: String(place), ...overrides },
    }),
  );
}

const leaking: Course = { heap: (x) => kilobyte * x };

describe('environments that end too early to be judged alone', () => {
  test('leak together', () => {
    const [verdict] = judgeFleet(fleet(leaking));
    expect(verdict).toMatchObject({
      function: 'shop',
      stage: 'prod',
      version: '7',
      verdict: 'leak',
      environments: 8,
      alone: { 'insufficient-data': 8, leak: 0, suspect: 0, healthy: 0 },
      heap: { verdict: 'leak', reason: 'steady', n: 8 },
      before: null,
    });
    expect((verdict?.heap.perInvocation ?? 0) / kilobyte).toBeCloseTo(1, 0);
    expect(verdict?.heap.interval[0]).toBeGreaterThan(0.9 * kilobyte);
    expect(verdict?.heap.p).toBeLessThan(1e-4);
  });

  test('leak buffers together', () => {
    expect(judgeFleet(fleet({ external: (x) => 300 * x }))[0]).toMatchObject({
      verdict: 'leak',
      heap: { verdict: 'healthy' },
      external: { verdict: 'leak' },
    });
  });

  test.each<[string, Course]>([
    ['nothing happens', {}],
    ['a cache fills', { heap: (x) => 4 * megabyte * (1 - Math.exp(-x / 300)) }],
    ['a cache has become full', { heap: (x) => 4 * kilobyte * Math.min(x, 400) }],
    ['there is a step', { heap: (x) => (x > 350 ? 8 * megabyte : 0) }],
    ['load goes up and down', { heap: (x) => megabyte * Math.sin(x / 40) }],
  ])('do not leak when %s', (_, course) => {
    for (let seed = 1; seed <= 10; seed++) expect(judgeFleet(fleet({ ...course, seed }))[0]?.verdict).not.toBe('leak');
  });

  test('do not leak when all of them compile as much as they grow', () => {
    const compiling = (code: number): Course => ({
      heap: (x) => (kilobyte + code) * x,
      samples: (x) => ({ spaces: { trusted_space: code * x } }),
    });
    expect(judgeFleet(fleet(compiling(2_000)))[0]?.heap).toMatchObject({ verdict: 'suspect', reason: 'compiling' });
    expect(judgeFleet(fleet(compiling(500)))[0]?.heap).toMatchObject({ verdict: 'leak', reason: 'steady' });
    const some = [...fleet(compiling(2_000), 3), ...fleet({ ...compiling(500), seed: 2 }, 5)];
    expect(judgeFleet(some)[0]?.heap.verdict).toBe('leak');
  });

  test('say nothing when they are too few, or too short', () => {
    expect(judgeFleet(fleet(leaking, 2))[0]?.verdict).toBe('insufficient-data');
    expect(judgeFleet(fleet({ ...leaking, invocations: 400 }))[0]?.heap).toMatchObject({ reason: 'too-few', n: 0 });
    expect(judgeFleet(fleet(leaking, 2), { minEnvironments: 2 })[0]?.verdict).toBe('leak');
  });

  test('say nothing about the heap when no collection was forced', () => {
    const unsure = fleet({
      ...leaking,
      floorEvery: Number.POSITIVE_INFINITY,
      samples: (x) => ({
        spaces: { old_space: kilobyte * x },
        collections: { ...sample(x).collections, major: { count: 1, totalMs: 0, longestMs: 0 } },
      }),
    });
    expect(judgeFleet(unsure)[0]).toMatchObject({ verdict: 'insufficient-data', heap: { n: 0 } });
  });
});

test('an older environment that has come to rest clears the younger ones that still fill', () => {
  const filling: Course = { heap: (x) => 4 * kilobyte * Math.min(x, 900) };
  const young = fleet(filling);
  const old = fleet({ ...filling, invocations: 2_000, seed: 2 });
  expect(judgeFleet(young)[0]?.verdict).toBe('leak');
  expect(judgeFleet([...young, ...old])[0]?.verdict).not.toBe('leak');
});

describe('many functions', () => {
  test('are judged one by one, and chance finds no leak among them', () => {
    const many = Array.from({ length: 60 }, (_, place) =>
      fleet({ seed: place + 1, noise: 30_000 }, 4, { function: `quiet ${place}` }),
    ).flat();
    const verdicts = judgeFleet([...many, ...fleet(leaking, 4, { function: 'leaky' })]);
    expect(verdicts.filter(({ verdict }) => verdict === 'leak').map(({ function: name }) => name)).toEqual(['leaky']);
  });

  test('make each p larger', () => {
    const alone = judgeFleet(fleet(leaking, 3))[0]?.heap.p ?? 1;
    const others = fleet({}, 3, { function: 'other' });
    expect(judgeFleet([...fleet(leaking, 3), ...others])[0]?.heap.p).toBeGreaterThan(alone);
  });

  test('of the same name in two stages are two', () => {
    const both = [...fleet(leaking), ...fleet({}, 8, { stage: 'dev' })];
    expect(judgeFleet(both).map(({ stage, verdict }) => [stage, verdict])).toEqual([
      ['prod', 'leak'],
      ['dev', 'healthy'],
    ]);
  });
});

describe('beside the version before', () => {
  const before = { version: '7', startedAt: '2026-01-01T00:00:00.000Z' };
  const now = { version: '8', startedAt: '2026-02-01T00:00:00.000Z' };

  test('a deployment that leaks is worse', () => {
    const verdicts = judgeFleet([...fleet({ ...leaking, seed: 2 }, 6, now), ...fleet({}, 6, before)]);
    expect(verdicts.map(({ version }) => version)).toEqual(['7', '8']);
    expect(verdicts[0]?.before).toBeNull();
    expect(verdicts[1]?.before).toMatchObject({
      verdict: 'worse',
      version: '7',
      environments: { before: 6, now: 6 },
    });
    expect((verdicts[1]?.before?.bytesPerInvocation ?? 0) / kilobyte).toBeCloseTo(1, 0);
  });

  test('one that mends a leak is better, and one that changes nothing is the same', () => {
    expect(judgeFleet([...fleet(leaking, 6, before), ...fleet({ seed: 2 }, 6, now)])[1]?.before?.verdict).toBe(
      'better',
    );
    expect(
      judgeFleet([...fleet(leaking, 6, before), ...fleet({ ...leaking, seed: 2 }, 6, now)])[1]?.before?.verdict,
    ).toBe('same');
  });

  test('one that leaks buffers is worse, too', () => {
    const buffers: Course = { external: (x) => kilobyte * x, seed: 2 };
    const [, verdict] = judgeFleet([...fleet({}, 6, before), ...fleet(buffers, 6, now)]);
    expect(verdict?.before?.verdict).toBe('worse');
    expect((verdict?.before?.bytesPerInvocation ?? 0) / kilobyte).toBeCloseTo(1, 0);
  });

  test('one that keeps 50 bytes more is the same, however sure that is', () => {
    const some = (bytes: number, seed: number): Course => ({ heap: (x) => bytes * x, noise: 100, seed });
    const [, verdict] = judgeFleet([...fleet(some(20, 1), 6, before), ...fleet(some(70, 2), 6, now)]);
    expect(verdict?.before).toMatchObject({ verdict: 'same' });
    expect(verdict?.before?.p).toBeLessThan(0.05);
  });

  test('without forced collections there is nothing to compare', () => {
    const natural = (course: Course): Course => ({
      ...course,
      floorEvery: Number.POSITIVE_INFINITY,
      samples: (x) => ({
        spaces: { old_space: (course.heap ?? (() => 0))(x) },
        collections: { ...sample(x).collections, major: { count: 1, totalMs: 0, longestMs: 0 } },
      }),
    });
    const [, verdict] = judgeFleet([...fleet(natural({}), 6, before), ...fleet(natural(leaking), 6, now)]);
    expect(verdict?.before).toMatchObject({ verdict: 'insufficient-data', environments: { before: 0, now: 0 } });
  });

  test('a young version is not worse because its caches fill', () => {
    const cache: Course = { heap: (x) => 4 * megabyte * (1 - Math.exp(-x / 300)) };
    const old = fleet({ ...cache, invocations: 4_000 }, 6, before);
    expect(judgeFleet([...old, ...fleet({ ...cache, seed: 2 }, 6, now)])[1]?.before?.verdict).toBe('same');
  });

  test('two environments tell too little', () => {
    const verdicts = judgeFleet([...fleet({}, 2, before), ...fleet({ ...leaking, seed: 2 }, 6, now)]);
    expect(verdicts[1]?.before).toMatchObject({ verdict: 'insufficient-data', p: 1 });
  });
});

describe('whatever is given', () => {
  test('no series gives no verdict', () => {
    expect(judgeFleet([])).toEqual([]);
  });

  test('series without samples are counted, and say nothing', () => {
    const empty = fleet(leaking, 3).map((one) => ({ ...one, samples: [] }));
    const [verdict] = judgeFleet(empty);
    expect(verdict).toMatchObject({ verdict: 'insufficient-data', environments: 3 });
    expect(FleetVerdict.parse(JSON.parse(JSON.stringify(verdict)))).toEqual(verdict);
  });

  test('the verdict can be written as JSON, and fits the schema', () => {
    for (const verdict of judgeFleet([...fleet(leaking), ...fleet({}, 8, { version: '8' })])) {
      expect(FleetVerdict.parse(JSON.parse(JSON.stringify(verdict)))).toEqual(verdict);
    }
  });

  test('an option that is not known is refused', () => {
    expect(() => judgeFleet([], { environments: 1 } as object)).toThrow(/environments/);
  });
});
