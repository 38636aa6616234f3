/** The points of a series that tell growth from garbage. */
import type { Point } from '../../statistics/theil-sen.ts';
import type { Sample } from '../sample.ts';

/** What is left of the heap, and how that was found out. */
export interface HeapFloors {
  floors: 'forced' | 'natural';
  points: Point[];
  /** The compiled code at each forced floor, which is not in `points`; none without forced ones. */
  code: Point[];
}

/**
 * What is left of the heap after collections, without compiled code: V8 compiles for thousands of invocations, and that grows and
 * comes to rest like nothing else. Where no collection was forced, the old generation as the next samples found it after
 * collections of V8's own: more than what is left, since garbage from after the collection is in it.
 */
export function heapFloors(samples: readonly Sample[]): HeapFloors {
  const forced = withFloor(samples);
  if (forced.length === 0) return { floors: 'natural', points: naturalFloors(samples), code: [] };
  const codes = compiledCode(samples);
  const code = forced.map(({ sample, place }) => ({ x: sample.invocation, y: codes[place] ?? 0 }));
  const points = forced.map(({ sample, place }) => ({
    x: sample.invocation,
    y: sample.floor.heapBytes - (codes[place] ?? 0),
  }));
  return { floors: 'forced', points, code };
}

/** What objects hold outside of the heap after forced collections. */
export function externalFloors(samples: readonly Sample[]): Point[] {
  return withFloor(samples).map(({ sample }) => ({ x: sample.invocation, y: sample.floor.externalBytes }));
}

type Floored = Sample & { floor: NonNullable<Sample['floor']> };

function withFloor(samples: readonly Sample[]): { sample: Floored; place: number }[] {
  return samples.flatMap((sample, place) => (sample.floor ? [{ sample: sample as Floored, place }] : []));
}

function naturalFloors(samples: readonly Sample[]): Point[] {
  return samples
    .filter(({ collections }) => collections.major.count > 0)
    .map(({ invocation, spaces }) => ({
      x: invocation,
      y: (spaces.old_space ?? 0) + (spaces.large_object_space ?? 0),
    }));
}

/**
 * The bytes of compiled code at each sample: code_space and trusted_space (bytecode and its data) and their large objects. Samples
 * are taken before the collection, when code may be counted that V8 is about to drop: up to 300 kB for a sample. What is still
 * there later was in use, so that the least of a sample and of those after it counts; for the last one, of it and the one before.
 */
function compiledCode(samples: readonly Sample[]): number[] {
  const codes = samples.map(({ spaces }) =>
    Object.entries(spaces).reduce((sum, [name, bytes]) => sum + (/^(code|trusted)_/.test(name) ? bytes : 0), 0),
  );
  let least = codes.at(-2) ?? Number.POSITIVE_INFINITY;
  for (let place = codes.length - 1; place >= 0; place--) {
    least = Math.min(least, codes[place] ?? 0);
    codes[place] = least;
  }
  return codes;
}
