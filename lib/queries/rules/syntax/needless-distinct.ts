import * as z from 'zod';
import { rewriteBy } from '../../syntax/rewrite.ts';
import { isNeedless } from '../../syntax/rewrite-distinct.ts';
import { statementRule, worth } from './statement-rule.ts';

/**
 * `queries/needless-distinct`: a SELECT DISTINCT whose rows are different anyway, because a key is among them or because they
 * are groups; or one inside of IN or EXISTS, which do not care. PostgreSQL sorts or hashes all the same.
 */
export const needlessDistinct = statementRule({
  id: 'queries/needless-distinct',
  title: 'DISTINCT that changes nothing',
  why: 'PostgreSQL does not see that no row comes twice, and sorts or hashes all of them to find out.',
  severity: 'info',
  options: z.strictObject(worth()),
  judge({ syntax, tables }) {
    if (!syntax.blocks.some((block) => isNeedless(block, tables))) return undefined;
    const sql = rewriteBy('queries/needless-distinct', syntax, tables);
    return {
      title: 'DISTINCT changes nothing',
      detail: 'No row comes twice, or it makes no difference if one does.',
      evidence: sql === undefined ? {} : { rewrite: sql },
      action: {
        kind: 'code',
        ...(sql === undefined ? {} : { sql }),
        caution:
          'Leave DISTINCT out: a key, or what rows are grouped by, is among the columns, or IN or EXISTS only asks whether there is a row.',
      },
    };
  },
});
