import { describe, expect, test } from 'vitest';
import { lowCacheHit } from '../../../../../../lib/queries/rules/counters/low-cache-hit.ts';
import type { Gain, QueryInput } from '../../../../../../lib/queries/snapshot.ts';
import { plannerSettings } from '../../../../snapshots.ts';
import { counted, gain, input } from './inputs.ts';

const check = (given: QueryInput, options = {}) => lowCacheHit.check(given, lowCacheHit.options.parse(options));

/** A hundred calls that read 2,000 blocks each, half of what they ask for. */
const reading = (overrides: Partial<Gain> = {}) =>
  input([counted({ window: gain({ meanMs: 50, sharedBlocksHit: 200_000, sharedBlocksRead: 200_000, ...overrides }) })]);
const timed = (given: QueryInput) => ({ ...given, settings: plannerSettings({ trackIoTiming: true }) });

test('a statement that reads much in a call is found, with what it reads', () => {
  expect(check(reading())).toMatchObject([
    {
      severity: 'warning',
      title: 'A statement reads 16 MB from outside of memory in a call: select 1',
      evidence: { basis: 'window', blocksReadPerCall: 2_000, cacheHitPercent: 50, rowsPerCall: 1 },
    },
  ]);
});

describe('it is not', () => {
  test.each<[string, Partial<Gain>, object]>([
    ['when it reads little', { sharedBlocksRead: 99_900 }, {}],
    ['when most of it is in memory', { sharedBlocksHit: 2_000_000 }, {}],
    ['when it was called too seldom', {}, { minCalls: 1_001 }],
    ['when the options say so', {}, { minBlocksReadPerCall: 2_001 }],
  ])('%s', (_, overrides, options) => {
    expect(check(reading(overrides), options)).toEqual([]);
  });

  test('when it asked for nothing', () => {
    expect(check(reading({ sharedBlocksHit: 0, sharedBlocksRead: 0 }))).toEqual([]);
  });
});

test('where reading is timed, it tells how long it took, and is milder where that was short', () => {
  expect(check(timed(reading({ readMs: 3_000 })))).toMatchObject([
    { severity: 'warning', evidence: { readMsPerCall: 30 } },
  ]);
  expect(check(timed(reading({ readMs: 100 })))).toMatchObject([{ severity: 'info' }]);
  expect(check(reading())[0]?.evidence).not.toHaveProperty('readMsPerCall');
});
