import type { Action } from '../../../advice/finding.ts';
import { bytes } from '../../../advice/format.ts';

/** Every sort and hash of every connection may take so much: more than this is not asked for. */
const maxKilobytes = 256 * 1024;

/**
 * Advises more work_mem for one statement: the next power of two that holds what is needed, for a transaction, so that other
 * statements keep theirs. Undefined where that is more than 256 MB: then the rows must become fewer instead.
 *
 * https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-WORK-MEM
 */
export function raiseWorkMem(neededKilobytes: number, currentKilobytes: number | undefined): Action | undefined {
  const kilobytes = 2 ** Math.ceil(Math.log2(Math.max(1, neededKilobytes)));
  if (kilobytes > maxKilobytes || kilobytes <= (currentKilobytes ?? 0)) return undefined;
  const size = kilobytes >= 1024 ? `${kilobytes / 1024}MB` : `${kilobytes}kB`;
  return {
    kind: 'config',
    sql: `SET LOCAL work_mem = '${size}';`,
    undoSql: 'RESET work_mem;',
    caution: `For the transaction that runs the statement, and no longer. Every sort and hash of every connection that runs it may take ${bytes(kilobytes * 1024)}${currentKilobytes === undefined ? '' : ` instead of ${bytes(currentKilobytes * 1024)}`}: multiply by how many run at once before you allow it.`,
  };
}
