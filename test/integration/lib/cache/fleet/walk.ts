import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { Worker } from './fleet.ts';
import type { Got, Invoked, Opening, Settled, Step } from './protocol.ts';
import { Source } from './source.ts';

/** What can happen to a fleet. Numbers of workers and items count on beyond their end. */
type Event =
  | { do: 'get'; worker: number; items: number[]; together: boolean }
  | { do: 'invocation'; worker: number; steps: Array<{ get: number } | { change: number } | { pauseMs: number }> }
  | { do: 'change'; worker: number; item: number; other: number; by: 'key' | 'keys' | 'tag' | 'all' }
  | { do: 'set'; worker: number; invalidate: boolean }
  | { do: 'freeze'; worker: number; ms: number }
  | { do: 'kill'; worker: number }
  | { do: 'harm'; harm: number; ms: number };

/** A walk: what happens, each some milliseconds after the one before, without waiting for its end. */
export interface Walk {
  maxLag: number;
  softLimit: number;
  fresh: number;
  lease: number;
  l1Entries: number;
  /** Whether every fifth load fails. Nothing harms the second level then, so that nothing old may be served instead. */
  isFailing: boolean;
  /** How long loads take: before they read the version, and after. Each load takes the next one. */
  loadMs: Array<[before: number, after: number]>;
  events: Array<{ afterMs: number; event: Event }>;
}

/** What harms a second level. */
export interface Harm {
  name: string;
  /** Resolves when it can be used again. */
  inflict(ms: number): Promise<void>;
}

