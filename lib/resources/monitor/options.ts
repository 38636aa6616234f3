import { isDimensionValue } from '../../metrics/checks.ts';
import type { Environment, Sample } from '../sample.ts';
import { MonitorError } from './errors.ts';

/** Takes a sample. Nobody waits for what it starts, and what it throws is not passed on. */
export type Sink = (sample: Sample, environment: Environment) => void;

/** How a monitor measures, and where its samples go. */
export interface MonitorOptions {
  /** Default: `AWS_LAMBDA_FUNCTION_NAME`, or `local`. */
  function?: string | undefined;
  /** Default: `AWS_LAMBDA_FUNCTION_VERSION`, or `local`. */
  version?: string | undefined;
  /** Default: `STREAMGATE_STAGE`, or `default`. */
  stage?: string | undefined;
  /** A sample every so many invocations. Default: 10. */
  sampleEvery?: number | undefined;
  /** A floor every so many invocations, which stops the function for the time of a collection; `false` is never. Default: 100. */
  floorEvery?: number | false | undefined;
  /** How many samples are kept in memory; in the older half, those with a floor. Default: 120. */
  ring?: number | undefined;
  /** Where samples go; `false` is nowhere but into the ring. Default: the log as EMF on Lambda, nowhere elsewhere. */
  sink?: Sink | false | undefined;
}

/** The options that a monitor is made from, checked and with the defaults. */
export interface MonitorSettings {
  function: string;
  version: string;
  stage: string;
  sampleEvery: number;
  /** Infinity is never. */
  floorEvery: number;
  ring: number;
  sink: Sink | undefined;
}

/** A sample every so many invocations, unless the options say otherwise. */
export const usualSampleEvery = 10;

/** A floor every so many invocations, unless the options say otherwise. */
export const usualFloorEvery = 100;

const known = ['function', 'version', 'stage', 'sampleEvery', 'floorEvery', 'ring', 'sink'];

/**
 * Checks the options and adds the defaults.
 *
 * @param env the environment variables
 * @param logSink where samples go on Lambda unless the options say otherwise
 * @throws MonitorError `option-invalid`
 */
export function monitorSettings(
  options: MonitorOptions,
  env: Readonly<Record<string, string | undefined>>,
  logSink: Sink,
): MonitorSettings {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalid(`there is no option "${name}", but ${known.join(', ')}.`);
  }
  const {
    sampleEvery = usualSampleEvery,
    floorEvery = usualFloorEvery,
    ring = 120,
    sink = env.AWS_LAMBDA_FUNCTION_NAME ? logSink : false,
  } = options;
  if (sink !== false && typeof sink !== 'function') throw invalid('sink: neither a function nor false.');
  return {
    function: name(options.function, 'function') ?? (env.AWS_LAMBDA_FUNCTION_NAME || 'local'),
    version: name(options.version, 'version') ?? (env.AWS_LAMBDA_FUNCTION_VERSION || 'local'),
    stage: name(options.stage, 'stage') ?? (env.STREAMGATE_STAGE || 'default'),
    sampleEvery: wholeNumber(sampleEvery, 'sampleEvery'),
    floorEvery: floorEvery === false ? Number.POSITIVE_INFINITY : wholeNumber(floorEvery, 'floorEvery'),
    ring: wholeNumber(ring, 'ring'),
    sink: sink || undefined,
  };
}

function name(value: string | undefined, option: string): string | undefined {
  // It becomes a dimension of metrics.
  if (value === undefined || isDimensionValue(value)) return value;
  throw invalid(`${option}: ${JSON.stringify(value)} is no name of 1 to 1,024 printable ASCII characters.`);
}

function wholeNumber(value: number, option: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(`${option}: ${value} is not a whole number of at least 1.`);
}

function invalid(message: string): MonitorError {
  return new MonitorError('option-invalid', `monitor: ${message}`);
}
