/**
 * Five sets of workloads that have nothing in common: no seed, no size, no time, no noise. The judge was tuned on the first. The
 * next four were to prove it, and showed what had been overlooked, so they count as seen. As a set had to keep clear of those before
 * it, each was harder than the last. The sixth one proves the judge: new draws from all five, in equal parts.
 */
import { type Random, randomOf } from './random.ts';
import { type Benign, type Carrier, carriers, type Shape } from './shape.ts';
import type { Noise } from './workload.ts';

/** The sets that the judge was looked at with. */
const seenNames = ['tuning', 'validation', 'revalidation', 'restless', 'extreme'] as const;
/** The names of all sets. */
export const setNames = [...seenNames, 'proof'] as const;
export type SetName = (typeof setNames)[number];
type SeenName = (typeof seenNames)[number];

/** Workloads of a kind; each seed draws its own. */
export interface Cell {
  name: string;
  /** `lookalike`: what does not leak, but grows as a leak does for as long as it is seen. */
  group: 'benign' | 'lookalike' | 'leak';
  /** What a leak is said to keep of each invocation, in KB. */
  nominalKb?: number;
  carrier?: Carrier;
  workload(random: Random): Workload;
}

/** What a process does. */
export interface Workload {
  shape: Shape;
  noise: Noise;
}

/** A process to run. */
export interface Run extends Workload {
  cell: Cell;
  seed: number;
}

/** A cell without the noise, which a set has for all of them. */
interface Shaped extends Omit<Cell, 'workload'> {
  shape(random: Random): Shape;
}

/** The sizes of the leaks, in KB an invocation. */
export const leakSizes = [0.25, 0.5, 1, 2, 5, 20] as const;

/** A socket costs more than most pieces are to have, and a process may have so many open files: there is one in several invocations. */
const rarely: readonly Carrier[] = ['sockets', 'descriptors'];

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
  /** Caches that throw out what was not used for the longest, by how many entries they hold: the large ones more than a run asks for. */
  popular: { catalogue: Range; capacity: Readonly<Record<'small' | 'medium' | 'large', Range>> };
  steps: { small: Range; large: Range };
  bursts: { oneIn: Range; lasting: Range; bytes: Range };
  daily: { period: Range; bytes: Range };
  pool: { until: Range; every: Range; bytes: Range };
  alternating: { period: Range; bytes: Range };
  batches: { size: Range; bytes: Range };
  logger: { lines: Range; limit: Range };
  /** In how many invocations all but 1/e of the functions have run, and how many run in one. */
  code: { timeConstant: Range; calls: Range };
  oneIn: Range;
  lookalikes: { slow: Range; small: Range; until: Range; period: Range };
}

