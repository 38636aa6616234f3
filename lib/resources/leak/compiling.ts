/**
 * What V8 keeps for code beside the code itself: feedback, closures, hidden classes, constants. In the processes of bench/leaks that keep
 * nothing, it grows by 0.4 to 1 bytes for each byte of compiled code, and so does the heap for as long as new code runs; leaks of a
 * quarter of a kilobyte an invocation grow by 1.4 and more.
 */
import { type Point, theilSen } from '../../statistics/theil-sen.ts';
import type { Growth } from './verdict.ts';

/** By how many bytes the compiled code grows in an invocation; 0 where that is not known. */
export function codeGrowth(code: readonly Point[]): number {
  return theilSen(code)?.slope ?? 0;
}

/** A heap that grows by no more than the code does may do so because of the code. */
export function unlessCompiling(heap: Growth, codePerInvocation: number): Growth {
  return heap.verdict === 'leak' && heap.perInvocation <= codePerInvocation
    ? { ...heap, verdict: 'suspect', reason: 'compiling' }
    : heap;
}
