/** What the endpoints tell of the functions of a snapshot. */
import { thresholds } from '../settings.ts';
import type {
  CpuPoint,
  CpuStatistics,
  CpuTrends,
  FunctionResources,
  MemoryPoint,
  MemoryStatistics,
  MemoryTrends,
  ResourcePoint,
} from './snapshot.ts';

/** The memory of a sample. */
export function memoryPoint({ memory, cpu: _, ...place }: ResourcePoint): MemoryPoint {
  return { ...place, ...memory };
}

/** The processor of a sample. */
export function cpuPoint({ cpu, memory: _, ...place }: ResourcePoint): CpuPoint {
  return { ...place, ...cpu };
}

/** The memory of functions, beside the target. */
export function memoryStatistics(functions: readonly FunctionResources[]): MemoryStatistics {
  const targetBytes = thresholds.memoryBytes;
  return {
    targetBytes,
    functions: functions.map((each) => ({
      ...headOf(each),
      ...each.memory,
      isWithinTarget: each.memory.rssBytes.p95 <= targetBytes,
    })),
  };
}

/** The processor of functions, beside the target. */
export function cpuStatistics(functions: readonly FunctionResources[]): CpuStatistics {
  const targetPercent = thresholds.cpuPercent;
  return {
    targetPercent,
    functions: functions.map((each) => ({
      ...headOf(each),
      ...each.cpu,
      coldStarts: each.coldStarts,
      isWithinTarget: each.cpu.percent.mean <= targetPercent,
    })),
  };
}

/** Where the memory of functions is going. */
export function memoryTrends(functions: readonly FunctionResources[]): MemoryTrends {
  return {
    functions: functions.map((each) => ({
      ...headOf(each),
      trend: each.memoryTrend,
      trendOf: each.memoryTrendOf,
      leak: each.leak,
      fleet: each.fleet,
      points: each.memoryPlot,
    })),
  };
}

/** Where the use of the processor is going. */
export function cpuTrends(functions: readonly FunctionResources[]): CpuTrends {
  return {
    functions: functions.map((each) => ({ ...headOf(each), trend: each.cpuTrend, points: each.cpuPlot })),
  };
}

function headOf({ source, function: name, stage, version, from, to, environments, invocations }: FunctionResources) {
  return { source, function: name, stage, version, from, to, environments, invocations };
}
