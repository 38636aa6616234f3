import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QuerySnapshot, Statement } from '../../../../lib/queries/snapshot.ts';
import { withWindow } from '../../../../lib/queries/window.ts';
import { querySnapshot, server, statement } from '../../snapshots.ts';

const at = (minutes: number) => new Date(Date.UTC(2026, 2, 1, 12, minutes)).toISOString();

/** Two snapshots five minutes apart: what is said of the second one differs from the first. */
function pair(
  before: Partial<Statement> | null,
  after: Partial<Statement>,
  { first = {}, second = {} }: { first?: Partial<QuerySnapshot>; second?: Partial<QuerySnapshot> } = {},
) {
  const usual = { resetAt: '2026-01-01T00:00:00.000Z', evictions: 0 };
  const previous = querySnapshot(before === null ? [] : [statement(before)], { takenAt: at(0), ...usual, ...first });
  const current = querySnapshot([statement(after)], { takenAt: at(5), ...usual, ...second });
  return withWindow(current, previous);
}

const windowOf = (snapshot: QuerySnapshot) => snapshot.statements[0]?.window;
/** Twenty calls of 2 ms after ten of 1 ms. */
const grown = { calls: 30, totalMs: 50, meanMs: 50 / 30, maxMs: 3, stddevMs: Math.SQRT2 / 3 };

describe('a window', () => {
  test('is what the counters gained', () => {
    const both = { readMs: 1, walBytes: 100, jitMs: 2, planMs: 1 };
    const result = pair(both, {
      ...grown,
      rows: 70,
      sharedBlocksHit: 9,
      readMs: 1.5,
      walBytes: 400,
      jitMs: 2,
      planMs: 4,
    });
    expect(result.windowFrom).toBe(at(0));
    expect(windowOf(result)).toMatchObject({
      calls: 20,
      totalMs: 40,
      meanMs: 2,
      rows: 60,
      sharedBlocksHit: 9,
      readMs: 0.5,
      walBytes: 300,
      jitMs: 0,
      planMs: 3,
      timeSharePercent: 100,
    });
  });

  test('tells the share of the time of the window, not of all time', () => {
    const [busy, idle] = [
      statement({ queryId: 'a', totalMs: 10 }),
      statement({ queryId: 'b', totalMs: 990, maxMs: 99 }),
    ];
    const usual = { resetAt: at(-60), evictions: 0 };
    const result = withWindow(
      querySnapshot(
        [
          { ...busy, calls: 40, totalMs: 40 },
          { ...idle, calls: 11, totalMs: 1_000 },
        ],
        { takenAt: at(5), ...usual },
      ),
      querySnapshot([busy, idle], { takenAt: at(0), ...usual }),
    );
    expect(result.statements.map(({ window }) => window?.timeSharePercent)).toEqual([75, 25]);
  });

  test('is empty for a statement that nobody called', () => {
    expect(windowOf(pair({}, {}))).toMatchObject({ calls: 0, totalMs: 0, meanMs: 0, stddevMs: 0, timeSharePercent: 0 });
  });

  test('keeps what planning alone gained', () => {
    expect(windowOf(pair({ planMs: 1 }, { planMs: 3, sharedBlocksHit: 4 }))).toMatchObject({ calls: 0, planMs: 2 });
  });

  test('leaves everything else as it was', () => {
    const result = pair({}, grown);
    expect({ ...result, windowFrom: null, statements: [{ ...result.statements[0], window: null }] }).toEqual(
      querySnapshot([statement(grown)], { takenAt: at(5), resetAt: '2026-01-01T00:00:00.000Z', evictions: 0 }),
    );
  });
});

describe('there is no window', () => {
  const unknown = (result: QuerySnapshot) => {
    expect(result.windowFrom).toBeNull();
    expect(windowOf(result)).toBeNull();
  };

  test('without a snapshot before', () => {
    unknown(withWindow(querySnapshot([statement()]), undefined));
  });

  test.each<[string, { first?: Partial<QuerySnapshot>; second?: Partial<QuerySnapshot> }]>([
    ['when all counters were reset', { second: { resetAt: at(3) } }],
    ['when the same snapshot comes twice', { second: { takenAt: at(0) } }],
    ['when the clock went back', { second: { takenAt: at(-1) } }],
    ['when a time cannot be read', { second: { takenAt: 'soon' } }],
    ['when a standby took over', { first: { server: server({ isStandby: true }) } }],
    ['when the server is of another version', { first: { server: server({ versionNumber: 170_005 }) } }],
    [
      'when another role looks, which sees other statements',
      { first: { server: server({ readsAllStatistics: false }) } },
    ],
    [
      'when another role looks that does not see all either',
      {
        first: { server: server({ readsAllStatistics: false, role: 'a' }) },
        second: { server: server({ readsAllStatistics: false, role: 'b' }) },
      },
    ],
    [
      'when the view got new columns',
      { first: { server: server({ extensions: { pg_stat_statements: { schema: 'public', version: '1.9' } } }) } },
    ],
    [
      'after a restart, or on another server that was copied with its counters',
      { second: { server: server({ startedAt: at(2) }) } },
    ],
    [
      'after a crash, before PostgreSQL 14',
      { first: { resetAt: null }, second: { resetAt: null, server: server({ statisticsResetAt: at(2) }) } },
    ],
  ])('%s', (_, change) => {
    unknown(pair({}, grown, change));
  });
});

