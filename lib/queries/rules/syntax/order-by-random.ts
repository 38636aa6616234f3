import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import { rowsOf } from '../../syntax/lookup.ts';
import { as, lastName, nodesIn } from '../../syntax/node.ts';
import { relationOf } from '../../syntax/resolve.ts';
import { statementRule, worth } from './statement-rule.ts';

/** Functions that give every row another number. */
const random = new Set(['random', 'gen_random_uuid', 'uuid_generate_v4', 'uuidv4']);

/**
 * `queries/order-by-random`: `ORDER BY random() LIMIT n`: every row gets a number, and all are sorted, to take a few by chance.
 */
export const orderByRandom = statementRule({
  id: 'queries/order-by-random',
  title: 'Rows by chance, by sorting all of them',
  why: 'Every row of the table is read, given a random number and sorted, to return a few of them.',
  severity: 'warning',
  options: z.strictObject({
    ...worth(),
    /** Smaller tables are left alone. */
    minRows: z.number().min(0).default(1_000),
  }),
  judge({ syntax, tables, options }) {
    for (const { orderBy, limit, sources } of syntax.blocks) {
      const [first] = orderBy;
      const drawn =
        first && [...nodesIn(first.node)].some((node) => random.has(lastName(as('FuncCall', node)?.funcname)));
      const relations = sources.flatMap((source) => relationOf(source, tables) ?? []);
      const rows = Math.max(0, ...relations.map(rowsOf));
      if (!drawn || limit === undefined || rows < options.minRows) continue;
      return {
        relation: relations.length === 1 ? relations[0] : undefined,
        title: 'All rows are sorted to draw a few',
        detail: `Up to ${count(rows)} rows are sorted by a random number.`,
        evidence: { tableRows: rows },
        action: {
          kind: 'code',
          caution:
            'Draw by TABLESAMPLE (SYSTEM_ROWS of the extension tsm_system_rows takes a number of rows), or draw a random key and take the next row: WHERE id >= $1 ORDER BY id LIMIT 1, again until there are enough.',
        },
      };
    }
    return undefined;
  },
});
