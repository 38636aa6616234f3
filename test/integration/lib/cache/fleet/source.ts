import { vi } from 'vitest';
import type { LoadRequest } from './fleet.ts';

/** A load that has read its version, and waits to be answered. */
export interface HeldLoad {
  request: LoadRequest;
  version: number;
  release(): void;
}

/** The source of truth: a version of each item, the first of which is 1. */
export class Source {
  /** All loads, in their order. */
  readonly loads: Array<{ worker: string; item: string }> = [];
  /** What a load does between reading the version and answering. Default: it answers. */
  onLoad: (load: HeldLoad) => void = (load) => load.release();
  readonly #versions = new Map<string, number>();

  version(item: string): number {
    return this.#versions.get(item) ?? 1;
  }

  /** Changes an item. Returns the new version. */
  bump(item: string): number {
    const version = this.version(item) + 1;
    this.#versions.set(item, version);
    return version;
  }

  /** How often an item was loaded. */
  loadsOf(item: string): number {
    return this.loads.filter((load) => load.item === item).length;
  }

  /** Answers a load. To be given to workers. */
  readonly answer = (request: LoadRequest): void => {
    const { worker, item } = request;
    this.loads.push({ worker: worker.name, item });
    const version = this.version(item);
    this.onLoad({ request, version, release: () => request.answer(version) });
  };

  /** Holds the loads of an item from now on. */
  hold(held: string): Gate {
    const waiting: HeldLoad[] = [];
    this.onLoad = (load) => {
      if (load.request.item === held) waiting.push(load);
      else load.release();
    };
    return {
      waiting,
      arrived: (count) =>
        vi.waitFor(
          () => {
            if (waiting.length < count) throw new Error(`${waiting.length} loads of "${held}" came, not ${count}.`);
          },
          { timeout: 10_000, interval: 2 },
        ),
      open: () => {
        this.onLoad = (load) => load.release();
        for (const load of waiting.splice(0)) load.release();
      },
    };
  }

  /** Every load fails from now on. */
  fail(): void {
    this.onLoad = ({ request }) => request.fail('The source is down.');
  }

  /** Every load is answered from now on. */
  recover(): void {
    this.onLoad = (load) => load.release();
  }
}

/** Loads that are held. */
export interface Gate {
  readonly waiting: HeldLoad[];
  /** Resolves when so many wait. */
  arrived(count: number): Promise<void>;
  /** Answers those that wait, with what they have read, and all that follow. */
  open(): void;
}
