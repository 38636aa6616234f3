/**
 * What a workload keeps in memory from one invocation to the next: the shapes that a judge has to tell apart. Sizes are in
 * bytes, and all that has to do with time is in invocations.
 */
export type Shape = Benign | Leak;

/** Shapes that stay within bounds. */
export type Benign =
  | { kind: 'flat' }
  /** Keeps an entry for each key that it has met, up to a capacity. Keys: each a `new` one, drawn `evenly` from a catalogue, or some far more `popular` than others. */
  | {
      kind: 'cache';
      keys: 'new' | 'evenly' | 'popular';
      catalogue: number;
      capacity: number;
      lookups: number;
      bytes: number;
    }
  /** Keeps something for good, once or several times. */
  | { kind: 'steps'; at: readonly number[]; bytes: number }
  /** Now and then keeps a lot for a while. */
  | { kind: 'bursts'; oneIn: number; lasting: number; bytes: number }
  /** Keeps as much as there is load, which goes up and down like that of a day, from the night (0) or anywhere. */
  | { kind: 'daily'; period: number; phase?: number; bytes: number }
  /** Gets one more of what it reuses every so often, until there are enough. */
  | { kind: 'pool'; every: number; until: number; bytes: number; of: 'buffers' | 'sockets' | 'timers' }
  /** Goes back and forth between two kinds of work, one of which needs more. */
  | { kind: 'alternating'; period: number; bytes: number }
  /** Gathers until there is enough to send away. */
  | { kind: 'batches'; size: number; bytes: number }
  /** Writes lines into a buffer of text, as loggers do, and empties it when it is full. */
  | { kind: 'logger'; lines: number; limit: number }
  /** Has many functions, some of which run in each invocation: V8 compiles each when it is first needed, and better when it is hot. */
  | { kind: 'code'; functions: number; calls: number };

/** Keeps a piece every time, or one time in several, and never lets go of it. */
export interface Leak {
  kind: 'leak';
  carrier: Carrier;
  /** Of an invocation, on average. */
  bytes: number;
  oneIn: number;
  /** What else goes on. */
  beside?: Benign;
}

/** By what a leak is held. */
export const carriers = [
  'objects',
  'closures',
  'timers',
  'sockets',
  'descriptors',
  'buffers',
  'listeners',
  'map',
] as const;
export type Carrier = (typeof carriers)[number];
