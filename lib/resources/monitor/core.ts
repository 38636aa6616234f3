import type { InvocationContext } from '../../cache/invocations.ts';
import type { CollectionGuard } from '../gc/guard.ts';
import type { CollectionRecorder, CollectionsByKind } from '../gc/recorder.ts';
import type { Environment, Sample, Series } from '../sample.ts';
import type { EventLoopDelay } from './delay.ts';
import { History } from './history.ts';
import { type MonitorSettings, usualFloorEvery } from './options.ts';
import type { Runtime } from './runtime.ts';
import { Usage } from './usage.ts';

/** The longest that Lambda lets an invocation run, in milliseconds. */
const longestInvocationMs = 900_000;

/** A floor that was refused is tried again so often before the next one would be due. */
const floorAttempts = 10;

/** A sample that is overdue by so many times its interval is taken although other invocations are under way. */
const patience = 10;

/** With so many invocations under way it is time to look whether all of them still are. */
const manyOpen = 64;

/** An invocation that is under way. */
export interface Invocation {
  readonly context: InvocationContext | undefined;
  readonly beganAt: number;
}

/** What a {@link Monitor} is made of. */
export interface MonitorParts {
  settings: Pick<MonitorSettings, 'sampleEvery' | 'floorEvery' | 'ring' | 'sink'>;
  environment: Environment;
  runtime: Runtime;
  delay: Pick<EventLoopDelay, 'begin' | 'end' | 'take'>;
  collections: Pick<CollectionRecorder, 'take' | 'leaveOut' | 'totals' | 'close'>;
  /** Forces the collections of floors. */
  guard: Pick<CollectionGuard, 'refusal' | 'collect'>;
  /** Whether one invocation has ended when the next one begins, even if nobody said so. */
  isSequential: boolean;
  /** Is told when the first invocation began, by `runtime.now()`. */
  onFirst?: (at: number) => void;
}

/**
 * Measures the environment that it runs in, and takes a sample at the end of an invocation from time to time: when no other one
 * is under way, whose memory would be in it. A server that is never at rest is measured all the same after a while, without a
 * floor, and the sample says so.
 */
