/** Whether a process that is stopped in the middle of invocations, and goes on, is judged as if nothing had happened. */
import type { Verdict } from '../../lib/resources/leak/verdict.ts';
import { judgeLeak } from '../../lib/resources/leak.ts';
import type { Series } from '../../lib/resources/sample.ts';
import { digits, type Section } from '../cache/measure.ts';
import { usualInvocations } from './outcome.ts';
import { type Freezes, seriesOf } from './record.ts';
import { cellsOf, type Run, runsOf, type SetName } from './sets.ts';

/** One that ends with a floor, one with a sample, and one with neither. */
const freezes: Freezes = { invocations: [300, 560, 795], ms: 5_000 };

/** What is judged the same each time it runs, and each kind of thing that may leak. */
const names = [
  'flat',
  'small cache, some keys popular',
  ...['objects', 'timers', 'sockets', 'descriptors', 'buffers'].map((carrier) => `leak of 1 KB in ${carrier}`),
];

/** A process, frozen and not. */
interface Pair {
  run: Run;
  frozen: Series;
  plain: Series;
}

/** Runs them: all kinds at a time, since a process that is frozen needs nothing. */
export async function frozen(set: SetName, seeds: number, port: number): Promise<Section> {
  const cells = cellsOf(set).filter(({ name }) => names.includes(name));
  const pairs: Pair[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const runs = runsOf(set, cells, seeds).filter((_, place) => place % seeds === seed);
    pairs.push(...(await Promise.all(runs.map((run) => pairOf(run, port)))));
  }
  return sectionOf(pairs);
}

async function pairOf(run: Run, port: number): Promise<Pair> {
  return {
    run,
    frozen: await seriesOf(run, usualInvocations, port, freezes),
    plain: await seriesOf(run, usualInvocations, port),
  };
}

function sectionOf(pairs: readonly Pair[]): Section {
  const verdictsOf = (several: readonly Series[]) =>
    [
      ...Map.groupBy(
        several.map((one) => judgeLeak(one).verdict),
        (verdict: Verdict) => verdict,
      ),
    ]
      .map(([verdict, { length }]) => `${length} ${verdict}`)
      .join(', ');
  const changed = pairs.filter(({ frozen, plain }) => judgeLeak(frozen).verdict !== judgeLeak(plain).verdict);
  return {
    title: 'Frozen',
    method: `Processes that are stopped (SIGSTOP) for ${freezes.ms / 1_000} seconds in the middle of the invocations ${freezes.invocations.join(', ')}, beside the same without; and the longest delay of the event loop that the monitor saw in one of each.`,
    head: ['', 'pairs', 'frozen', 'not frozen', 'longest delay, frozen', 'not frozen'],
    rows: [...Map.groupBy(pairs, ({ run }) => run.cell.name)].map(([name, of]) => [
      name,
      String(of.length),
      verdictsOf(of.map((pair) => pair.frozen)),
      verdictsOf(of.map(({ plain }) => plain)),
      longestDelay(of.map((pair) => pair.frozen)),
      longestDelay(of.map(({ plain }) => plain)),
    ]),
    goals: [
      {
        aim: 'no verdict changes',
        measured: `${changed.length} of ${pairs.length} changed`,
        isMet: changed.length === 0,
      },
    ],
  };
}

function longestDelay(several: readonly Series[]): string {
  const delays = several.flatMap(({ samples }) => samples.map(({ eventLoop }) => eventLoop.longestDelayMs));
  return `${digits(Math.max(...delays))} ms`;
}
