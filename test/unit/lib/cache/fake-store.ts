import { type ShareableStore, shareable } from '../../../../lib/cache/shared/level.ts';
import type {
  Changes,
  Counts,
  Exchange,
  Labels,
  LeaseReply,
  NewEntry,
  Position,
  ReadReply,
  Store,
  StoredEntry,
  StoreSize,
} from '../../../../lib/cache/store.ts';

interface Kept extends StoredEntry {
  expiresAt: number;
}

interface Span extends Counts {
  startedAt: number;
  sums: Record<string, number>;
  maxima: Record<string, number>;
  expiresAt: number;
}

/** So many keys and tags does the log hold, where nothing else is said. */
const defaultMaxLog = 10_000;

/** The data of a store, in memory: what a server holds. Its clock is `Date.now`. */
export class FakeServer {
  readonly maxEntries: number;
  readonly maxLog: number;
  /** Least recently used first. */
  readonly entries = new Map<string, Kept>();
  readonly leases = new Map<string, { token: string; expiresAt: number }>();
  readonly keys = new Map<string, Position>();
  readonly tags = new Map<string, Position>();
  spans: Span[] = [];
  end: Position;
  floor: Position;

  constructor({ maxEntries = 10_000, maxLog = defaultMaxLog }: { maxEntries?: number; maxLog?: number } = {}) {
    this.maxEntries = maxEntries;
    this.maxLog = maxLog;
    this.end = Math.max(1, Date.now());
    this.floor = this.end;
  }

  /** Loses all data, as by FLUSHALL; the log starts at a higher position than it has ever had. */
  lose(): void {
    for (const map of [this.entries, this.leases, this.keys, this.tags]) map.clear();
    this.spans = [];
    this.end = Math.max(this.end + 1, Date.now());
    this.floor = this.end;
  }

  isValid(key: string, tags: readonly string[], position: Position): boolean {
    if (position < this.floor || position > this.end || (this.keys.get(key) ?? 0) > position) return false;
    return tags.every((tag) => (this.tags.get(tag) ?? 0) <= position);
  }

  read(key: string): StoredEntry | undefined {
    const kept = this.entries.get(key);
    if (!kept) return undefined;
    if (kept.expiresAt <= Date.now() || !this.isValid(key, kept.tags, kept.position)) {
      this.entries.delete(key);
      return undefined;
    }
    this.entries.delete(key);
    this.entries.set(key, kept);
    // A copy, as it comes from the network.
    return { bytes: new Uint8Array(kept.bytes), tags: [...kept.tags], position: kept.position };
  }

  changes(since: Position | undefined): Changes | 'lost' {
    if (since === undefined || since < this.floor || since > this.end) return 'lost';
    const later = (labels: ReadonlyMap<string, Position>) => [...labels].filter(([, at]) => at > since);
    return { keys: later(this.keys), tags: later(this.tags) };
  }

  write(entry: NewEntry): boolean {
    const { key, bytes, tags, position, ttlMs, leaseToken } = entry;
    if (leaseToken !== undefined) this.release(key, leaseToken);
    if (!this.isValid(key, tags, position)) return false;
    this.entries.delete(key);
    this.entries.set(key, { bytes: new Uint8Array(bytes), tags: [...tags], position, expiresAt: Date.now() + ttlMs });
    return true;
  }

