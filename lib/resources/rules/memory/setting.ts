/** What a memory setting would mean for a function: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
import type { FunctionResources } from '../../snapshot.ts';
import { bytesPerProcessor } from '../../summarize.ts';

const megabyte = 2 ** 20;
const leastBytes = 128 * megabyte;

/** Settings are proposed in steps of these. */
const stepBytes = 64 * megabyte;

/**
 * What an arm64 function pays for a second with one gigabyte in us-east-1, in US dollars, without the free tier and savings plans:
 * https://aws.amazon.com/lambda/pricing/
 */
export const arm64DollarsPerGigabyteSecond = 0.000_013_333_4;

/** The smallest setting that leaves a part of the memory and of the processor free. */
export function smallestSetting(
  { memory, cpu }: Pick<FunctionResources, 'memory' | 'cpu'>,
  { memoryShare, processorShare }: { memoryShare: number; processorShare: number },
): number {
  const forMemory = memory.rssBytes.max / memoryShare;
  const forProcessor = (bytesPerProcessor * Math.min(1, cpu.percent.p95 / 100)) / processorShare;
  return Math.max(leastBytes, stepBytes * Math.ceil(Math.max(forMemory, forProcessor) / stepBytes));
}

/** What a month costs with a setting, by the invocations of the samples, in US dollars. Requests cost the same with any. */
export function dollarsPerMonth(
  { from, to, invocations, invocationMs }: { from: string; to: string; invocations: number; invocationMs: number },
  settingBytes: number,
  dollarsPerGigabyteSecond: number,
): number {
  const spanMs = Math.max(1, Date.parse(to) - Date.parse(from));
  const perMonth = (invocations * 30 * 86_400_000) / spanMs;
  const seconds = (perMonth * invocationMs) / 1_000;
  return seconds * (settingBytes / 2 ** 30) * dollarsPerGigabyteSecond;
}
