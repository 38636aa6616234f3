import { plural } from '../advice/format.ts';
import { MetricsError } from '../metrics/errors.ts';
import { type Dimensions, type FunctionList, type Metrics, mostFunctions } from '../metrics/metrics.ts';
import type { Note } from '../postgres/server.ts';
import type { PooledFunction } from './from-metrics.ts';
import { type Pooled, readAllPooled, seriesOfFunction } from './pooled.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Functions that wrote nothing for so long are not looked at. CloudWatch can tell of this time which metrics are in use. */
const recentMs = 3 * hour;

/** So that a day has 288 of them. */
const periodMs = 5 * minute;

/** As many as go into one request to CloudWatch, which takes 500 questions. */
const functionsAtATime = Math.floor(500 / seriesOfFunction);

/** What is read, and how long that may take. */
export interface MetricsReadingOptions {
  /** Functions that there is no need to read: their samples are known. */
  isKnown: (dimensions: Dimensions) => boolean;
  /** For all of it, in milliseconds. Default: 10,000. */
  timeoutMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** What was read. */
export interface MetricsReading {
  functions: PooledFunction[];
  notes: Note[];
  /** Whether nothing failed. */
  isComplete: boolean;
}

/**
 * Reads the last day of the functions that have metrics. Never fails: what could not be read is in the notes. These name no rules: a
 * function that was not read is not judged, and the functions whose samples are known are.
 */
export async function readFromMetrics(
  metrics: Pick<Metrics, 'functions' | 'read'>,
  { isKnown, timeoutMs = 10_000, now = Date.now }: MetricsReadingOptions,
): Promise<MetricsReading> {
  const at = now();
  const functions: PooledFunction[] = [];
  const notes: Note[] = [];
  let isComplete = true;
  const note = (code: string, message: string) => notes.push({ code, message, rules: [] });
  using limit = timeLimit(timeoutMs);
  try {
    const list = await limit.keep(metrics.functions(at - recentMs));
    if (!list.isComplete) note('metrics-cut', cutMessage);
    const wanted = unknownIn(list, isKnown);
    for (let from = 0; from < wanted.length; from += functionsAtATime) {
      const some = wanted.slice(from, from + functionsAtATime);
      const read = await limit.keep(readAllPooled(metrics, some, { from: at - day, to: at, periodMs }));
      const whole = some.flatMap((dimensions, place) => wholeOf(dimensions, read[place]));
      functions.push(...whole);
      if (whole.length === some.length) continue;
      isComplete = false;
      note('metrics-incomplete', incompleteMessage(some.length - whole.length, read));
    }
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    isComplete = false;
    note('metrics-unreadable', `${error.message} ${unreadableMessage}`);
  }
  return { functions: newestOfEach(functions), notes, isComplete };
}

const cutMessage = `More than ${mostFunctions} functions have metrics: the others are not told of. Give some of them a namespace of their own.`;

const unreadableMessage =
  'Functions that have metrics and no samples are not told of as long as that is so. STREAMGATE_METRICS=none says that they need not be.';

function incompleteMessage(count: number, [first]: readonly Pooled[]): string {
  const said = first && first.notes.length > 0 ? ` (${first.notes.join(' ')})` : '';
  return `CloudWatch did not give all figures of ${plural(count, 'function')}${said}, not told of this time.`;
}

function unknownIn({ functions }: FunctionList, isKnown: MetricsReadingOptions['isKnown']): Dimensions[] {
  return functions.filter((dimensions) => !isKnown(dimensions));
}

function wholeOf(dimensions: Dimensions, pooled: Pooled | undefined): PooledFunction[] {
  return pooled?.isComplete ? [{ dimensions, points: pooled.points }] : [];
}

/** A function goes by its name and stage. Where several services have one, as after a change of the service's name, the newest counts. */
function newestOfEach(functions: readonly PooledFunction[]): PooledFunction[] {
  const heardOf = ({ points }: PooledFunction) => points.at(-1)?.at ?? '';
  const byName = Map.groupBy(functions, ({ dimensions: { function: name, stage } }) => JSON.stringify([name, stage]));
  return [...byName.values()].map((several) => several.reduce((a, b) => (heardOf(b) > heardOf(a) ? b : a)));
}

/** Whatever is waited for through it ends when the time is up. */
function timeLimit(timeoutMs: number) {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const remedy =
        'A function in a VPC needs an endpoint for com.amazonaws.REGION.monitoring there, or a NAT gateway, to reach it.';
      reject(new MetricsError('store-failed', `CloudWatch did not answer within ${timeoutMs / 1_000} s. ${remedy}`));
    }, timeoutMs);
  });
  over.catch(() => {});
  return {
    keep: <Result>(work: Promise<Result>): Promise<Result> => Promise.race([work, over]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
