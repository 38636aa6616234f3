/** A process of resources.test.ts: `shop-process.ts NAME BYTES URL`. A function that leaks so many bytes an invocation, and leaves its samples. */
import { openHistory } from '../../../../lib/postgres/history.ts';
import { createMonitor, monitored } from '../../../../lib/resources/monitor.ts';
import { SampleKeeper } from '../../../../lib/resources/store/keeper.ts';

const [name = '', bytes = '0', url = ''] = process.argv.slice(2);
const history = openHistory(url);
const keeper = new SampleKeeper(history.samples, { everyMs: 0, mostWaiting: 1_000 });
const watcher = createMonitor({ function: name, version: '1', stage: 'prod', sink: keeper.sink });
const leaked: string[][] = [];
const recent: string[][] = [];

const handler = monitored(async (invocation: number) => {
  // Garbage, a cache that is full after a while, and what is forgotten.
  recent.push(Array.from({ length: 20 }, (_, place) => `${invocation}:${place}`));
  if (recent.length > 100) recent.shift();
  // A string of so many characters, flat, behind an array of one: eight bytes each, and forty for the rest.
  if (Number(bytes) > 0) leaked.push([Buffer.alloc(Number(bytes) - 60, String(invocation)).toString('latin1')]);
  return { statusCode: 200, body: JSON.stringify(recent.at(-1)) };
}, watcher);

for (let invocation = 1; invocation <= 2_000; invocation++) await handler(invocation);
await keeper.flush();
await history.close();
