/** A process of throughput.ts: `throughput-process.ts WORKLOAD`. Measures once, and tells the rates. */
import { tellParent } from './children.ts';
import { inMemory, ratesOf } from './measure.ts';
import { workloads } from './throughput-caches.ts';

const { caches, keyAt } = workloads[process.argv[2] as keyof typeof workloads];
await tellParent(await ratesOf(caches(), keyAt, inMemory));
process.exit();
