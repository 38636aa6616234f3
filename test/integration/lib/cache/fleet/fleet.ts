import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answers, Downwards, Opening, Order, Upwards } from './protocol.ts';

/** What a loader asks for. */
export interface LoadRequest {
  worker: Worker;
  item: string;
  answer(version: number): void;
  fail(message: string): void;
}

/** Plays the database. */
export type Source = (request: LoadRequest) => void;

/** An order gets its answer within that time, unless its process is frozen. */
const patienceMs = 20_000;

/** A process with a cache of its own. It is killed when this one ends. */
export class Worker {
  readonly name: string;
  /** Who answers its loads. */
  source: Source;
  /** What must not happen: rejections that nobody handles. */
  readonly unhandled: string[] = [];
  /** The items whose loads were told to stop. */
  readonly aborted: string[] = [];
  /** How often it was started. */
  life = 0;
  isFrozen = false;
  readonly #pending = new Map<number, { order: Order; resolve(answer: unknown): void; reject(error: Error): void }>();
  #process: ChildProcess | undefined;
  #ids = 0;

  constructor(name: string, source: Source) {
    this.name = name;
    this.source = source;
  }

  /** How many orders have no answer yet. */
  get pending(): number {
    return this.#pending.size;
  }

  async start(): Promise<void> {
    const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), { execArgv: [], serialization: 'json' });
    this.#process = child;
    this.life++;
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (message: Upwards) => ('ready' in message ? resolve() : this.#hear(child, message)));
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`The worker ended (${code ?? signal}).`)));
    });
    child.once('exit', () => this.#end(child));
    await ready;
  }

  async open(opening: Opening): Promise<void> {
    await this.ask({ do: 'open', opening });
  }

  ask<Kind extends Order['do']>(order: Extract<Order, { do: Kind }>): Promise<Answers[Kind]> {
    const child = this.#process;
    if (!child?.connected) return Promise.reject(new Error(`${this.name} is not there.`));
    const id = this.#ids++;
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { order, resolve, reject }));
    child.send({ id, order } satisfies Downwards);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const check = () => {
        if (this.isFrozen) timer = setTimeout(check, patienceMs);
        else reject(new Error(`${this.name} owes an answer to ${JSON.stringify(order)}.`));
      };
      timer = setTimeout(check, patienceMs);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer)) as Promise<Answers[Kind]>;
  }

  /** The version that a get returns. @throws what it throws */
  async get(item: string): Promise<number> {
    const [got] = await this.ask({ do: 'get', items: [item] });
    if (got?.version === undefined) throw new Error(got?.error);
    return got.version;
  }

  /** As a Lambda environment freezes between two invocations. Resolves when it stands still. */
  freeze(): void {
    this.isFrozen = true;
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.isFrozen = false;
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    this.isFrozen = false;
  }

  #hear(child: ChildProcess, message: Upwards): void {
    if ('unhandled' in message) this.unhandled.push(message.unhandled);
    else if ('aborted' in message) this.aborted.push(message.item);
    else if ('load' in message) {
      const answer = (loaded: { version: number } | { failure: string }) => {
        if (child.connected) child.send({ loaded: message.load, ...loaded } satisfies Downwards, () => {});
      };
      this.source({
        worker: this,
        item: message.item,
        answer: (version) => answer({ version }),
        fail: (failure) => answer({ failure }),
      });
    } else if ('id' in message) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('failure' in message) pending?.reject(new Error(message.failure));
      else pending?.resolve(message.answer);
    }
  }

  #end(child: ChildProcess): void {
    if (child !== this.#process) return;
    for (const { order, reject } of this.#pending.values()) {
      reject(new Error(`${this.name} was killed before it answered ${JSON.stringify(order)}.`));
    }
    this.#pending.clear();
  }
}
