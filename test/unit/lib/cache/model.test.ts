import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Cache, createCache } from '../../../../lib/cache/cache.ts';
import type { Definition } from '../../../../lib/cache/definition.ts';
import type { EvictionPolicyName } from '../../../../lib/cache/eviction.ts';
import type { Scope } from '../../../../lib/cache/invocations.ts';
import type { LoadContext } from '../../../../lib/cache/plan.ts';
import { advance, epoch, useFakeClock } from './clock.ts';
import { ChaosStore, FakeServer, FakeStore } from './fake-store.ts';

/*
 * The whole cache against a model that knows what may be served. Some processes share a source of truth and, perhaps, a second
 * level. The truth of a key is a number that grows; the model remembers when each was replaced, and who invalidated
 * what at what time.
 */
useFakeClock();

const freshMs = 1_000;
const staleMs = 2_000;
const maxLagMs = 500;
const maxEntries = 3;
/** What loads and the second level may take all together: a value is as old as that when it comes. */
const slackMs = 700;

/** The default: what takes longer in the second level is not waited for. */
const softLimitMs = 50;

const ids = ['a', 'b', 'c', 'd', 'e'] as const;
type Id = (typeof ids)[number];
/** a and b share a tag, c and d do. */
const tagOf: Record<Id, string> = { a: 't1', b: 't1', c: 't2', d: 't2', e: 't3' };

interface Invalidation {
  by: number;
  startedAt: number;
  /** When it was settled, and whether it was told to all. */
  endedAt: number;
  isTold: boolean;
  ids: readonly Id[];
}

/** The truth, as it was at all times. */
class World {
  /** For each key when each number was replaced; the last one has not been. */
  readonly replacedAt = Object.fromEntries(ids.map((id) => [id, [] as number[]])) as Record<Id, number[]>;
  readonly invalidations: Invalidation[] = [];
  failsUntil = -1;
  loadMs = 0;

  current(id: Id): number {
    return this.replacedAt[id].length;
  }

  change(id: Id): void {
    this.replacedAt[id].push(Date.now());
  }

  async load(id: Id): Promise<number> {
    const value = this.current(id);
    if (this.loadMs > 0) await new Promise((resolve) => setTimeout(resolve, this.loadMs));
    if (Date.now() < this.failsUntil) throw new Error('the source is down');
    return value;
  }

  /** Why a value may not be served to a caller; nothing when it may. */
  complaint(id: Id, value: number, asked: Asked): string | undefined {
    const replacedAt = this.replacedAt[id][value] ?? Number.POSITIVE_INFINITY;
    if (value > this.current(id)) return 'it has never been true';
    if (replacedAt < asked.at - freshMs - staleMs - slackMs) return 'it is past its time';
    for (const { by, startedAt, endedAt, isTold, ids: which } of this.invalidations) {
      if (!which.includes(id) || replacedAt > startedAt) continue;
      if (by === asked.by && endedAt <= asked.at) return `this process has invalidated it at ${endedAt - epoch}`;
      const since = Math.min(asked.at, asked.scopeAt ?? asked.at);
      if (isTold && endedAt < since - maxLagMs && !asked.isWithoutHelp) {
        return `another process has invalidated it at ${endedAt - epoch}`;
      }
    }
    return undefined;
  }
}

interface Asked {
  by: number;
  at: number;
  scopeAt: number | undefined;
  /** Neither the second level nor the source answered: then something old is better than nothing. */
  isWithoutHelp: boolean;
}

/** One process. */
class Process {
  readonly number: number;
  readonly world: World;
  readonly cache: Cache;
  readonly things: Definition<Id, number>;
  readonly store: ChaosStore | undefined;
  scope: Scope | undefined;
  scopeAt: number | undefined;

  constructor(
    number: number,
    world: World,
    server: FakeServer | undefined,
    policy: EvictionPolicyName,
    lease: boolean,
  ) {
    this.number = number;
    this.world = world;
    this.store = server && new ChaosStore(new FakeStore(server));
    this.cache = createCache({
      l1: { maxEntries, policy },
      l2: this.store,
      maxLag: maxLagMs,
      breaker: { failures: 2, cooldown: 200 },
    });
    this.things = this.cache.define('thing', {
      fresh: freshMs,
      stale: staleMs,
      retryAfter: 100,
      lease: lease && 200,
      tags: (_: number, id: Id) => [tagOf[id]],
      load: (id: Id, _: LoadContext<number>) => world.load(id),
    });
  }
}