const ranges: Readonly<Record<SeenName, Ranges>> = {
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
    popular: {
      catalogue: [18_000, 22_000],
      capacity: { small: [100, 150], medium: [600, 700], large: [3_000, 4_000] },
    },
    steps: { small: [300_000, 500_000], large: [7e6, 9e6] },
    bursts: { oneIn: [60, 70], lasting: [20, 30], bytes: [1e6, 1.5e6] },
    daily: { period: [380, 420], bytes: [3e6, 4e6] },
    pool: { until: [480, 520], every: [10, 12], bytes: [30_000, 40_000] },
    alternating: { period: [140, 160], bytes: [4e6, 5e6] },
    batches: { size: [140, 160], bytes: [2_000, 3_000] },
    logger: { lines: [8, 12], limit: [60_000, 70_000] },
    code: { timeConstant: [80, 120], calls: [4, 4] },
    oneIn: [2, 2.5],
    lookalikes: { slow: [3_000, 3_500], small: [300, 350], until: [890, 900], period: [3_900, 4_100] },
  },
  validation: {
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
    popular: {
      catalogue: [5_000, 15_000],
      capacity: { small: [60, 95], medium: [250, 550], large: [2_000, 2_900] },
    },
    steps: { small: [550_000, 2e6], large: [10e6, 20e6] },
    bursts: { oneIn: [20, 55], lasting: [35, 80], bytes: [2e6, 5e6] },
    daily: { period: [430, 800], bytes: [5e6, 9e6] },
    pool: { until: [550, 850], every: [4, 9], bytes: [5_000, 25_000] },
    alternating: { period: [170, 400], bytes: [1e6, 3e6] },
    batches: { size: [170, 400], bytes: [500, 1_500] },
    logger: { lines: [1, 7], limit: [10_000, 55_000] },
    code: { timeConstant: [30, 75], calls: [2, 3] },
    oneIn: [3, 4],
    lookalikes: { slow: [3_600, 4_000], small: [400, 450], until: [875, 885], period: [3_600, 3_800] },
  },
  revalidation: {
    firstSeed: 2_000_000,
    noise: {
      bytes: [
        [200, 480],
        [3_050, 3_400],
      ],
      lasting: [
        [1, 4.9],
        [45.1, 50],
      ],
    },
    fill: {
      fast: [25, 55],
      medium: [460, 600],
      'as slow as the run': [700, 840],
      'slower than the run': [1_810, 1_890],
    },
    entryBytes: [
      [1_250, 1_450],
      [6_500, 12_000],
    ],
    fullAfter: [
      [100, 190],
      [430, 490],
      [755, 775],
      [935, 950],
    ],
    popular: {
      catalogue: [23_000, 40_000],
      capacity: { small: [160, 245], medium: [710, 900], large: [4_100, 6_000] },
    },
    steps: { small: [2.1e6, 4e6], large: [25e6, 35e6] },
    bursts: { oneIn: [75, 120], lasting: [5, 18], bytes: [5.5e6, 8e6] },
    daily: { period: [250, 370], bytes: [1e6, 2.5e6] },
    pool: { until: [250, 470], every: [2, 3], bytes: [45_000, 60_000] },
    alternating: { period: [60, 130], bytes: [6e6, 9e6] },
    batches: { size: [60, 130], bytes: [3_500, 5_000] },
    logger: { lines: [13, 30], limit: [75_000, 500_000] },
    code: { timeConstant: [125, 250], calls: [5, 8] },
    oneIn: [4.5, 5],
    lookalikes: { slow: [4_100, 5_000], small: [355, 395], until: [860, 870], period: [4_200, 4_500] },
  },
  restless: {
    firstSeed: 3_000_000,
    noise: { bytes: [[3_450, 4_200]], lasting: [[51, 65]] },
    fill: {
      fast: [185, 199],
      medium: [605, 690],
      'as slow as the run': [1_205, 1_290],
      'slower than the run': [1_801, 1_809],
    },
    entryBytes: [
      [755, 795],
      [12_500, 16_000],
    ],
    fullAfter: [
      [191, 199],
      [491, 499],
      [821, 829],
      [931, 934],
    ],
    popular: {
      catalogue: [41_000, 60_000],
      capacity: { small: [30, 55], medium: [555, 595], large: [6_100, 8_000] },
    },
    steps: { small: [4.1e6, 5e6], large: [21e6, 24e6] },
    bursts: { oneIn: [121, 150], lasting: [31, 34], bytes: [1.6e6, 1.9e6] },
    daily: { period: [180, 240], bytes: [9.1e6, 11e6] },
    pool: { until: [521, 549], every: [13, 15], bytes: [61_000, 70_000] },
    alternating: { period: [410, 450], bytes: [3.1e6, 3.9e6] },
    batches: { size: [30, 55], bytes: [5_100, 6_000] },
    logger: { lines: [31, 40], limit: [510_000, 700_000] },
    code: { timeConstant: [251, 400], calls: [9, 12] },
    oneIn: [5.1, 6],
    lookalikes: { slow: [5_100, 5_500], small: [455, 480], until: [850, 859], period: [4_510, 4_800] },
  },
  extreme: {
    firstSeed: 4_000_000,
    noise: {
      bytes: [
        [3_001, 3_049],
        [4_201, 4_400],
      ],
      lasting: [[66, 75]],
    },
    fill: {
      fast: [56, 59],
      medium: [351, 379],
      'as slow as the run': [1_291, 1_299],
      'slower than the run': [1_891, 1_899],
    },
    entryBytes: [
      [796, 799],
      [6_001, 6_499],
    ],
    fullAfter: [
      [371, 379],
      [421, 429],
      [776, 779],
      [951, 954],
    ],
    popular: {
      catalogue: [15_500, 17_500],
      capacity: { small: [15, 29], medium: [901, 1_000], large: [8_100, 10_000] },
    },
    steps: { small: [510_000, 540_000], large: [9.1e6, 9.9e6] },
    bursts: { oneIn: [151, 180], lasting: [81, 100], bytes: [8.1e6, 9e6] },
    daily: { period: [120, 170], bytes: [4.1e6, 4.9e6] },
    pool: { until: [471, 479], every: [16, 18], bytes: [26_000, 29_000] },
    alternating: { period: [451, 500], bytes: [5.1e6, 5.9e6] },
    batches: { size: [401, 420], bytes: [1_600, 1_900] },
    logger: { lines: [41, 50], limit: [710_000, 900_000] },
    code: { timeConstant: [401, 500], calls: [13, 15] },
    oneIn: [2.6, 2.9],
    lookalikes: { slow: [5_600, 6_000], small: [484, 495], until: [901, 910], period: [4_900, 5_200] },
  },
};

const proofSeed = 5_000_000;

/** The workloads of a set. */
export function cellsOf(set: SetName): Cell[] {
  return set === 'proof' ? mixedCells() : seenCells(set);
}

/** So many processes of each cell, each with a seed of its own that no other cell has. */
export function runsOf(set: SetName, cells: readonly Cell[], seeds: number): Run[] {
  const firstSeed = set === 'proof' ? proofSeed : ranges[set].firstSeed;
  const all = cellsOf(set).map(({ name }) => name);
  return cells.flatMap((cell) =>
    Array.from({ length: seeds }, (_, place) => {
      const seed = firstSeed + all.indexOf(cell.name) * 1_000 + place;
      // Not the stream of the process itself.
      return { cell, seed, ...cell.workload(randomOf(seed ^ 0x5eed)) };
    }),
  );
}