  makeRoom(): void {
    if (this.entries.size <= this.maxEntries) return;
    const now = Date.now();
    for (const [key, { expiresAt }] of this.entries) if (expiresAt <= now) this.entries.delete(key);
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.maxEntries) return;
      this.entries.delete(key);
    }
  }

  enter({ keys, tags }: Labels): void {
    if (keys.length + tags.length === 0) return;
    this.end++;
    for (const [map, names] of [
      [this.keys, keys],
      [this.tags, tags],
    ] as const) {
      for (const name of names) {
        map.delete(name);
        map.set(name, this.end);
      }
    }
    for (const key of keys) this.entries.delete(key);
    while (this.keys.size + this.tags.size > this.maxLog) this.#forgetOldest();
  }

  lease(key: string, token: string, ttlMs: number): boolean {
    const now = Date.now();
    const held = this.leases.get(key);
    if (held && held.expiresAt > now && held.token !== token) return false;
    this.leases.set(key, { token, expiresAt: now + ttlMs });
    return true;
  }

  release(key: string, token: string): void {
    if (this.leases.get(key)?.token === token) this.leases.delete(key);
  }

  #forgetOldest(): void {
    const oldest = Math.min(
      ...[this.keys, this.tags].flatMap((map) => [...map.values()].slice(0, 1)),
      Number.POSITIVE_INFINITY,
    );
    for (const map of [this.keys, this.tags]) {
      for (const [name, at] of map) {
        if (at > oldest) break;
        map.delete(name);
      }
    }
    this.floor = Math.max(this.floor, oldest);
  }
}

/** A client of a {@link FakeServer}: the port of store.ts. What it does happens at once; the answer comes with a promise. */
export class FakeStore implements ShareableStore {
  declare readonly open: ShareableStore['open'];
  readonly name = 'fake';
  readonly server: FakeServer;

  constructor(server = new FakeServer()) {
    this.server = server;
    shareable(this);
  }

  async read(keys: readonly string[], since: Position | undefined): Promise<ReadReply> {
    const entries = keys.map((key) => this.server.read(key));
    return { entries, ...this.#exchange(since) };
  }

  async write(entries: readonly NewEntry[]): Promise<boolean[]> {
    const kept = entries.map((entry) => this.server.write(entry));
    this.server.makeRoom();
    return kept;
  }

  async invalidate(
    labels: Labels,
    since: Position | undefined,
    replacement?: Omit<NewEntry, 'position'>,
  ): Promise<Exchange> {
    this.server.enter(labels);
    if (replacement) {
      this.server.write({ ...replacement, position: this.server.end });
      this.server.makeRoom();
    }
    return this.#exchange(since);
  }

  async lease(key: string, token: string, ttlMs: number): Promise<LeaseReply> {
    const granted = this.server.lease(key, token, ttlMs);
    return { granted, position: this.server.end, entry: this.server.read(key) };
  }

  async release(key: string, token: string): Promise<void> {
    this.server.release(key, token);
  }

  async count(startedAt: number, { sums, maxima }: Counts, keepMs: number): Promise<void> {
    const { spans } = this.server;
    let span = spans.find((other) => other.startedAt === startedAt);
    if (!span) {
      span = { startedAt, sums: {}, maxima: {}, expiresAt: 0 };
      spans.push(span);
    }
    addUp(span, { sums, maxima });
    span.expiresAt = Math.max(span.expiresAt, Date.now() + keepMs);
  }

  async counts(from: number): Promise<Counts> {
    const now = Date.now();
    const all: Pick<Span, 'sums' | 'maxima'> = { sums: {}, maxima: {} };
    for (const span of this.server.spans) if (span.startedAt >= from && span.expiresAt > now) addUp(all, span);
    return all;
  }

  async size(): Promise<StoreSize> {
    const now = Date.now();
    const { entries, maxEntries } = this.server;
    return { entries: [...entries.values()].filter(({ expiresAt }) => expiresAt > now).length, maxEntries };
  }

  #exchange(since: Position | undefined): Exchange {
    return { position: this.server.end, changes: this.server.changes(since) };
  }
}

function addUp(to: Pick<Span, 'sums' | 'maxima'>, { sums, maxima }: Counts): void {
  for (const [name, n] of Object.entries(sums)) to.sums[name] = (to.sums[name] ?? 0) + n;
  for (const [name, n] of Object.entries(maxima)) to.maxima[name] = Math.max(to.maxima[name] ?? n, n);
}

/** What goes wrong: nothing, every call is refused, refused without a promise, or never answered; done, but never answered. */
type Fault = 'none' | 'throw' | 'throwAtOnce' | 'hang' | 'mute';

/** The methods of a store. */
export type Method = Exclude<keyof Store, 'name'>;

