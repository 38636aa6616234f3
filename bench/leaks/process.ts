/** A process that works, and tells its samples: `process.ts RUN PORT`, the run in JSON. */
import { tellParent } from '../cache/children.ts';
import { keeper } from './carriers.ts';
import { useFeature } from './features.ts';
import { randomOf } from './random.ts';
import { sampleAt } from './sampler.ts';
import type { Carrier, Shape } from './shape.ts';
import { baseline, keeping, type Noise, recent, work } from './workload.ts';

/** What a process is to do. */
export type Task =
  | { kind: 'run'; shape: Shape; noise: Noise; seed: number; invocations: number; floorEvery: number; sampleEvery: number }
  | { kind: 'weigh'; carrier: Carrier; bytes: number };

/** Bytes of a piece. */
export interface Weight {
  heapBytes: number;
  externalBytes: number;
}

const [text = '', port = ''] = process.argv.slice(2);
const task = JSON.parse(text) as Task;
if (task.kind === 'run') await run(task);
else await tellParent(await weigh(task));
process.exit();

/** Sends every sample at once: what a process keeps of its samples would be growth, too. */
async function run({ shape, noise, seed, invocations, floorEvery, sampleEvery }: Extract<Task, { kind: 'run' }>) {
  const random = randomOf(seed);
  const base = baseline(random);
  const remember = recent(noise, random);
  const invoke = keeping(shape, random, Number(port));
  for (let invocation = 1; invocation <= invocations; invocation++) {
    await work(random);
    await useFeature(random);
    remember(invocation);
    await invoke(invocation);
    if (invocation % sampleEvery === 0) await tellParent(sampleAt(invocation, invocation % floorEvery === 0, sampleEvery));
  }
  await tellParent(null);
  return base;
}

/** What a piece really takes, found without any trend: many are kept at once. */
async function weigh({ carrier, bytes }: Extract<Task, { kind: 'weigh' }>): Promise<Weight> {
  const keep = keeper(carrier, Number(port));
  const pieces = carrier === 'sockets' ? 400 : 4_000;
  for (let warm = 0; warm < pieces / 10; warm++) await keep(bytes);
  const before = sampleAt(0, true, 0).floor;
  for (let piece = 0; piece < pieces; piece++) await keep(bytes);
  const after = sampleAt(0, true, 0).floor;
  await keep(bytes);
  return {
    heapBytes: ((after?.heapBytes ?? 0) - (before?.heapBytes ?? 0)) / pieces,
    externalBytes: ((after?.externalBytes ?? 0) - (before?.externalBytes ?? 0)) / pieces,
  };
}
