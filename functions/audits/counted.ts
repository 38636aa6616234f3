import type { Finding } from '../../lib/advice/finding.ts';
import { embeddedMetricLine } from '../../lib/metrics/embedded.ts';
import type { Part } from '../../lib/parts.ts';

/** The metrics that alarms look at, and the rules whose findings they count. Not every rule has one: each is paid for. */
export const countedRules = {
  SlowStatements: { part: 'queries', rules: ['queries/slow'] },
  Leaks: { part: 'resources', rules: ['memory/leak'] },
  MemoryOverTarget: { part: 'resources', rules: ['memory/over-target', 'memory/near-limit'] },
  CpuOverTarget: { part: 'resources', rules: ['cpu/over-target'] },
} as const satisfies Record<string, { part: string; rules: readonly string[] }>;

/**
 * How many findings an audit had, as a line of the log that CloudWatch turns into metrics. Zero is written, too: without it an alarm would not
 * know that it is over. Undefined where nothing of the part is counted.
 *
 * @param at milliseconds since 1970
 */
export function findingsLine(part: Part, findings: readonly Finding[], stage: string, at: number): string | undefined {
  const counts = Object.entries(countedRules)
    .filter(([, counted]) => counted.part === part)
    .map(([metric, { rules }]) => {
      const names: readonly string[] = rules;
      return [metric, findings.filter(({ rule }) => names.includes(rule)).length];
    });
  if (counts.length === 0) return undefined;
  return embeddedMetricLine({
    at,
    namespace: 'StreamGate',
    dimensions: { service: 'streamgate', stage },
    metrics: { Count: Object.fromEntries(counts) },
  });
}
