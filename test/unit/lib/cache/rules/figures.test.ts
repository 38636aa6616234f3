import { describe, expect, test } from 'vitest';
import {
  answeredByL2,
  avoidableWaits,
  percent,
  repeatedWaits,
  unkeptLoads,
} from '../../../../../lib/cache/rules/figures.ts';
import { cacheStatistics } from './snapshot.ts';

test.each([
  [0, '0 %'],
  [0.00456, '0.46 %'],
  [0.0125, '1.25 %'],
  [0.0999, '9.99 %'],
  [0.12345, '12.3 %'],
  [0.98, '98 %'],
  [1, '100 %'],
])('%d is %s', (share, text) => {
  expect(percent(share)).toBe(text);
});

describe('what is reckoned from counters that were told at different times is never less than nothing:', () => {
  test('gets that the second level answered', () => {
    expect(answeredByL2(cacheStatistics({ l1: { misses: 900 }, waits: 1_000 }))).toBe(0);
  });

  test('waits that could be spared', () => {
    expect(avoidableWaits(cacheStatistics({ waits: 10, distinctKeys: 11 }))).toBe(0);
    expect(repeatedWaits(cacheStatistics({ waits: 10, distinctKeys: 10 }))).toBe(0);
  });

  test('values that were not to be kept', () => {
    expect(unkeptLoads(cacheStatistics({ loads: { ok: 10 }, l2: { writes: 11 } }))).toBe(0);
  });
});
