import * as z from 'zod';
import { bytes, milliseconds } from '../../../advice/format.ts';
import { bytesPerProcessor } from '../../summarize.ts';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';

/**
 * `memory/undersized`: a function that waits for its processor. Lambda gives it in proportion to the memory: with twice as much an
 * invocation that only computes takes half as long, and costs the same.
 */
export const undersized = functionRule({
  id: 'memory/undersized',
  title: 'Too little memory for the work',
  why: 'The processor comes with the memory: a function with little of it computes slowly, and saves nothing.',
  severity: 'info',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** Of the processor that it is given, in the middle of the samples. */
    minProcessorPercent: z.number().positive().max(100).default(80),
    /** Shorter invocations are quick enough. */
    minInvocationMs: z.number().nonnegative().default(50),
  }),
  judge(resources, { minProcessorPercent, minInvocationMs }) {
    const { cpu, memory } = resources;
    const { memoryBytes } = memory.limits;
    const { processors } = cpu.limits;
    const invocationMs = cpu.invocationMs?.mean;
    if (memoryBytes === null || processors === null || processors >= 1 || invocationMs === undefined) return undefined;
    const used = cpu.percent.p50 / processors;
    if (used < minProcessorPercent || invocationMs < minInvocationMs) return undefined;
    const proposed = Math.min(bytesPerProcessor, 2 * memoryBytes);
    const faster = invocationMs * (1 - (cpu.percent.mean / 100 / processors) * (1 - memoryBytes / proposed));
    return {
      title: `${nameOf(resources)} waits for its processor`,
      detail: `With ${bytes(memoryBytes)} Lambda gives it ${percent(100 * processors)} of one, and it uses ${percent(Math.min(100, used))} of that. With ${bytes(proposed)} an invocation would take about ${milliseconds(Math.max(0, faster))} instead of ${milliseconds(invocationMs)}, for about the same money.`,
      evidence: {
        memoryBytes,
        proposedBytes: proposed,
        processors: rounded(processors),
        usedProcessorPercent: rounded(used),
        invocationMs: rounded(invocationMs),
      },
      action: {
        kind: 'config',
        caution:
          'Raise the memory in steps and compare the durations: past one processor (1,769 MB) only code with several threads gains.',
      },
    };
  },
});
