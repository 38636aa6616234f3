import { describe, expect, test } from 'vitest';
import { type MeasuredWindow, Proof, prove, queryIdsOf } from '../../../../lib/advice/proof.ts';
import type { Recommendation } from '../../../../lib/advice/recommendation.ts';
import { noise } from '../../noise.ts';
import { finding } from '../../snapshots.ts';

const minute = 60_000;
/** When it was last found; five minutes later it was missed. */
const lastSeen = Date.UTC(2026, 2, 10, 12);
const applied = lastSeen + 5 * minute;
const iso = (time: number) => new Date(time).toISOString();

function recommendation(overrides: Partial<Recommendation> = {}): Recommendation {
  return {
    ...finding({ rule: 'queries/slow', subject: { database: 'shop', queryId: '1' } }),
    status: 'applied',
    firstSeenAt: iso(lastSeen - 24 * 60 * minute),
    lastSeenAt: iso(lastSeen),
    appliedAt: iso(applied),
    proof: null,
    ...overrides,
  };
}

/** Windows of five minutes, one after the other, with a mean each. */
function windows(from: number, means: readonly number[], calls = 100): MeasuredWindow[] {
  return means.map((meanMs, i) => ({
    from: iso(from + 5 * i * minute),
    to: iso(from + 5 * (i + 1) * minute),
    calls,
    meanMs,
  }));
}

const until = (means: readonly number[], calls?: number) => windows(lastSeen - 5 * means.length * minute, means, calls);
const since = (means: readonly number[], calls?: number) => windows(applied, means, calls);

/** About that mean, give or take a tenth. */
function around(mean: number, count: number, seed = 1): number[] {
  const random = noise(seed);
  return Array.from({ length: count }, () => mean * (0.9 + 0.2 * random()));
}

const of = (...parts: MeasuredWindow[][]) => new Map([['1', parts.flat()]]);

describe('a recommendation is verified', () => {
  test('when its statement has become faster, with the figures of both sides', () => {
    const verdict = prove(recommendation(), of(until(around(100, 20)), since(around(20, 6))));
    expect(verdict.status).toBe('verified');
    expect(Proof.parse(verdict.proof)).toMatchObject({ queryId: '1', windowsBefore: 20, windowsAfter: 6 });
    expect(verdict.proof?.meanMsBefore).toBeCloseTo(100, -1);
    expect(verdict.proof?.meanMsAfter).toBeCloseTo(20, -1);
    expect(verdict.proof?.p).toBeLessThan(0.001);
  });

  test('not before there are five windows on both sides', () => {
    expect(prove(recommendation(), of(until(around(100, 20)), since(around(20, 4)))).status).toBe('applied');
    expect(prove(recommendation(), of(until(around(100, 4)), since(around(20, 20)))).status).toBe('applied');
    expect(prove(recommendation(), of(until(around(100, 5)), since(around(20, 5)))).status).toBe('verified');
  });

  test('not by less than a tenth, however certain', () => {
    const [low, high] = [new Array(11).fill(92), new Array(30).fill(100)];
    expect(prove(recommendation(), of(until(high), since(low))).status).toBe('applied');
  });

  test('when a tenth is certain', () => {
    const [low, high] = [new Array(11).fill(89), new Array(30).fill(100)];
    expect(prove(recommendation(), of(until(high), since(low))).status).toBe('verified');
  });

  test('not by windows in which it was hardly called', () => {
    expect(prove(recommendation(), of(until(around(100, 20)), since(around(20, 6), 9))).status).toBe('applied');
    expect(prove(recommendation(), of(until(around(100, 20), 9), since(around(20, 6)))).status).toBe('applied');
    expect(prove(recommendation(), of(until(around(100, 20)), since(around(20, 6), 10))).status).toBe('verified');
  });

  test('not by the window in which it was applied', () => {
    const during = windows(lastSeen - minute, [1, 1]).map((window) => ({ ...window, to: iso(applied + minute) }));
    expect(prove(recommendation(), of(until(around(100, 20)), during, since(around(20, 4)))).status).toBe('applied');
  });

  test('compared to the time in which it was found, not to the good times before', () => {
    const young = recommendation({ firstSeenAt: iso(lastSeen - 60 * minute) });
    const verdict = prove(young, of(until([...around(20, 100), ...around(100, 13)]), since(around(20, 6))));
    expect(verdict).toMatchObject({ status: 'verified', proof: { windowsBefore: 13 } });
  });

  test('and not by a quiet night', () => {
    const twoDays = 2 * 288;
    const byHour = Array.from({ length: twoDays }, (_, i) => {
      const time = new Date(lastSeen - 5 * (twoDays - i) * minute);
      return time.getUTCHours() >= 12 && time.getUTCHours() < 15 ? 40 : 100;
    });
    const old = recommendation({ firstSeenAt: iso(lastSeen - 48 * 60 * minute) });
    expect(prove(old, of(until(byHour), since(around(39, 20)))).status).toBe('open');
    expect(prove(old, of(until(byHour), since(around(20, 20)))).status).toBe('verified');
  });
});

