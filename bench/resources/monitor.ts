/**
 * What the monitor costs the function that it is in: `monitor.ts [--write]`, which puts the result into docs/guides/monitor.md. In
 * processor time of this thread, so that what else runs on the machine does not count.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import middy from '@middy/core';
import { sampleLine } from '../../lib/resources/emf.ts';
import { forceCollection } from '../../lib/resources/gc/force.ts';
import {
  createMonitor,
  type Environment,
  type MonitorOptions,
  monitor,
  monitored,
  type Sample,
} from '../../lib/resources/monitor.ts';
import { machine } from '../cache/machine.ts';
import { digits, limitGoal, markdownOf, type Section, sampleOf } from '../cache/measure.ts';

const page = join(import.meta.dirname, '../../docs/guides/monitor.md');
const marks = { begin: '<!-- bench:monitor begins -->', end: '<!-- bench:monitor ends -->' };

const rounds = 15;
const context = { getRemainingTimeInMillis: () => 30_000 };
const never = { sampleEvery: 1e9, floorEvery: false } as const satisfies MonitorOptions;

const { values: options } = parseArgs({ options: { write: { type: 'boolean', default: false } } });

const report = [machine(), markdownOf(await overhead()), markdownOf(await floors())].join('\n\n');
console.log(report);
if (options.write) await write(report);

/** Microseconds of one of so many calls: the middle of the rounds, and the slowest. */
async function microseconds(calls: number, work: (count: number) => unknown): Promise<{ median: number; max: number }> {
  const each: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const before = process.threadCpuUsage();
    await work(calls);
    const { user, system } = process.threadCpuUsage(before);
    if (round >= 0) each.push((user + system) / calls);
    await new Promise(setImmediate);
  }
  return sampleOf(each);
}

async function overhead(): Promise<Section> {
  const rows: string[][] = [];
  const measure = async (name: string, calls: number, work: (count: number) => unknown, base = 0) => {
    const { median, max } = await microseconds(calls, work);
    rows.push([name, digits(median - base), digits(max - base)]);
    return median - base;
  };
  const alone = createMonitor(never);
  const bare = await measure('an invocation without a sample', 20_000, (count) => {
    for (let done = 0; done < count; done++) alone.end(alone.begin(context));
  });
  const among = createMonitor(never);
  const others = Array.from({ length: 64 }, () => among.begin(context));
  await measure('the same, with 64 others under way', 300_000, (count) => {
    for (let done = 0; done < count; done++) among.end(among.begin(context));
  });
  for (const other of others) among.end(other);

  const handler = async (_event: unknown, _context: unknown) => 'done';
  const plain = await microseconds(20_000, (count) => callAll(handler, count));
  const wrapped = await measure(
    '`monitored(handler)`, beyond the handler itself',
    20_000,
    (count) => callAll(monitored(handler, alone), count),
    plain.median,
  );
  const middied = middy().handler(handler);
  const middyAlone = await microseconds(20_000, (count) => callAll(middied as never, count));
  const watched = middy().use(monitor(alone)).handler(handler);
  const asMiddleware = await measure(
    '`monitor()`, beyond middy itself',
    20_000,
    (count) => callAll(watched as never, count),
    middyAlone.median,
  );

  const sampling = createMonitor({ sampleEvery: 1, floorEvery: false });
  const sample = await measure('an invocation with a sample', 1_000, (count) => {
    for (let done = 0; done < count; done++) sampling.end(sampling.begin(context));
  });
  const one = sampling.series().samples.at(-1) as Sample;
  const line = await measure('a line of the log with one sample', 2_000, (count) => {
    for (let done = 0; done < count; done++) sampleLine([one], sampling.environment as Environment);
  });
  const usual = createMonitor({ floorEvery: false });
  const all = await measure('an invocation with the usual options but for floors, on average', 10_000, (count) => {
    for (let done = 0; done < count; done++) usual.end(usual.begin(context));
  });
  return {
    title: 'In an invocation',
    method: `Microseconds of processor time: the median of ${rounds} rounds, and the slowest one. A line of the log has ${digits(sampleLine([one], sampling.environment as Environment).length)} bytes.`,
    head: ['', 'µs', 'slowest round'],
    rows,
    goals: [
      limitGoal('an invocation without a sample costs 20 µs at most', 20, Math.max(bare, wrapped, asMiddleware), ' µs'),
      limitGoal(
        'with the usual options it costs 20 µs at most on average',
        20,
        all + line / 10,
        ` µs (a sample takes ${digits(sample)} µs)`,
      ),
    ],
  };
}

async function callAll(handler: (event: object, context: object) => Promise<unknown>, count: number): Promise<void> {
  for (let done = 0; done < count; done++) await handler({}, context);
}

/** What a floor takes by the size of the live heap. */
async function floors(): Promise<Section> {
  const rows: string[][] = [];
  for (const megabytes of [10, 50, 100, 200]) {
    const kept = Array.from({ length: megabytes * 1_000 }, (_, id) => ({
      id,
      name: `record ${id}`,
      values: Array(110).fill(id / 3),
    }));
    forceCollection();
    const taken = Array.from({ length: 9 }, () => {
      Array.from({ length: 1_000 }, (_, id) => ({ id, garbage: Array(100).fill(id / 3) }));
      const before = process.cpuUsage();
      const ms = forceCollection()?.durationMs ?? Number.NaN;
      const { user, system } = process.cpuUsage(before);
      return { ms, cpuMs: (user + system) / 1_000 };
    });
    const { median, min } = sampleOf(taken.map(({ ms }) => ms));
    const cpu = sampleOf(taken.map(({ cpuMs }) => cpuMs));
    const heap = `${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MB`;
    rows.push([heap, digits(min), digits(median), digits(cpu.median), digits(min / 100)]);
    kept.length = 0;
  }
  return {
    title: 'A floor',
    method:
      'Milliseconds for which the thread does nothing else, by the clock: the fastest of nine, which other programs disturb least, and their median; the processor time, of all threads that V8 collects with; and of the fastest the share of each of 100 invocations. None is taken that may take more than a tenth of the remaining time.',
    head: ['heap in use', 'fastest', 'median', 'processor time', 'ms an invocation'],
    rows,
    goals: [],
  };
}

async function write(text: string): Promise<void> {
  const whole = await readFile(page, 'utf8');
  const from = whole.indexOf(marks.begin);
  const to = whole.indexOf(marks.end);
  if (from < 0 || to < from) throw new Error(`${page} lacks the lines "${marks.begin}" and "${marks.end}".`);
  await writeFile(page, `${whole.slice(0, from + marks.begin.length)}\n\n${text}\n\n${whole.slice(to)}`);
}
