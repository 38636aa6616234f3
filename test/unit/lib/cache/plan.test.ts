import { expect, test } from 'vitest';
import { type Policy, planOf } from '../../../../lib/cache/plan.ts';

test('has defaults', () => {
  const { freshMs, tagsOf, staleMs, ...others } = planOf('thing', {});
  expect(staleMs('value')).toBe(0);
  expect(others).toEqual({
    jitter: 0.1,
    earlyRefresh: 1,
    loadTimeoutMs: 10_000,
    retryAfterMs: 1_000,
    leaseMs: 0,
  });
  expect([freshMs(1, 'a' as never), freshMs(null, 'a' as never), tagsOf(1, 'a' as never)]).toEqual([
    60_000,
    60_000,
    [],
  ]);
});

test('decides by the value, and has a time of its own for nothing', () => {
  const plan = planOf('thing', {
    fresh: (value, id) => (id === 'slow' ? '1h' : (value as number)),
    negative: '2s',
    tags: (value, id) => [String(id), String(value)],
  });
  expect([
    plan.freshMs(5, 'a'),
    plan.freshMs(5, 'slow'),
    plan.freshMs(null, 'slow'),
    plan.freshMs(undefined, 'a'),
  ]).toEqual([5, 3_600_000, 2_000, 2_000]);
  expect(plan.tagsOf(5, 'a')).toEqual(['a', '5']);
  expect(() => plan.freshMs(-1, 'a')).toThrow(expect.objectContaining({ code: 'option-invalid' }));
  expect(() => plan.tagsOf(5, '')).toThrow(expect.objectContaining({ code: 'tag-invalid' }));
});

test.each<[string, string, unknown]>([
  ['fresh', 'option-invalid', { fresh: 'soon' }],
  ['stale', 'option-invalid', { stale: -1 }],
  ['negative', 'option-invalid', { negative: '5' }],
  ['jitter', 'option-invalid', { jitter: 0.6 }],
  ['jitter', 'option-invalid', { jitter: Number.NaN }],
  ['earlyRefresh', 'option-invalid', { earlyRefresh: 101 }],
  ['loadTimeout', 'option-invalid', { loadTimeout: '10sec' }],
  ['retryAfter', 'option-invalid', { retryAfter: 'later' }],
  ['lease', 'option-invalid', { lease: true }],
  ['tag', 'tag-invalid', { tags: 'a' }],
  ['tag', 'tag-invalid', { tags: [''] }],
])('a wrong %s is refused (%s): %j', (name, code, policy) => {
  expect(() => planOf('thing', policy as Policy)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(name) }),
  );
});
