import { describe, expect, test } from 'vitest';
import { progressOf, type SequenceRow } from '../../../../lib/tables/sequences.ts';
import { sequence } from '../../snapshots.ts';

const row = (overrides: Partial<SequenceRow> = {}): SequenceRow => {
  const { lastValue: _, limit: __, limitedBy: ___, usedPercent: ____, ...rest } = sequence();
  const numbers = { start: '1', min: '1', max: '9223372036854775807', increment: '1' };
  return { ...rest, ...numbers, oid: 1, mayRead: true, ...overrides };
};
const column = (type: string) => ({ ...sequence().column, type }) as SequenceRow['column'];

describe('how far a sequence has come', () => {
  test('a column that is narrower than the sequence ends first', () => {
    expect(progressOf(row(), '1073741824')).toMatchObject({
      limit: 2_147_483_647,
      limitedBy: 'column',
      usedPercent: 50,
    });
    expect(progressOf(row({ column: column('smallint') }), '16384')).toMatchObject({ limit: 32_767, usedPercent: 50 });
  });

  test('a bigint ends with its sequence', () => {
    expect(progressOf(row({ column: column('bigint') }), '2100000000')).toMatchObject({
      limitedBy: 'sequence',
      usedPercent: 0,
    });
    expect(progressOf(row({ column: column('bigint'), max: '1000' }), '991')).toMatchObject({
      limit: 1000,
      usedPercent: 99.099,
    });
  });

  test('one that fills no column ends with itself', () => {
    expect(progressOf(row({ column: null, max: '11' }), '6')).toMatchObject({ limit: 11, usedPercent: 50 });
  });

  test('one that was never used has used nothing', () => {
    expect(progressOf(row(), null)).toMatchObject({ lastValue: null, usedPercent: 0 });
  });

  test('one that runs downwards ends at its minimum', () => {
    const down = row({ increment: '-1', start: '-1', min: '-9223372036854775808', max: '-1' });
    expect(progressOf(down, '-1073741825')).toMatchObject({
      limit: -2_147_483_648,
      limitedBy: 'column',
      usedPercent: 50,
    });
    expect(progressOf(down, '-5').usedPercent).toBe(0);
  });

  test('one that was set back below its start is measured from its minimum', () => {
    expect(progressOf(row({ column: null, start: '100', min: '1', max: '101' }), '51').usedPercent).toBe(50);
  });

  test('one of a single value is used up with it', () => {
    expect(progressOf(row({ column: null, max: '1' }), '1').usedPercent).toBe(100);
  });

  test('numbers beyond 2^53 are counted exactly', () => {
    expect(progressOf(row({ column: null }), '9223372036854775807').usedPercent).toBe(100);
  });
});
