/** The outcomes as sections of a report. */
import { judgeFleet } from '../../lib/resources/fleet.ts';
import type { Verdict } from '../../lib/resources/leak/verdict.ts';
import { median, quantile } from '../../lib/statistics/median.ts';
import { shareInterval } from '../../lib/statistics/wilson.ts';
import { digits, type Goal, type Section } from '../cache/measure.ts';
import { naiveRules } from './naive.ts';
import { fleetInvocations, isLeakByMemory, type Outcome } from './outcome.ts';
import type { Weight } from './process.ts';
import { type Cell, leakSizes } from './sets.ts';
import { carriers } from './shape.ts';

/** What a piece takes: by carrier and by its size in bytes. */
export type Weights = ReadonlyMap<string, Weight>;

/** The key of {@link Weights}. */
export function weightKey(carrier: string, bytes: number): string {
  return `${carrier} ${bytes}`;
}

const naiveNames = Object.keys(naiveRules);
const columns: readonly Verdict[] = ['leak', 'suspect', 'insufficient-data', 'healthy'];
const verdictHeads = columns.map((verdict) => (verdict === 'leak' ? '**leak**' : verdict));

/** What is said of processes that do not leak. */
export function falseAlarms(outcomes: readonly Outcome[]): Section {
  const benign = outcomes.filter(isOf('benign'));
  return {
    title: 'What does not leak',
    method:
      'How many processes got which verdict after 1,000 invocations, and what share of them the naive rules call a leak.',
    head: ['', 'processes', ...verdictHeads, ...naiveNames],
    rows: [
      ...cellsIn(benign).map(({ name }) => verdictRow(name, benign.filter(isNamed(name)))),
      verdictRow('**all of these**', benign),
    ],
    goals: [shareGoal('false alarms in at most 1 %', 'most', 0.01, benign.filter(isAlarm).length, benign.length)],
  };
}

/** What is said of what cannot be told from a leak yet. */
export function lookalikes(outcomes: readonly Outcome[]): Section {
  const of = outcomes.filter(isOf('lookalike'));
  return {
    title: 'What looks like a leak',
    method:
      'The same for what does not leak, but grows as evenly as a leak for as long as it is seen, or nearly so. Without a goal: these are the limits.',
    head: ['', 'processes', ...verdictHeads, ...naiveNames],
    rows: cellsIn(of).map(({ name }) => verdictRow(name, of.filter(isNamed(name)))),
    goals: [],
  };
}

/** How many leaks are found. */
export function detection(outcomes: readonly Outcome[]): Section {
  const leaks = outcomes.filter(isOf('leak')).filter(({ run }) => run.cell.carrier);
  const found = (of: readonly Outcome[]) => `${of.filter(isAlarm).length}/${of.length}`;
  const sized = (size: number) => leaks.filter(({ run }) => run.cell.nominalKb === size);
  const one = sized(1);
  return {
    title: 'Leaks',
    method:
      'How many processes are said to leak after 1,000 invocations, by what holds the leak and by its size; `by memory`, where handles and descriptors are left aside; and the share that the naive rules call a leak.',
    head: ['KB an invocation', ...carriers, 'all', '95 %', 'by memory', ...naiveNames],
    rows: leakSizes.map((size) => {
      const of = sized(size);
      return [
        String(size),
        ...carriers.map((carrier) => found(of.filter(({ run }) => run.cell.carrier === carrier))),
        found(of),
        interval(of.filter(isAlarm).length, of.length),
        `${of.filter(({ verdict }) => isLeakByMemory(verdict)).length}/${of.length}`,
        ...naiveNames.map((rule) => percent(of.filter(({ naive }) => naive[rule]).length, of.length)),
      ];
    }),
    goals: [
      shareGoal('at least 95 % of the leaks of 1 KB found', 'least', 0.95, one.filter(isAlarm).length, one.length),
    ],
  };
}

