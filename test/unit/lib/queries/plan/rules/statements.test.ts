import { beforeAll, describe, expect, test } from 'vitest';
import { changed } from '../../../../../../lib/queries/plan/rules/changed.ts';
import { disabledNode } from '../../../../../../lib/queries/plan/rules/disabled-node.ts';
import { jitCost } from '../../../../../../lib/queries/plan/rules/jit-cost.ts';
import { parameterSensitive } from '../../../../../../lib/queries/plan/rules/parameter-sensitive.ts';
import { rowMisestimate } from '../../../../../../lib/queries/plan/rules/row-misestimate.ts';
import { staleStatistics } from '../../../../../../lib/queries/plan/rules/stale-statistics.ts';
import { triggerTime } from '../../../../../../lib/queries/plan/rules/trigger-time.ts';
import { workersNotLaunched } from '../../../../../../lib/queries/plan/rules/workers-not-launched.ts';
import type { PlanNode } from '../../../../../../lib/queries/plan/tree.ts';
import type { Gain, Past, PastWindow } from '../../../../../../lib/queries/snapshot.ts';
import { loadParser } from '../../../../../../lib/queries/text.ts';
import { column, relation, statementPlan, takenAt } from '../../../../snapshots.ts';
import { actual, check, checkPlans, estimate, orders, over, scan } from './plans.ts';

beforeAll(loadParser);

describe('plans/row-misestimate', () => {
  const filter = '((city = $1) AND (region = $2))';
  const places = relation('places', { columns: [column('city'), column('region')] });
  const run = (expected: number, rows: number, overrides: Partial<PlanNode> = {}) =>
    over(
      [scan('places', { conditions: { filter }, estimate: estimate(expected), actual: actual(rows), ...overrides })],
      {
        type: 'Sort',
        estimate: estimate(expected),
        actual: actual(rows),
      },
    );

  test('names the node where it began, and suggests statistics over its columns', () => {
    expect(check(rowMisestimate, run(20, 2_000), { relations: [places] })).toMatchObject([
      {
        subject: { table: 'places' },
        title: 'Seq Scan of public.places gives 100 times the rows that were expected',
        evidence: { node: 'Seq Scan', expectedRows: 20, rows: 2_000, factor: 100 },
        action: {
          sql: expect.stringContaining('ON "city", "region" FROM "public"."places"'),
          undoSql: 'DROP STATISTICS IF EXISTS "public"."places_city_region_stat";',
        },
      },
    ]);
  });

  test('tells of rows that were not there, too', () => {
    const found = check(rowMisestimate, run(50_000, 100, { conditions: { filter: '(city = $1)' } }), {
      relations: [places],
    });
    expect(found).toMatchObject([{ title: expect.stringContaining('500 times fewer'), action: { kind: 'code' } }]);
  });

  test.each([
    ['is right', run(1_000, 2_000)],
    ['is about few rows', run(1, 900)],
  ])('says nothing of an estimate that %s', (_, root) => {
    expect(check(rowMisestimate, root, { relations: [places] })).toEqual([]);
  });

  describe('of a plan that was not run', () => {
    const planned = scan('places', { estimate: estimate(90_000) });
    const few = { calls: 10, rows: 50 };

    test('compares what the statement returns', () => {
      expect(check(rowMisestimate, planned, { statement: few })).toMatchObject([
        { severity: 'info', evidence: { expectedRows: 90_000, rows: 5, factor: 18_000 } },
      ]);
    });

    test.each([
      ['below a LIMIT', over([planned], { type: 'Limit', estimate: estimate(9_000) }), { statement: few }],
      ['of a change', planned, { statement: { ...few, kind: 'update' as const } }],
      ['that stands for a change', planned, { statement: few, explained: { explainedAs: 'select' as const } }],
      ['of a statement that was never called', planned, { statement: { calls: 0 } }],
      [
        'of a range that nobody knows',
        scan('places', { estimate: estimate(90_000), conditions: { filter: '(city > $1)' } }),
        { statement: few },
      ],
      ['of an unknown statement', planned, { statement: null }],
    ])('says nothing %s', (_, root, given) => {
      expect(check(rowMisestimate, root, given)).toEqual([]);
    });
  });
});

describe('plans/stale-statistics', () => {
  const root = scan('orders');
  const of = (overrides: Parameters<typeof orders>[0]) =>
    check(staleStatistics, root, { relations: [orders(overrides)] });
  const blind = { rows: null, analyzedAt: null, columns: [column('id', { statistics: null })] };

  test('tells of a table without any', () => {
    expect(of(blind)).toMatchObject([
      {
        subject: { database: 'shop', schema: 'public', table: 'orders' },
        title: 'public.orders was never analyzed',
        action: { sql: 'ANALYZE "public"."orders";' },
      },
    ]);
  });

  test('tells of a table that changed since', () => {
    expect(of({ changedSinceAnalyze: 300_000 })).toMatchObject([
      { title: '30 % of public.orders changed since it was last analyzed', evidence: { changedSinceAnalyze: 300_000 } },
    ]);
  });

  test('tells a table once, with the number of its statements', () => {
    const plans = ['1', '2'].map((queryId) => statementPlan(root, { queryId }));
    const found = checkPlans(staleStatistics, plans, { relations: [orders(blind)] });
    expect(found).toMatchObject([{ evidence: { statements: 2 } }]);
    expect(found[0]?.subject).not.toHaveProperty('queryId');
  });

  test.each([
    ['is fresh', { changedSinceAnalyze: 200_000 }],
    ['is small', { ...blind, liveRows: 900 }],
    ['was analyzed before the counters were reset', { analyzedAt: null }],
    ['has statistics that the role may not see', { ...blind, rows: 1_000_000 }],
    ['is a view', { ...blind, kind: 'view' as const }],
  ])('says nothing of a table that %s', (_, overrides) => {
    expect(of(overrides)).toEqual([]);
  });
});

