import { describe, expect, test } from 'vitest';
import type { CacheService } from '../../../../../lib/aws/facts.ts';
import { serviceEvictions } from '../../../../../lib/cache/rules/service-evictions.ts';
import { serviceLimits } from '../../../../../lib/cache/rules/service-limits.ts';
import { cacheSnapshot } from './snapshot.ts';

const healthy: CacheService = {
  name: 'shop',
  engine: 'valkey',
  version: '8.1',
  maxBytes: 1_000_000,
  maxEcpuPerSecond: 5_000,
  usedBytes: 100_000,
  usedEcpuPerSecond: 100,
  throttled: 0,
  evictions: 0,
};

const of = (rule: typeof serviceLimits | typeof serviceEvictions, some: Partial<CacheService>, options = {}) =>
  rule.check({ ...cacheSnapshot(), service: { ...healthy, ...some } }, rule.options.parse(options) as never);

test('of a cache that no service tells anything about nothing is said', () => {
  for (const rule of [serviceLimits, serviceEvictions])
    expect(rule.check(cacheSnapshot(), rule.options.parse({}) as never)).toEqual([]);
});

test('nor of a service that tells nothing of itself, or has no limits', () => {
  const silent = { usedBytes: null, usedEcpuPerSecond: null, throttled: null, evictions: null };
  for (const rule of [serviceLimits, serviceEvictions]) {
    expect(of(rule, silent)).toEqual([]);
    expect(of(rule, { maxBytes: null, maxEcpuPerSecond: null, usedBytes: 1e12, usedEcpuPerSecond: 1e9 })).toEqual([]);
  }
});

describe('a limit is near', () => {
  test.each([
    [{ usedBytes: 799_999 }, 0],
    [{ usedBytes: 800_000 }, 1],
    [{ usedEcpuPerSecond: 3_999 }, 0],
    [{ usedEcpuPerSecond: 4_000 }, 1],
    [{ throttled: 1 }, 1],
  ])('%j', (service, findings) => {
    expect(of(serviceLimits, service)).toHaveLength(findings);
  });

  test('from another share on when it is tuned', () => {
    expect(of(serviceLimits, { usedBytes: 500_000 }, { maxUsedPercent: 50 })).toHaveLength(1);
  });

  test('and says which, in one finding', () => {
    const [found, ...others] = of(serviceLimits, { usedBytes: 900_000, usedEcpuPerSecond: 5_000, throttled: 12 });
    expect(others).toEqual([]);
    expect(found?.detail).toContain('shop (valkey 8.1)');
    expect(found?.detail).toContain('(90 %)');
    expect(found?.detail).toContain('5,000 of 5,000 ECPU');
    expect(found?.detail).toContain('refused 12 commands');
    expect(found?.evidence).toMatchObject({ usedBytes: 900_000, refusedCommands: 12 });
  });
});

test('a service that gives up a single key is told of, unless some are tolerated', () => {
  const [found] = of(serviceEvictions, { evictions: 1_234 });
  expect(found?.title).toContain('1,234 keys');
  expect(found?.evidence).toMatchObject({ evictions: 1_234, maxBytes: 1_000_000 });
  expect(of(serviceEvictions, { evictions: 1_234 }, { maxEvictions: 1_234 })).toEqual([]);
});