/** How near the growth that is told comes to the true one. */
export function accuracy(outcomes: readonly Outcome[], weights: Weights): Section {
  const leaks = outcomes.filter(isOf('leak')).filter(({ run }) => run.cell.carrier);
  const judged = leaks.flatMap((outcome) => {
    const told = toldOf(outcome);
    const truth = truthOf(outcome, weights);
    return truth === undefined ? [] : [{ size: outcome.run.cell.nominalKb, told, truth }];
  });
  const errors = (of: typeof judged) => of.map(({ told, truth }) => Math.abs(told.bytes / truth - 1));
  const within = (of: typeof judged, share: number) => errors(of).filter((error) => error <= share).length;
  const atLeastOne = judged.filter(({ size = 0 }) => size >= 1);
  return {
    title: 'How fast it leaks',
    method:
      'The bytes per invocation that are told, beside the true ones: what a piece takes was weighed in processes of its own, where thousands are kept at once. Of leaks in buffers it is the external memory, of all others the heap. An interval is right when the truth lies in it.',
    head: [
      'KB an invocation',
      'processes',
      'truth, bytes',
      'median error',
      '90 % within',
      'within 25 %',
      '95 % interval right',
    ],
    rows: leakSizes.map((size) => {
      const of = judged.filter((one) => one.size === size);
      const right = of.filter(({ told, truth }) => told.low <= truth && truth <= told.high).length;
      const truths = of.map(({ truth }) => truth);
      return [
        String(size),
        String(of.length),
        `${Math.round(Math.min(...truths))}–${Math.round(Math.max(...truths))}`,
        share(median(errors(of))),
        share(quantile(errors(of), 0.9)),
        `${within(of, 0.25)}/${of.length}`,
        percent(right, of.length),
      ];
    }),
    goals: [
      shareGoal(
        'within 25 % in at least 95 % of the leaks from 1 KB on',
        'least',
        0.95,
        within(atLeastOne, 0.25),
        atLeastOne.length,
      ),
    ],
  };
}

/** Leaks that are hard to see. */
export function hardLeaks(outcomes: readonly Outcome[]): Section {
  const leaks = outcomes.filter(isOf('leak')).filter(({ run }) => !run.cell.carrier);
  return {
    title: 'Leaks beside other things',
    method:
      'The same for leaks, where something else goes on in the same process, or where only some of the invocations leak. Without a goal.',
    head: ['', 'processes', ...verdictHeads, ...naiveNames],
    rows: cellsIn(leaks).map(({ name }) => verdictRow(name, leaks.filter(isNamed(name)))),
    goals: [],
  };
}

/** What becomes of the verdicts when an environment lives longer. */
export function longer(outcomes: readonly Outcome[]): Section {
  const ends = [1_000, 1_500, 2_000, 3_000];
  const at = ({ looks }: Outcome, end: number) => looks.find(({ invocation }) => invocation === end)?.verdict;
  const ever = (outcome: Outcome) => outcome.looks.some(({ verdict }) => verdict === 'leak');
  const benign = outcomes.filter(isOf('benign'));
  const tally = (of: readonly Outcome[], end: number) =>
    columns
      .map((verdict) => ({ verdict, times: of.filter((outcome) => at(outcome, end) === verdict).length }))
      .filter(({ times }) => times > 0)
      .map(({ verdict, times }) => `${times} ${verdict === 'leak' ? '**leak**' : verdict}`)
      .join(', ');
  return {
    title: 'Longer',
    method:
      'Processes of 3,000 invocations: the verdicts after so many, and how many were said to leak at any of the 21 floors from 1,000 on.',
    head: ['', 'processes', ...ends.map((end) => `after ${digits(end)}`), 'ever a leak'],
    rows: [...Map.groupBy(outcomes, ({ run }) => kindOf(run.cell))].map(([kind, of]) => [
      kind,
      String(of.length),
      ...ends.map((end) => tally(of, end)),
      String(of.filter(ever).length),
    ]),
    goals: [
      shareGoal(
        'false alarms in at most 1 % of what does not leak, after 3,000 invocations',
        'most',
        0.01,
        benign.filter((outcome) => at(outcome, 3_000) === 'leak').length,
        benign.length,
      ),
    ],
  };
}

/** Leaks by their size, and all else by its name. */
function kindOf({ name, carrier, nominalKb }: Cell): string {
  return carrier ? `leaks of ${nominalKb} KB` : name;
}