describe('a recommendation is open again', () => {
  test('when enough windows show no improvement', () => {
    const verdict = prove(recommendation(), of(until(around(100, 20)), since(around(99, 12, 2))));
    expect(verdict).toMatchObject({ status: 'open', proof: { windowsAfter: 12 } });
  });

  test('not before there are enough', () => {
    expect(prove(recommendation(), of(until(around(100, 20)), since(around(99, 11, 2)))).status).toBe('applied');
  });

  test('as soon as it is certain that it got slower', () => {
    const verdict = prove(recommendation(), of(until(around(100, 20)), since(around(150, 6))));
    expect(verdict.status).toBe('open');
    expect(verdict.proof?.p).toBeLessThan(0.01);
  });
});

test('a gain that may be chance is waited for', () => {
  const wild = Array.from({ length: 20 }, (_, i) => (i % 2 ? 30 : 200));
  const verdict = prove(
    recommendation(),
    of(until(wild), since([31, 31, 31, 31, 31, 31, 31, 199, 199, 199, 199, 199])),
  );
  expect(verdict).toEqual({ status: 'applied', proof: null });
});

test.each(['open', 'verified', 'dismissed'] as const)('one that is %s stays so', (status) => {
  const verdict = prove(recommendation({ status }), of(until(around(100, 20)), since(around(20, 20))));
  expect(verdict).toEqual({ status, proof: null });
});

test.each(['queries/blocked', 'queries/n-plus-one', 'queries/long-transaction'])(
  '%s is not a matter of time',
  (rule) => {
    const verdict = prove(recommendation({ rule }), of(until(around(100, 20)), since(around(100, 20))));
    expect(verdict.status).toBe('applied');
  },
);

describe('of several statements', () => {
  const several = recommendation({
    rule: 'indexes/missing',
    subject: { database: 'shop', schema: 'public', table: 't' },
    evidence: { queryIds: '1, 2,3' },
  });
  const fast = [...until(around(100, 20)), ...since(around(20, 20))];
  const same = [...until(around(100, 20)), ...since(around(100, 20, 2))];
  const slow = [...until(around(100, 20)), ...since(around(200, 20))];
  const unknown: MeasuredWindow[] = [];

  test('the evidence names them', () => {
    expect(queryIdsOf(several)).toEqual(['1', '2', '3']);
    expect(queryIdsOf({ ...several, evidence: {} })).toEqual([]);
    expect(queryIdsOf(recommendation())).toEqual(['1']);
  });

  test.each([
    ['one is faster', [fast, same, unknown], 'verified', '1'],
    ['one is slower', [fast, same, slow], 'open', '3'],
    ['none is faster', [same, same, same], 'open', '1'],
    ['one is not known yet', [same, same, unknown], 'applied', undefined],
    ['none is known', [unknown, unknown, unknown], 'applied', undefined],
  ])('when %s', (_, lists, status, queryId) => {
    const verdict = prove(several, new Map(lists.map((list, i) => [String(i + 1), list])));
    expect(verdict.status).toBe(status);
    expect(verdict.proof?.queryId).toBe(queryId);
  });
});

test('one that names no statement stays applied', () => {
  const dropped = { ...recommendation(), ...finding() };
  expect(prove(dropped, of(until(around(100, 20)), since(around(20, 20))))).toEqual({
    status: 'applied',
    proof: null,
  });
});

test('where nothing has changed, hardly anything is verified, however often one looks', () => {
  let verified = 0;
  const runs = 500;
  for (let run = 1; run <= runs; run++) {
    const random = noise(run);
    const wild = (count: number) => Array.from({ length: count }, () => 100 * Math.exp(2 * random() - 1));
    const [past, later] = [until(wild(60)), since(wild(40))];
    for (let windowsAfter = 5; windowsAfter <= 40; windowsAfter++) {
      const { status } = prove(recommendation(), of(past, later.slice(0, windowsAfter)));
      if (status === 'applied') continue;
      if (status === 'verified') verified++;
      break;
    }
  }
  expect(verified / runs).toBeLessThan(0.09);
});
