import { type Counters, Statistics } from '../statistics.ts';
import type { Counts } from '../store.ts';

/** Prefixes of what is no counter: `loadsMs.17` is a bucket of a histogram, `keys.4` a register of the estimate of keys. */
const timerSuffix = 'Ms.';
const keyPrefix = 'keys.';

/** Statistics as plain numbers by name, as a store adds them up: `l1.fresh`, `loadsMs.17`, `keys.4`. */
export function countsOf({ counters, timers, keys }: Statistics): Counts {
  const sums = flat(counters, '');
  for (const [name, { counts }] of Object.entries(timers)) {
    for (const [bucket, count] of counts) sums[`${name}${timerSuffix}${bucket}`] = count;
  }
  const maxima = [...keys.ranks].map((rank, register) => [`${keyPrefix}${register}`, rank] as const);
  return { sums, maxima: Object.fromEntries(maxima) };
}

/** What has come to counters since they were last looked at. */
export function countsSince(now: Counts, before: Counts = { sums: {}, maxima: {} }): Counts {
  const sums = Object.entries(now.sums).map(([name, sum]) => [name, sum - (before.sums[name] ?? 0)] as const);
  const maxima = Object.entries(now.maxima).filter(([name, most]) => most > (before.maxima[name] ?? 0));
  return { sums: Object.fromEntries(sums.filter(([, sum]) => sum > 0)), maxima: Object.fromEntries(maxima) };
}

/** The statistics that counts came from. Names that this version does not know are left out. */
export function statisticsOf({ sums, maxima }: Counts): Statistics {
  const statistics = new Statistics();
  restore(statistics.counters, sums, '');
  for (const [name, timer] of Object.entries(statistics.timers)) {
    const prefix = `${name}${timerSuffix}`;
    for (const [key, count] of Object.entries(sums)) {
      if (key.startsWith(prefix)) timer.add(Number(key.slice(prefix.length)), count);
    }
  }
  for (const [name, rank] of Object.entries(maxima)) {
    if (name.startsWith(keyPrefix)) statistics.keys.ranks[Number(name.slice(keyPrefix.length))] = rank;
  }
  return statistics;
}

type Tree = { [name: string]: number | Tree };

function flat(tree: Counters | Tree, prefix: string): Record<string, number> {
  const entries = Object.entries(tree as Tree).flatMap(([name, node]) =>
    typeof node === 'number' ? [[prefix + name, node] as const] : Object.entries(flat(node, `${prefix}${name}.`)),
  );
  return Object.fromEntries(entries);
}

function restore(tree: Counters | Tree, sums: Counts['sums'], prefix: string): void {
  for (const [name, node] of Object.entries(tree as Tree)) {
    if (typeof node === 'number') (tree as Tree)[name] = sums[prefix + name] ?? 0;
    else restore(node, sums, `${prefix}${name}.`);
  }
}