describe('a statement has no window', () => {
  test.each<[string, Partial<Statement>, Partial<Statement>]>([
    ['whose counters began anew, by their date', { since: at(-9) }, { ...grown, since: at(2) }],
    ['that was called less often than before', { calls: 31 }, grown],
    ['one of whose counters went back', { walBytes: 1 }, grown],
    ['whose plans went back', { plans: 1 }, grown],
    ['whose slowest call got faster', { maxMs: 4 }, grown],
    ['whose fastest call got slower', { minMs: 0.5 }, grown],
    ['that took time without being called', {}, { totalMs: 11 }],
    ['that returned rows without being called', {}, { rows: 11 }],
    ['whose calls would have taken longer than the slowest', {}, { calls: 11, totalMs: 14, maxMs: 3 }],
    ['whose calls would have been faster than the fastest', {}, { calls: 12, totalMs: 11 }],
    [
      'whose calls would have varied less than not at all',
      { stddevMs: 5, maxMs: 20, minMs: 0 },
      { calls: 20, totalMs: 20, maxMs: 20, minMs: 0 },
    ],
    ['whose calls would have varied more than their bounds allow', {}, { ...grown, stddevMs: 20 }],
    ['that fewer roles have run', { roles: 2 }, { ...grown, roles: 1 }],
    ['without a date of its own whose fastest and slowest call are both others', {}, { ...grown, minMs: 0.9 }],
  ])('%s', (_, before, after) => {
    const result = pair(before, after);
    expect(result.windowFrom).toBe(at(0));
    expect(windowOf(result)).toBeNull();
  });

  test('that another role has run, unless all roles are seen', () => {
    const few = { server: server({ readsAllStatistics: false }) };
    expect(windowOf(pair({}, { ...grown, roles: 2 }, { first: few, second: few }))).toBeNull();
    expect(windowOf(pair({}, { ...grown, roles: 2 }))).not.toBeNull();
  });

  test('that several roles have run while statements were dropped', () => {
    const lost = { second: { evictions: 1 } };
    expect(windowOf(pair({ roles: 2 }, { ...grown, roles: 2 }, lost))).toBeNull();
    expect(windowOf(pair({}, grown, lost))).not.toBeNull();
  });
});

test('counters with a date of their own may have another fastest and slowest call', () => {
  const dated = { since: at(-30) };
  expect(windowOf(pair(dated, { ...grown, ...dated, minMs: 0.9 }))).toMatchObject({ calls: 20 });
});

describe('a new statement', () => {
  const whole = { calls: 30, totalMs: 50, rows: 10 };

  test('has all that it did as its gain when it began after the snapshot before, by its date', () => {
    const unread = { first: { evictions: null }, second: { evictions: null } };
    expect(windowOf(pair(null, { ...grown, since: at(1) }, unread))).toMatchObject(whole);
    expect(windowOf(pair(null, { ...grown, since: at(-1) }, unread))).toBeNull();
  });

  test('or when all statements were read and none hidden', () => {
    expect(windowOf(pair(null, grown))).toMatchObject(whole);
    // It was dropped, and has come back.
    expect(windowOf(pair(null, grown, { second: { evictions: 1 } }))).toMatchObject(whole);
    expect(windowOf(pair(null, grown, { first: { evictions: null }, second: { evictions: null } }))).toBeNull();
    const few = { server: server({ readsAllStatistics: false }) };
    expect(windowOf(pair(null, grown, { first: few, second: few }))).toBeNull();
  });
});

/** What pg_stat_statements does with one statement: counters that can be reset, dropped and begun anew. */
class Entry {
  readonly since: string;
  readonly #ms: number[] = [];

  constructor(since: string) {
    this.since = since;
  }

  call(ms: number): void {
    this.#ms.push(ms);
  }

