import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runRules } from '../../../../../lib/advice/configuration.ts';
import { Finding } from '../../../../../lib/advice/finding.ts';
import { cacheRules } from '../../../../../lib/cache/rules/index.ts';
import { CacheStatistics } from '../../../../../lib/cache/snapshot.ts';
import { Statistics, summarize } from '../../../../../lib/cache/statistics.ts';
import { cacheSnapshot, cacheStatistics } from './snapshot.ts';

/** Counters that fit together no more than they must, so that every mixture of findings comes up. */
const mixtures = (most: number) => {
  const n = fc.integer({ min: 0, max: most });
  const ms = fc.option(fc.double({ min: 0.01, max: 5_000, noNaN: true }));
  const latencyMs = fc.record({ p50: ms, p95: ms, p99: ms });
  const rarely = fc.oneof(fc.constant(0), n);
  return fc
    .record({
      waits: n,
      distinctKeys: n,
      l1: fc.record({
        fresh: n,
        stale: rarely,
        negative: n,
        misses: n,
        maxEntries: n,
        evictions: fc.record({ capacity: rarely, bytes: rarely, expired: rarely, invalidated: rarely }),
        latencyMs,
      }),
      l2: fc.record({
        fresh: n,
        stale: rarely,
        negative: n,
        misses: n,
        entries: n,
        maxEntries: n,
        timeOuts: rarely,
        errors: rarely,
        notAsked: rarely,
        breakerOpened: rarely,
        writes: n,
        writesOutdated: n,
        writesFailed: rarely,
        latencyMs,
      }),
      loads: fc.record({
        ok: n,
        failed: rarely,
        timedOut: rarely,
        joined: n,
        rememberedErrors: rarely,
        servedOnError: rarely,
        latencyMs,
      }),
      refreshes: fc.record({ early: n, stale: n, dropped: rarely }),
      invalidations: n,
      unjitteredWrites: rarely,
      service: fc.option(
        fc.record({
          name: fc.constant('shop'),
          engine: fc.constant('valkey'),
          version: fc.constant('8.1'),
          maxBytes: fc.option(n),
          maxEcpuPerSecond: fc.option(n),
          usedBytes: fc.option(n),
          usedEcpuPerSecond: fc.option(n),
          throttled: fc.option(rarely),
          evictions: fc.option(rarely),
        }),
        { nil: undefined },
      ),
    })
    .map(({ service, ...figures }) => {
      const { fresh, stale, negative, misses } = figures.l1;
      const gets = fresh + stale + negative + misses;
      const [waits, distinctKeys] = [Math.min(figures.waits, gets), Math.min(figures.distinctKeys, gets)];
      return { ...cacheSnapshot({ ...figures, gets, waits, distinctKeys }), service };
    });
};

/** What a finding tells people, sentence by sentence. */
const sentences = ({ title, detail, action }: Finding) =>
  [title, detail, action?.caution ?? ''].flatMap((text) => text.split(/(?<=[.:;]) /)).filter((text) => text !== '');

test('a healthy cache has no findings', () => {
  expect(runRules(cacheRules, cacheSnapshot())).toEqual([]);
});

test('a cache that was never used has no findings', () => {
  const unused = summarize(new Statistics());
  const { l1, l2, l3 } = cacheStatistics();
  const statistics = cacheStatistics({
    ...unused,
    l1: { ...l1, ...unused.l1 },
    l2: { ...l2, ...unused.l2, entries: 0 },
    l3: { ...l3, ...unused.l3 },
  });
  expect(statistics.hitRate).toBeNull();
  expect(runRules(cacheRules, { ...cacheSnapshot(), statistics })).toEqual([]);
});

test('the snapshots of these tests are such as there are', () => {
  expect(CacheStatistics.safeParse(cacheStatistics()).error).toBeUndefined();
});

describe('whatever was counted', () => {
  test('every finding is one, each rule has at most one, and the same counters give the same', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(mixtures(100_000), (snapshot) => {
        const found = runRules(cacheRules, snapshot);
        for (const finding of found) {
          expect(Finding.safeParse(finding).error).toBeUndefined();
          expect(finding.action?.sql).toBeUndefined();
          expect(finding.action?.kind).toMatch(/^(config|code)$/);
          expect(JSON.stringify(finding)).not.toMatch(/NaN|Infinity|undefined|:null/);
          expect(finding.subject).toEqual({ database: 'shop' });
          seen.add(finding.rule);
        }
        expect(new Set(found.map(({ rule }) => rule)).size).toBe(found.length);
        expect(runRules(cacheRules, structuredClone(snapshot))).toEqual(found);
      }),
      { numRuns: 500, seed: 1 },
    );
    expect([...seen].sort()).toEqual(cacheRules.map(({ id }) => id).sort());
  });

  test('no two findings say the same in the same words', () => {
    fc.assert(
      fc.property(mixtures(100_000), (snapshot) => {
        const said = runRules(cacheRules, snapshot).flatMap((finding) => [...new Set(sentences(finding))]);
        expect(said.filter((sentence, at) => said.indexOf(sentence) < at)).toEqual([]);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test('memory is either too small or gives up too much, never both', () => {
    fc.assert(
      fc.property(mixtures(100_000), (snapshot) => {
        const rules = runRules(cacheRules, snapshot).map(({ rule }) => rule);
        expect(rules.filter((id) => id === 'cache/l1-too-small' || id === 'cache/evictions').length).toBeLessThan(2);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test('nothing is said about what cannot be better: a target that is out of reach', () => {
    fc.assert(
      fc.property(mixtures(100_000), ({ statistics, ...snapshot }) => {
        const found = runRules(cacheRules, {
          ...snapshot,
          statistics: { ...statistics, targetHitRate: 1, attainableHitRate: 0.999 },
        });
        expect(found.map(({ rule }) => rule)).not.toContain('cache/hit-rate');
      }),
    );
  });

  test('so little of it that it proves nothing has no findings', () => {
    fc.assert(
      // What the service itself says is never too little.
      fc.property(mixtures(3), ({ service: _, ...snapshot }) => {
        expect(runRules(cacheRules, snapshot)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