function seenCells(set: SeenName): Cell[] {
  const drawn = ranges[set];
  const { bytes, lasting } = drawn.noise;
  return [...benignCells(drawn), ...fillingCells(drawn), ...leakCells(drawn), ...lookalikeCells(drawn)].map(
    ({ shape, ...cell }) => ({
      ...cell,
      workload: (random) => ({
        shape: shape(random),
        noise: { bytes: from(random, oneOf(random, bytes)), lasting: from(random, oneOf(random, lasting)) },
      }),
    }),
  );
}

/** Of each kind of workload any that the sets before had, and each time another one. */
function mixedCells(): Cell[] {
  const kinds = Map.groupBy(seenNames.flatMap(seenCells), ({ name }) => kindOf(name));
  return [...kinds].map(([name, cells]) => ({
    ...(cells[0] as Cell),
    name,
    workload: (random) => (cells[random.below(cells.length)] as Cell).workload(random),
  }));
}

/** The same in all sets. Caches of new keys are full at times of each set's own: there are about as many in each part. */
function kindOf(name: string): string {
  const fullAfter = Number(/full after (\d+)/.exec(name)?.[1]);
  if (Number.isNaN(fullAfter)) return name;
  const when = fullAfter < 430 ? 'early' : fullAfter < 821 ? 'midway' : 'late';
  return `cache of new keys, full ${when}`;
}

function benignCells(drawn: Ranges): Shaped[] {
  const benign = (name: string, shape: (random: Random) => Benign): Shaped => ({ name, group: 'benign', shape });
  return [
    benign('flat', () => ({ kind: 'flat' })),
    ...Object.entries(drawn.fill).map(([speed, constant]) =>
      benign(`cache, keys drawn evenly, ${speed}`, (random) => evenly(random, from(random, constant), drawn)),
    ),
    benign('small cache, some keys popular', (random) => popular(random, 'small', drawn)),
    benign('cache, some keys popular', (random) => popular(random, 'medium', drawn)),
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
    benign('buffer of a logger', (random) => ({
      kind: 'logger',
      lines: whole(random, drawn.logger.lines),
      limit: from(random, drawn.logger.limit),
    })),
    benign('code that is compiled when it is needed', (random) => {
      const calls = whole(random, drawn.code.calls);
      return { kind: 'code', functions: Math.round(from(random, drawn.code.timeConstant) * calls), calls };
    }),
  ];
}

function fillingCells(drawn: Ranges): Shaped[] {
  return [
    {
      name: 'cache of new keys, not full by the end',
      group: 'lookalike',
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

function leakCells(drawn: Ranges): Shaped[] {
  const alone = leakSizes.flatMap((nominalKb) =>
    carriers.map(
      (carrier): Shaped => ({
        name: `leak of ${nominalKb} KB in ${carrier}`,
        group: 'leak',
        nominalKb,
        carrier,
        shape: () => ({ kind: 'leak', carrier, bytes: nominalKb * 1_024, oneIn: rarely.includes(carrier) ? 4 : 1 }),
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
      ([what, shape]): Shaped => ({
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
    (nominalKb): Shaped => ({
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

/** More of what looks like a leak for as long as it is seen. */
function lookalikeCells(drawn: Ranges): Shaped[] {
  const { slow, small, until, period } = drawn.lookalikes;
  const lookalike = (name: string, shape: (random: Random) => Benign): Shaped => ({ name, group: 'lookalike', shape });
  return [
    lookalike('cache, keys drawn evenly, several times as slow as the run', (random) =>
      evenly(random, from(random, slow), drawn),
    ),
    lookalike('cache, keys drawn evenly, slower than the run, of small entries', (random) =>
      evenly(random, from(random, drawn.fill['slower than the run']), { ...drawn, entryBytes: [small] }),
    ),
    lookalike('large cache, some keys popular, not full by the end', (random) => popular(random, 'large', drawn)),
    lookalike('pool of timers that has just become full', (random) => ({
      kind: 'pool',
      of: 'timers',
      until: whole(random, until),
      every: whole(random, drawn.pool.every),
      bytes: 1_000,
    })),
    lookalike('load that rises throughout', (random) => ({
      kind: 'daily',
      period: from(random, period),
      phase: 0,
      bytes: from(random, drawn.daily.bytes),
    })),
  ];
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

function popular(random: Random, size: 'small' | 'medium' | 'large', drawn: Ranges): Benign {
  return {
    kind: 'cache',
    keys: 'popular',
    catalogue: whole(random, drawn.popular.catalogue),
    capacity: whole(random, drawn.popular.capacity[size]),
    lookups: 2,
    bytes: from(random, oneOf(random, drawn.entryBytes)),
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
