/**
 * Two sets of workloads that have nothing in common: no seed, no size, no time, no noise. The judge was tuned on the first, and
 * is proven on the second.
 */
import { type Random, randomOf } from './random.ts';
import { type Benign, type Carrier, carriers, type Shape } from './shape.ts';
import type { Noise } from './workload.ts';

/** The names of the sets. */
export type SetName = 'tuning' | 'proof';

/** Workloads of a kind; each seed draws its own. */
export interface Cell {
  name: string;
  /** `filling`: a cache that takes every key for a new one, and is not full by the end: the very curve of a leak. */
  group: 'benign' | 'filling' | 'leak';
  /** What a leak is said to keep of each invocation, in KB. */
  nominalKb?: number;
  carrier?: Carrier;
  shape(random: Random): Shape;
}

/** A process to run. */
export interface Run {
  cell: Cell;
  shape: Shape;
  noise: Noise;
  seed: number;
}

/** The sizes of the leaks, in KB an invocation. */
export const leakSizes = [0.25, 0.5, 1, 2, 5, 20] as const;

type Range = readonly [low: number, high: number];

/** What the shapes of a set are drawn from. */
interface Ranges {
  firstSeed: number;
  noise: { bytes: readonly Range[]; lasting: readonly Range[] };
  /** Time constants of caches whose keys are drawn evenly, in invocations. */
  fill: Readonly<Record<'fast' | 'medium' | 'as slow as the run' | 'slower than the run', Range>>;
  entryBytes: readonly Range[];
  /** In how many invocations a cache of new keys is full. */
  fullAfter: readonly Range[];
  popular: { catalogue: Range; capacity: Range };
  steps: { small: Range; large: Range };
  bursts: { oneIn: Range; lasting: Range; bytes: Range };
  daily: { period: Range; bytes: Range };
  pool: { until: Range; every: Range; bytes: Range };
  alternating: { period: Range; bytes: Range };
  batches: { size: Range; bytes: Range };
  oneIn: Range;
}

const ranges: Readonly<Record<SetName, Ranges>> = {
  tuning: {
    firstSeed: 1_000,
    noise: { bytes: [[1_000, 2_000]], lasting: [[15, 30]] },
    fill: {
      fast: [120, 180],
      medium: [380, 450],
      'as slow as the run': [850, 950],
      'slower than the run': [1_900, 2_100],
    },
    entryBytes: [
      [800, 1_200],
      [1_500, 2_500],
    ],
    fullAfter: [
      [380, 420],
      [780, 820],
    ],
    popular: { catalogue: [18_000, 22_000], capacity: [600, 700] },
    steps: { small: [300_000, 500_000], large: [7e6, 9e6] },
    bursts: { oneIn: [60, 70], lasting: [20, 30], bytes: [1e6, 1.5e6] },
    daily: { period: [380, 420], bytes: [3e6, 4e6] },
    pool: { until: [480, 520], every: [10, 12], bytes: [30_000, 40_000] },
    alternating: { period: [140, 160], bytes: [4e6, 5e6] },
    batches: { size: [140, 160], bytes: [2_000, 3_000] },
    oneIn: [2, 2.5],
  },
  proof: {
    firstSeed: 500_000,
    noise: {
      bytes: [
        [500, 1_000],
        [2_000, 3_000],
      ],
      lasting: [
        [5, 15],
        [30, 45],
      ],
    },
    fill: {
      fast: [60, 120],
      medium: [200, 350],
      'as slow as the run': [960, 1_200],
      'slower than the run': [1_300, 1_800],
    },
    entryBytes: [
      [500, 750],
      [2_600, 6_000],
    ],
    fullAfter: [
      [200, 370],
      [500, 750],
      [830, 930],
    ],
    popular: { catalogue: [5_000, 15_000], capacity: [250, 550] },
    steps: { small: [550_000, 2e6], large: [10e6, 20e6] },
    bursts: { oneIn: [20, 55], lasting: [35, 80], bytes: [2e6, 5e6] },
    daily: { period: [430, 800], bytes: [5e6, 9e6] },
    pool: { until: [550, 850], every: [4, 9], bytes: [5_000, 25_000] },
    alternating: { period: [170, 400], bytes: [1e6, 3e6] },
    batches: { size: [170, 400], bytes: [500, 1_500] },
    oneIn: [3, 4],
  },
};

/** The workloads of a set. */
export function cellsOf(set: SetName): Cell[] {
  const drawn = ranges[set];
  return [...benignCells(drawn), ...fillingCells(drawn), ...leakCells(drawn)];
}

/** So many processes of each cell, each with a seed of its own that no other cell has. */
export function runsOf(set: SetName, cells: readonly Cell[], seeds: number): Run[] {
  const { firstSeed, noise } = ranges[set];
  const all = cellsOf(set).map(({ name }) => name);
  return cells.flatMap((cell) =>
    Array.from({ length: seeds }, (_, place) => {
      const seed = firstSeed + all.indexOf(cell.name) * 1_000 + place;
      // Not the stream of the process itself.
      const random = randomOf(seed ^ 0x5eed);
      return {
        cell,
        seed,
        shape: cell.shape(random),
        noise: { bytes: from(random, oneOf(random, noise.bytes)), lasting: from(random, oneOf(random, noise.lasting)) },
      };
    }),
  );
}

