import type { Sample, Series } from './sample.ts';
import type { ResourcePoint } from './snapshot.ts';
import { cpuPercent } from './summarize.ts';

/** Every sample as it is kept, newest first. */
export function resourcePoints(series: readonly Series[]): ResourcePoint[] {
  return series
    .flatMap(({ environment, samples }) =>
      samples.map((sample) => ({
        source: 'samples' as const,
        function: environment.function,
        stage: environment.stage,
        version: environment.version,
        environment: environment.id,
        invocation: sample.invocation,
        at: sample.at,
        memory: memoryOf(sample),
        cpu: cpuOf(sample),
      })),
    )
    .sort((a, b) => (a.at > b.at ? -1 : Number(a.at < b.at)));
}

function memoryOf(sample: Sample): ResourcePoint['memory'] {
  return {
    rssBytes: sample.rssBytes,
    heapUsedBytes: sample.heapUsedBytes,
    heapTotalBytes: sample.heapTotalBytes,
    heapFloorBytes: sample.floor?.heapBytes ?? null,
    externalBytes: sample.externalBytes,
    arrayBufferBytes: sample.arrayBufferBytes,
    spaces: sample.spaces,
    handles: sample.resources,
    leftRunning: sample.leftRunning,
    descriptors: sample.descriptors,
  };
}

function cpuOf(sample: Sample): ResourcePoint['cpu'] {
  const kinds = Object.values(sample.collections);
  return {
    percent: cpuPercent(sample),
    cpuMs: sample.cpuMs,
    wallMs: sample.wallMs,
    invocations: sample.invocations,
    loopPercent: 100 * sample.eventLoop.utilization,
    loopDelayMs: sample.eventLoop.p99DelayMs,
    longestLoopDelayMs: sample.eventLoop.longestDelayMs,
    collections: kinds.reduce((all, { count }) => all + count, 0),
    collectionMs: kinds.reduce((all, { totalMs }) => all + totalMs, 0),
    longestCollectionMs: Math.max(0, ...kinds.map(({ longestMs }) => longestMs)),
  };
}
