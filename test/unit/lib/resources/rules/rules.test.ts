import { describe, expect, test } from 'vitest';
import { resourceRules } from '../../../../../lib/resources/rules/index.ts';
import { bytesPerProcessor, summarize } from '../../../../../lib/resources/summarize.ts';
import { series } from '../leak-series.ts';
import { type Overrides, resources, snapshot } from './snapshot.ts';

const megabyte = 2 ** 20;

/** The same figure in all samples. */
const steady = (value: number) => ({
  current: value,
  min: value,
  max: value,
  mean: value,
  p50: value,
  p95: value,
  p99: value,
});

const of = (course: Parameters<typeof series>[0]) => summarize([series(course)])[0] as Overrides;

const leaking = (bytes: number, overrides: Parameters<typeof series>[0] = {}) =>
  of({ invocations: 2_000, heap: (invocation) => bytes * invocation, ...overrides });

const worse = {
  fleet: {
    before: {
      verdict: 'worse' as const,
      version: '6',
      environments: { before: 5, now: 4 },
      bytesPerInvocation: 3_000,
      p: 0.001,
    },
  },
};

interface Behaviour {
  fires: [what: string, given: Overrides, severity: string, title: string][];
  silent: [what: string, given: Overrides][];
}

const behaviours: Record<string, Behaviour> = {
  'memory/near-limit': {
    fires: [
      [
        '86 % used',
        { memory: { rssBytes: steady(0.86 * 256 * megabyte) } },
        'warning',
        'shop (prod) uses 86 % of its memory',
      ],
      [
        '96 % used',
        { memory: { rssBytes: steady(0.96 * 256 * megabyte) } },
        'critical',
        'shop (prod) uses 96 % of its memory',
      ],
    ],
    silent: [
      ['84 % used', { memory: { rssBytes: steady(0.84 * 256 * megabyte) } }],
      ['no limit is known', { memory: { rssBytes: steady(10_000 * megabyte), limits: { memoryBytes: null } } }],
      ['a single peak', { memory: { rssBytes: { max: 255 * megabyte } } }],
      ['too few samples', { samples: 19, memory: { rssBytes: steady(255 * megabyte) } }],
    ],
  },
  'memory/over-target': {
    fires: [
      ['501 MB', { memory: { rssBytes: steady(501 * megabyte) } }, 'warning', 'shop (prod) takes 501 MB of memory'],
    ],
    silent: [['500 MB', { memory: { rssBytes: steady(500 * megabyte) } }]],
  },
  'memory/leak': {
    fires: [
      ['20 kB an invocation', leaking(20_000), 'critical', 'shop (prod) leaks 20 kB of heap an invocation'],
      [
        '1 kB an invocation, far from the limit',
        leaking(1_000, { samples: () => ({ heapUsedBytes: 22 * megabyte, rssBytes: 60 * megabyte }) }),
        'warning',
        'shop (prod) leaks 999 bytes of heap an invocation',
      ],
      [
        'buffers',
        of({ invocations: 2_000, external: (invocation) => 30_000 * invocation }),
        'critical',
        'shop (prod) leaks 29 kB of memory outside of the heap an invocation',
      ],
      [
        'steady growth, but within what caches may take',
        { ...leaking(20_000), leak: { heap: { verdict: 'suspect', reason: 'within-bounds', perInvocation: 20_000 } } },
        'info',
        'shop (prod) may leak heap',
      ],
    ],
    silent: [
      ['nothing grows', {}],
      ['a cache that fills', of({ invocations: 2_000, heap: (i) => 5_000 * Math.min(i, 500) })],
      [
        'one of several environments, which together do not',
        { ...leaking(20_000), environments: 5, fleet: { verdict: 'healthy', heap: { verdict: 'healthy' } } },
      ],
    ],
  },
  'memory/regressed': {
    fires: [['a worse version', worse, 'warning', 'shop (prod) grows faster since version 7']],
    silent: [
      ['the first version', { fleet: { before: null } }],
      ['one as good', { fleet: { before: { ...worse.fleet.before, verdict: 'same' } } }],
    ],
  },
  'memory/handle-growth': {
    fires: [
      [
        'timers',
        of({ invocations: 2_000, samples: (i) => ({ resources: { Timeout: Math.floor(i / 4) } }) }),
        'warning',
        'shop (prod) leaves Timeout open',
      ],
      [
        'descriptors',
        of({ invocations: 2_000, samples: (i) => ({ descriptors: 20 + i }) }),
        'warning',
        'shop (prod) leaves file descriptors open',
      ],
    ],
    silent: [
      [
        'a pool that fills',
        of({ invocations: 2_000, samples: (i) => ({ resources: { TCPSocketWrap: Math.min(i / 50, 30) } }) }),
      ],
      ['as many all the time', of({ invocations: 2_000, samples: () => ({ resources: { TCPSocketWrap: 900 } }) })],
    ],
  },
  'memory/left-running': {
    fires: [
      [
        'a file that is read in every sample',
        of({ invocations: 2_000, samples: () => ({ leftRunning: { FSReqCallback: 1 } }) }),
        'warning',
        'shop (prod) answers while FSReqCallback is still under way',
      ],
      [
        'in one sample of five',
        of({ invocations: 2_000, samples: (i) => ({ leftRunning: i % 50 === 0 ? { FSReqCallback: 1 } : {} }) }),
        'info',
        'shop (prod) answers while FSReqCallback is still under way',
      ],
    ],
    silent: [
      ['once', of({ invocations: 2_000, samples: (i) => ({ leftRunning: i === 700 ? { FSReqCallback: 1 } : {} }) })],
    ],
  },
  'memory/listener-growth': {
    fires: [['a warning', { listenerWarnings: 1 }, 'warning', 'shop (prod) has an emitter with too many listeners']],
    silent: [['none', { listenerWarnings: 0 }]],
  },
  'memory/oversized': {
    fires: [
      [
        '2 GB for 130 MB',
        {
          from: '2026-01-01T00:00:00.000Z',
          to: '2026-01-02T00:00:00.000Z',
          invocations: 86_400,
          memory: { limits: { memoryBytes: 2_048 * megabyte } },
          cpu: { percent: steady(5), invocationMs: steady(100) },
        },
        'info',
        'shop (prod) would do with 192 MB instead of 2 GB',
      ],
    ],
    silent: [
      [
        'an hour',
        {
          from: '2026-01-01T00:00:00.000Z',
          to: '2026-01-01T01:00:00.000Z',
          memory: { limits: { memoryBytes: 2_048 * megabyte } },
        },
      ],
      [
        'the processor is needed',
        {
          from: '2026-01-01T00:00:00.000Z',
          to: '2026-01-02T00:00:00.000Z',
          memory: { limits: { memoryBytes: 2_048 * megabyte } },
          cpu: { percent: steady(60) },
        },
      ],
      [
        'a little too much',
        { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z', cpu: { percent: steady(1) } },
      ],
    ],
  },
  'memory/undersized': {
    fires: [
      [
        'all of a quarter of a processor',
        {
          memory: { limits: { memoryBytes: bytesPerProcessor / 4 } },
          cpu: { percent: steady(24), invocationMs: steady(200), limits: { processors: 0.25 } },
        },
        'info',
        'shop (prod) waits for its processor',
      ],
    ],
    silent: [
      [
        'mostly waiting for others',
        { cpu: { percent: steady(5), invocationMs: steady(200), limits: { processors: 0.25 } } },
      ],
      ['short', { cpu: { percent: steady(25), invocationMs: steady(5), limits: { processors: 0.25 } } }],
      ['a whole processor', { cpu: { percent: steady(100), invocationMs: steady(200), limits: { processors: 1 } } }],
    ],
  },
  'cpu/over-target': {
    fires: [
      [
        '60 %',
        { cpu: { percent: steady(60), invocationMs: steady(20) } },
        'warning',
        'shop (prod) computes for 60 % of its time',
      ],
      [
        '60 % by metrics, where a sample of ten invocations takes 200 ms',
        { source: 'metrics', samples: 50, cpu: { percent: steady(60), invocationMs: null, wallMs: 10_000 } },
        'warning',
        'shop (prod) computes for 60 % of its time',
      ],
    ],
    silent: [
      ['50 %', { cpu: { percent: steady(50), invocationMs: steady(20) } }],
      ['short invocations', { cpu: { percent: steady(90), invocationMs: steady(2) } }],
      [
        '90 % by metrics, where a sample of ten invocations takes 90 ms',
        { source: 'metrics', samples: 50, cpu: { percent: steady(90), invocationMs: null, wallMs: 4_500 } },
      ],
    ],
  },
  'cpu/cold-starts': {
    fires: [
      [
        'one in ten',
        { invocations: 1_000, coldStarts: { count: 100, meanInitMs: 400 } },
        'info',
        '10 % of the invocations of shop (prod) are cold starts',
      ],
    ],
    silent: [
      ['one in a hundred', { invocations: 1_000, coldStarts: { count: 10, meanInitMs: 400 } }],
      ['quick ones', { invocations: 1_000, coldStarts: { count: 100, meanInitMs: 40 } }],
      ['nobody knows how long', { invocations: 1_000, coldStarts: { count: 100, meanInitMs: null } }],
    ],
  },
  'gc/share': {
    fires: [
      [
        '20 %',
        { cpu: { collections: { sharePercent: 20, totalMs: 5_000 } } },
        'warning',
        'shop (prod) spends 20 % of its processor time on collecting garbage',
      ],
    ],
    silent: [
      ['8 %', { cpu: { collections: { sharePercent: 8, totalMs: 5_000 } } }],
      ['hardly any', { cpu: { collections: { sharePercent: 50, totalMs: 500 } } }],
    ],
  },
  'gc/long-pause': {
    fires: [
      [
        '150 ms',
        { cpu: { collections: { longestMs: 150 } } },
        'info',
        'shop (prod) was stopped for 150 ms by a collection',
      ],
    ],
    silent: [['100 ms', { cpu: { collections: { longestMs: 100 } } }]],
  },
  'eventloop/blocked': {
    fires: [
      ['80 ms', { cpu: { loopDelayMs: steady(80) } }, 'warning', 'The event loop of shop (prod) is blocked for 80 ms'],
    ],
    silent: [['a single time', { cpu: { loopDelayMs: { max: 900, p99: 900 }, longestLoopDelayMs: 900 } }]],
  },
};

test('every rule has a behaviour', () => {
  expect(Object.keys(behaviours).sort()).toEqual(resourceRules.map(({ id }) => id).sort());
});

describe.each(resourceRules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  const { fires, silent } = behaviours[id] ?? { fires: [], silent: [] };
  const check = (given: Overrides) => rule.check(snapshot(given), rule.options.parse({}));

  test.each(fires)('fires: %s', (_, given, severity, title) => {
    const [finding, ...others] = check(given);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: id,
      severity,
      title,
      subject: { database: 'shop', function: 'shop (prod)' },
      evidence: { version: '7', stage: 'prod' },
    });
    // JSON has no NaN and no Infinity.
    expect(JSON.parse(JSON.stringify(finding))).toEqual(finding);
    expect(finding?.detail).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  test.each(silent)('is silent: %s', (_, given) => {
    expect(check(given)).toEqual([]);
  });

  test('is silent about a healthy function, and where there is none', () => {
    expect(check({})).toEqual([]);
    expect(rule.check({ ...snapshot(), functions: [] }, rule.options.parse({}))).toEqual([]);
  });
});

test('a function without a stage of its own goes by its name alone', () => {
  const rule = resourceRules.find(({ id }) => id === 'memory/over-target');
  const given = {
    ...snapshot(),
    functions: [resources({ stage: 'default', memory: { rssBytes: steady(600 * megabyte) } })],
  };
  expect(rule?.check(given, rule.options.parse({}))[0]?.subject.function).toBe('shop');
});
