/**
 * A process of stampede.ts: `stampede-process.ts URL CALLERS LOAD-MS`. Each message names a cache, which all callers then
 * ask for a key that is nowhere; the answer is how many loads that took in this process.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { hearParent, tellParent } from './children.ts';
import { productOf } from './peers.ts';
import { sharedCaches } from './stampede-caches.ts';

const [url = '', callers, loadMs] = process.argv.slice(2);
let loads = 0;
const load = async (id: string) => {
  loads++;
  await delay(Number(loadMs));
  return productOf(id);
};
const caches = new Map(
  await Promise.all(
    Object.entries(sharedCaches).map(async ([name, make]) => {
      const get = await make(load, url);
      await get('warm');
      return [name, get] as const;
    }),
  ),
);
await tellParent('ready');
for (;;) {
  const get = caches.get(await hearParent());
  if (!get) break;
  loads = 0;
  await Promise.all(Array.from({ length: Number(callers) }, () => get('cold')));
  await tellParent(loads);
}
process.exit();
