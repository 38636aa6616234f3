import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { roster } from '../../lib/audit.ts';
import { errorCodes } from '../../lib/errors.ts';
import { Environment, LocalEnvironment } from '../../lib/settings.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('docs/errors.md', () => {
  test('has a section for every code, each once, and for nothing else', () => {
    const sections = [...read('docs/errors.md').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(sections.sort()).toEqual(
      Object.keys(errorCodes)
        .map((code) => `\`${code}\``)
        .sort(),
    );
  });

  test.each(Object.entries(errorCodes))('says the HTTP status of %s', (code, { status }) => {
    const [, section = ''] = read('docs/errors.md').split(`## \`${code}\`\n`);
    expect(section.split('\n## ')[0]).toContain(`HTTP ${status}`);
  });
});

describe('docs/rules', () => {
  test('has a page for every rule, and no other', () => {
    const pages = readdirSync(join(root, 'docs/rules'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md') && path !== 'README.md')
      .map((path) => `docs/rules/${path.replaceAll('\\', '/')}`);
    expect(pages.sort()).toEqual(roster.map(({ docs }) => docs).sort());
  });

  test('are listed with their titles', () => {
    const listed = [...read('docs/rules/README.md').matchAll(/^- \[`(.+?)`\]\((.+?)\): (.+)$/gm)];
    const expected = roster.map(({ id, docs, title }) => [id, docs.replace('docs/rules/', ''), title]);
    expect(listed.map(([, ...parts]) => parts).sort()).toEqual(expected.sort());
  });

  describe.each(roster.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
    test('begins with the id of the rule', () => {
      expect(read(rule.docs).split('\n')[0]).toBe(`# \`${id}\``);
    });

    test('lists every option with its default, and no other', () => {
      const { properties } = z.toJSONSchema(rule.options, { io: 'input' }) as {
        properties: Record<string, { default?: unknown }>;
      };
      const defaults = Object.entries(properties).map(([name, option]) => [name, String(option.default)]);
      const rows = [...read(rule.docs).matchAll(/^\| +`(\w+)` +\| +`?(.+?)`? +\|/gm)].map(
        ([, name = '', value = '']) => [name, value.replaceAll(/[,_](?=\d{3})/g, '')],
      );
      expect(rows.sort()).toEqual(defaults.sort());
    });

    test('says what the rule looks for and why in the rule itself', () => {
      expect(rule.title).not.toBe('');
      expect(rule.why).toMatch(/\.$/);
    });
  });
});

test('the ids of rules are a contract', () => {
  expect(roster.map(({ id }) => id).sort()).toEqual([
    'cache/evictions',
    'cache/hit-rate',
    'cache/l1-too-small',
    'cache/l2-full',
    'cache/l2-timeouts',
    'cache/load-failures',
    'cache/no-jitter',
    'cache/no-stale',
    'cache/service-evictions',
    'cache/service-limits',
    'cpu/cold-starts',
    'cpu/over-target',
    'eventloop/blocked',
    'gc/long-pause',
    'gc/share',
    'indexes/duplicate',
    'indexes/fragmented',
    'indexes/invalid',
    'indexes/low-selectivity',
    'indexes/missing',
    'indexes/missing-foreign-key',
    'indexes/oversized',
    'indexes/redundant',
    'indexes/unused',
    'indexes/write-heavy',
    'memory/handle-growth',
    'memory/leak',
    'memory/left-running',
    'memory/listener-growth',
    'memory/near-limit',
    'memory/over-target',
    'memory/oversized',
    'memory/regressed',
    'memory/undersized',
    'plans/bitmap-and',
    'plans/cartesian-product',
    'plans/changed',
    'plans/correlated-subplan',
    'plans/cte-fence',
    'plans/disabled-node',
    'plans/expression-hides-index',
    'plans/foreign-key-join',
    'plans/function-scan-estimate',
    'plans/hash-spill',
    'plans/heap-fetches',
    'plans/jit-cost',
    'plans/large-offset',
    'plans/large-sort',
    'plans/limit-not-pushed',
    'plans/lossy-bitmap',
    'plans/memoize-evictions',
    'plans/nested-loop-many',
    'plans/or-across-tables',
    'plans/parameter-sensitive',
    'plans/partition-pruning',
    'plans/row-misestimate',
    'plans/rows-removed',
    'plans/selective-seq-scan',
    'plans/seq-scan-large-table',
    'plans/sort-spill',
    'plans/stale-statistics',
    'plans/trigger-time',
    'plans/workers-not-launched',
    'queries/arithmetic-on-column',
    'queries/blocked',
    'queries/blocks-per-row',
    'queries/count-all',
    'queries/count-distinct-large',
    'queries/count-for-existence',
    'queries/delete-without-batches',
    'queries/distinct-hides-join',
    'queries/evictions',
    'queries/for-update-without-skip-locked',
    'queries/function-on-column',
    'queries/high-share',
    'queries/idle-in-transaction',
    'queries/implicit-cast',
    'queries/jit-time',
    'queries/json-key',
    'queries/leading-wildcard',
    'queries/long-transaction',
    'queries/low-cache-hit',
    'queries/many-rows-per-call',
    'queries/missing-join-condition',
    'queries/n-plus-one',
    'queries/needless-distinct',
    'queries/not-in-subquery',
    'queries/offset-paging',
    'queries/optional-filter',
    'queries/or-across-columns',
    'queries/or-list',
    'queries/order-by-random',
    'queries/paging-without-order',
    'queries/planning-time',
    'queries/regressed',
    'queries/scalar-subquery-in-select',
    'queries/select-for-update-wide',
    'queries/select-star',
    'queries/slow',
    'queries/temp-files',
    'queries/total-with-page',
    'queries/unbounded-in-list',
    'queries/union-not-all',
    'queries/unstable-time',
    'queries/update-without-change',
    'queries/upsert-burns-sequence',
    'queries/wal-heavy',
    'sequences/exhaustion',
    'tables/autovacuum-disabled',
    'tables/bloat',
    'tables/no-primary-key',
    'tables/not-validated',
    'tables/sequential-scans',
    'tables/stale-statistics',
    'tables/wraparound',
  ]);
});

test('docs/configuration.md lists every environment variable and none more', () => {
  const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  const known = new Set([...Object.keys(Environment.shape), ...Object.keys(LocalEnvironment.shape)]);
  expect([...new Set(listed)].toSorted()).toEqual([...known].toSorted());
});
