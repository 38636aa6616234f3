/**
 * Runs processes that leak and processes that do not, judges them by the samples of their monitors, and prints what comes out as
 * Markdown. Each process is a Node.js of its own, one at a time but for those that are frozen.
 *
 *   npm run bench:leaks                       a quick look: a few processes of each kind, two minutes
 *   npm run bench:leaks -- --full --write     all of it, half an hour, and puts it into docs/benchmarks.md
 *   npm run bench:leaks -- --set tuning       another set: that which the judge was tuned on, or one that was to prove it and is seen now
 *   npm run bench:leaks -- --seeds 3          so many processes of each kind that leaks, and twice as many of each other kind
 *   npm run bench:leaks -- --save FILE        also keeps the samples, as JSON lines, and does not run again what is in there
 *
 * The shapes and their sizes are the same in each run for a seed; the collector of V8 takes its liberties. A goal that is not met
 * is no error: a bench tells, it does not judge.
 */
import { createReadStream, existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Series } from '../../lib/resources/sample.ts';
import { machine } from '../cache/machine.ts';
import { markdownOf, type Section } from '../cache/measure.ts';
import { writeReport } from '../report.ts';
import { frozen } from './frozen.ts';
import { type Outcome, outcomeOf, usualInvocations } from './outcome.ts';
import type { Weight } from './process.ts';
import { seriesOf, weightOf, withServer } from './record.ts';
import { type Cell, cellsOf, type Run, runsOf, type SetName, setNames } from './sets.ts';
import { accuracy, detection, falseAlarms, fleets, hardLeaks, longer, lookalikes, weightKey } from './tables.ts';

/** What is run of each kind: how many processes, and for how many invocations. */
interface Plan {
  cells: Cell[];
  seeds: number;
  invocations: number;
}

/** A line of a file of samples. */
type Kept = { seed: number; invocations: number; series: Series } | { key: string; weight: Weight };

const longInvocations = 3_000;

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    set: { type: 'string', default: 'proof' },
    seeds: { type: 'string' },
    save: { type: 'string' },
  },
});
const set = setNamed(options.set);
const kept = await readKept(options.save);
const seeds = options.seeds ? Number(options.seeds) : undefined;
const plans = plansOf(set, options.full);

const began = machine();
const { usual, long, weights, stopped } = await withServer(async (port) => {
  const [usual, long] = [await judgedRuns(plans.usual, port), await judgedRuns(plans.long, port)];
  return { usual, long, weights: await weigh(usual, port), stopped: await stoppedRuns(port) };
});
const sections = [
  falseAlarms(usual),
  lookalikes(usual),
  detection(usual),
  accuracy(usual, weights),
  hardLeaks(usual),
  ...(long.length > 0 ? [longer(long)] : []),
  ...[fleets(usual)].filter((section) => section !== undefined),
  stopped,
];
const processes = `- **Processes**: ${usual.length} of 1,000 invocations and ${long.length} of 3,000, of the ${set} set`;
const report = ['## Leaks', `${began}\n${processes}`, ...sections.map(markdownOf)].join('\n\n');
console.log(report);
if (options.write) await writeReport('bench:leaks', report);
process.exit();

function setNamed(name: string): SetName {
  const found = setNames.find((one) => one === name);
  if (!found) throw new Error(`There is no set "${name}", but ${setNames.join(', ')}.`);
  return found;
}

function plansOf(of: SetName, isFull: boolean): { usual: Plan[]; long: Plan[] } {
  const cells = cellsOf(of);
  const leaks = cells.filter(({ group }) => group === 'leak');
  const others = cells.filter(({ group }) => group !== 'leak');
  const lasting = [...others, ...leaks.filter(({ carrier, nominalKb = 0 }) => carrier && nominalKb <= 1)];
  const usual = (several: Cell[], few: number, many: number): Plan => ({
    cells: several,
    seeds: isFull ? many : few,
    invocations: usualInvocations,
  });
  return {
    usual: [usual(others, seeds ? 2 * seeds : 3, seeds ? 2 * seeds : 32), usual(leaks, seeds ?? 1, seeds ?? 16)],
    long: isFull ? [{ cells: lasting, seeds: seeds ?? 8, invocations: longInvocations }] : [],
  };
}

async function judgedRuns(several: readonly Plan[], port: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { cells, seeds, invocations } of several) {
    for (const cell of cells) {
      process.stderr.write(`${cell.name}, ${invocations} …\n`);
      for (const run of runsOf(set, [cell], seeds)) {
        outcomes.push(outcomeOf(run, await seriesFor(run, invocations, port)));
      }
    }
  }
  return outcomes;
}

async function seriesFor(run: Run, invocations: number, port: number): Promise<Series> {
  const before = kept.series.get(`${run.seed} ${invocations}`);
  if (before) return before;
  const series = await seriesOf(run, invocations, port);
  await keep({ seed: run.seed, invocations, series });
  return series;
}

/** Weighs the pieces of all leaks. */
async function weigh(outcomes: readonly Outcome[], port: number): Promise<ReadonlyMap<string, Weight>> {
  const found = new Map(kept.weights);
  for (const { run } of outcomes) {
    if (run.shape.kind !== 'leak' || !run.cell.carrier) continue;
    const { carrier, bytes, oneIn } = run.shape;
    const key = weightKey(carrier, bytes * oneIn);
    if (found.has(key)) continue;
    const weight = await weightOf(carrier, bytes * oneIn, port);
    found.set(key, weight);
    await keep({ key, weight });
  }
  return found;
}

async function stoppedRuns(port: number): Promise<Section> {
  process.stderr.write('frozen …\n');
  return frozen(set, Math.min(seeds ?? 6, options.full || seeds ? 6 : 1), port);
}

async function keep(line: Kept): Promise<void> {
  if (options.save) await appendFile(options.save, `${JSON.stringify(line)}\n`);
}

async function readKept(file: string | undefined) {
  const lines = file && existsSync(file) ? createInterface({ input: createReadStream(file) }) : [];
  const all: Kept[] = [];
  for await (const line of lines) all.push(JSON.parse(line));
  return {
    series: new Map(
      all.flatMap((one) => ('series' in one ? [[`${one.seed} ${one.invocations}`, one.series] as const] : [])),
    ),
    weights: new Map(all.flatMap((one) => ('weight' in one ? [[one.key, one.weight] as const] : []))),
  };
}
