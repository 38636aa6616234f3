/** Runs the processes and gathers their samples. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Sample, Series } from '../../lib/resources/sample.ts';
import { type Child, startChild } from '../cache/children.ts';
import type { News, Task, Weight } from './process.ts';
import type { Run } from './sets.ts';
import type { Carrier } from './shape.ts';

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

/** In which invocations a process is frozen, by SIGSTOP, and for how many milliseconds. */
export interface Freezes {
  invocations: readonly number[];
  ms: number;
}

/** The samples of a process. @throws when it fails */
export async function seriesOf(
  { shape, noise, seed }: Run,
  invocations: number,
  port: number,
  freezes: Freezes = { invocations: [], ms: 0 },
): Promise<Series> {
  const child = start({ kind: 'run', shape, noise, seed, invocations, freezeIn: freezes.invocations }, port);
  const samples: Sample[] = [];
  for (;;) {
    const news = await child.hear<News>();
    if ('environment' in news) return { environment: news.environment, samples };
    if ('sample' in news) samples.push(news.sample);
    else {
      await wait(freezes.ms);
      child.process.kill('SIGCONT');
    }
  }
}

/** What a piece takes that is held by a carrier. */
export function weightOf(carrier: Carrier, bytes: number, port: number): Promise<Weight> {
  return start({ kind: 'weigh', carrier, bytes }, port).hear<Weight>();
}

function start(task: Task, port: number): Child {
  return startChild('../leaks/process.ts', [JSON.stringify(task), String(port)]);
}
