/** A process with a monitor in it that is stopped and continued from outside, and tells its samples: `monitored-process.ts CASE`. */
import { once } from 'node:events';
import { createMonitor } from '../../../../lib/resources/monitor.ts';

const monitor = createMonitor({ sampleEvery: 1, floorEvery: 20 });
/** Waits, with nothing to do, until the parent says that it goes on. */
const pause = async () => {
  process.send?.('stop me');
  await once(process, 'message');
};
const invoke = async (work: () => unknown) => {
  const invocation = monitor.begin({ getRemainingTimeInMillis: () => 30_000 });
  await work();
  monitor.end(invocation);
};
/** The loop has something to do, and is free in between. */
const usual = async () => {
  for (let turn = 0; turn < 5; turn++) {
    JSON.parse(JSON.stringify(Array(2_000).fill({ price: 1 })));
    await new Promise((done) => setTimeout(done, 5));
  }
};

for (let count = 0; count < 5; count++) await invoke(usual);
if (process.argv[2] === 'between') await pause();
await invoke(process.argv[2] === 'within' ? pause : usual);
for (let count = 0; count < 34; count++) await invoke(usual);
process.send?.(monitor.series().samples);
process.disconnect?.();
// Nothing of the monitor keeps the process alive from here on.
