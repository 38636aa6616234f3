/** Series for the tests of the judge: a floor in every 100 invocations, a sample in every 10, and as much noise as V8 makes. */
import type { Environment, Sample, Series } from '../../../../lib/resources/sample.ts';
import { noise } from '../../noise.ts';

const megabyte = 2 ** 20;
const none = () => ({ count: 0, totalMs: 0, longestMs: 0 });

/** A sample of an environment that does nothing unusual. */
export function sample(invocation: number, overrides: Partial<Sample> = {}): Sample {
  return {
    invocation,
    at: '2026-01-01T00:00:00.000Z',
    heapUsedBytes: 40 * megabyte,
    heapTotalBytes: 60 * megabyte,
    heapLimitBytes: 180 * megabyte,
    externalBytes: 4 * megabyte,
    arrayBufferBytes: megabyte,
    rssBytes: 130 * megabyte,
    spaces: { old_space: 30 * megabyte, code_space: megabyte, trusted_space: megabyte },
    floor: null,
    cpuMs: 10,
    wallMs: 20,
    invocations: 10,
    eventLoop: { utilization: 0.5, meanDelayMs: 1, p99DelayMs: 2, longestDelayMs: 3 },
    collections: { minor: none(), major: none(), incremental: none(), weak: none() },
    resources: {},
    leftRunning: {},
    descriptors: 20,
    ...overrides,
  };
}

/** An environment of a function. */
export function environment(overrides: Partial<Environment> = {}): Environment {
  return {
    id: 'one',
    function: 'shop',
    version: '7',
    stage: 'prod',
    memoryLimitBytes: 256 * megabyte,
    nodeVersion: '24.21.0',
    startedAt: '2026-01-01T00:00:00.000Z',
    initMs: 200,
    ...overrides,
  };
}

/** What of an environment goes its own way: by invocation. */
export interface Course {
  /** Bytes beyond the usual 20 MB of the heap's floor. */
  heap?: (invocation: number) => number;
  /** Bytes beyond the usual 4 MB outside of it. */
  external?: (invocation: number) => number;
  samples?: (invocation: number) => Partial<Sample>;
  invocations?: number;
  /** Standard deviation of the noise in the heap's floor, in bytes. */
  noise?: number;
  seed?: number;
  floorEvery?: number;
  environment?: Partial<Environment>;
}

/** A series that takes a course. */
export function series({
  heap = () => 0,
  external = () => 0,
  samples = () => ({}),
  invocations = 1_000,
  noise: deviation = 8_000,
  seed = 1,
  floorEvery = 100,
  environment: overrides = {},
}: Course = {}): Series {
  const random = noise(seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const numbers = Array.from({ length: Math.floor(invocations / 10) }, (_, place) => 10 * (place + 1));
  return {
    environment: environment(overrides),
    samples: numbers.map((invocation) =>
      sample(invocation, {
        floor:
          invocation % floorEvery === 0
            ? {
                heapBytes: 20 * megabyte + heap(invocation) + deviation * gauss(),
                externalBytes: 4 * megabyte + external(invocation),
                collectMs: 30,
              }
            : null,
        ...samples(invocation),
      }),
    ),
  };
}
