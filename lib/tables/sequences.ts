import type { Sequence } from './snapshot.ts';

/** A sequence as the catalog query answers it: numbers as text, because they exceed what a JavaScript number holds. */
export type SequenceRow = Omit<Sequence, 'lastValue' | 'limit' | 'limitedBy' | 'usedPercent'> & {
  oid: number;
  start: string;
  min: string;
  max: string;
  increment: string;
  mayRead: boolean;
};

/** https://www.postgresql.org/docs/current/datatype-numeric.html */
const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  smallint: [-32_768n, 32_767n],
  integer: [-2_147_483_648n, 2_147_483_647n],
};

/** How far a sequence has come to its own end, or to that of its column if that comes first. */
export function progressOf(row: SequenceRow, value: string | null): Sequence {
  const { oid: _, start, min, max, increment, mayRead: __, ...sequence } = row;
  const rises = BigInt(increment) > 0n;
  const own = BigInt(rises ? max : min);
  const ofColumn = ranges[sequence.column?.type ?? '']?.[rises ? 1 : 0];
  const isColumns = ofColumn !== undefined && (rises ? ofColumn < own : ofColumn > own);
  const limit = isColumns ? ofColumn : own;
  // A sequence may be set back below its START.
  const first = value === null || (rises ? BigInt(value) > BigInt(start) : BigInt(value) < BigInt(start));
  const from = first ? BigInt(start) : BigInt(rises ? min : max);
  const [done, all] = [BigInt(value ?? start) - from, limit - from];
  return {
    ...sequence,
    lastValue: value === null ? null : Number(value),
    limit: Number(limit),
    limitedBy: isColumns ? 'column' : 'sequence',
    // A sequence of one value is used up with it; thousandths of a percent are plenty.
    usedPercent: value === null ? 0 : all === 0n ? 100 : Number((done * 100_000n) / all) / 1_000,
  };
}
