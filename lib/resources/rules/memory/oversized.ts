import * as z from 'zod';
import { bytes } from '../../../advice/format.ts';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';
import { arm64DollarsPerGigabyteSecond, dollarsPerMonth, smallestSetting } from './setting.ts';

const hour = 3_600_000;

/**
 * `memory/oversized`: a function that would do as well with less memory. Its processor shrinks with its memory, so both must
 * leave room: where invocations mostly wait they take as long, and cost less.
 */
export const oversized = functionRule({
  id: 'memory/oversized',
  title: 'More memory than needed',
  why: 'A function is paid for the memory that it is given, not for what it uses.',
  severity: 'info',
  options: z.strictObject({
    minSamples: z.int().min(1).default(100),
    /** Of the smaller setting, so much may be used at most. */
    maxMemoryPercent: z.number().positive().max(100).default(70),
    /** Of the processor that comes with it, so much in all but one sample of twenty. */
    maxProcessorPercent: z.number().positive().max(100).default(50),
    /** The samples tell of so long at least: a quiet hour is no reason. */
    minHours: z.number().nonnegative().default(24),
    /** A smaller saving is not worth a deployment, in percent of the setting. */
    minSavingPercent: z.number().positive().max(100).default(30),
    /** In US dollars: for arm64 in us-east-1 unless it is set. */
    dollarsPerGigabyteSecond: z.number().positive().default(arm64DollarsPerGigabyteSecond),
  }),
  judge(resources, { maxMemoryPercent, maxProcessorPercent, minHours, minSavingPercent, dollarsPerGigabyteSecond }) {
    const { memory, cpu, from, to, invocations } = resources;
    const { memoryBytes } = memory.limits;
    const hours = (Date.parse(to) - Date.parse(from)) / hour;
    if (memoryBytes === null || hours < minHours || resources.leak.verdict === 'leak') return undefined;
    if (invocations === null || !cpu.invocationMs) return undefined;
    const paid = { from, to, invocations, invocationMs: cpu.invocationMs.mean };
    const enough = smallestSetting(resources, {
      memoryShare: maxMemoryPercent / 100,
      processorShare: maxProcessorPercent / 100,
    });
    const savingPercent = 100 * (1 - enough / memoryBytes);
    if (savingPercent < minSavingPercent) return undefined;
    const now = dollarsPerMonth(paid, memoryBytes, dollarsPerGigabyteSecond);
    const then = dollarsPerMonth(paid, enough, dollarsPerGigabyteSecond);
    return {
      title: `${nameOf(resources)} would do with ${bytes(enough)} instead of ${bytes(memoryBytes)}`,
      detail: `It never took more than ${bytes(memory.rssBytes.max)}, and computes for ${percent(cpu.percent.p95)} of its time at most, but for one sample of twenty. By these ${Math.round(hours)} hours a month costs ${dollars(now)}, and would cost ${dollars(then)} if invocations take as long.`,
      evidence: {
        memoryBytes,
        enoughBytes: enough,
        rssBytesMax: memory.rssBytes.max,
        cpuPercentP95: rounded(cpu.percent.p95),
        dollarsPerMonth: cents(now),
        dollarsPerMonthThen: cents(then),
      },
      impact: { costRatio: enough / memoryBytes },
      action: {
        kind: 'config',
        caution:
          'The processor shrinks with the memory, so that the init phase and invocations that compute take longer: change it in steps, and compare the durations. Prices are those of arm64 in us-east-1 unless the option says otherwise.',
      },
    };
  },
});

function dollars(value: number): string {
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function cents(value: number): number {
  return Math.round(100 * value) / 100;
}