/**
 * A store with faults, as BentoCache's ChaosInjector: `alwaysThrow`, `alwaysHang`, `delay`, `neverThrow`. It delays by
 * `setTimeout`, so that a fake clock drives it.
 */
export class ChaosStore implements ShareableStore {
  declare readonly open: ShareableStore['open'];
  readonly name = 'chaos';
  readonly #inner: Store;
  #fault: Fault = 'none';
  #methods: readonly Method[] | undefined;
  #thereMs = 0;
  #backMs = 0;
  /** Every call, by its method. */
  readonly calls: Method[] = [];

  constructor(inner: Store = new FakeStore()) {
    this.#inner = inner;
    shareable(this);
  }

  /** From now on calls are refused: all, or those of some methods. */
  alwaysThrow(...methods: Method[]): this {
    return this.#set('throw', methods);
  }

  /** From now on calls throw, instead of promises that reject. */
  alwaysThrowAtOnce(...methods: Method[]): this {
    return this.#set('throwAtOnce', methods);
  }

  /** From now on calls do nothing, and are never answered. */
  alwaysHang(...methods: Method[]): this {
    return this.#set('hang', methods);
  }

  /** From now on calls do their work, but are never answered. */
  alwaysMute(...methods: Method[]): this {
    return this.#set('mute', methods);
  }

  /** From now on calls take some time on the way there, and back. Those that are under way keep theirs. */
  delay(thereMs: number, backMs = 0): this {
    this.#thereMs = thereMs;
    this.#backMs = backMs;
    return this;
  }

  /** From now on everything works. */
  neverThrow(): this {
    return this.#set('none', []);
  }

  /** How often a method was called, or all. */
  callsOf(method?: Method): number {
    return method ? this.calls.filter((call) => call === method).length : this.calls.length;
  }

  read(keys: readonly string[], since: Position | undefined): Promise<ReadReply> {
    return this.#call('read', () => this.#inner.read(keys, since));
  }

  write(entries: readonly NewEntry[]): Promise<boolean[]> {
    return this.#call('write', () => this.#inner.write(entries));
  }

  invalidate(labels: Labels, since: Position | undefined, replacement?: Omit<NewEntry, 'position'>): Promise<Exchange> {
    return this.#call('invalidate', () => this.#inner.invalidate(labels, since, replacement));
  }

  lease(key: string, token: string, ttlMs: number): Promise<LeaseReply> {
    return this.#call('lease', () => this.#inner.lease(key, token, ttlMs));
  }

  release(key: string, token: string): Promise<void> {
    return this.#call('release', () => this.#inner.release(key, token));
  }

  count(startedAt: number, counts: Counts, keepMs: number): Promise<void> {
    return this.#call('count', () => this.#inner.count(startedAt, counts, keepMs));
  }

  counts(from: number): Promise<Counts> {
    return this.#call('counts', () => this.#inner.counts(from));
  }

  size(): Promise<StoreSize> {
    return this.#call('size', () => this.#inner.size());
  }

  #set(fault: Fault, methods: Method[]): this {
    this.#fault = fault;
    this.#methods = methods.length > 0 ? methods : undefined;
    return this;
  }

  #call<Answer>(method: Method, work: () => Promise<Answer>): Promise<Answer> {
    this.calls.push(method);
    const fault = this.#methods === undefined || this.#methods.includes(method) ? this.#fault : 'none';
    if (fault === 'throwAtOnce') throw new Error('chaos, at once');
    return this.#answer(fault, work);
  }

  async #answer<Answer>(fault: Fault, work: () => Promise<Answer>): Promise<Answer> {
    const backMs = this.#backMs;
    if (fault === 'hang') return new Promise(() => {});
    if (this.#thereMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#thereMs));
    if (fault === 'throw') throw new Error('chaos');
    const answer = await work();
    if (fault === 'mute') return new Promise(() => {});
    if (backMs > 0) await new Promise((resolve) => setTimeout(resolve, backMs));
    return answer;
  }
}