function benignCells(drawn: Ranges): Cell[] {
  const benign = (name: string, shape: (random: Random) => Benign): Cell => ({ name, group: 'benign', shape });
  return [
    benign('flat', () => ({ kind: 'flat' })),
    ...Object.entries(drawn.fill).map(([speed, constant]) =>
      benign(`cache, keys drawn evenly, ${speed}`, (random) => evenly(random, from(random, constant), drawn)),
    ),
    benign('cache, some keys popular', (random) => ({
      kind: 'cache',
      keys: 'popular',
      catalogue: whole(random, drawn.popular.catalogue),
      capacity: whole(random, drawn.popular.capacity),
      lookups: 2,
      bytes: from(random, oneOf(random, drawn.entryBytes)),
    })),
    ...drawn.fullAfter.map(([low, high]) =>
      benign(`cache of new keys, full after ${low} to ${high}`, (random) => ({
        kind: 'cache',
        keys: 'new',
        catalogue: 0,
        capacity: whole(random, [low, high]),
        lookups: 1,
        bytes: from(random, oneOf(random, drawn.entryBytes)),
      })),
    ),
    benign('one small step', (random) => ({
      kind: 'steps',
      at: places(random, 1),
      bytes: from(random, drawn.steps.small),
    })),
    benign('one large step', (random) => ({
      kind: 'steps',
      at: places(random, 1),
      bytes: from(random, drawn.steps.large),
    })),
    benign('two steps', (random) => ({ kind: 'steps', at: places(random, 2), bytes: from(random, drawn.steps.small) })),
    benign('bursts', (random) => bursts(random, drawn)),
    benign('daily load', (random) => ({
      kind: 'daily',
      period: from(random, drawn.daily.period),
      bytes: from(random, drawn.daily.bytes),
    })),
    ...(['buffers', 'sockets', 'timers'] as const).map((of) =>
      benign(`pool of ${of}, then stable`, (random) => ({
        kind: 'pool',
        of,
        until: whole(random, drawn.pool.until),
        every: whole(random, drawn.pool.every),
        bytes: of === 'buffers' ? from(random, drawn.pool.bytes) : 1_000,
      })),
    ),
    benign('alternating load', (random) => alternating(random, drawn)),
    benign('batches', (random) => batches(random, drawn)),
  ];
}

function fillingCells(drawn: Ranges): Cell[] {
  return [
    {
      name: 'cache of new keys, not full by the end',
      group: 'filling',
      shape: (random) => ({
        kind: 'cache',
        keys: 'new',
        catalogue: 0,
        capacity: 1e6,
        lookups: 1,
        bytes: from(random, oneOf(random, drawn.entryBytes)),
      }),
    },
  ];
}

function leakCells(drawn: Ranges): Cell[] {
  const alone = leakSizes.flatMap((nominalKb) =>
    carriers.map(
      (carrier): Cell => ({
        name: `leak of ${nominalKb} KB in ${carrier}`,
        group: 'leak',
        nominalKb,
        carrier,
        // A socket costs more than most pieces are to have, so that there is one in several invocations.
        shape: () => ({ kind: 'leak', carrier, bytes: nominalKb * 1_024, oneIn: carrier === 'sockets' ? 4 : 1 }),
      }),
    ),
  );
  const besides: Record<string, (random: Random) => Benign> = {
    'a cache that fills fast': (random) => evenly(random, from(random, drawn.fill.fast), drawn),
    bursts: (random) => bursts(random, drawn),
    'alternating load': (random) => alternating(random, drawn),
    batches: (random) => batches(random, drawn),
  };
  const beside = [1, 5].flatMap((nominalKb) =>
    Object.entries(besides).map(
      ([what, shape]): Cell => ({
        name: `leak of ${nominalKb} KB in objects beside ${what}`,
        group: 'leak',
        nominalKb,
        shape: (random) => ({
          kind: 'leak',
          carrier: 'objects',
          bytes: nominalKb * 1_024,
          oneIn: 1,
          beside: shape(random),
        }),
      }),
    ),
  );
  const rare = [1, 5].map(
    (nominalKb): Cell => ({
      name: `leak of ${nominalKb} KB in objects, in some invocations`,
      group: 'leak',
      nominalKb,
      shape: (random) => ({
        kind: 'leak',
        carrier: 'objects',
        bytes: nominalKb * 1_024,
        oneIn: from(random, drawn.oneIn),
      }),
    }),
  );
  return [...alone, ...beside, ...rare];
}

/** After as many invocations as the time constant, all but 1/e of the catalogue is there. */
function evenly(random: Random, timeConstant: number, { entryBytes }: Ranges): Benign {
  const lookups = 2;
  const catalogue = Math.round(timeConstant * lookups);
  return {
    kind: 'cache',
    keys: 'evenly',
    catalogue,
    capacity: catalogue,
    lookups,
    bytes: from(random, oneOf(random, entryBytes)),
  };
}

function bursts(random: Random, { bursts: { oneIn, lasting, bytes } }: Ranges): Benign {
  return { kind: 'bursts', oneIn: from(random, oneIn), lasting: from(random, lasting), bytes: from(random, bytes) };
}

function alternating(random: Random, { alternating: { period, bytes } }: Ranges): Benign {
  return { kind: 'alternating', period: from(random, period), bytes: from(random, bytes) };
}

function batches(random: Random, { batches: { size, bytes } }: Ranges): Benign {
  return { kind: 'batches', size: from(random, size), bytes: from(random, bytes) };
}

/** When something happens: at any time in the run but its very ends. */
function places(random: Random, several: number): number[] {
  return Array.from({ length: several }, () => whole(random, [50, 950]));
}

function from(random: Random, [low, high]: Range): number {
  return random.between(low, high);
}

function whole(random: Random, range: Range): number {
  return Math.round(from(random, range));
}

function oneOf(random: Random, ranges: readonly Range[]): Range {
  return ranges[random.below(ranges.length)] ?? [0, 0];
}