describe('plans/parameter-sensitive', () => {
  const costs = (overrides: object) => ({
    explained: {
      parameterCosts: {
        common: 90_000,
        rare: 10,
        generic: 500,
        shapesDiffer: true,
        parameter: 2,
        column: 'status',
        ...overrides,
      },
    },
  });

  test('tells how far the costs are apart', () => {
    expect(check(parameterSensitive, scan('orders'), costs({}))).toMatchObject([
      {
        severity: 'warning',
        title: 'The cost depends 9,000 times over on $2 (status)',
        evidence: { costCommon: 90_000, costRare: 10, costGeneric: 500, ratio: 9_000 },
        action: { kind: 'config', undoSql: 'RESET plan_cache_mode;' },
      },
    ]);
  });

  test('is no more than a remark where all values have one plan', () => {
    const found = check(parameterSensitive, scan('orders'), costs({ shapesDiffer: false }));
    expect(found).toMatchObject([{ severity: 'info' }]);
    expect(found[0]).not.toHaveProperty('action');
  });

  test.each([
    ['that are close', costs({ rare: 10_000, generic: 12_000 })],
    ['that are all small', costs({ common: 900 })],
    ['that nobody knows', {}],
  ])('says nothing of costs %s', (_, given) => {
    expect(check(parameterSensitive, scan('orders'), given)).toEqual([]);
  });
});

describe('plans/changed', () => {
  const at = (hoursAgo: number) => new Date(Date.parse(takenAt) - hoursAgo * 3_600_000).toISOString();
  const window = (hoursAgo: number, meanMs: number, calls = 100): PastWindow => ({
    from: at(hoursAgo),
    to: at(hoursAgo - 1),
    calls,
    totalMs: meanMs * calls,
    meanMs,
    stddevMs: 0,
    rows: 0,
    blocks: 0,
  });
  const gained = (meanMs: number, calls = 100) => ({ calls, totalMs: meanMs * calls }) as Gain;
  const shapes = (...seen: [shape: string, first: number, last: number][]) =>
    seen.map(([shape, first, last]) => ({ shape, firstSeenAt: at(first), lastSeenAt: at(last) }));
  const past = (
    plans: Past['plans'] extends ReadonlyMap<string, infer Plans> ? Plans : never,
    windows: PastWindow[],
  ): Past => ({
    plans: new Map([['1', plans]]),
    windows: new Map([['1', windows]]),
  });
  const look = (given: Past, ms: number, calls = 100, shape: string | null = 'new') =>
    check(changed, scan('orders'), {
      past: given,
      windowFrom: at(1),
      explained: { shape },
      statement: { window: gained(ms, calls) },
    });

  test('tells of a new plan that takes longer than before the window in which it came', () => {
    const windows = [window(4, 10), window(3, 20), window(2, 80)];
    expect(look(past(shapes(['old', 100, 1]), windows), 90)).toMatchObject([
      {
        title: 'The plan changed, and the statement takes 6 times as long',
        evidence: { meanMsBefore: 15, meanMsSince: 90, callsBefore: 200, shapeBefore: 'old', shape: 'new' },
      },
    ]);
  });

  test('goes on telling of it for some days, from all windows since', () => {
    const seen = (days: number) => shapes(['old', 999, days * 24], ['new', days * 24, 1]);
    const windows = (days: number) => [window(days * 24 + 2, 10), window(days * 24, 80), window(2, 90)];
    expect(look(past(seen(3), windows(3)), 100)).toMatchObject([{ evidence: { meanMsSince: 90, callsSince: 300 } }]);
    expect(look(past(seen(8), windows(8)), 100)).toEqual([]);
  });

  test.each([
    ['the plan is the same', past(shapes(['new', 100, 1]), [window(2, 10)]), 90],
    ['the new plan is as fast', past(shapes(['old', 100, 1]), [window(2, 10)]), 12],
    ['the rise is small', past(shapes(['old', 100, 1]), [window(2, 0.1)]), 0.9],
    ['few calls were made before', past(shapes(['old', 100, 1]), [window(2, 10, 3)]), 90],
    ['nothing is known of before', past([], []), 90],
    ['the old plan came later', past(shapes(['new', 100, 1], ['old', 50, 1]), [window(2, 10)]), 90],
  ])('says nothing where %s', (_, given, ms) => {
    expect(look(given, ms)).toEqual([]);
  });

  test('says nothing of few calls since, of a plan without a shape, and without a history', () => {
    const given = past(shapes(['old', 100, 1]), [window(2, 10)]);
    expect(look(given, 90, 3)).toEqual([]);
    expect(look(given, 90, 100, null)).toEqual([]);
    expect(check(changed, scan('orders'))).toEqual([]);
  });
});

