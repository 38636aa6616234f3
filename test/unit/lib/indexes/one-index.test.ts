import { beforeAll, describe, expect, test } from 'vitest';
import { withOneIndex } from '../../../../lib/indexes/one-index.ts';
import { loadParser } from '../../../../lib/queries/text.ts';
import { finding } from '../../snapshots.ts';

beforeAll(() => loadParser());

const asking = (rule: string, sql: string) => finding({ rule, action: { kind: 'sql', sql, undoSql: `undo ${sql}` } });
const proposal = 'CREATE INDEX CONCURRENTLY IF NOT EXISTS p ON shop.orders (customer, at DESC) INCLUDE (total);';
const proposed = asking('indexes/missing', proposal);
const sqlOf = (rule: string, sql: string, other = proposed) =>
  withOneIndex([asking(rule, sql), other], [other])[0]?.action?.sql;

describe('a finding that asks for an index', () => {
  test.each([
    ['the first key alone', 'CREATE INDEX CONCURRENTLY i ON shop.orders (customer);'],
    ['the keys in their order', 'CREATE INDEX i ON shop.orders (customer, at DESC)'],
    ['less beside them', 'CREATE INDEX i ON shop.orders ("customer") INCLUDE (at, total)'],
    ['some of the rows', 'CREATE INDEX i ON shop.orders (customer) WHERE total > 0'],
  ])('refers to the proposal that has %s', (_, sql) => {
    expect(sqlOf('plans/selective-seq-scan', sql)).toBe(proposal);
  });

  test.each([
    ['another first key', 'CREATE INDEX i ON shop.orders (at, customer)'],
    ['another direction', 'CREATE INDEX i ON shop.orders (customer, at)'],
    ['another table', 'CREATE INDEX i ON shop.payments (customer)'],
    ['another schema', 'CREATE INDEX i ON public.orders (customer)'],
    ['more beside it', 'CREATE INDEX i ON shop.orders (customer) INCLUDE (notes)'],
    ['another operator class', 'CREATE INDEX i ON shop.orders (customer text_pattern_ops)'],
    ['another method', 'CREATE INDEX i ON shop.orders USING hash (customer)'],
    ['uniqueness', 'CREATE UNIQUE INDEX i ON shop.orders (customer)'],
    ['more to do', 'DROP INDEX j; CREATE INDEX i ON shop.orders (customer)'],
    ['an expression', 'CREATE INDEX i ON shop.orders (lower(customer))'],
  ])('keeps its own with %s', (_, sql) => {
    expect(sqlOf('plans/selective-seq-scan', sql)).toBe(sql);
  });

  test('keeps its own for all rows beside a proposal for some', () => {
    const some = asking('indexes/missing', 'CREATE INDEX p ON shop.orders (customer) WHERE total > 0');
    const all = 'CREATE INDEX i ON shop.orders (customer)';
    expect(sqlOf('indexes/missing-foreign-key', all, some)).toBe(all);
    const same = 'CREATE INDEX i ON shop.orders (customer) WHERE (total > 0)';
    expect(sqlOf('plans/selective-seq-scan', same, some)).toBe(same);
  });

  test('says so, and keeps all else', () => {
    const before = asking('indexes/missing-foreign-key', 'CREATE INDEX i ON shop.orders (customer)');
    const [after] = withOneIndex([before], [proposed]);
    expect(after).toEqual({
      ...before,
      detail: `${before.detail} The index that indexes/missing proposes for the table does this, too.`,
      action: proposed.action,
    });
  });

  test('keeps its own where nothing is proposed, and so do proposals', () => {
    const one = asking('plans/selective-seq-scan', 'CREATE INDEX i ON shop.orders (customer)');
    expect(withOneIndex([one], [one])).toEqual([one]);
    const smaller = asking('indexes/missing', 'CREATE INDEX i ON shop.orders (customer)');
    expect(withOneIndex([proposed, smaller], [proposed, smaller])).toEqual([proposed, smaller]);
  });
});
