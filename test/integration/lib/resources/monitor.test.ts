import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { Sample } from '../../../../lib/resources/sample.ts';

const stopMs = 1_000;

/** Stops the process while it waits, and lets it go on after a second. */
async function stopForAWhile(child: ChildProcess): Promise<void> {
  const state = async () => /\) (\w)/.exec(await readFile(`/proc/${child.pid}/stat`, 'utf8'))?.[1];
  const reach = (wanted: string) => vi.waitFor(async () => expect(await state()).toBe(wanted), { interval: 5 });
  await reach('S');
  child.kill('SIGSTOP');
  await reach('T');
  await new Promise((done) => setTimeout(done, stopMs));
  child.kill('SIGCONT');
}

/** The samples of a process, and how it ended. */
async function run(...parameters: string[]): Promise<{ samples: Sample[]; code: number }> {
  const child = fork(join(import.meta.dirname, 'monitored-process.ts'), parameters);
  const ended = once(child, 'exit');
  let [message] = await once(child, 'message');
  if (message === 'stop me') {
    await stopForAWhile(child);
    child.send('go on');
    [message] = await once(child, 'message');
  }
  const [code] = await ended;
  return { samples: Sample.array().parse(message), code };
}

const share = ({ cpuMs, wallMs }: Sample) => cpuMs / wallMs;

describe.skipIf(process.platform !== 'linux')('a process with a monitor', () => {
  test('is measured, and ends by itself', async () => {
    const { samples, code } = await run();
    expect(code).toBe(0);
    expect(samples).toHaveLength(40);
    expect(samples.filter(({ floor }) => floor).map(({ invocation }) => invocation)).toEqual([20, 40]);
    for (const { floor, heapUsedBytes, collections } of samples) {
      if (floor) expect(floor.heapBytes).toBeLessThan(heapUsedBytes);
      expect(collections.major.count).toBeLessThan(5);
    }
  });

  test('that is stopped between two invocations looks as if it never was', async () => {
    const { samples } = await run('between');
    const after = samples[5] as Sample;
    expect(after.wallMs).toBeLessThan(stopMs);
    expect(after.eventLoop.longestDelayMs).toBeLessThan(stopMs / 2);
    expect(share(after)).toBeLessThanOrEqual(1);
    expect(share(after)).toBeGreaterThan(0);
    expect(samples.at(-1)).toMatchObject({ invocation: 40, floor: { heapBytes: expect.any(Number) } });
  });

  test('that is stopped in an invocation, while it waits, has no delay', async () => {
    const { samples } = await run('within');
    const stopped = samples[5] as Sample;
    expect(stopped.wallMs).toBeGreaterThan(stopMs);
    expect(stopped.eventLoop.longestDelayMs).toBeLessThan(stopMs / 2);
    expect(stopped.eventLoop.utilization).toBeLessThan(0.5);
    expect(share(stopped)).toBeLessThan(0.5);
  });
});
