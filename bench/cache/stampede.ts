/** How often a loader runs when many ask for the same key at the same time. */
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from './children.ts';
import { digits, limitGoal, type Section } from './measure.ts';
import { withRedis } from './redis-server.ts';
import { localCaches, sharedCaches } from './stampede-caches.ts';

const processes = 8;
const callers = 200;
const loadMs = 200;
const failingLoadMs = 20;

/** Many processes, and a key that none of them has. */
export async function acrossProcesses(): Promise<Section> {
  const loads = await withRedis(async ({ url }) => {
    const children = Array.from({ length: processes }, () =>
      startChild('stampede-process.ts', [url, `${callers}`, `${loadMs}`]),
    );
    await Promise.all(children.map((child) => child.hear()));
    const counts = new Map<string, number>();
    for (const name of Object.keys(sharedCaches)) {
      for (const child of children) child.tell(name);
      const each = await Promise.all(children.map((child) => child.hear<number>()));
      counts.set(
        name,
        each.reduce((sum, count) => sum + count, 0),
      );
    }
    for (const child of children) child.tell('end');
    return counts;
  });
  return {
    title: 'Stampede of processes',
    method: `${processes} processes with ${callers} callers each, who all ask for the same key at the same time. Nobody has it, and a load takes ${loadMs} ms. How many loads there were in all.`,
    head: ['', 'loads'],
    rows: [...loads].map(([name, count]) => [name, String(count)]),
    goals: [limitGoal('1 load with `lease`', 1, loads.get('ours, with `lease`') ?? Number.NaN, '')],
  };
}

/** Many callers in one process, and a loader that fails. */
export async function failingLoader(): Promise<Section> {
  const outcomes = new Map<string, { loads: number; told: number; ms: number }>();
  for (const [name, make] of Object.entries(localCaches)) {
    let loads = 0;
    const get = make(async () => {
      loads++;
      await delay(failingLoadMs);
      throw new Error('The database is down.');
    });
    const started = performance.now();
    const answers = await Promise.allSettled(Array.from({ length: callers }, () => get('key')));
    const told = answers.filter(({ status }) => status === 'rejected').length;
    outcomes.set(name, { loads, told, ms: performance.now() - started });
  }
  return {
    title: 'Stampede on a loader that fails',
    method: `${callers} callers in one process ask for the same key at the same time, and its load fails after ${failingLoadMs} ms. How often the loader ran, how many callers were told of the error, and how long it took until all had an answer.`,
    head: ['', 'loads', 'callers told', 'ms'],
    rows: [...outcomes].map(([name, { loads, told, ms }]) => [name, `${loads}`, `${told}`, digits(ms)]),
    goals: [limitGoal('1 load', 1, outcomes.get('ours')?.loads ?? Number.NaN, '')],
  };
}
