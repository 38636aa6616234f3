import type { Environment, Sample, Series } from '../sample.ts';
import { type SampleStore, type SeriesChoice, type StoreLimits, storeLimits } from '../store.ts';

interface Kept {
  environment: Environment;
  /** By invocation. */
  samples: Map<number, Sample>;
  lastAt: string;
}

/** Samples in the memory of this process: for local use, and for tests. */
export function memorySamples(limits: StoreLimits = {}): SampleStore {
  const { samples: mostSamples, environments: mostEnvironments } = { ...storeLimits, ...limits };
  const kept = new Map<string, Kept>();

  /** Of the environments of a version those that were heard of last stay. */
  function limitEnvironments(of: Environment): void {
    const surplus = [...kept.values()]
      .filter(({ environment }) => nameOf(environment) === nameOf(of))
      .sort((a, b) => (a.lastAt > b.lastAt ? -1 : 1))
      .slice(mostEnvironments);
    for (const { environment } of surplus) kept.delete(environment.id);
  }

  return {
    async append({ environment, samples }) {
      if (samples.length === 0) return;
      const one = kept.get(environment.id) ?? { environment, samples: new Map<number, Sample>(), lastAt: '' };
      kept.set(environment.id, one);
      one.environment = environment;
      for (const sample of samples) {
        if (!one.samples.has(sample.invocation)) one.samples.set(sample.invocation, sample);
        if (sample.at > one.lastAt) one.lastAt = sample.at;
      }
      one.samples = new Map(worthKeeping(one.samples, mostSamples).map((sample) => [sample.invocation, sample]));
      limitEnvironments(environment);
    },

    async read(choice = {}) {
      const chosen = [...kept.values()]
        .filter(({ environment }) => isOf(environment, choice))
        .flatMap(({ environment, samples }) =>
          [...samples.values()]
            .filter(({ at }) => !choice.since || Date.parse(at) >= choice.since.getTime())
            .map((sample) => ({ environment, sample })),
        )
        .sort((a, b) => (a.sample.at > b.sample.at ? -1 : 1))
        .slice(0, choice.limit);
      return [...Map.groupBy(chosen, ({ environment }) => environment)]
        .map(
          ([environment, several]): Series => ({
            environment,
            samples: several.map(({ sample }) => sample).sort((a, b) => a.invocation - b.invocation),
          }),
        )
        .sort((a, b) => (a.environment.startedAt < b.environment.startedAt ? -1 : 1));
    },

    async prune(before) {
      for (const { environment, lastAt } of [...kept.values()]) {
        if (Date.parse(lastAt) < before.getTime()) kept.delete(environment.id);
      }
    },
  };
}

function nameOf({ function: name, stage, version }: Environment): string {
  return JSON.stringify([name, stage, version]);
}

function isOf(environment: Environment, choice: SeriesChoice): boolean {
  return (
    (choice.function ?? environment.function) === environment.function &&
    (choice.stage ?? environment.stage) === environment.stage &&
    (choice.version ?? environment.version) === environment.version &&
    (choice.environment ?? environment.id) === environment.id
  );
}

/** The newest samples, and the newest with a floor, in the order of their invocations. */
function worthKeeping(samples: ReadonlyMap<number, Sample>, most: number): Sample[] {
  const newestFirst = [...samples.values()].sort((a, b) => b.invocation - a.invocation);
  const newest = newestFirst.slice(0, most);
  const floors = newestFirst.slice(most).filter(({ floor }) => floor);
  const room = most - newest.filter(({ floor }) => floor).length;
  return [...newest, ...floors.slice(0, room)].reverse();
}
