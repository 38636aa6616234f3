import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A collection that was forced, and the memory before and after it. */
export interface ForcedCollection {
  heapBeforeBytes: number;
  heapAfterBytes: number;
  /** Memory outside of V8's heap: `external` of process.memoryUsage(), array buffers included. */
  externalBeforeBytes: number;
  externalAfterBytes: number;
  /** For so long the thread did nothing else. */
  durationMs: number;
}

/** V8's own `gc`: https://github.com/v8/v8/blob/main/src/extensions/gc-extension.cc */
type Collect = (options?: { type: 'minor' | 'major' }) => unknown;

/** Null where this Node.js has no way to it. */
let collect: Collect | null | undefined;

/**
 * Collects everything that can be collected, at once and with nothing else running: 10, 33, 71 and 158 ms with a live heap of
 * 10, 50, 100 and 200 MB and a whole processor. Node.js need not be started with `--expose-gc`; without it the first call takes
 * a few milliseconds and 160 kB more.
 *
 * @returns undefined where it is not possible
 */
export function forceCollection(): ForcedCollection | undefined {
  collect ??= (globalThis.gc as Collect | undefined) ?? findCollect();
  if (!collect) return undefined;
  const before = process.memoryUsage();
  const startedAt = performance.now();
  collect();
  // Buffers are freed by another thread, and V8 only counts them as freed when the next collection begins.
  collect({ type: 'minor' });
  const durationMs = performance.now() - startedAt;
  const after = process.memoryUsage();
  return {
    heapBeforeBytes: before.heapUsed,
    heapAfterBytes: after.heapUsed,
    externalBeforeBytes: before.external,
    externalAfterBytes: after.external,
    durationMs,
  };
}

/** A context that is made while the flag is set has `gc`, and keeps it when the flag is taken back. */
function findCollect(): Collect | null {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as Collect;
  } catch {
    return null;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
