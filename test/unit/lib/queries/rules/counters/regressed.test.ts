import { describe, expect, test } from 'vitest';
import { regressed } from '../../../../../../lib/queries/rules/counters/regressed.ts';
import type { PastPlan, PastWindow, QueryInput } from '../../../../../../lib/queries/snapshot.ts';
import { noise } from '../../../../noise.ts';
import { querySnapshot, server, statement, takenAt } from '../../../../snapshots.ts';
import { gain } from './inputs.ts';

const now = Date.parse(takenAt);
const hour = 3_600_000;
const audit = 5 * 60_000;

/** The mean of a window, by how many hours ago it began. */
type Mean = (hoursAgo: number) => number;

interface Setting {
  days?: number;
  calls?: number;
  seed?: number;
  /** Hours ago at which nothing was counted. */
  isGap?: (hoursAgo: number) => boolean;
  rowsAt?: Mean;
  blocksAt?: Mean;
}

/** The windows of a statement: those of the last day of five minutes, older ones of an hour, each give or take a tenth. */
function windowsOf(
  mean: Mean,
  { days = 8, calls = 50, seed = 1, isGap, rowsAt, blocksAt }: Setting = {},
): PastWindow[] {
  const random = noise(seed);
  const windows: PastWindow[] = [];
  for (let start = now - days * 24 * hour; start < now; ) {
    const length = start < now - 24 * hour ? hour : audit;
    const hoursAgo = (now - start) / hour;
    const meanMs = mean(hoursAgo) * (0.9 + 0.2 * random());
    if (!isGap?.(hoursAgo)) {
      windows.push({
        from: new Date(start).toISOString(),
        to: new Date(start + length).toISOString(),
        calls,
        meanMs,
        totalMs: calls * meanMs,
        stddevMs: 0,
        rows: calls * (rowsAt?.(hoursAgo) ?? 1),
        blocks: calls * (blocksAt?.(hoursAgo) ?? 10),
      });
    }
    start += length;
  }
  return windows;
}

/** The last window is the current one. */
function inputOf(windows: PastWindow[], overrides: Partial<QueryInput> = {}, plans: PastPlan[] = []): QueryInput {
  const last = windows.at(-1);
  const { calls = 0, totalMs = 0, meanMs = 0, rows = 0, blocks = 0 } = last ?? {};
  const window = gain({ calls, totalMs, meanMs, rows, sharedBlocksHit: blocks });
  return {
    ...querySnapshot([statement({ window: last ? window : null })], { windowFrom: last?.from ?? null }),
    past: { windows: new Map([['1', windows.slice(0, -1)]]), plans: new Map([['1', plans]]) },
    ...overrides,
  };
}

const check = (given: QueryInput, options = {}) => regressed.check(given, regressed.options.parse(options));
const judge = (mean: Mean, setting?: Setting, options = {}) => check(inputOf(windowsOf(mean, setting)), options);

/** From three hours ago on it takes three times as long. */
const risen: Mean = (hoursAgo) => (hoursAgo <= 3 ? 30 : 10);

describe('a statement has regressed', () => {
  test('when it takes longer than it used to, and the finding says since when', () => {
    const [found] = judge(risen);
    expect(found).toMatchObject({
      severity: 'warning',
      subject: { database: 'shop', queryId: '1' },
      title: expect.stringMatching(
        /^A statement takes (29|3\d) ms, (2\.[89]|3|3\.[123]) times as long as usual: select 1$/,
      ),
      evidence: { basis: 'windows', windowsAfter: 36, rowsPerCallAfter: 1, blocksPerCallBefore: 10 },
    });
    expect(found?.evidence.since).toBe(new Date(now - 3 * hour).toISOString());
    expect(Number(found?.evidence.meanMsBefore)).toBeCloseTo(10, -0.5);
    expect(found?.evidence.p).toBeLessThan(1e-6);
    // 20 ms longer, fifty times in five minutes.
    expect((found?.impact?.msPerDay ?? 0) / (20 * 50 * 288)).toBeCloseTo(1, 0);
  });

  test('for as long as the days before are known', () => {
    expect(judge((hoursAgo) => (hoursAgo <= 72 ? 30 : 10))).toHaveLength(1);
    expect(judge((hoursAgo) => (hoursAgo <= 120 ? 30 : 10))).toHaveLength(1);
  });

  test('with a history of two days', () => {
    expect(judge(risen, { days: 2 })).toHaveLength(1);
  });

  test('whatever the hour of the day usually takes', () => {
    const wave: Mean = (hoursAgo) => 10 + 5 * Math.sin((hoursAgo / 24) * 2 * Math.PI);
    expect(judge(wave)).toEqual([]);
    expect(judge((hoursAgo) => wave(hoursAgo) * (hoursAgo <= 3 ? 2 : 1))).toHaveLength(1);
  });

  test('mildly, when it is quick all the same', () => {
    expect(judge((hoursAgo) => risen(hoursAgo) / 5)).toMatchObject([{ severity: 'info' }]);
  });
});

