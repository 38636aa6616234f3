import { describe, expect, test } from 'vitest';
import { slow } from '../../../../../lib/queries/rules/slow.ts';
import { type Statement, statementKinds } from '../../../../../lib/queries/snapshot.ts';
import { querySnapshot, server, statement, takenAt } from '../../../snapshots.ts';

const check = (overrides: Partial<Statement>, options = {}, versionNumber = 180_004) =>
  slow.check(
    querySnapshot([statement({ meanMs: 200, ...overrides })], { server: server({ versionNumber }) }),
    slow.options.parse(options),
  );
const hoursBefore = (hours: number) => new Date(Date.parse(takenAt) - hours * 3_600_000).toISOString();

describe('a statement is slow', () => {
  test('from the threshold on', () => {
    expect(check({ meanMs: 99.999 })).toEqual([]);
    expect(check({ meanMs: 100 })).toHaveLength(1);
    expect(check({ meanMs: 5 }, { minMeanMs: 5 })).toHaveLength(1);
  });

  test('once it was called often enough', () => {
    expect(check({ calls: 1 })).toHaveLength(1);
    expect(check({ calls: 9 }, { minCalls: 10 })).toEqual([]);
    expect(check({ calls: 10 }, { minCalls: 10 })).toHaveLength(1);
  });

  test.each(statementKinds)('unless it is a utility statement: %s', (kind) => {
    expect(check({ kind })).toHaveLength(kind === 'utility' ? 0 : 1);
  });
});

describe('the finding', () => {
  test.each([
    [999.9, 'warning'],
    [1000, 'critical'],
  ])('for a mean of %d ms is %s', (meanMs, severity) => {
    expect(check({ meanMs })).toMatchObject([{ severity }]);
  });

  test('is not critical when it was called once', () => {
    expect(check({ calls: 1, meanMs: 5000 })).toMatchObject([{ severity: 'warning' }]);
  });

  test('can be critical from another mean on', () => {
    expect(check({ meanMs: 200 }, { criticalMeanMs: 200 })).toMatchObject([{ severity: 'critical' }]);
  });

  test('concerns the statement and tells its figures', () => {
    const [found] = check({
      queryId: '-42',
      query: 'select * from orders where id = $1',
      calls: 4,
      totalMs: 1000,
      meanMs: 250,
      maxMs: 700.126,
      rows: 10,
      sharedBlocksHit: 30,
      sharedBlocksRead: 10,
      timeSharePercent: 12.345,
    });
    expect(found?.subject).toEqual({ database: 'shop', queryId: '-42' });
    expect(found?.title).toBe('A statement takes 250 ms on average: select * from orders where id = $1');
    expect(found?.evidence).toEqual({
      statement: 'select * from orders where id = $1',
      basis: 'total',
      calls: 4,
      meanMs: 250,
      p95Ms: 250,
      maxMs: 700.13,
      stddevMs: 0,
      totalMs: 1000,
      timeSharePercent: 12.35,
      rowsPerCall: 2.5,
      blocksPerCall: 10,
    });
  });

  test('has a title of one line that does not run on', () => {
    const [found] = check({ query: `select\n\ta,\n  ${'b, '.repeat(100)} c` });
    expect(found?.title).toMatch(/: select a, b, .*…$/);
    expect(found?.title).not.toMatch(/\n|\t/);
    expect(found?.title.length).toBeLessThan(130);
  });

  test.each([
    [48, { msPerDay: 500 }],
    [1, { msPerDay: 24_000 }],
    [0.99, undefined],
    [-5, undefined],
  ])('knows the time in a day from counters of %d hours', (hours, impact) => {
    expect(check({ since: hoursBefore(hours), totalMs: 1000 })[0]?.impact).toEqual(impact);
  });

  test('knows no time in a day where counting began nobody knows when', () => {
    expect(check({ since: null })[0]).not.toHaveProperty('impact');
  });
});

describe('the first step', () => {
  test('is the generic plan, from PostgreSQL 16 on', () => {
    expect(check({ query: 'select $1' }, {}, 160_000)[0]?.action).toEqual({
      kind: 'sql',
      sql: 'EXPLAIN (GENERIC_PLAN) select $1;',
      caution: 'Shows the plan and runs nothing.',
    });
  });

  test('names the command that needs no values before PostgreSQL 16', () => {
    expect(check({ query: 'select $1' }, {}, 150_000)[0]?.action).toEqual({
      kind: 'code',
      caution: expect.stringMatching(/streamgate explain/),
    });
  });

  test('asks for nothing where there is no parameter', () => {
    expect(check({ query: 'select now()' })[0]?.action).toEqual({
      kind: 'sql',
      sql: 'EXPLAIN select now();',
      caution: 'Shows the plan and runs nothing.',
    });
  });

  test.each(['(unreadable)', 'select * from t where a = $1 and…'])('is no SQL that cannot run: %s', (query) => {
    expect(check({ kind: 'unknown', query })[0]?.action?.sql).toBeUndefined();
  });
});
