import { checkMeasurements, checkQueries, wholePeriods } from './checks.ts';
import { listOf } from './list.ts';
import { type Dimensions, type MetricPoint, type Metrics, metricOfAll, type Statistic } from './metrics.ts';

const minuteMs = 60_000;

/** How much is kept in memory. */
export interface MemoryMetricsOptions {
  /** For so long, in milliseconds. Default: three hours. */
  keepMs?: number;
  /** So many metrics; then the one that was written to least recently goes. Default: 1,000. */
  maxMetrics?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** How often each value occurs. */
type Counts = Map<number, number>;

/**
 * Metrics in the memory of this process, for local use: they take what CloudWatch takes, and answer as it does. What the service has
 * in its history stays; this goes with the process.
 */
export function memoryMetrics({
  keepMs = 180 * minuteMs,
  maxMetrics = 1_000,
  now = Date.now,
}: MemoryMetricsOptions = {}): Metrics {
  /** By metric, and by the beginning of the minute. */
  const kept = new Map<string, Map<number, Counts>>();

  function minutesOf(key: string): Map<number, Counts> {
    const minutes = kept.get(key) ?? new Map<number, Counts>();
    kept.delete(key);
    kept.set(key, minutes);
    for (const at of minutes.keys()) if (at < now() - keepMs) minutes.delete(at);
    if (kept.size > maxMetrics) kept.delete(kept.keys().next().value ?? '');
    return minutes;
  }

  return {
    async write(measurements) {
      checkMeasurements(measurements, now());
      for (const { name, dimensions, at, values } of measurements) {
        const minutes = minutesOf(keyOf(name, dimensions));
        const minute = Math.floor(at / minuteMs) * minuteMs;
        const counts: Counts = minutes.get(minute) ?? new Map();
        minutes.set(minute, counts);
        for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
      }
    },

    async read(queries, span) {
      checkQueries(queries, span);
      const { from, to, periodMs } = wholePeriods(span, now());
      const series = queries.map((query) => {
        const periods = new Map<number, Counts>();
        for (const [minute, counts] of kept.get(keyOf(query.name, query.dimensions)) ?? []) {
          if (minute < from || minute >= to || minute < now() - keepMs) continue;
          const at = Math.floor(minute / periodMs) * periodMs;
          const sum: Counts = periods.get(at) ?? new Map();
          periods.set(at, sum);
          for (const [value, count] of counts) sum.set(value, (sum.get(value) ?? 0) + count);
        }
        return { query, points: pointsOf(periods, query.statistic), isComplete: true };
      });
      return { periodMs, series, notes: [] };
    },

    async functions(since) {
      const from = Math.max(since, now() - keepMs);
      const found = [...kept].flatMap(([key, minutes]) => {
        const [name, service = '', of = '', stage = ''] = JSON.parse(key) as string[];
        const isRecent = [...minutes.keys()].some((minute) => minute + minuteMs > from);
        return name === metricOfAll && isRecent ? [{ service, function: of, stage }] : [];
      });
      return listOf(found, true);
    },
  };
}

function keyOf(name: string, { service, function: of, stage }: Dimensions): string {
  return JSON.stringify([name, service, of, stage]);
}

function pointsOf(periods: ReadonlyMap<number, Counts>, statistic: Statistic): MetricPoint[] {
  return [...periods]
    .sort(([a], [b]) => a - b)
    .map(([at, counts]) => ({
      at,
      value: statisticOf(
        [...counts].sort(([a], [b]) => a - b),
        statistic,
      ),
    }));
}

/** @param counts by value, the smallest first; at least one */
function statisticOf(counts: readonly (readonly [value: number, count: number])[], statistic: Statistic): number {
  const count = counts.reduce((total, [, times]) => total + times, 0);
  const sum = counts.reduce((total, [value, times]) => total + value * times, 0);
  switch (statistic) {
    case 'SampleCount':
      return count;
    case 'Sum':
      return sum;
    case 'Average':
      return sum / count;
    case 'Minimum':
      return counts[0]?.[0] ?? 0;
    case 'Maximum':
      return counts.at(-1)?.[0] ?? 0;
    default:
      return percentileOf(counts, (Number(statistic.slice(1)) / 100) * count);
  }
}

/** The value of a rank: that of the smallest is 1. */
function percentileOf(counts: readonly (readonly [value: number, count: number])[], rank: number): number {
  let seen = 0;
  for (const [value, times] of counts) {
    seen += times;
    if (seen >= rank) return value;
  }
  return counts.at(-1)?.[0] ?? 0;
}
