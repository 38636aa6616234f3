/** What the sections share: rounds, medians, and how a result is written down. */

/** Asks a cache for a value. */
export type Get = (key: string) => Promise<unknown>;

/** A figure that was measured several times. */
export interface Sample {
  median: number;
  min: number;
  max: number;
  /** Between these lie four fifths of them. */
  low: number;
  high: number;
}

/** What is aimed at, and what came out. */
export interface Goal {
  aim: string;
  measured: string;
  isMet: boolean;
}

/** A part of the report. Everything in it can be sent from one process to another. */
export interface Section {
  title: string;
  /** How it was measured, in a sentence or two. */
  method: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
  goals: readonly Goal[];
}

/** The middle of several figures, and how far they lie apart. */
export function sampleOf(figures: readonly number[]): Sample {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 ? at(0.5) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return { median, min: at(0), max: at(1), low: at(0.1), high: at(0.9) };
}

/** The items in a random order. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Gets per second of each cache, round by round. */
export type Rates = ReadonlyMap<string, readonly number[]>;

/** How {@link ratesOf} measures. Times are in milliseconds. */
export interface Rounds {
  rounds: number;
  /** The first rounds, which are not counted. */
  uncounted: number;
  /** How long the turn of a cache lasts, and how much of its beginning is not counted. */
  ms: number;
  leadInMs: number;
  /** Whether garbage is collected before every turn, so that nobody pays for another's. */
  isClean: boolean;
  /** So many gets are made between two looks at the clock. */
  getsPerLook: number;
  /** So many callers get at the same time. */
  inFlight: number;
  /** What a second is: `thread`, one in which this thread had a processor, for what never waits; else `wall`. */
  clock: 'thread' | 'wall';
}

/** For what takes less than the clock does: long turns, and V8 gets time to get going again after a collection. */
export const inMemory: Rounds = {
  rounds: 5,
  uncounted: 2,
  ms: 150,
  leadInMs: 50,
  isClean: true,
  getsPerLook: 50,
  inFlight: 1,
  clock: 'thread',
};

/** For what waits for another process: turns so short that most of them are left in peace by whatever else runs. */
export const overSockets: Rounds = {
  rounds: 200,
  uncounted: 20,
  ms: 8,
  leadInMs: 2,
  isClean: false,
  getsPerLook: 1,
  inFlight: 1,
  clock: 'wall',
};

/**
 * Measures gets per second of several caches in one process: in many rounds, each in another order, so that
 * what disturbs the machine disturbs all alike.
 *
 * @param keyAt the key of a get; a cache's gets are counted from 0 over all rounds
 */
export async function ratesOf(
  caches: Readonly<Record<string, Get>>,
  keyAt: (turn: number) => string,
  { rounds, uncounted, ms, leadInMs, isClean, getsPerLook, inFlight, clock }: Rounds,
): Promise<Rates> {
  const turns = new Map<string, number>();
  const rates = new Map<string, number[]>(Object.keys(caches).map((name) => [name, []]));
  for (let round = -uncounted; round < rounds; round++) {
    for (const [name, get] of shuffled(Object.entries(caches))) {
      let turn = turns.get(name) ?? 0;
      const getFor = async (spanMs: number) => {
        const first = turn;
        const until = performance.now() + spanMs;
        const secondsBefore = secondsOf(clock);
        const caller = async () => {
          while (performance.now() < until) for (let got = 0; got < getsPerLook; got++) await get(keyAt(turn++));
        };
        await Promise.all(Array.from({ length: inFlight }, caller));
        return (turn - first) / (secondsOf(clock) - secondsBefore);
      };
      if (isClean) globalThis.gc?.();
      await getFor(leadInMs);
      const rate = await getFor(ms);
      turns.set(name, turn);
      if (round >= 0) rates.get(name)?.push(rate);
    }
  }
  return rates;
}

function secondsOf(clock: Rounds['clock']): number {
  if (clock === 'wall') return performance.now() / 1_000;
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000_000;
}

/** The rounds of several processes as if they had been of one. */
export function together(several: readonly Rates[]): Rates {
  const names = [...(several[0]?.keys() ?? [])];
  return new Map(names.map((name) => [name, several.flatMap((rates) => rates.get(name) ?? [])]));
}

/** How many times as fast one cache was as another: the median of the rounds, since the machine changes between them. */
export function ratioOf(rates: Rates, name: string, peer: string): Sample {
  const of = (one: string) => rates.get(one) ?? [];
  return sampleOf(of(name).map((rate, round) => rate / (of(peer)[round] ?? Number.NaN)));
}

/** Rates as rows: thousands of gets per second, their spread, and the ratios to some of the caches. */
export function rateRows(rates: Rates, peers: readonly string[]): string[][] {
  return [...rates].map(([name, figures]) => {
    const { median, low, high } = sampleOf(figures);
    return [
      name,
      digits(median / 1_000),
      `${digits(low / 1_000)}–${digits(high / 1_000)}`,
      ...peers.map((peer) => ratio(ratioOf(rates, name, peer).median)),
    ];
  });
}

/** The fastest of some caches. */
export function fastest(rates: Rates, names: readonly string[]): string {
  const median = (name: string) => sampleOf(rates.get(name) ?? []).median;
  return names.reduce((best, name) => (median(name) > median(best) ? name : best));
}

/** A goal on how many times as fast as others something is. */
export function ratioGoal(aim: string, least: number, { median, low, high }: Sample): Goal {
  return { aim, measured: `${ratio(median)} (${digits(low)}–${digits(high)})`, isMet: median >= least };
}

/** A goal on something that should be small. */
export function limitGoal(aim: string, limit: number, measured: number, unit: string): Goal {
  return { aim, measured: `${digits(measured)}${unit}`, isMet: measured <= limit };
}

/** A ratio as text: `17x`, `0.84x`. */
export function ratio(value: number): string {
  return `${digits(value)}x`;
}

/** A number with about three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, '');
}

/** A section in Markdown. */
export function markdownOf({ title, method, head, rows, goals }: Section): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
  const verdicts = goals.map(
    ({ aim, measured, isMet }) => `- ${isMet ? '**met**' : '**not met**'}: ${aim}; measured ${measured}.`,
  );
  return [`### ${title}`, method, table, verdicts.join('\n')].filter((part) => part !== '').join('\n\n');
}