describe('plans/jit-cost', () => {
  const compiled = (totalMs: number | undefined, executionMs: number | undefined) =>
    check(jitCost, scan('orders', { actual: actual(1) }), {
      plan: {
        jit: { functions: 9, ...(totalMs === undefined ? {} : { totalMs }) },
        ...(executionMs === undefined ? {} : { executionMs }),
      },
    });

  test('tells how long was compiled', () => {
    expect(compiled(60, 200)).toMatchObject([
      {
        evidence: { jitMs: 60, executionMs: 200, jitAboveCost: 100_000, sharePercent: 30 },
        action: { sql: 'SET jit = off;' },
      },
    ]);
  });

  test.each([
    ['a small part', 60, 900],
    ['a moment', 4, 8],
    ['an unknown time', undefined, 900],
    ['a plan that was not run', undefined, undefined],
  ])('says nothing of %s', (_, jitMs, executionMs) => {
    expect(compiled(jitMs, executionMs)).toEqual([]);
  });
});

describe('plans/workers-not-launched', () => {
  const gather = (workers: PlanNode['workers'], loops = 1) =>
    over([scan('orders', { actual: actual(1) })], { type: 'Gather', workers, actual: actual(1, { loops }) });

  test('tells how many were missing', () => {
    expect(check(workersNotLaunched, gather({ planned: 4, launched: 1 }))).toMatchObject([
      { severity: 'info', evidence: { workersPlanned: 4, workersLaunched: 1, maxParallelWorkers: 8 } },
    ]);
  });

  test.each([
    ['all that were planned', gather({ planned: 2, launched: 2 })],
    ['most of them', gather({ planned: 4, launched: 3 })],
    ['a plan that was not run', gather({ planned: 2 })],
    ['a part that never ran', gather({ planned: 2, launched: 0 }, 0)],
  ])('says nothing of %s', (_, root) => {
    expect(check(workersNotLaunched, root)).toEqual([]);
  });
});

describe('plans/disabled-node', () => {
  test('knows a forbidden node by the word of PostgreSQL 18', () => {
    expect(check(disabledNode, scan('orders', { disabled: true }))).toMatchObject([
      { evidence: { nodes: 'Seq Scan' } },
    ]);
  });

  test('knows it by its cost before that, and only where the cost is its own', () => {
    const root = over([scan('orders', { estimate: estimate(1, { totalCost: 1e10 + 100 }) })], {
      type: 'Sort',
      estimate: estimate(1, { totalCost: 1e10 + 200 }),
    });
    expect(check(disabledNode, root)).toMatchObject([{ evidence: { nodes: 'Seq Scan' } }]);
  });

  test('tells the settings where they are known, and takes them back', () => {
    const found = check(disabledNode, scan('orders'), {
      plan: { settings: { enable_nestloop: 'off', work_mem: '1MB' } },
    });
    expect(found).toMatchObject([
      {
        title: 'Planned with enable_nestloop off',
        action: { sql: 'RESET enable_nestloop;', undoSql: 'SET enable_nestloop = off;' },
      },
    ]);
  });

  test('says nothing where all is allowed', () => {
    expect(
      check(disabledNode, scan('orders', { disabled: false }), {
        plan: { settings: { enable_partitionwise_join: 'on' } },
      }),
    ).toEqual([]);
  });
});

describe('plans/trigger-time', () => {
  const triggers = (totalMs: number, relations = [orders()]) =>
    check(triggerTime, scan('customers', { actual: actual(40) }), {
      relations,
      plan: {
        executionMs: 400,
        triggers: [{ name: 'orders_customer_id_fkey', relation: 'customers', calls: 40, totalMs }],
      },
    });
  const referring = orders({
    references: [{ columns: ['customer_id'], toSchema: 'public', toTable: 'customers', toColumns: ['id'] }],
  });

  test('tells how long they took', () => {
    expect(triggers(300)).toMatchObject([
      {
        evidence: { trigger: 'orders_customer_id_fkey', calls: 40, triggerMs: 300, sharePercent: 75 },
        action: { kind: 'code' },
      },
    ]);
  });

  test('suggests the index that the foreign key lacks, where it is the only one', () => {
    expect(triggers(300, [referring])).toMatchObject([{ action: { sql: expect.stringContaining('("customer_id")') } }]);
    expect(triggers(300, [referring, { ...referring, table: 'notes' }])).toMatchObject([{ action: { kind: 'code' } }]);
  });

  test('says nothing of a small part, nor where there are none', () => {
    expect(triggers(90)).toEqual([]);
    expect(check(triggerTime, scan('customers'))).toEqual([]);
  });
});
