/** Runs the processes, one at a time, and gathers their samples. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Sample, Series } from '../../lib/resources/sample.ts';
import { startChild } from '../cache/children.ts';
import type { Task, Weight } from './process.ts';
import type { Run } from './sets.ts';
import type { Carrier } from './shape.ts';

/** A floor every so many invocations, and a sample every so many. */
const cadence = { floorEvery: 100, sampleEvery: 10 };

/** Runs a server that accepts connections and says nothing, for as long as it is needed. */
export async function withServer<Result>(use: (port: number) => Promise<Result>): Promise<Result> {
  const server = createServer((socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

/** The samples of a process. */
export async function seriesOf({ shape, noise, seed }: Run, invocations: number, port: number): Promise<Series> {
  const child = start({ kind: 'run', shape, noise, seed, invocations, ...cadence }, port);
  const samples: Sample[] = [];
  for (;;) {
    const sample = await child.hear<Sample | null>();
    if (!sample) break;
    samples.push(sample);
  }
  return {
    environment: {
      id: `seed ${seed}`,
      function: 'bench',
      version: '1',
      stage: 'bench',
      memoryLimitBytes: 256 * 2 ** 20,
      nodeVersion: process.version,
      startedAt: new Date(0).toISOString(),
      initMs: null,
    },
    samples,
  };
}

/** What a piece takes that is held by a carrier. */
export function weightOf(carrier: Carrier, bytes: number, port: number): Promise<Weight> {
  return start({ kind: 'weigh', carrier, bytes }, port).hear<Weight>();
}

function start(task: Task, port: number) {
  return startChild('../leaks/process.ts', [JSON.stringify(task), String(port)]);
}
