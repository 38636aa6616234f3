/** A process of outage.ts: `outage-process.ts CACHE URL`. Asks for new keys while Redis is out of order. */
import { setTimeout as delay } from 'node:timers/promises';
import { hearParent, tellParent } from './children.ts';
import { outageCaches } from './outage-caches.ts';

/** One get is made so often, in milliseconds, whether or not those before it were answered. */
const everyMs = 250;

const gets = 20;

/** So long after the first get it is over, in milliseconds. */
const capMs = 15_000;

/** What became of a get. Milliseconds are null when there was no answer. */
export interface OutageGet {
  ms: number | null;
  failed: boolean;
}

const [name = '', url = ''] = process.argv.slice(2);
const make = outageCaches[name];
if (!make) throw new Error(`There is no cache "${name}".`);
// What a peer leaves unhandled shall not end its process.
process.on('unhandledRejection', () => {});
const get = await make(url);
for (let warm = 0; warm < 20; warm++) await get(`warm-${warm}`).catch(() => {});
await tellParent('ready');
await hearParent();
const cap = delay(capMs);
const outcomes: OutageGet[] = Array.from({ length: gets }, () => ({ ms: null, failed: false }));
const answers = outcomes.map(async (outcome, at) => {
  await delay(at * everyMs);
  const started = performance.now();
  outcome.failed = await get(`new-${at}`).then(
    () => false,
    () => true,
  );
  outcome.ms = performance.now() - started;
});
await Promise.race([Promise.all(answers), cap]);
await tellParent(outcomes);
process.exit();
