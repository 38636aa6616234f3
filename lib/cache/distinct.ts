/** 512 registers: a standard error of 1.04 / sqrt(512), which is 4.6 %. */
const indexBits = 9;
const registers = 2 ** indexBits;

/**
 * An estimate of how many different keys were asked for, in 512 bytes. Estimates of several processes are joined
 * by taking the larger of each register.
 *
 * HyperLogLog: Flajolet et al., 2007, https://algo.inria.fr/flajolet/Publications/FlFuGaMe07.pdf
 */
export class DistinctKeys {
  readonly ranks = new Uint8Array(registers);

  /** Counts a key, which may have been counted before. */
  add(key: string): void {
    const hash = hashOf(key);
    const register = hash >>> (32 - indexBits);
    const rank = Math.clz32((hash << indexBits) | (1 << (indexBits - 1))) + 1;
    if (rank > (this.ranks[register] as number)) this.ranks[register] = rank;
  }
}

/** How many different keys the registers have seen, about. */
export function estimateDistinct(ranks: Uint8Array): number {
  let sum = 0;
  let empty = 0;
  for (const rank of ranks) {
    sum += 2 ** -rank;
    if (rank === 0) empty++;
  }
  const estimate = ((0.7213 / (1 + 1.079 / registers)) * registers * registers) / sum;
  // Few keys are counted better by the registers that are still empty.
  return Math.round(estimate <= 2.5 * registers && empty > 0 ? registers * Math.log(registers / empty) : estimate);
}

/** FNV-1a over the characters, then the finalizer of MurmurHash3, which spreads it over all bits. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
