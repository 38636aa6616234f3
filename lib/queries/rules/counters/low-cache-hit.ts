import * as z from 'zod';
import { bytes, count, milliseconds, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';
import { basisOf, blocksOf, impactPerDay, judgedStatements, percent, period, rounded, subjectOf } from './figures.ts';

/**
 * `queries/low-cache-hit`: a statement whose calls find many of their blocks outside of PostgreSQL's memory. What is read
 * may come from the operating system's cache; only track_io_timing tells.
 * https://www.postgresql.org/docs/current/runtime-config-statistics.html#GUC-TRACK-IO-TIMING
 */
export const lowCacheHit = defineRule({
  id: 'queries/low-cache-hit',
  title: 'Many blocks not in memory',
  why: 'A block from a disk takes up to a thousand times as long as one from memory, and pushes out another that somebody else needs.',
  severity: 'warning',
  options: z.strictObject({
    /** Blocks read in a call, at least. The default is 8 MB of the usual blocks. */
    minBlocksReadPerCall: z.number().positive().default(1_000),
    /** The share of the blocks that was found in memory, at most. */
    maxHitPercent: z.number().min(0).max(100).default(90),
    minCalls: z.number().int().min(1).default(20),
    /** Where reading is timed: with a smaller share of the time the finding is only information. */
    minReadTimePercent: z.number().min(0).max(100).default(20),
  }),
  check(input: QueryInput, options): Draft[] {
    const isTimed = input.settings?.trackIoTiming ?? false;
    return judgedStatements(input, options.minCalls).flatMap((judged): Draft[] => {
      const { statement, figures } = judged;
      const readPerCall = figures.sharedBlocksRead / figures.calls;
      const hitPercent = (100 * figures.sharedBlocksHit) / blocksOf(figures);
      if (readPerCall < options.minBlocksReadPerCall || hitPercent > options.maxHitPercent) return [];
      const readTimePercent = figures.totalMs === 0 ? 0 : (100 * figures.readMs) / figures.totalMs;
      const isQuick = isTimed && readTimePercent < options.minReadTimePercent;
      return [
        {
          severity: isQuick ? 'info' : 'warning',
          subject: subjectOf(input, statement),
          title: `A statement reads ${bytes(readPerCall * input.server.blockBytes)} from outside of memory in a call: ${shortened(statement.query)}`,
          detail: `${period(figures)} ${percent(hitPercent)} of the blocks that it asked for were in shared_buffers; ${count(readPerCall)} a call were not. ${isTimed ? `Reading them took ${milliseconds(figures.readMs / figures.calls)} a call, ${percent(readTimePercent)} of its time.` : 'They may have come from the operating system: track_io_timing would tell.'}`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            blocksReadPerCall: rounded(readPerCall),
            cacheHitPercent: rounded(hitPercent),
            rowsPerCall: rounded(figures.rows / figures.calls),
            ...(isTimed ? { readMsPerCall: rounded(figures.readMs / figures.calls) } : {}),
          },
          ...impactPerDay(input, judged, isTimed ? Math.min(1, readTimePercent / 100) : 1),
          action: {
            kind: 'code',
            caution:
              'First let it ask for fewer blocks: an index that fits, fewer columns or rows. More memory (shared_buffers) helps only where what is used often does not fit.',
          },
        },
      ];
    });
  },
});
