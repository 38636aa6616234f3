/** How long a get takes when Redis hangs, and when it refuses connections. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, startChild } from './children.ts';
import { digits, limitGoal, type Section, sampleOf } from './measure.ts';
import { loaderMs, outageCaches } from './outage-caches.ts';
import type { OutageGet } from './outage-process.ts';
import { type BenchServer, withRedis } from './redis-server.ts';

/** How long ours waits for Redis before it calls the loader, by default. */
const softLimitMs = 50;

/** What the timers may add to that. */
const slackMs = 5;

type Outcomes = ReadonlyMap<string, OutageGet[]>;

const names = Object.keys(outageCaches);

export async function outage(): Promise<Section> {
  const [hanging, refusing] = await withRedis((one) => withRedis((other) => during(one, other)));
  const limitMs = softLimitMs + loaderMs;
  const goal = (what: string, [first, ...others]: readonly OutageGet[] = []) =>
    limitGoal(
      `Redis ${what}: the first get, and the median of the others, within the soft limit and the load, ${softLimitMs} + ${loaderMs} ms, and ${slackMs} ms for the timers`,
      limitMs + slackMs,
      Math.max(msOf(first), sampleOf(others.map(msOf)).median),
      ' ms',
    );
  return {
    title: 'Redis out of order',
    method: `20 gets of new keys, one every 250 ms, each with a load of ${loaderMs} ms, in a process for each cache. Redis hangs (SIGSTOP), or refuses connections (SIGKILL), from before the first get until 15 s after it. Milliseconds to the answer: of the first get, and of the others the median and the longest. An error counts as an answer, and is mentioned.`,
    head: ['', 'hangs: first', 'others', 'refuses: first', 'others'],
    rows: names.map((name) => [name, ...cellsOf(hanging.get(name)), ...cellsOf(refusing.get(name))]),
    goals: [goal('hangs', hanging.get('ours')), goal('refuses', refusing.get('ours'))],
  };
}

/** Both outages at once: whoever waits for Redis leaves the processors to the others. */
async function during(hanging: BenchServer, refusing: BenchServer): Promise<[Outcomes, Outcomes]> {
  const [some, others] = await Promise.all([start(hanging), start(refusing)]);
  hanging.signal('SIGSTOP');
  refusing.signal('SIGKILL');
  await delay(200);
  for (const child of [...some, ...others]) {
    child.tell('go');
    // Each gets in a moment of its own.
    await delay(12);
  }
  return Promise.all([outcomesOf(some), outcomesOf(others)]);
}

/** One after the other, so that none of them meets a machine so busy that it takes Redis for lost already. */
async function start({ url }: BenchServer): Promise<Child[]> {
  const children: Child[] = [];
  for (const name of names) {
    const child = startChild('outage-process.ts', [name, url]);
    await child.hear();
    children.push(child);
  }
  return children;
}

async function outcomesOf(children: readonly Child[]): Promise<Outcomes> {
  const outcomes = await Promise.all(children.map((child) => child.hear<OutageGet[]>()));
  return new Map(names.map((name, at) => [name, outcomes[at] ?? []]));
}

function cellsOf([first, ...others]: readonly OutageGet[] = []): [string, string] {
  const answered = others.flatMap(({ ms }) => ms ?? []);
  const failed = others.filter(({ failed }) => failed).length;
  const { median, max } = sampleOf(answered);
  const notes = [
    answered.length > 0 ? `${digits(median)} (≤ ${digits(max)})` : '',
    answered.length < others.length ? `${others.length - answered.length} of ${others.length} none` : '',
    failed > 0 ? `${failed} errors` : '',
  ];
  return [firstCell(first), notes.filter((note) => note !== '').join(', ')];
}

function firstCell(first: OutageGet | undefined): string {
  if (!first || first.ms === null) return 'none within 15 s';
  return `${digits(first.ms)}${first.failed ? ' (error)' : ''}`;
}

function msOf(outcome: OutageGet | undefined): number {
  return outcome?.ms ?? Number.POSITIVE_INFINITY;
}
