import { expect, test } from 'vitest';
import { unstableTime } from '../../../../../../lib/queries/rules/counters/unstable-time.ts';
import { counted, gain, input } from './inputs.ts';

/** Calls of which some take so long and all others 1 ms. */
function mixed(slowCalls: number, slowMs: number, calls = 1_000) {
  const totalMs = slowCalls * slowMs + (calls - slowCalls);
  const meanMs = totalMs / calls;
  const squares = slowCalls * (slowMs - meanMs) ** 2 + (calls - slowCalls) * (1 - meanMs) ** 2;
  const stddevMs = Math.sqrt(squares / calls);
  return counted({ maxMs: slowMs, window: gain({ calls, meanMs, totalMs, stddevMs }) });
}

const check = (statement: ReturnType<typeof mixed>, options = {}) =>
  unstableTime.check(input([statement]), unstableTime.options.parse(options));

test('a statement with some calls that take many times as long is found', () => {
  const [found] = check(mixed(20, 500));
  expect(found).toMatchObject({
    severity: 'info',
    title: 'A statement takes 11 ms on average and at times 500 ms: select 1',
    evidence: { basis: 'window', calls: 1_000, maxMs: 500 },
  });
  expect(found?.evidence.slowCalls).toBeGreaterThanOrEqual(19);
  expect(found?.evidence.slowCalls).toBeLessThanOrEqual(20);
});

test.each([
  ['it was one call alone, such as one that waited for a lock', mixed(1, 10_000)],
  ['it was four', mixed(4, 10_000)],
  ['none of them takes long', mixed(20, 99)],
  ['half of them are slow: then the mean tells', mixed(500, 500)],
  ['it was called seldom', mixed(10, 500, 99)],
  ['it is steady', mixed(0, 500)],
])('it is not when %s', (_, statement) => {
  expect(check(statement)).toEqual([]);
});

test('the slowest call of all time does not make more of the calls of a window', () => {
  expect(check({ ...mixed(20, 500), maxMs: 60_000 })).toEqual([]);
});

test('the options decide', () => {
  expect(check(mixed(20, 500), { minRatio: 10 })).toEqual([]);
  expect(check(mixed(20, 500), { minSlowCalls: 21 })).toEqual([]);
  expect(check(mixed(20, 50), { minMaxMs: 50 })).toHaveLength(1);
});
