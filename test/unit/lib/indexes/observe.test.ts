import { describe, expect, test } from 'vitest';
import { type PastUse, withObservations } from '../../../../lib/indexes/observe.ts';
import { index, indexSnapshot, server, takenAt } from '../../snapshots.ts';

const hoursBefore = (hours: number) => new Date(Date.parse(takenAt) - hours * 3_600_000).toISOString();
const { startedAt, statisticsResetAt } = server();
const from = hoursBefore(5_000);
const past = (scans: number, overrides: Partial<PastUse> = {}, lastUseAt: string | null = null): PastUse => ({
  takenAt: hoursBefore(1),
  startedAt,
  statisticsResetAt,
  uses: new Map([['public.i', { scans, observed: { from, lastUseAt } }]]),
  ...overrides,
});
const observe = (scans: number, before: PastUse | undefined) =>
  withObservations(indexSnapshot([index('i', { scans })]), before).indexes[0]?.observed;

describe('what audits have seen of an index', () => {
  test('begins with the first one', () => {
    expect(observe(5, undefined)).toEqual({ from: takenAt, lastUseAt: null });
  });

  test('goes on while it is not read', () => {
    expect(observe(5, past(5))).toEqual({ from, lastUseAt: null });
    expect(observe(5, past(5, {}, hoursBefore(100)))).toEqual({ from, lastUseAt: hoursBefore(100) });
  });

  test('notices that it was read', () => {
    expect(observe(6, past(5))).toEqual({ from, lastUseAt: takenAt });
  });

  test('outlives a reset of the counters, if audits are close', () => {
    const reset = { statisticsResetAt: hoursBefore(0.5) };
    expect(observe(0, past(5, reset, hoursBefore(100)))).toEqual({ from, lastUseAt: hoursBefore(100) });
    expect(observe(1, past(5, reset))).toEqual({ from, lastUseAt: takenAt });
    expect(observe(0, past(5, { ...reset, takenAt: hoursBefore(25) }))).toEqual({ from: takenAt, lastUseAt: null });
  });

  test('knows counters that began anew unseen, as after a crash, by their falling', () => {
    expect(observe(2, past(5))).toEqual({ from, lastUseAt: takenAt });
    expect(observe(2, past(5, { takenAt: hoursBefore(25) }))).toEqual({ from: takenAt, lastUseAt: takenAt });
  });

  test('needs no close audits while the counters count on', () => {
    expect(observe(5, past(5, { takenAt: hoursBefore(500) }))).toEqual({ from, lastUseAt: null });
  });
});