const process_ = fc.nat(2);
const id = fc.constantFrom(...ids);
const method = fc.constantFrom('read', 'write', 'invalidate', 'lease');

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('get' as const),
      process: process_,
      ids: fc.array(id, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 20, 60, 150, 499, 600, 1_000, 3_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('change' as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('update' as const),
      process: process_,
      id,
      how: fc.constantFrom('set', 'delete', 'key', 'tag'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('slow' as const), loadMs: fc.constantFrom(0, 0, 30, 300) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), ms: fc.constantFrom(50, 500) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('scope' as const), process: process_ }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('chaos' as const),
      process: process_,
      how: fc.constantFrom('throw', 'hang', 'mute', 'none', 'none'),
      methods: fc.array(method, { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('delay' as const),
      process: process_,
      thereMs: fc.constantFrom(0, 5, 40),
      backMs: fc.constantFrom(0, 5, 40),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never;

async function run(
  steps: readonly Step[],
  hasStore: boolean,
  count: number,
  policy: EvictionPolicyName,
  lease: boolean,
) {
  const world = new World();
  const server = hasStore ? new FakeServer() : undefined;
  const processes = Array.from({ length: count }, (_, n) => new Process(n, world, server, policy, lease));
  const complaints: string[] = [];
  const pending = new Set<Promise<void>>();
  let gets = 0;
  const troubled = new Set<number>();

  /** Waits for something, while the clock goes on. */
  const finish = async (work: Promise<unknown>) => {
    let isDone = false;
    work.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    for (let ms = 0; !isDone; ms++) {
      if (ms > 20_000) throw new Error('It hangs.');
      await advance(ms === 0 ? 0 : 1);
    }
  };

  const ask = (process: Process, id: Id) => {
    const asked: Asked = { by: process.number, at: Date.now(), scopeAt: process.scopeAt, isWithoutHelp: false };
    gets++;
    const work = process.things.get(id).then(
      (value) => {
        // To be lenient: at some time in between neither answered.
        asked.isWithoutHelp = troubled.has(process.number) && world.failsUntil >= asked.at;
        const complaint = world.complaint(id, value, asked);
        const when = `at ${asked.at - epoch}, answered at ${Date.now() - epoch}`;
        if (complaint) complaints.push(`Process ${process.number} asked for ${id} ${when}, got ${value}: ${complaint}`);
      },
      (error) => {
        if (!/down/.test(error.message)) complaints.push(`${id}: ${error}`);
        if (asked.at > world.failsUntil + 100 + slackMs) complaints.push(`${id}: failed, though the source is up`);
      },
    );
    pending.add(work);
    work.then(() => pending.delete(work));
  };

  const update = async (process: Process, id: Id, how: 'set' | 'delete' | 'key' | 'tag') => {
    world.change(id);
    const startedAt = Date.now();
    const { things, cache } = process;
    const work =
      how === 'set'
        ? things.set(id, world.current(id))
        : how === 'delete'
          ? things.delete(id)
          : cache.invalidate(how === 'key' ? { keys: [`thing:${id}`] } : { tags: [tagOf[id]] });
    let isTold = true;
    const settled = work.catch((error) => {
      if (error.code !== 'level-unreachable') complaints.push(String(error));
      isTold = false;
    });
    await finish(settled);
    const which = how === 'tag' ? ids.filter((other) => tagOf[other] === tagOf[id]) : [id];
    world.invalidations.push({ by: process.number, startedAt, endedAt: Date.now(), isTold, ids: which });
  };

  for (const step of steps) {
    const process = 'process' in step ? (processes[step.process % count] as Process) : undefined;
    if (step.do === 'get') for (const id of step.ids) ask(process as Process, id);
    else if (step.do === 'wait') await advance(step.ms);
    else if (step.do === 'change') world.change(step.id);
    else if (step.do === 'update') await update(process as Process, step.id, step.how as 'set');
    else if (step.do === 'slow') world.loadMs = step.loadMs;
    else if (step.do === 'fail') world.failsUntil = Date.now() + step.ms;
    else if (step.do === 'lose') server?.lose();
    else if (step.do === 'delay' && process?.store) {
      process.store.delay(step.thereMs, step.backMs);
      // Too late is as bad as not at all.
      if (step.thereMs + step.backMs >= softLimitMs) troubled.add(process.number);
    } else if (step.do === 'scope' && process) {
      if (process.scope) await finish(process.scope.end());
      process.scope = process.scope ? undefined : process.cache.scope();
      process.scopeAt = process.scope && Date.now();
    } else if (step.do === 'chaos' && process?.store) {
      const methods = step.methods as Array<'read'>;
      if (step.how === 'throw') process.store.alwaysThrow(...methods);
      else if (step.how === 'hang') process.store.alwaysHang(...methods);
      else if (step.how === 'mute') process.store.alwaysMute(...methods);
      else process.store.neverThrow();
      troubled.add(process.number);
    }
    // No two steps at the same time: the model goes by the clock.
    await advance(1);
    for (const { cache } of processes) expect(cache.stats().l1.entries).toBeLessThanOrEqual(maxEntries);
    expect(complaints).toEqual([]);
  }
  await finish(Promise.all(pending));
  for (const process of processes) {
    process.store?.neverThrow().delay(0);
    if (process.scope) await finish(process.scope.end());
  }
  expect(complaints).toEqual([]);
  const all = processes.map(({ cache }) => cache.stats());
  expect(all.reduce((sum, stats) => sum + stats.gets, 0)).toBe(gets);
  for (const stats of all) expect(stats.waits).toBeLessThanOrEqual(stats.gets);
  for (const { cache } of processes) await finish(cache.close());
}

test.each<[string, boolean, number, EvictionPolicyName, boolean]>([
  ['memory only, lru', false, 1, 'lru', false],
  ['memory only, sieve', false, 1, 'sieve', false],
  ['one process with a second level, lru', true, 1, 'lru', false],
  ['three processes, lru', true, 3, 'lru', false],
  ['three processes, sieve', true, 3, 'sieve', false],
  ['three processes with leases, lru', true, 3, 'lru', true],
])('only what may be is served: %s', async (_, hasStore, count, policy, lease) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), (steps) =>
      run(steps, hasStore, count, policy, lease),
    ),
    { numRuns: 300, endOnFailure: false },
  );
});
