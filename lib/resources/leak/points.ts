/** What of an environment is judged: its growing things after the warm-up, as points over the invocations. */
import type { Point } from '../../statistics/theil-sen.ts';
import type { Sample } from '../sample.ts';
import { externalFloors, type HeapFloors, heapFloors } from './floors.ts';
import type { LeakOptions } from './options.ts';

/** The points of an environment. */
export interface Points {
  heap: HeapFloors;
  external: Point[];
  /** Active resources by type, where no other invocation was under way: what those have open is no handle that is left. */
  handles: Record<string, Point[]>;
  /** None where the system does not tell. */
  descriptors: Point[];
  /** The samples after the warm-up. */
  warm: Sample[];
}

/** Takes the points from samples, which may be in any order and come twice. */
export function pointsOf(
  samples: readonly Sample[],
  { warmUpInvocations, warmUpShare }: Pick<LeakOptions, 'warmUpInvocations' | 'warmUpShare'>,
): Points {
  const all = inOrder(samples);
  const begin = Math.max(warmUpInvocations, warmUpShare * (all.at(-1)?.invocation ?? 0));
  const warm = all.filter(({ invocation }) => invocation > begin);
  const heap = heapFloors(all);
  const atRest = warm.filter(({ underWay = 0 }) => underWay === 0);
  const types = [...new Set(atRest.flatMap(({ resources }) => Object.keys(resources)))].sort();
  return {
    heap: {
      ...heap,
      points: heap.points.filter(({ x }) => x > begin),
      code: heap.code.filter(({ x }) => x > begin),
    },
    external: externalFloors(warm),
    handles: Object.fromEntries(types.map((type) => [type, countsOf(atRest, type)])),
    descriptors: warm.flatMap(({ invocation, descriptors }) =>
      descriptors === null ? [] : [{ x: invocation, y: descriptors }],
    ),
    warm,
  };
}

/** One sample for each invocation: series may be put together from several readings of the log. */
function inOrder(samples: readonly Sample[]): Sample[] {
  const byInvocation = new Map(samples.map((sample) => [sample.invocation, sample]));
  return [...byInvocation.values()].sort((a, b) => a.invocation - b.invocation);
}

function countsOf(samples: readonly Sample[], type: string): Point[] {
  return samples.map(({ invocation, resources }) => ({
    x: invocation,
    y: Object.hasOwn(resources, type) ? (resources[type] ?? 0) : 0,
  }));
}
