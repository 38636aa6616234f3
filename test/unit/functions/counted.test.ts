import { expect, test } from 'vitest';
import { countedRules, findingsLine } from '../../../functions/audits/counted.ts';
import { audits } from '../../../functions/routes.ts';
import type { Finding } from '../../../lib/advice/finding.ts';
import { roster } from '../../../lib/audit.ts';

const finding = (rule: string) => ({ rule }) as Finding;

test('only rules that there are, and of parts that are audited, are counted', () => {
  const ids = roster.map(({ id }) => id);
  for (const { part, rules } of Object.values(countedRules)) {
    expect(audits.map((audit) => audit.part)).toContain(part);
    for (const rule of rules) expect(ids).toContain(rule);
  }
});

test('findings are counted by metric, and a zero is told too', () => {
  const found = ['memory/over-target', 'memory/near-limit', 'memory/leak', 'gc/share'].map(finding);
  expect(JSON.parse(findingsLine('resources', found, 'prod', 7) ?? '')).toMatchObject({
    service: 'streamgate',
    stage: 'prod',
    Leaks: 1,
    MemoryOverTarget: 2,
    CpuOverTarget: 0,
    _aws: { Timestamp: 7, CloudWatchMetrics: [{ Namespace: 'StreamGate', Dimensions: [['service', 'stage']] }] },
  });
});

test('of a part that no alarm looks at nothing is told', () => {
  expect(findingsLine('indexes', [finding('indexes/unused')], 'prod', 7)).toBeUndefined();
});
