import * as z from 'zod';
import { thresholds } from '../../../settings.ts';
import { usualSampleEvery } from '../../monitor/options.ts';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';

const unknownMemory =
  ' Its memory is in no metric: below 1,769 MB Lambda gives it a part of a processor, and where that is used up more memory is the first thing to try.';

/** `cpu/over-target`: a function that computes for more of its time than it should. */
export const cpuOverTarget = functionRule({
  id: 'cpu/over-target',
  title: 'More processor time than the target',
  why: 'A function that computes most of the time has no room for a burst, and its latency follows the processor it is given.',
  severity: 'warning',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** Of the time of the invocations, by the mean. */
    maxPercent: z.number().positive().default(thresholds.cpuPercent),
    /** Short invocations end before it matters. */
    minInvocationMs: z.number().nonnegative().default(10),
    /** From metrics, which do not count invocations: a sample is of so many, as by the monitor's `sampleEvery`. */
    invocationsPerSample: z.int().min(1).default(usualSampleEvery),
  }),
  judge({ cpu, ...resources }, { maxPercent, minInvocationMs, invocationsPerSample }) {
    const { mean, p95 } = cpu.percent;
    const sampleMs = cpu.wallMs / resources.samples;
    const invocationMs = cpu.invocationMs?.mean ?? sampleMs / invocationsPerSample;
    if (mean <= maxPercent || invocationMs < minInvocationMs) return undefined;
    const { processors } = cpu.limits;
    const isBound = processors !== null && processors < 1 && mean >= 85 * processors;
    const [part, unknown] = resources.source === 'metrics' ? ['period', unknownMemory] : ['sample', ''];
    const bound = isBound
      ? ` Lambda gives it ${percent(100 * processors)} of a processor for its memory, and it uses them up.`
      : unknown;
    return {
      title: `${nameOf(resources)} computes for ${percent(mean)} of its time`,
      detail: `The target is ${percent(maxPercent)}; in one ${part} of twenty it is ${percent(p95)} or more.${bound}`,
      evidence: {
        cpuPercentMean: rounded(mean),
        cpuPercentP95: rounded(p95),
        targetPercent: maxPercent,
        ...(cpu.invocationMs ? { invocationMs: rounded(invocationMs) } : { sampleMs: rounded(sampleMs) }),
        collectionPercent: rounded(cpu.collections.sharePercent),
        ...(processors === null ? {} : { processors: rounded(processors) }),
      },
      action: isBound
        ? {
            kind: 'config',
            caution:
              'Give it more memory: processor time comes with it, up to one processor at 1,769 MB. Where the time falls as the memory rises, it costs the same.',
          }
        : {
            kind: 'code',
            caution:
              'Take a profile (node --cpu-prof) of a test that calls the handler some thousand times, and begin with its widest function: JSON of large answers, validation, compression and cryptography are the usual ones.',
          },
    };
  },
});
