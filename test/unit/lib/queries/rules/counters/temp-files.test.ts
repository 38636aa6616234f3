import { describe, expect, test } from 'vitest';
import { tempFiles } from '../../../../../../lib/queries/rules/counters/temp-files.ts';
import type { Gain, QueryInput } from '../../../../../../lib/queries/snapshot.ts';
import { counted, gain, input } from './inputs.ts';

const check = (given: QueryInput, options = {}) => tempFiles.check(given, tempFiles.options.parse(options));
const blocksOf = (mebibytes: number) => (mebibytes * 1024 ** 2) / 8192;

/** A hundred calls that write so much to temporary files each. */
const spilling = (mebibytes: number, overrides: Partial<Gain> = {}) =>
  input([counted({ window: gain({ tempBlocksWritten: 100 * blocksOf(mebibytes), ...overrides }) })]);

test('a statement that spills is found, with how much', () => {
  expect(check(spilling(10, { tempBlocksRead: 100 }))).toMatchObject([
    {
      severity: 'warning',
      title: 'A statement writes 10 MB to temporary files in a call: select 1',
      evidence: {
        basis: 'window',
        tempBytesPerCall: 10 * 1024 ** 2,
        tempBytesReadPerCall: 8192,
        workMemKilobytes: 4096,
      },
    },
  ]);
});

test('it is not when it spills little, or was called too seldom', () => {
  expect(check(spilling(0.99))).toEqual([]);
  expect(check(spilling(1))).toHaveLength(1);
  expect(check(spilling(1), { minBytesPerCall: 2 * 1024 ** 2 })).toEqual([]);
  expect(check(spilling(1), { minCalls: 1_001 })).toEqual([]);
});

describe('the remedy', () => {
  test.each([
    [10, "work_mem = '32MB'"],
    [1, "work_mem = '8MB'"],
    [126, "work_mem = '256MB'"],
  ])('for %d MB is enough memory for this statement alone', (mebibytes, setting) => {
    expect(check(spilling(mebibytes))[0]?.action).toMatchObject({
      kind: 'config',
      caution: expect.stringContaining(setting),
    });
  });

  test('for more than connections can have is another statement', () => {
    expect(check(spilling(127))[0]?.action?.kind).toBe('code');
  });

  test('does without the settings', () => {
    const [found] = check({ ...spilling(10), settings: null });
    expect(found?.action?.caution).toContain("work_mem = '32MB'");
    expect(found?.evidence).not.toHaveProperty('workMemKilobytes');
  });
});
