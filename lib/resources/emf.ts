import { isDimensionValue, isNamespace } from '../metrics/checks.ts';
import { embeddedMetricLine } from '../metrics/embedded.ts';
import { figuresOf } from './figures.ts';
import { MonitorError } from './monitor/errors.ts';
import type { Sink } from './monitor/options.ts';
import type { Environment, Sample } from './sample.ts';

/** The most values that a metric may have in a line, and so the most samples that a line is about. */
const mostSamples = 100;

/** Where the metrics of samples go in CloudWatch, and how often. */
export interface SampleEmfOptions {
  /** Default: `StreamGate`. */
  namespace?: string | undefined;
  /** What the function is a part of: the dimension beside `function` and `stage`. Default: `streamgate`. */
  service?: string | undefined;
  /** A line at most every so many milliseconds for each environment, or every 100 samples if that is sooner. Default: 10,000. */
  everyMs?: number | undefined;
}

const optionNames = ['namespace', 'service', 'everyMs'];

/**
 * Writes samples to the log, for CloudWatch to make metrics of. Samples that follow each other within ten seconds go in one line: what
 * it costs depends on the time in which a function works, and not on how much it does.
 *
 * @throws MonitorError `option-invalid`
 * @example monitor({ sink: emf({ service: 'shop' }) })
 */
export function emf(options: SampleEmfOptions = {}): Sink {
  const { everyMs, ...dimensions } = checked(options);
  const batches = new WeakMap<Environment, Batch>();
  return (sample, environment) => {
    let batch = batches.get(environment);
    if (!batch) {
      batch = new Batch(everyMs, (samples) => {
        process.stdout.write(`${sampleLine(samples, environment, dimensions)}\n`);
      });
      batches.set(environment, batch);
    }
    batch.add(sample);
  };
}

function checked({ namespace = 'StreamGate', service = 'streamgate', everyMs = 10_000, ...rest }: SampleEmfOptions) {
  const [unknown] = Object.keys(rest);
  if (unknown) throw invalid(`there is no option "${unknown}", but ${optionNames.join(', ')}.`);
  if (!isNamespace(namespace)) throw invalid(`namespace: CloudWatch takes no "${namespace}".`);
  if (!isDimensionValue(service)) throw invalid(`service: CloudWatch takes no "${service}".`);
  if (!(everyMs >= 0)) throw invalid(`everyMs: ${everyMs} is no number of milliseconds.`);
  return { namespace, service, everyMs };
}

function invalid(message: string): MonitorError {
  return new MonitorError('option-invalid', `emf: ${message}`);
}

/** Samples that go in one line. */
class Batch {
  readonly #everyMs: number;
  readonly #write: (samples: readonly Sample[]) => void;
  #samples: Sample[] = [];
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number, write: (samples: readonly Sample[]) => void) {
    this.#everyMs = everyMs;
    this.#write = write;
  }

  add(sample: Sample): void {
    const at = Date.parse(sample.at);
    const last = this.#samples.at(-1);
    // What waited through a freeze is of another time.
    if (last && at - Date.parse(last.at) > this.#everyMs) this.#flush();
    this.#samples.push(sample);
    if (at - this.#writtenAt < this.#everyMs && this.#samples.length < mostSamples) return;
    this.#flush();
    this.#writtenAt = at;
  }

  #flush(): void {
    this.#write(this.#samples);
    this.#samples = [];
  }
}

/**
 * Samples of an environment, in their order, as a line of the log with twelve metrics. They are those of the function, whatever the
 * number of its environments. The property `environment` says which one it was, and `sample` is the whole of one of the samples: the
 * last one with a floor, or else the last one.
 *
 * @param samples 1 to 100
 */
export function sampleLine(
  samples: readonly Sample[],
  environment: Environment,
  { namespace = 'StreamGate', service = 'streamgate' }: Pick<SampleEmfOptions, 'namespace' | 'service'> = {},
): string {
  const last = samples.at(-1);
  return embeddedMetricLine({
    at: Date.parse(last?.at ?? ''),
    namespace,
    dimensions: { service, function: environment.function, stage: environment.stage },
    metrics: figuresOf(samples),
    properties: { environment, sample: samples.findLast(({ floor }) => floor) ?? last },
  });
}