/** What several young environments say together; undefined where there are too few processes of each kind. */
export function fleets(outcomes: readonly Outcome[]): Section | undefined {
  const size = 8;
  const groups = cellsIn(outcomes).flatMap((cell) => {
    const of = outcomes.filter(isNamed(cell.name));
    return Array.from({ length: Math.floor(of.length / size) }, (_, place) => {
      const members = of.slice(place * size, (place + 1) * size);
      return { cell, name: `${cell.name} ${place}`, members, isFilling: members.some(isStillFilling) };
    });
  });
  if (groups.length === 0) return undefined;
  const verdicts = judgeFleet(
    groups.flatMap(({ name, members }) =>
      members.map(({ young }) => ({ ...young, environment: { ...young.environment, function: name } })),
    ),
  );
  const verdictOf = new Map(verdicts.map((one) => [one.function, one.verdict]));
  const judged = groups.map((group) => ({ ...group, verdict: verdictOf.get(group.name) }));
  const row = (name: string, of: typeof judged) => [
    name,
    String(of.length),
    ...columns.map((verdict) => String(of.filter((one) => one.verdict === verdict).length)),
  ];
  const alarms = (of: typeof judged) => of.filter(({ verdict }) => verdict === 'leak').length;
  const notLeaking = judged.filter(({ cell }) => cell.group !== 'leak');
  const filling = notLeaking.filter(({ cell, isFilling }) => isFilling || cell.group === 'lookalike');
  const benign = notLeaking.filter((group) => !filling.includes(group));
  const leaking = (kb: number) => judged.filter(({ cell }) => cell.carrier && cell.nominalKb === kb);
  const names = [...new Set(benign.map(({ cell }) => cell.name))];
  return {
    title: 'Fleets',
    method: `Each function has ${size} environments that end after ${fleetInvocations} invocations, too soon to be judged alone. All functions are judged at once, with a false discovery rate of 5 %. What looks like a leak for as long as it is seen, which caches of new keys and pools do that are not full by then, is in a row of its own, which is no part of the sum.`,
    head: ['', 'functions', ...verdictHeads],
    rows: [
      ...names.map((name) =>
        row(
          name,
          benign.filter(({ cell }) => cell.name === name),
        ),
      ),
      row('**all of these**', benign),
      row('what looks like a leak', filling),
      ...leakSizes.map((kb) => row(`leaks of ${kb} KB`, leaking(kb))),
      row(
        'leaks beside other things',
        judged.filter(({ cell }) => cell.group === 'leak' && !cell.carrier),
      ),
    ],
    goals: [
      shareGoal(
        'at least 95 % of the functions found that leak 1 KB',
        'least',
        0.95,
        alarms(leaking(1)),
        leaking(1).length,
      ),
      shareGoal('false alarms in at most 5 %', 'most', 0.05, alarms(benign), benign.length),
    ],
  };
}

/** Whether a cache of new keys, or a pool, is not full when its fleet is judged: until then it grows as evenly as a leak. */
function isStillFilling({ run: { shape } }: Outcome): boolean {
  if (shape.kind === 'pool') return shape.until > fleetInvocations;
  return shape.kind === 'cache' && shape.keys === 'new' && shape.capacity > fleetInvocations;
}

/** How many processes get which verdict, and what share the naive rules call a leak. */
function verdictRow(name: string, of: readonly Outcome[]): string[] {
  return [
    name,
    String(of.length),
    ...columns.map((verdict) => String(of.filter((one) => one.verdict.verdict === verdict).length)),
    ...naiveNames.map((rule) => percent(of.filter(({ naive }) => naive[rule]).length, of.length)),
  ];
}

/** What the judge says of the memory that leaks. */
function toldOf({ run, verdict }: Outcome): { bytes: number; low: number; high: number } {
  const { perInvocation, interval } = run.cell.carrier === 'buffers' ? verdict.external : verdict.heap;
  return { bytes: perInvocation, low: interval[0], high: interval[1] };
}

function truthOf({ run: { shape } }: Outcome, weights: Weights): number | undefined {
  if (shape.kind !== 'leak') return undefined;
  const weight = weights.get(weightKey(shape.carrier, shape.bytes * shape.oneIn));
  return weight && (shape.carrier === 'buffers' ? weight.externalBytes : weight.heapBytes) / shape.oneIn;
}

function isAlarm({ verdict }: Outcome): boolean {
  return verdict.verdict === 'leak';
}

function isOf(group: Cell['group']): (outcome: Outcome) => boolean {
  return ({ run }) => run.cell.group === group;
}

function isNamed(name: string): (outcome: Outcome) => boolean {
  return ({ run }) => run.cell.name === name;
}

function cellsIn(outcomes: readonly { run: { cell: Cell } }[]): Cell[] {
  return [...new Map(outcomes.map(({ run: { cell } }) => [cell.name, cell])).values()];
}

/** A goal on a share, with its 95 % interval. */
function shareGoal(aim: string, side: 'least' | 'most', limit: number, hits: number, trials: number): Goal {
  const measured = trials === 0 ? Number.NaN : hits / trials;
  return {
    aim,
    measured: `${hits} of ${trials} (95 % interval ${interval(hits, trials)})`,
    isMet: side === 'least' ? measured >= limit : measured <= limit,
  };
}

function interval(hits: number, trials: number): string {
  const [low, high] = shareInterval(hits, trials);
  return `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;
}

function percent(hits: number, trials: number): string {
  return trials === 0 ? 'none' : `${Math.round((100 * hits) / trials)} %`;
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
