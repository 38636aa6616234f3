import { describe, expect, test } from 'vitest';
import type { Proposal } from '../../../../../lib/indexes/advisor/proposal.ts';
import { missing } from '../../../../../lib/indexes/rules/missing.ts';
import { indexSnapshot } from '../../../snapshots.ts';

const options = missing.options.parse({});

function proposal(overrides: Partial<Proposal> = {}): Proposal {
  return {
    schema: 'public',
    table: 'orders',
    name: 'orders_customer_id_idx',
    columns: ['customer_id'],
    sql: 'CREATE INDEX CONCURRENTLY "orders_customer_id_idx" ON "public"."orders" ("customer_id");',
    undoSql: 'DROP INDEX CONCURRENTLY IF EXISTS "public"."orders_customer_id_idx";',
    caution: 'It reads the table twice.',
    sizeBytes: 1024 ** 2,
    savedPercent: 40,
    writePercent: 0.5,
    helps: ['1', '2'],
    why: ['customer_id: Compared for equality in 2 statements.'],
    ...overrides,
  };
}

const check = (...proposals: Proposal[]) => missing.check(indexSnapshot([], { proposals }), options);

describe('indexes/missing', () => {
  test('says what an index would save, what it costs, and how to make it', () => {
    const [finding, ...others] = check(proposal());
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: 'indexes/missing',
      severity: 'warning',
      subject: { database: 'shop', schema: 'public', table: 'orders', index: 'orders_customer_id_idx' },
      title: 'orders lacks an index on customer_id',
      detail: expect.stringMatching(/save 40 % .* write 0\.5 %, helps 2 statements, and takes about 1 MB/),
      evidence: { savedPercent: 40, statements: 2, queryIds: '1, 2' },
      impact: { costRatio: 0.605 },
      action: { kind: 'sql', sql: proposal().sql, undoSql: proposal().undoSql },
    });
  });

  test.each<[string, Partial<Proposal>, string | undefined]>([
    ['is a warning from a tenth on', { savedPercent: 10, writePercent: 0 }, 'warning'],
    ['is information below', { savedPercent: 9.9, writePercent: 0 }, 'info'],
    ['is nothing where it saves next to nothing', { savedPercent: 0.9, writePercent: 0 }, undefined],
    ['is nothing where the writes cost as much as it saves', { savedPercent: 5, writePercent: 4.5 }, undefined],
  ])('%s', (_, overrides, severity) => {
    expect(check(proposal(overrides))[0]?.severity).toBe(severity);
  });

  test('tells what each statement is expected to cost, and with which other proposals', () => {
    const costs = [
      { queryId: '1', costBefore: 100, costAfter: 5 },
      { queryId: '2', costBefore: 80, costAfter: 8 },
    ];
    const other = proposal({ name: 'people_id_idx', table: 'people', helps: ['2'], costs: costs.slice(1) });
    const tiny = proposal({ name: 'tiny_idx', table: 'tiny', helps: ['1', '2'], costs, savedPercent: 0.1 });
    const [first, second] = check(proposal({ costs }), other, tiny);
    expect(first?.expected).toEqual({
      sizeBytes: 1024 ** 2,
      statements: [
        { ...costs[0], together: [] },
        { ...costs[1], together: [second?.id] },
      ],
    });
    expect(second?.expected?.statements).toEqual([{ ...costs[1], together: [first?.id] }]);
    expect(check(proposal())[0]).not.toHaveProperty('expected');
  });

  test('says nothing where the advisor did not run', () => {
    expect(missing.check(indexSnapshot([]), options)).toEqual([]);
  });
});
