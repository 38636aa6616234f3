/** A statement of the streaming service, as its code would send it. */
export interface Statement {
  /** What the service does with it; faults.ts names it so. */
  name: string;
  sql: string;
  /** How long it rests after it ran, on average. */
  everyMs: number;
  values?(choose: Choose): unknown[];
}

/** Chooses the parameters of a statement. */
export interface Choose {
  /** 1 … n, all alike. */
  any(n: number): number;
  /** 1 … n, the first far more often. */
  popular(n: number): number;
}

/** Makes a {@link Choose} of a source of numbers from 0 to below 1. */
export function chooser(random: () => number): Choose {
  return {
    any: (n) => 1 + Math.floor(n * random()),
    popular: (n) => 1 + Math.floor(n * random() ** 3),
  };
}
