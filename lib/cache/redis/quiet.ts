import type { Position, ReadReply } from '../store.ts';
import type { BufferClient, Run } from './client.ts';
import { decodeEntry } from './entry.ts';
import { entryFormat } from './parts.ts';
import { markUsed } from './scripts.ts';

/** So many reads take the script after one that had to: whatever made it do so is likely to do it again. */
const scriptedAfterwards = 16;

/** Uses are told when there are so many, or when the first of them is so old, in milliseconds. */
const untold = { most: 32, ms: 500 };

/**
 * Reads while nothing is being invalidated, which is nearly always: without a script, in two plain commands. The
 * server answers them in half the time.
 *
 * It looks whether the log still ends where the caller knows it to. Then nothing was invalidated since, and
 * what is there is valid if it was loaded at that position, or has no tags: what invalidates a key removes its entry.
 * The log is looked at first, so whatever happens between the two commands comes after the position that is told.
 *
 * That an entry was used is told later, together with others.
 */
export class QuietReads {
  readonly #client: BufferClient;
  readonly #run: Run;
  readonly #log: string;
  readonly #lru: string;
  /** So many reads have yet to take the script. */
  #scripted = 0;
  #used = new Set<string>();
  #tellAt = 0;

  constructor(client: BufferClient, run: Run, log: string, lru: string) {
    this.#client = client;
    this.#run = run;
    this.#log = log;
    this.#lru = lru;
  }

  /** Reads entries. Undefined when the script must be asked. @param keys of Redis */
  async read(keys: readonly string[], since: Position | undefined): Promise<ReadReply | undefined> {
    if (since === undefined) return undefined;
    if (this.#scripted > 0) {
      this.#scripted--;
      return undefined;
    }
    const reply = keys.length === 0 ? await this.#look(since) : await this.#lookAndGet(keys, since);
    if (!reply) this.#scripted = scriptedAfterwards;
    return reply;
  }

  /** Tells of the uses that were not told yet. */
  async tell(): Promise<void> {
    if (this.#used.size === 0) return;
    const keys = [...this.#used];
    this.#used.clear();
    await this.#run(markUsed, [this.#lru, ...keys], []);
  }

  async #look(since: Position): Promise<ReadReply | undefined> {
    const isQuiet = isAt(await this.#state(), since);
    return isQuiet ? { position: since, changes: nothing, entries: [] } : undefined;
  }

  async #lookAndGet(keys: readonly string[], since: Position): Promise<ReadReply | undefined> {
    // In one go, so that they share a packet.
    const asked = [this.#state(), this.#client.mgetBuffer(keys)] as const;
    const isDue = this.#used.size > 0 && (this.#used.size >= untold.most || Date.now() >= this.#tellAt);
    const [state, found] = await (isDue ? Promise.all([...asked, this.tell()]) : Promise.all(asked));
    if (!isAt(state, since)) return undefined;
    const floor = Number(state[1]);
    const entries = found.map((bytes) => (bytes?.[0] === entryFormat ? decodeEntry(bytes) : undefined));
    for (const entry of entries) if (entry && !isValid(entry.position, entry.tags, since, floor)) return undefined;
    for (const [at, entry] of entries.entries()) if (entry) this.#use(keys[at] as string);
    return { position: since, changes: nothing, entries };
  }

  #state(): Promise<Array<string | null>> {
    return this.#client.zmscore(this.#log, '#position', '#floor');
  }

  #use(key: string): void {
    if (this.#used.size === 0) this.#tellAt = Date.now() + untold.ms;
    this.#used.add(key);
  }
}

const nothing = { keys: [], tags: [] };

function isAt(state: ReadonlyArray<string | null>, since: Position): boolean {
  return Number(state[0]) === since && Number(state[1] ?? Number.POSITIVE_INFINITY) <= since;
}

function isValid(position: Position, tags: readonly string[], since: Position, floor: Position): boolean {
  return position === since || (tags.length === 0 && position >= floor && position <= since);
}
