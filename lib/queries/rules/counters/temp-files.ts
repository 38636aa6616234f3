import * as z from 'zod';
import type { Action } from '../../../advice/finding.ts';
import { bytes, count, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule } from '../../../advice/rule.ts';
import type { QueryInput } from '../../snapshot.ts';
import { basisOf, impactPerDay, judgedStatements, period, rounded, subjectOf } from './figures.ts';

const mebibyte = 1024 ** 2;

/** Rows take more room in memory than in a file. A choice: what is spilled is doubled, and then rounded up to a power of two. */
const roomInMemory = 2;

/** More than that for each sort or hash of each connection is no setting for many connections. */
const mostWorkMem = 256 * mebibyte;

/**
 * `queries/temp-files`: a statement that sorts or hashes more than work_mem holds, and writes the rest to files.
 * https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM
 */
export const tempFiles = defineRule({
  id: 'queries/temp-files',
  title: 'Sorting on disk',
  why: 'What does not fit into work_mem is written to files and read again, which takes time, and disk bandwidth that everybody shares.',
  severity: 'warning',
  options: z.strictObject({
    /** Bytes written to temporary files in a call, on average. */
    minBytesPerCall: z.number().positive().default(mebibyte),
    minCalls: z.number().int().min(1).default(5),
  }),
  check(input: QueryInput, options): Draft[] {
    return judgedStatements(input, options.minCalls).flatMap((judged): Draft[] => {
      const { statement, figures } = judged;
      const bytesPerCall = (figures.tempBlocksWritten * input.server.blockBytes) / figures.calls;
      if (bytesPerCall < options.minBytesPerCall) return [];
      return [
        {
          subject: subjectOf(input, statement),
          title: `A statement writes ${bytes(bytesPerCall)} to temporary files in a call: ${shortened(statement.query)}`,
          detail: `${period(figures)} ${count(figures.calls)} calls wrote ${bytes(figures.tempBlocksWritten * input.server.blockBytes)} to temporary files${input.settings ? `; work_mem is ${bytes(input.settings.workMemKilobytes * 1024)}` : ''}.`,
          evidence: {
            statement: statement.query,
            ...basisOf(figures),
            calls: figures.calls,
            tempBytesPerCall: Math.round(bytesPerCall),
            tempBytesReadPerCall: Math.round((figures.tempBlocksRead * input.server.blockBytes) / figures.calls),
            meanMs: rounded(figures.meanMs),
            ...(input.settings ? { workMemKilobytes: input.settings.workMemKilobytes } : {}),
          },
          ...impactPerDay(input, judged),
          action: remedy(bytesPerCall, (input.settings?.workMemKilobytes ?? 0) * 1024),
        },
      ];
    });
  },
});

function remedy(bytesPerCall: number, workMem: number): Action {
  const enough = 2 ** Math.ceil(Math.log2(workMem + roomInMemory * bytesPerCall));
  if (enough > mostWorkMem) {
    return {
      kind: 'code',
      caution:
        'Sort or group fewer rows: filter first, take only the columns that are needed, or give it an index in the order that it sorts by. No work_mem that many connections can have would hold this.',
    };
  }
  const megabytes = Math.max(1, enough / mebibyte);
  return {
    kind: 'config',
    caution: `Give this statement more memory, not the whole server: SET LOCAL work_mem = '${megabytes}MB' in its transaction, or ALTER ROLE … SET work_mem for a role that runs reports. Each sort and each hash of each connection may take that much. Where it sorts, an index in that order needs no memory at all.`,
  };
}