export class Monitor {
  readonly #parts: MonitorParts;
  readonly #usage: Usage;
  readonly #history: History;
  readonly #open = new Set<Invocation>();
  #begun = 0;
  #lookForLostAt = manyOpen;
  /** How many more invocations have to end before a sample is due, and before a floor is. */
  #untilSample: number;
  #untilFloor: number;
  /** The resources when the invocation began at whose end a sample is due. */
  #before: Record<string, number> | undefined;
  #listenerWarnings: number;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.#usage = new Usage(parts.runtime);
    this.#history = new History(parts.settings.ring);
    this.#untilSample = parts.settings.sampleEvery;
    this.#untilFloor = parts.settings.floorEvery;
    this.#listenerWarnings = parts.runtime.listenerWarnings();
  }

  /** Which environment this is. */
  get environment(): Environment {
    return this.#parts.environment;
  }

  /** The environment and the samples that are kept: the latest ones, and of the earlier ones those with a floor. */
  series(): Series {
    return { environment: { ...this.environment }, samples: this.#history.samples() };
  }

  /** All garbage collections since the monitor was made, its own left out. */
  collections(): CollectionsByKind {
    return this.#parts.collections.totals;
  }

  /** An invocation begins. Whoever says so also says that it has ended. */
  begin(context?: InvocationContext): Invocation {
    const { runtime, delay, isSequential, onFirst } = this.#parts;
    const invocation = { context, beganAt: runtime.now() };
    if (this.#open.size > 0 && isSequential) this.#open.clear();
    if (this.#open.size >= this.#lookForLostAt) this.#forgetLost(invocation.beganAt);
    const isFirstOpen = this.#open.size === 0;
    if (this.#begun++ === 0) onFirst?.(invocation.beganAt);
    this.#open.add(invocation);
    if (isFirstOpen) this.#before = undefined;
    if (this.#isDueWith(this.#open.size)) this.#before ??= runtime.resources();
    if (isFirstOpen) {
      delay.begin();
      this.#usage.begin();
    }
    return invocation;
  }

  /** The invocation has its answer, or has failed. Says so as often as one likes. */
  end(invocation: Invocation): void {
    if (!this.#open.delete(invocation)) return;
    this.#untilSample--;
    this.#untilFloor--;
    if (this.#open.size > 0) {
      this.#sampleIfOverdue();
      return;
    }
    this.#usage.end();
    this.#parts.delay.end();
    this.#sampleIfDue(invocation);
  }

  /** Asks for a floor at the end of the next invocation that leaves nothing under way, if it has the time for it. */
  requestFloor(): void {
    this.#untilFloor = 0;
  }

  /** Measures no more. */
  close(): void {
    this.#parts.collections.close();
  }

  #sampleIfDue({ context }: Invocation): void {
    if (!this.#isDueWith(0)) return;
    const remainingMs = context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
    const hasFloor = this.#untilFloor <= 0 && this.#mayCollect(remainingMs);
    if (hasFloor || this.#untilSample <= 0) this.#sample(hasFloor ? remainingMs : undefined);
  }

  #sampleIfOverdue(): void {
    if (this.#untilSample > -patience * this.#parts.settings.sampleEvery) return;
    this.#usage.end();
    this.#forgetLost(this.#parts.runtime.now());
    if (this.#open.size === 0) this.#parts.delay.end();
    // What others have open now is not what they leave.
    this.#before = undefined;
    this.#sample(undefined);
    if (this.#open.size > 0) this.#usage.begin();
  }

  /** Whether a sample or a floor is due when so many more invocations have ended. */
  #isDueWith(more: number): boolean {
    return Math.min(this.#untilSample, this.#untilFloor) <= more;
  }

  /** A floor that must not be taken now is due again soon: another invocation may have more time left. */
  #mayCollect(remainingMs: number): boolean {
    const { guard, settings } = this.#parts;
    const refusal = guard.refusal(remainingMs);
    if (refusal) this.#untilFloor = Math.ceil(Math.min(settings.floorEvery, usualFloorEvery) / floorAttempts);
    return !refusal;
  }

  /** An invocation of which nobody said that it ended, as when another middleware answers early, is over when its time is. */
  #forgetLost(now: number): void {
    for (const invocation of this.#open) {
      const remainingMs =
        invocation.context?.getRemainingTimeInMillis?.() ?? invocation.beganAt + longestInvocationMs - now;
      if (remainingMs <= 0) this.#open.delete(invocation);
    }
    this.#lookForLostAt = 2 * Math.max(manyOpen / 2, this.#open.size);
  }

  /** @param remainingMs what is left for a floor; undefined for none */
  #sample(remainingMs: number | undefined): void {
    const { settings, environment, runtime, delay, collections } = this.#parts;
    const resources = runtime.resources();
    const listenerWarnings = runtime.listenerWarnings();
    const { cpuMs, wallMs, utilization } = this.#usage.take();
    const eventLoop = { utilization, ...delay.take() };
    const sample: Sample = {
      invocation: this.#begun - this.#open.size,
      at: new Date().toISOString(),
      ...runtime.memory(),
      floor: null,
      ...rounded({ cpuMs, wallMs, eventLoop, collections: collections.take() }),
      invocations: settings.sampleEvery - this.#untilSample,
      resources,
      leftRunning: added(this.#before ?? resources, resources),
      descriptors: runtime.descriptors(),
      listenerWarnings: listenerWarnings - this.#listenerWarnings,
      ...(this.#open.size > 0 && { underWay: this.#open.size }),
    };
    this.#untilSample = settings.sampleEvery;
    this.#listenerWarnings = listenerWarnings;
    if (remainingMs !== undefined) sample.floor = this.#floor(remainingMs);
    this.#history.push(sample);
    send(sample, environment, settings.sink);
  }

  #floor(remainingMs: number): Sample['floor'] {
    const { runtime, collections, guard, settings } = this.#parts;
    const startedAt = runtime.now();
    const outcome = guard.collect(remainingMs);
    collections.leaveOut(startedAt, runtime.now());
    this.#untilFloor = settings.floorEvery;
    if (outcome.kind === 'refused') return null;
    const { heapAfterBytes, externalAfterBytes, durationMs } = outcome.collection;
    return { heapBytes: heapAfterBytes, externalBytes: externalAfterBytes, collectMs: rounded(durationMs) };
  }
}

/** What there is more of than before, by type. */
function added(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const more: Record<string, number> = {};
  for (const [type, count] of Object.entries(after)) {
    const surplus = count - (before[type] ?? 0);
    if (surplus > 0) more[type] = surplus;
  }
  return more;
}

/** A sink that fails must not fail the invocation, and nobody waits for what it starts. */
function send(sample: Sample, environment: Environment, sink: MonitorSettings['sink']): void {
  try {
    const started: unknown = sink?.(sample, environment);
    if (started instanceof Promise) started.catch(() => {});
  } catch {
    // The sample stays in the ring.
  }
}

/** Figures to three decimals, at any depth. */
function rounded<Figures>(figures: Figures): Figures {
  if (typeof figures === 'number') return (Math.round(figures * 1_000) / 1_000) as Figures;
  return Object.fromEntries(Object.entries(figures as object).map(([name, one]) => [name, rounded(one)])) as Figures;
}