  /** @param resetAt what stands for the date where the version has none */
  read(queryId: string, resetAt: string | undefined): Statement {
    const ms = this.#ms;
    const totalMs = sum(ms);
    const meanMs = totalMs / ms.length;
    return statement({
      queryId,
      calls: ms.length,
      totalMs,
      meanMs,
      rows: 2 * ms.length,
      minMs: Math.min(...ms),
      maxMs: Math.max(...ms),
      stddevMs: deviation(ms),
      since: resetAt ?? this.since,
    });
  }
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
const deviation = (values: readonly number[]) =>
  Math.sqrt(sum(values.map((value) => (value - sum(values) / values.length) ** 2)) / values.length);

type Step = { do: 'call'; id: string; ms: number } | { do: 'drop' | 'reset'; id: string } | { do: 'resetAll' | 'look' };

const id = fc.constantFrom('a', 'b', 'c');
const call = fc.record({ do: fc.constant('call' as const), id, ms: fc.double({ min: 0.01, max: 5_000, noNaN: true }) });
const look = fc.record({ do: fc.constant('look' as const) });
const loss = fc.oneof(
  fc.record({ do: fc.constantFrom('drop' as const, 'reset' as const), id }),
  fc.record({ do: fc.constant('resetAll' as const) }),
);

/** Runs steps, and hands over each snapshot with its window and what each statement really did in it. */
function run(
  steps: readonly Step[],
  tellsSince: boolean,
  onWindow: (snapshot: QuerySnapshot, truth: ReadonlyMap<string, number[]>) => void,
): void {
  let clock = 0;
  let resetAt = at(-60);
  let evictions = 0;
  let previous: QuerySnapshot | undefined;
  const entries = new Map<string, Entry>();
  let truth = new Map<string, number[]>();
  for (const step of [...steps, { do: 'look' as const }]) {
    clock++;
    switch (step.do) {
      case 'call': {
        const entry = entries.get(step.id) ?? new Entry(at(clock));
        entries.set(step.id, entry);
        // No two calls take equally long.
        const ms = step.ms + clock * 1e-4;
        entry.call(ms);
        truth.set(step.id, [...(truth.get(step.id) ?? []), ms]);
        break;
      }
      case 'drop':
        if (entries.delete(step.id)) evictions++;
        break;
      case 'reset':
        entries.delete(step.id);
        break;
      case 'resetAll':
        entries.clear();
        resetAt = at(clock);
        evictions = 0;
        break;
      case 'look': {
        const statements = [...entries].map(([queryId, entry]) =>
          entry.read(queryId, tellsSince ? undefined : resetAt),
        );
        const snapshot = withWindow(querySnapshot(statements, { takenAt: at(clock), resetAt, evictions }), previous);
        onWindow(snapshot, truth);
        previous = snapshot;
        truth = new Map();
      }
    }
  }
}

describe('whatever happens', () => {
  test.each([[true], [false]])('the gains of all windows add up to the counters, with dates: %s', (tellsSince) => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 6, arbitrary: call }, look), { maxLength: 60 }), (steps) => {
        const summed = new Map<string, { calls: number; totalMs: number }>();
        const extremes = new Map<string, { minMs: number; maxMs: number }>();
        let isFirst = true;
        run([{ do: 'look' }, ...steps], tellsSince, ({ statements }, truth) => {
          for (const { queryId, window, calls, totalMs, minMs, maxMs } of statements) {
            const before = summed.get(queryId) ?? { calls: 0, totalMs: 0 };
            const last = extremes.get(queryId) ?? { minMs, maxMs };
            extremes.set(queryId, { minMs, maxMs });
            if (!tellsSince && minMs !== last.minMs && maxMs !== last.maxMs) {
              // For all that is known it may be another entry.
              expect(window).toBeNull();
              summed.set(queryId, { calls, totalMs });
              continue;
            }
            expect(window).not.toBeNull();
            const now = {
              calls: before.calls + (window?.calls ?? 0),
              totalMs: before.totalMs + (window?.totalMs ?? 0),
            };
            summed.set(queryId, now);
            expect(now.calls).toBe(calls);
            expect(now.totalMs).toBeCloseTo(totalMs, 6);
            const ms = truth.get(queryId) ?? [];
            expect(window?.stddevMs).toBeCloseTo(ms.length === 0 ? 0 : deviation(ms), 2);
          }
          const shares = statements.map(({ window }) => window?.timeSharePercent ?? 0);
          if (!isFirst && sum(shares) > 0) expect(sum(shares)).toBeCloseTo(100, 6);
          isFirst = false;
        });
      }),
      { numRuns: 300 },
    );
  });

  test.each([[true], [false]])('every gain is exact, or there is none, with dates: %s', (tellsSince) => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 6, arbitrary: call }, { weight: 2, arbitrary: look }, loss), { maxLength: 80 }),
        (steps) => {
          run(steps, tellsSince, ({ statements, windowFrom }, truth) => {
            for (const { queryId, window, calls, totalMs } of statements) {
              if (window === null) continue;
              expect(windowFrom).not.toBeNull();
              for (const figure of Object.values(window)) expect(figure).toBeGreaterThanOrEqual(0);
              const ms = truth.get(queryId) ?? [];
              expect(window.calls).toBeLessThanOrEqual(calls);
              expect(window.totalMs).toBeLessThanOrEqual(totalMs);
              // Of a statement that was dropped since, nobody knows the calls before.
              const known = ms.slice(ms.length - window.calls);
              expect(known).toHaveLength(window.calls);
              expect(window.rows).toBe(2 * window.calls);
              expect(window.totalMs).toBeCloseTo(sum(known), 6);
            }
          });
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
