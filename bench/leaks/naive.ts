/** How leaks are usually found, to compare with: rules of thumb over what a process says of itself, and one over floors. */
import type { Sample } from '../../lib/resources/sample.ts';
import { mannKendall } from '../../lib/statistics/mann-kendall.ts';
import { type Point, theilSen } from '../../lib/statistics/theil-sen.ts';

/** Whether a rule sees a leak. */
type Rule = (samples: readonly Sample[]) => boolean;

/** The rules by their names. */
export const naiveRules: Readonly<Record<string, Rule>> = {
  'heap 1.5x the first': (samples) => ratioOf(samples.map(heap)) > 1.5,
  'heap 1.5x, means of a tenth': (samples) => {
    const tenth = Math.ceil(samples.length / 10);
    const used = samples.map(heap);
    return mean(used.slice(-tenth)) > 1.5 * mean(used.slice(0, tenth));
  },
  'RSS 1.2x': (samples) => ratioOf(samples.map(({ rssBytes }) => rssBytes)) > 1.2,
  'heap line, t > 3': (samples) => tOf(samples.map((sample) => ({ x: sample.invocation, y: heap(sample) }))) > 3,
  'heap Mann–Kendall': (samples) => mannKendall(later(samples).map(heap), 'rising').p < 0.01,
  'floor 1.5x': (samples) => ratioOf(floors(samples).map(({ y }) => y)) > 1.5,
  'floor Mann–Kendall': (samples) => {
    const points = later(floors(samples));
    return (
      mannKendall(
        points.map(({ y }) => y),
        'rising',
      ).p < 0.01 && (theilSen(points)?.slope ?? 0) > 256
    );
  },
};

function heap({ heapUsedBytes }: Sample): number {
  return heapUsedBytes;
}

function floors(samples: readonly Sample[]): Point[] {
  return samples.flatMap(({ invocation, floor }) => (floor ? [{ x: invocation, y: floor.heapBytes }] : []));
}

/** Without the first 30 %. */
function later<Item>(items: readonly Item[]): Item[] {
  return items.slice(Math.round(0.3 * items.length));
}

function ratioOf(values: readonly number[]): number {
  return (values.at(-1) ?? 0) / (values[0] ?? 1);
}

/** The slope of the least-squares line in its standard errors. */
function tOf(points: readonly Point[]): number {
  const x = mean(points.map((point) => point.x));
  const y = mean(points.map((point) => point.y));
  const spread = sum(points.map((point) => (point.x - x) ** 2));
  const slope = sum(points.map((point) => (point.x - x) * (point.y - y))) / spread;
  const rest = sum(points.map((point) => (point.y - y - slope * (point.x - x)) ** 2));
  return slope / Math.sqrt(rest / (points.length - 2) / spread);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
