import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const lib = join(import.meta.dirname, '../../../../../lib/resources/gc');

/** What a script prints in a process of its own, where nothing else makes garbage. */
async function inProcess<Result>(script: string, ...flags: string[]): Promise<Result> {
  const text = `import { forceCollection } from ${JSON.stringify(join(lib, 'force.ts'))};
    import { CollectionRecorder } from ${JSON.stringify(join(lib, 'recorder.ts'))};
    const megabytes = (count) => Array.from({ length: count }, () => new Array(131_000).fill(1.5));
    const print = (result) => console.log(JSON.stringify(result));
    ${script}`;
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module-typescript', '--eval', text]);
  return JSON.parse(stdout);
}

test.each([[], ['--expose-gc']])(
  'collects what nobody holds any more, whether Node.js was started with --expose-gc or not',
  async (...flags) => {
    const { first, garbage, live } = await inProcess<Record<'first' | 'garbage' | 'live', Record<string, number>>>(
      `const first = forceCollection();
    let kept = megabytes(20);
    let buffer = Buffer.alloc(10_000_000);
    const live = forceCollection();
    kept = buffer = undefined;
    const garbage = forceCollection();
    print({ first, live, garbage });`,
      ...flags,
    );
    const freed = (collection: Record<string, number> | undefined, of: 'heap' | 'external') =>
      (collection?.[`${of}BeforeBytes`] ?? 0) - (collection?.[`${of}AfterBytes`] ?? 0);
    expect(freed(garbage, 'heap')).toBeGreaterThan(18e6);
    expect(freed(garbage, 'external')).toBeGreaterThanOrEqual(10_000_000);
    expect(live.heapAfterBytes).toBeGreaterThan((first.heapAfterBytes ?? 0) + 18e6);
    expect(garbage.durationMs).toBeGreaterThan(0);
  },
);

test('leaves no gc behind for others', async () => {
  const left = await inProcess(
    `forceCollection(); print([typeof gc, typeof (await import('node:vm')).runInNewContext('globalThis.gc')]);`,
  );
  expect(left).toEqual(['undefined', 'undefined']);
});

test('works in a worker thread', async () => {
  const freed = await inProcess(`
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker(\`
      import { parentPort } from 'node:worker_threads';
      import(${JSON.stringify(join(lib, 'force.ts'))}).then(({ forceCollection }) => {
        forceCollection();
        let kept = Array.from({ length: 10 }, () => new Array(131_000).fill(1.5));
        kept = undefined;
        const { heapBeforeBytes, heapAfterBytes } = forceCollection();
        parentPort.postMessage(heapBeforeBytes - heapAfterBytes);
      });\`, { eval: true });
    worker.on('message', print);`);
  expect(freed).toBeGreaterThan(9e6);
});

/**
 * Both have to look at the same time. So it begins and ends with a young generation that is empty, as it is after a forced collection:
 * then none comes by itself between what one of them does and what the other does.
 */
test('the recorder counts every collection once, as v8.GCProfiler does, and in time', async () => {
  const { counted, profiled } = await inProcess<Record<'counted' | 'profiled', Record<string, number>>>(`
    const { GCProfiler } = await import('node:v8');
    forceCollection();
    await new Promise(setImmediate);
    const recorder = new CollectionRecorder();
    const profiler = new GCProfiler();
    profiler.start();
    const counted = { minor: 0, major: 0, totalMs: 0 };
    const take = () => {
      const { minor, major } = recorder.take();
      counted.minor += minor.count;
      counted.major += major.count;
      counted.totalMs += minor.totalMs + major.totalMs;
    };
    for (let turn = 0; turn < 20; turn++) {
      for (let piece = 0; piece < 40; piece++) megabytes(1);
      if (turn % 5 === 0) forceCollection();
      if (turn % 3 === 0) await new Promise(setImmediate);
      take();
    }
    forceCollection();
    await new Promise(setImmediate);
    take();
    const { statistics } = profiler.stop();
    const profiled = { minor: 0, major: 0, totalMs: 0 };
    for (const { gcType, cost } of statistics) {
      if (gcType === 'Scavenge' || gcType === 'MinorMarkSweep') profiled.minor++;
      else if (gcType === 'MarkSweepCompact') profiled.major++;
      else continue;
      profiled.totalMs += cost / 1_000;
    }
    print({ counted, profiled });`);
  expect(profiled.minor).toBeGreaterThan(5);
  expect(profiled.major).toBeGreaterThanOrEqual(5);
  expect(counted).toMatchObject({ minor: profiled.minor, major: profiled.major });
  // Each has a clock of its own, and may be interrupted while the other one's stands.
  expect(counted.totalMs).toBeGreaterThan((profiled.totalMs ?? 0) / 10);
  expect(counted.totalMs).toBeLessThan(10 * (profiled.totalMs ?? 0));
});

test('the recorder leaves out what it is told to', async () => {
  const [news, totals] = await inProcess<Record<string, { count: number }>[]>(`
    const recorder = new CollectionRecorder();
    forceCollection();
    await new Promise(setImmediate);
    recorder.take();
    const startedAt = performance.now();
    forceCollection();
    recorder.leaveOut(startedAt, performance.now());
    await new Promise(setImmediate);
    forceCollection();
    await new Promise(setImmediate);
    print([recorder.take(), recorder.totals]);`);
  expect(news?.major?.count).toBe(1);
  expect(totals?.major?.count).toBe(2);
});
