/** A process of thaw.ts: `thaw-process.ts CACHE URL`. At each message it gets a value from Redis, and tells how that went. */
import { setTimeout as delay } from 'node:timers/promises';
import { hearParent, tellParent } from './children.ts';
import { productOf } from './peers.ts';
import { thawCaches } from './thaw-caches.ts';

/** What a get after a thaw was like. */
export interface Thaw {
  ms: number;
  /** Whether the value came from the loader, and not from Redis. */
  isLoaded: boolean;
}

const [name = '', url = ''] = process.argv.slice(2);
const make = thawCaches[name];
if (!make) throw new Error(`There is no cache "${name}".`);
let loads = 0;
const get = await make(async (id) => {
  loads++;
  await delay(20);
  return productOf(id);
}, url);
for (;;) {
  for (let warm = 0; warm < 20; warm++) await get('product');
  await tellParent('ready');
  await hearParent();
  loads = 0;
  const started = performance.now();
  await get('product');
  await tellParent({ ms: performance.now() - started, isLoaded: loads > 0 } satisfies Thaw);
  // What the thaw has set off, such as a write, comes to rest.
  await delay(300);
}