const index = fc.nat({ max: 5 });
const worker = fc.nat({ max: 3 });

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('get'),
      worker,
      items: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 4 }),
      together: fc.boolean(),
    }),
  },
  {
    weight: 25,
    arbitrary: fc.record({
      do: fc.constant('invocation'),
      worker,
      steps: fc.array(
        fc.oneof(
          { weight: 6, arbitrary: fc.record({ get: fc.nat({ max: 6 }) }) },
          { weight: 1, arbitrary: fc.record({ change: index }) },
          { weight: 1, arbitrary: fc.record({ pauseMs: fc.nat({ max: 20 }) }) },
        ),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  },
  {
    weight: 25,
    arbitrary: fc.record({
      do: fc.constant('change'),
      worker,
      item: index,
      other: index,
      by: fc.constantFrom('key', 'key', 'keys', 'tag', 'all'),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('set'), worker, invalidate: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('freeze'), worker, ms: fc.integer({ min: 20, max: 250 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill'), worker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('harm'), harm: fc.nat({ max: 9 }), ms: fc.nat({ max: 80 }) }) },
) as fc.Arbitrary<Event>;

/** Any walk. */
export const walks: fc.Arbitrary<Walk> = fc.record({
  maxLag: fc.constantFrom(0, 50),
  softLimit: fc.constantFrom(15, 50, 2_000),
  fresh: fc.constantFrom(25, 3_600_000),
  lease: fc.constantFrom(0, 0, 100),
  l1Entries: fc.constantFrom(3, 1_000),
  isFailing: fc.constantFrom(false, false, true),
  loadMs: fc.array(fc.tuple(fc.constantFrom(0, 0, 2, 12), fc.constantFrom(0, 0, 5, 40, 90)), {
    minLength: 10,
    maxLength: 10,
  }),
  events: fc.array(fc.record({ afterMs: fc.constantFrom(0, 0, 1, 2, 5, 12), event }), {
    minLength: 100,
    maxLength: 160,
    size: 'max',
  }),
});

/** A change of the source of which the cache was told: the versions that it made. */
interface Told extends Settled {
  worker: Worker;
  life: number;
  versions: ReadonlyMap<string, number>;
}

const failure = 'The source is down.';

/** For how long a failure is remembered. */
const retryAfterMs = 3;

/** The times of two processes are compared in whole milliseconds. */
const granularityMs = 2;

/** Walks a walk with a fleet whose workers run. Resolves to how many gets were answered, and how many without a load. */
export async function walkWith(
  fleet: readonly Worker[],
  opening: Opening,
  harms: readonly Harm[],
  { maxLag, softLimit, fresh, lease, l1Entries, isFailing, loadMs, events }: Walk,
): Promise<{ gets: number; loads: number }> {
  const source = new Source();
  const items = ['a0', 'a1', 'a2', 'b0', 'b1', 'b2'];
  const limits = isFailing ? { softLimit: 5_000, hardLimit: 5_000, retryAfter: retryAfterMs } : { softLimit };
  const everything = { ...opening, ...limits, maxLag, fresh, stale: '1h', l1Entries, cooldown: 20 } as const;
  const chosen = { ...everything, ...(lease > 0 ? { lease } : {}) };
  const gets: Array<Got & { worker: Worker; life: number }> = [];
  const changes: Told[] = [];
  const running = new Set<Promise<unknown>>();
  const failures: string[] = [];
  /** Values that are set replace each other in an order of their own, so they have items of their own. */
  let settable = 'set 0';
  let isSetting = false;
  let loads = 0;
  let isOver = false;

  source.onLoad = async ({ request }) => {
    const isLost = isFailing && !isOver && loads % 5 === 4;
    const [before, after] = loadMs[loads++ % loadMs.length] as [number, number];
    if (before > 0) await delay(before);
    const version = source.version(request.item);
    if (after > 0) await delay(after);
    if (isLost) request.fail(failure);
    else request.answer(version);
  };
  const restarting = new Set<Worker>();
  const itemAt = (at: number) => items[at] ?? settable;

  /** Does something to a worker, whose death is no failure. */
  const withWorker = (at: number, work: (worker: Worker, life: number) => Promise<void>): void => {
    const one = fleet[at % fleet.length] as Worker;
    if (restarting.has(one)) return;
    const { life } = one;
    const done = work(one, life).catch((error) => {
      if (!restarting.has(one) && one.life === life) failures.push(String(error));
    });
    running.add(done);
    done.then(() => running.delete(done));
  };

  const change = (one: Worker, life: number, by: 'key' | 'keys' | 'tag' | 'all', first: string, second: string) => {
    const changed =
      by === 'key'
        ? [first]
        : by === 'keys'
          ? [...new Set([first, second])]
          : items.filter((item) => by === 'all' || item[0] === first[0]);
    const versions = new Map(changed.map((item) => [item, source.bump(item)]));
    const note = (settled: Settled) => changes.push({ ...settled, worker: one, life, versions });
    // Of "all" the tag of the other group is there as well, so that those that are set are left out.
    const tags = { tag: [`group ${first[0]}`], all: ['group a', 'group b'], key: [], keys: [] }[by];
    return { labels: tags.length > 0 ? { tags } : { items: changed }, note };
  };

  const setOne = async (one: Worker, life: number, invalidate: boolean): Promise<void> => {
    if (isSetting) return;
    isSetting = true;
    const item = settable;
    const version = source.bump(item);
    let settled: Settled | undefined;
    try {
      settled = await one.ask(invalidate ? { do: 'change', change: { items: [item] } } : { do: 'set', item, version });
      changes.push({ ...settled, worker: one, life, versions: new Map([[item, version]]) });
    } finally {
      // One that was given up may still take place, after others: what it leaves behind is not to be judged.
      if (!settled || settled.error) settable = `set ${Number(item.slice(4)) + 1}`;
      isSetting = false;
    }
  };

  const happen = (event: Event): void => {
    if (event.do === 'harm') {
      if (isFailing) return;
      const harm = harms[event.harm % harms.length] as Harm;
      const done = harm.inflict(event.ms).catch((error) => void failures.push(`${harm.name}: ${error}`));
      running.add(done);
      done.then(() => running.delete(done));
      return;
    }
    withWorker(event.worker, async (one, life) => {
      switch (event.do) {
        case 'get': {
          const names = event.items.map(itemAt);
          const got = await one.ask({ do: 'get', items: names, together: event.together && !isFailing });
          gets.push(...got.map((each) => ({ ...each, worker: one, life })));
          break;
        }
        case 'invocation': {
          const noted: Array<(settled: Settled) => void> = [];
          const steps = event.steps.map((step): Step => {
            if ('get' in step) return { get: itemAt(step.get) };
            if ('pauseMs' in step) return step;
            const { labels, note } = change(one, life, 'key', itemAt(step.change), '');
            noted.push(note);
            return { change: labels };
          });
          const done: Invoked = await one.ask({ do: 'invocation', steps });
          gets.push(...done.gets.map((each) => ({ ...each, worker: one, life })));
          for (const [at, settled] of done.changes.entries()) noted[at]?.(settled);
          break;
        }
        case 'change': {
          const { labels, note } = change(one, life, event.by, itemAt(event.item), itemAt(event.other));
          note(await one.ask({ do: 'change', change: labels }));
          break;
        }
        case 'set':
          await setOne(one, life, event.invalidate);
          break;
        case 'freeze':
          one.freeze();
          await delay(event.ms);
          if (one.life === life) one.thaw();
          break;
        case 'kill':
          restarting.add(one);
          await one.kill();
          await one.start();
          await one.open(chosen);
          restarting.delete(one);
      }
    });
  };

  for (const one of fleet) one.source = source.answer;
  await Promise.all(fleet.map((one) => one.open(chosen)));
  for (const { afterMs, event } of events) {
    if (afterMs > 0) await delay(afterMs);
    happen(event);
  }
  while (running.size > 0) await Promise.all(running);

  isOver = true;
  // When all is well again everybody gets to know what happened, also what could not be told at the time.
  await Promise.all(fleet.map((one) => reachL2(one)));
  await delay(maxLag + granularityMs + retryAfterMs + 1);
  const last = await Promise.all(fleet.map((one) => one.ask({ do: 'get', items: [...items, settable] })));
  for (const [at, got] of last.entries()) {
    const one = fleet[at] as Worker;
    gets.push(...got.map((each) => ({ ...each, worker: one, life: one.life })));
    for (const { item, version = 0 } of got) {
      const told = changes.filter(({ worker, life, error }) => !error || worker.life === life);
      const least = Math.max(1, ...told.map(({ versions }) => versions.get(item) ?? 1));
      if (version < least) failures.push(`At the end ${one.name} has ${item} in version ${version}, not ${least}.`);
    }
  }
  failures.push(...verdicts(gets, changes, maxLag, source), ...fleet.flatMap((one) => one.unhandled.splice(0)));
  if (failures.length > 0) throw new Error(`${failures.length} failures:\n${failures.slice(0, 10).join('\n')}`);
  return { gets: gets.length, loads };
}

/** Asks until the second level answers. */
export async function reachL2(one: Worker): Promise<void> {
  const answered = async () => {
    const { l2 } = await one.ask({ do: 'stats' });
    return l2.fresh + l2.stale + l2.misses;
  };
  const before = await answered();
  for (let attempt = 0; (await answered()) === before; attempt++) {
    if (attempt === 400) throw new Error(`${one.name} does not find back to its second level.`);
    await one.get(`probe ${one.name} ${one.life} ${Date.now()} ${attempt}`);
    await delay(10);
  }
}

/** What the promise says against what was returned. */
function verdicts(
  gets: ReadonlyArray<Got & { worker: Worker; life: number }>,
  changes: readonly Told[],
  maxLag: number,
  source: Source,
): string[] {
  const found: string[] = [];
  for (const { error, worker } of changes) {
    if (error && !error.startsWith('level-unreachable')) found.push(`A change by ${worker.name}: ${error}`);
  }
  for (const { worker, life, item, version, error, began, settledBefore } of gets) {
    const who = `${worker.name} (life ${life})`;
    if (version === undefined) {
      if (error === failure) continue;
      found.push(`${who} got no ${item}: ${error}`);
      continue;
    }
    if (version > source.version(item)) found.push(`${who} got ${item} in version ${version}, which never was.`);
    for (const told of changes) {
      const least = told.versions.get(item) ?? 0;
      if (version >= least) continue;
      const isOwn = told.worker === worker && told.life === life && told.settled < settledBefore;
      const isOld = !told.error && told.at + maxLag + granularityMs < began;
      if (isOwn || isOld) {
        found.push(
          `${who} got ${item} in version ${version}, though ${told.worker.name} had told of ${least} ${began - told.at} ms before` +
            `${isOwn ? ', itself' : ''}${told.error ? ` (in vain: ${told.error})` : ''}; maxLag is ${maxLag}.`,
        );
      }
    }
  }
  return found;
}
