/** A process that works, and tells the samples of its monitor: `process.ts TASK PORT`, the task in JSON. */
import { forceCollection } from '../../lib/resources/gc/force.ts';
import { createMonitor } from '../../lib/resources/monitor.ts';
import type { Environment, Sample } from '../../lib/resources/sample.ts';
import { tellParent } from '../cache/children.ts';
import { keeper } from './carriers.ts';
import { useFeature } from './features.ts';
import { randomOf } from './random.ts';
import type { Carrier, Shape } from './shape.ts';
import { baseline, keeping, type Noise, recent, work } from './workload.ts';

/** What a process is to do. */
export type Task =
  | {
      kind: 'run';
      shape: Shape;
      noise: Noise;
      seed: number;
      invocations: number;
      /** In these invocations the process stops itself, and goes on when it is told to. */
      freezeIn: readonly number[];
    }
  | { kind: 'weigh'; carrier: Carrier; bytes: number };

/** What a process that runs tells: that it is about to stop, its samples, and in the end where they were taken. */
export type News = { freezing: true } | { sample: Sample } | { environment: Environment };

/** Bytes of a piece. */
export interface Weight {
  heapBytes: number;
  externalBytes: number;
}

/** The memory of the function whose environment the process is. */
process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE = '256';

const [text = '', port = ''] = process.argv.slice(2);
const task = JSON.parse(text) as Task;
if (task.kind === 'run') await run(task);
else await tellParent(await weigh(task));
process.exit();

async function run({ shape, noise, seed, invocations, freezeIn }: Extract<Task, { kind: 'run' }>): Promise<void> {
  const random = randomOf(seed);
  const base = baseline(random);
  const remember = recent(noise, random);
  const invoke = keeping(shape, random, Number(port));
  const monitor = createMonitor({ sink: (sample) => process.send?.({ sample } satisfies News) });
  for (let count = 1; count <= invocations; count++) {
    const invocation = monitor.begin();
    await work(random);
    if (freezeIn.includes(count)) {
      await tellParent({ freezing: true } satisfies News);
      process.kill(process.pid, 'SIGSTOP');
    }
    await useFeature(random);
    remember(count);
    await invoke(count);
    monitor.end(invocation);
    await new Promise(setImmediate);
  }
  await tellParent({ environment: { ...monitor.environment, function: `${base.length} records` } } satisfies News);
}

/** What a piece really takes, found without any trend: many are kept at once. */
async function weigh({ carrier, bytes }: Extract<Task, { kind: 'weigh' }>): Promise<Weight> {
  const keep = keeper(carrier, Number(port));
  const pieces = carrier === 'sockets' || carrier === 'descriptors' ? 400 : 4_000;
  for (let warm = 0; warm < pieces / 10; warm++) await keep(bytes);
  const before = forceCollection();
  for (let piece = 0; piece < pieces; piece++) await keep(bytes);
  const after = forceCollection();
  await keep(bytes);
  return {
    heapBytes: ((after?.heapAfterBytes ?? 0) - (before?.heapAfterBytes ?? 0)) / pieces,
    externalBytes: ((after?.externalAfterBytes ?? 0) - (before?.externalAfterBytes ?? 0)) / pieces,
  };
}