describe('a statement has not regressed', () => {
  test.each<[string, Mean, Setting?, object?]>([
    ['when it takes as long as ever', () => 10],
    ['when it takes less', (hoursAgo) => 40 - risen(hoursAgo)],
    ['by a little', (hoursAgo) => (hoursAgo <= 3 ? 13 : 10)],
    ['by less than can be felt', (hoursAgo) => risen(hoursAgo) / 100],
    ['when it is over', (hoursAgo) => (hoursAgo <= 5 && hoursAgo > 1 ? 30 : 10)],
    ['when it began only now', (hoursAgo) => (hoursAgo <= 0.5 ? 30 : 10)],
    ['when it is called too seldom', risen, { calls: 9 }],
    ['when nobody knows the same hour of another day', risen, { days: 0.9 }],
    [
      'when it has been as slow now and then',
      (hoursAgo) => (hoursAgo <= 3 || Math.floor(hoursAgo) % 11 === 5 ? 30 : 10),
    ],
    ['when a batch at this hour of the day makes it slow', (hoursAgo) => (hoursAgo % 24 <= 3 ? 30 : 10)],
    ['when a batch at this hour of the week does', (hoursAgo) => (hoursAgo % 168 <= 3 ? 30 : 10)],
    ['when the options allow more', risen, {}, { minRatio: 4 }],
    ['when the options allow longer', risen, {}, { minRiseMs: 30 }],
    ['when the options want it for longer', risen, {}, { minHoursAfter: 4 }],
    ['when the options want more windows before', risen, {}, { minWindowsBefore: 1_000 }],
  ])('%s', (_, mean, setting, options) => {
    expect(judge(mean, setting, options)).toEqual([]);
  });

  test('without a history', () => {
    const { past: _, ...snapshot } = inputOf(windowsOf(risen));
    expect(check(snapshot)).toEqual([]);
    expect(check(inputOf([]))).toEqual([]);
  });

  test('when it was last called days ago', () => {
    const given = inputOf(windowsOf(risen));
    const later = { takenAt: new Date(now + 30 * hour).toISOString(), windowFrom: null };
    expect(check({ ...given, ...later, statements: [statement()] })).toEqual([]);
  });

  test('when it is a utility statement', () => {
    const given = inputOf(windowsOf(risen));
    expect(
      check({ ...given, statements: given.statements.map((each) => ({ ...each, kind: 'utility' as const })) }),
    ).toEqual([]);
  });
});

describe('while memory is cold nothing has regressed', () => {
  test('after a restart', () => {
    const started = (hoursAgo: number) => ({
      server: server({ startedAt: new Date(now - hoursAgo * hour).toISOString() }),
    });
    const cold: Mean = (hoursAgo) => (hoursAgo <= 1.1 ? 30 : 10);
    expect(check(inputOf(windowsOf(cold), started(1.1)))).toEqual([]);
    expect(check(inputOf(windowsOf(cold)))).toHaveLength(1);
    expect(check(inputOf(windowsOf(risen), started(3)))).toHaveLength(1);
  });

  test('after a gap, as a failover or a reset leaves', () => {
    const cold: Mean = (hoursAgo) => (hoursAgo <= 1.2 ? 30 : 10);
    const isGap = (hoursAgo: number) => hoursAgo > 1.2 && hoursAgo <= 1.4;
    expect(judge(cold, { isGap })).toEqual([]);
    expect(judge(cold)).toHaveLength(1);
  });

  test('but a pause of the statement alone is no gap', () => {
    const cold: Mean = (hoursAgo) => (hoursAgo <= 1.2 ? 30 : 10);
    const paused = inputOf(windowsOf(cold, { isGap: (hoursAgo) => hoursAgo > 1.2 && hoursAgo <= 1.4 }));
    const other = windowsOf(() => 1);
    const windows = new Map([...(paused.past?.windows ?? []), ['2', other] as const]);
    expect(check({ ...paused, past: { windows, plans: new Map() } })).toHaveLength(1);
  });
});

describe('what may be the cause', () => {
  const cautionOf = (setting: Setting, plans: PastPlan[] = []) =>
    check(inputOf(windowsOf(risen, setting), {}, plans))[0]?.action?.caution;
  const seen = (shape: string, hoursAgo: number): PastPlan => ({
    shape,
    firstSeenAt: new Date(now - hoursAgo * hour).toISOString(),
    lastSeenAt: takenAt,
  });

  test('is another plan', () => {
    const plans = [seen('a', 200), seen('b', 2.5)];
    expect(cautionOf({}, plans)).toContain('Its plan changed');
    expect(check(inputOf(windowsOf(risen), {}, plans))[0]?.evidence.planChangedAt).toBe(plans[1]?.firstSeenAt);
    expect(cautionOf({}, [seen('a', 200), seen('b', 100)])).not.toContain('Its plan changed');
    expect(cautionOf({}, [seen('a', 2.5)])).not.toContain('Its plan changed');
  });

  test('is more rows', () => {
    expect(cautionOf({ rowsAt: risen })).toContain('more rows');
  });

  test('is more blocks', () => {
    expect(cautionOf({ blocksAt: risen })).toContain('more blocks');
  });

  test('is none of these', () => {
    expect(cautionOf({})).toContain('look for locks');
  });

  test('is the server, when most statements got slower', () => {
    const windows = windowsOf(risen);
    const one = inputOf(windows);
    const [first] = one.statements;
    if (!first) throw new Error('no statement');
    const both = {
      ...one,
      statements: [first, { ...first, queryId: '2' }],
      past: {
        windows: new Map([
          ['1', windows.slice(0, -1)],
          ['2', windows.slice(0, -1)],
        ]),
        plans: new Map(),
      },
    };
    expect(check(both)).toMatchObject([{ detail: expect.stringContaining('So do 2 of 2 statements') }, {}]);
    expect(check(one)[0]?.detail).not.toContain('So do');
  });
});

test('of a workload that only varies nothing is found, whenever one looks', () => {
  const found = Array.from({ length: 40 }, (_, seed) => {
    const random = noise(seed);
    // Now and then a window takes three times as long, and all vary with the hour.
    return judge((hoursAgo) => 10 * (1 + Math.sin(hoursAgo / 4) / 2) * (random() < 0.03 ? 3 : 1), { seed: seed + 100 });
  });
  expect(found.flat()).toEqual([]);
});
