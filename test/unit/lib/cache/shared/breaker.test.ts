import { expect, test } from 'vitest';
import { Breaker } from '../../../../../lib/cache/shared/breaker.ts';

test('opens after failures in a row, lets one probe through, and closes when that succeeds', () => {
  const breaker = new Breaker({ failures: 3, cooldownMs: 1_000 });
  breaker.failed(1);
  breaker.failed(1);
  breaker.succeeded();
  breaker.failed(1);
  breaker.failed(1);
  expect([breaker.state(1), breaker.admits(1)]).toEqual(['closed', true]);
  breaker.failed(1);
  expect([breaker.state(1_000), breaker.admits(1_000)]).toEqual(['open', false]);
  expect(breaker.state(1_001)).toBe('half-open');
  expect([breaker.admits(1_001), breaker.admits(1_001)]).toEqual([true, false]);
  breaker.succeeded();
  expect([breaker.state(1_001), breaker.admits(1_001), breaker.admits(1_001)]).toEqual(['closed', true, true]);
});

test('stays open twice as long after each probe that failed, and 30 seconds at most', () => {
  const breaker = new Breaker({ failures: 1, cooldownMs: 1_000 });
  let now = 1;
  breaker.failed(now);
  const waits: number[] = [];
  for (let probe = 0; probe < 8; probe++) {
    const began = now;
    while (!breaker.admits(now)) now += 500;
    waits.push(now - began);
    breaker.failed(now);
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  while (!breaker.admits(now)) now += 500;
  breaker.succeeded();
  breaker.failed(now);
  expect(breaker.state(now + 999)).toBe('open');
  expect(breaker.state(now + 1_000)).toBe('half-open');
});

test('what was under way when it opened says nothing new', () => {
  const breaker = new Breaker({ failures: 1, cooldownMs: 1_000 });
  breaker.failed(1);
  breaker.failed(900);
  expect(breaker.state(1_001)).toBe('half-open');
});
