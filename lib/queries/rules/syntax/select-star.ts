import * as z from 'zod';
import { bytes, plural } from '../../../advice/format.ts';
import type { Column, Relation } from '../../catalog.ts';
import { answersClient } from '../../syntax/block.ts';
import { relationOf, starSources } from '../../syntax/resolve.ts';
import { withoutModifier } from '../../syntax/type.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/select-star`: `SELECT *` of rows that are wide, many at a time. What is not needed is read, sent and parsed all the
 * same; long values are fetched from TOAST and decompressed only if they are asked for
 * (https://www.postgresql.org/docs/current/storage-toast.html).
 *
 * Widths are those of pg_stats: of a value that lies in TOAST they count its pointer, so that rows may be wider than is said.
 */
export const selectStar = statementRule({
  id: 'queries/select-star',
  title: 'SELECT * of wide rows',
  why: 'Every column is read, sent and kept in the memory of the function, however few are used; a column that is added later, too.',
  severity: 'info',
  options: z.strictObject({
    ...worth({ minMeanMs: 1 }),
    /** The width of a row, in bytes, from which it is wide. */
    minRowBytes: z.number().positive().default(500),
    /** What a call answers, in bytes: rows times width. */
    minBytesPerCall: z.number().positive().default(100_000),
    /** A column of so many bytes is named as one that may be left out. */
    minColumnBytes: z.number().positive().default(200),
  }),
  judge({ syntax, tables, rowsPerCall, options }) {
    const shown = syntax.blocks
      .filter((block) => block.kind === 'select' && answersClient(block))
      .flatMap((block) => block.targets.flatMap(({ star }) => (star ? starSources(block, star) : [])))
      .flatMap((source) => relationOf(source, tables) ?? []);
    const rowBytes = shown.reduce((sum, relation) => sum + widthOf(relation), 0);
    const wide = shown.flatMap(({ columns }) => columns.filter((column) => isWide(column, options.minColumnBytes)));
    const perCall = rowBytes * rowsPerCall;
    if (wide.length === 0 || rowBytes < options.minRowBytes || perCall < options.minBytesPerCall) return undefined;
    const names = wide.map(({ name }) => name).join(', ');
    return {
      relation: shown.length === 1 ? shown[0] : undefined,
      title: `SELECT * answers rows of ${bytes(rowBytes)}`,
      detail: `A call answers ${plural(rowsPerCall, 'row')}, about ${bytes(perCall)}; the widest columns are ${names}.`,
      evidence: { rowBytes: Math.round(rowBytes), bytesPerCall: Math.round(perCall), wideColumns: names },
      action: { kind: 'code', caution: `Name the columns that are used, and leave out ${names} where they are not.` },
    };
  },
});

function widthOf({ columns }: Relation): number {
  return columns.reduce((sum, { statistics }) => sum + (statistics?.averageBytes ?? 0), 0);
}

function isWide({ type, statistics }: Column, least: number): boolean {
  return (
    /^(?:bytea|character varying|jsonb?|text|xml)$/.test(withoutModifier(type)) &&
    (statistics?.averageBytes ?? 0) >= least
  );
}
