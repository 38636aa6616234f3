import { CacheError } from './errors.ts';
import { checkOptions, wholeNumber } from './options.ts';
import { Client, type PostgresPool } from './postgres/client.ts';
import {
  type CountRow,
  columnsOf,
  countsOf,
  entryOf,
  exchangeOf,
  type InvalidateRow,
  keyLabel,
  type LeaseRow,
  longestMs,
  type ReadRow,
  tagLabel,
  utf8,
} from './postgres/rows.ts';
import { statementsFor } from './postgres/sql.ts';
import { type ShareableStore, shareable } from './shared/level.ts';
import type { Exchange, StoredEntry } from './store.ts';

export type { PostgresPool } from './postgres/client.ts';

/** What can be said about {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** The schema of its tables. All processes that share a cache name the same one. Default `streamgate_cache`. */
  schema?: string;
  /** So many entries are kept, about: see {@link postgresStore}. Default 10,000. */
  maxEntries?: number;
  /** So many invalidated keys and tags are remembered at least. Default 10,000. */
  logSize?: number;
  /** More changes than that in one answer are `lost`. Default 1,000. */
  maxChanges?: number;
}

/**
 * A shared store in PostgreSQL 13 or later, in unlogged tables of a schema of its own. They are made at first use, and
 * again when somebody drops them; a crash or a failover of the server empties them. Each method is one statement
 * outside of a transaction, with no session state and no prepared statement, so that a pooler may stand between
 * (PgBouncer, RDS Proxy). It must be a primary server, with the default isolation (`read committed`; others work,
 * with repetitions).
 *
 * **Size.** Each entry that is written starts a clean-up with a probability of 280 / `maxEntries`. So each write pays
 * for looking at 280 entries, on average, whatever their number is. A clean-up that finds more than `maxEntries`
 * leaves 2.5 % less; that the next one begins only when there are more than 5 % too many has a probability of
 * (1 - 280 / maxEntries) ^ (0.075 maxEntries) < e^-21, whoever writes them. What others write while one is under way
 * comes on top. Up to 280 entries every write cleans up, one after the other, and leaves as many as there may be.
 *
 * **Use.** Reading marks an entry as used, unless it was marked in the last `maxEntries` / 100 ms (100 ms with 10,000):
 * to be removed wrongly for that it would take 100 newer entries in each millisecond.
 *
 * The pool stays the caller's: its time-outs are those of the store, and it is for the caller to listen to its `error`
 * events and to end it.
 *
 * @param pool a `pg.Pool`, or anything that queries like one
 * @throws CacheError `option-invalid`. What the methods reject with is a CacheError `level-unreachable`, or
 *   `option-invalid` when the schema belongs to something else, with the error of the database as its `cause`
 *
 * @example
 * const cache = createCache({ l2: postgresStore(new pg.Pool({ connectionString, max: 2 })) });
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): ShareableStore {
  if (typeof pool?.query !== 'function') {
    throw new CacheError('option-invalid', 'postgresStore: the first argument has no query(). Give it a pg.Pool.');
  }
  checkOptions(options, ['schema', 'maxEntries', 'logSize', 'maxChanges'], 'postgresStore');
  const schema = checkedSchema(options.schema ?? 'streamgate_cache');
  const maxEntries = wholeNumber(options.maxEntries ?? 10_000, 1, 'maxEntries');
  const logSize = wholeNumber(options.logSize ?? 10_000, 1, 'logSize');
  const maxChanges = wholeNumber(options.maxChanges ?? 1_000, 0, 'maxChanges');

  const client = new Client(pool, schema);
  const statements = statementsFor(schema);
  const granularityMs = maxEntries / 100;
  const cleanUp = [maxEntries, Math.min(280 / maxEntries, 1)];

  /** What an answer says about the log. */
  const learned = (position: string, changes: string | null): Exchange => {
    const exchange = exchangeOf(position, changes);
    client.known = Math.max(client.known, exchange.position);
    return exchange;
  };

  return shareable({
    name: 'postgres',

    async read(keys, since) {
      const rows = await client.ask<ReadRow>(statements.read, [
        keys.map(utf8),
        since ?? null,
        granularityMs,
        maxChanges,
      ]);
      const entries = new Array<StoredEntry | undefined>(keys.length).fill(undefined);
      let exchange: Exchange = { position: 0, changes: 'lost' };
      for (const row of rows) {
        if (row.place === '0') exchange = learned(row.at_position, row.labels);
        else entries[Number(row.place) - 1] = entryOf(row.labels, row.at_position, row.contents);
      }
      return { ...exchange, entries };
    },

    async write(entries) {
      if (entries.length === 0) return [];
      const [row] = await client.ask<{ kept: string }>(statements.write, [...columnsOf(entries), ...cleanUp]);
      return Array.from(row.kept, (digit) => digit === '1');
    },

    async invalidate({ keys, tags }, since, replacement) {
      const [row] = await client.ask<InvalidateRow>(statements.invalidate, [
        [...keys.map(keyLabel), ...tags.map(tagLabel)],
        keys.map(utf8),
        since ?? null,
        maxChanges,
        logSize,
        // A replacement gets its position there.
        ...columnsOf(replacement ? [{ ...replacement, position: 0 }] : []),
        ...cleanUp,
      ]);
      return learned(row.at_position, row.changes);
    },

    async lease(key, token, ttlMs) {
      const [row] = await client.ask<LeaseRow>(statements.lease, [utf8(key), utf8(token), Math.min(ttlMs, longestMs)]);
      const { position } = learned(row.at_position, null);
      const entry = row.entry_position === null ? undefined : entryOf(row.labels, row.entry_position, row.contents);
      return { granted: row.granted === 'true', position, entry };
    },

    async release(key, token) {
      await client.run(statements.release, [utf8(key), utf8(token)]);
    },

    async count(startedAt, { sums, maxima }, keepMs) {
      const summed = Object.entries(sums);
      const all = [...summed, ...Object.entries(maxima)];
      if (all.length === 0) return;
      await client.run(statements.count, [
        startedAt,
        Math.min(keepMs, longestMs),
        all.map((_, index) => index >= summed.length),
        all.map(([name]) => utf8(name)),
        all.map(([, value]) => value),
      ]);
    },

    async counts(from) {
      return countsOf(await client.run<CountRow>(statements.counts, [from]));
    },

    async size() {
      const [row] = await client.run<{ entries: string }>(statements.size, []);
      return { entries: Number(row?.entries), maxEntries };
    },
  });
}

/** @throws CacheError `option-invalid` */
function checkedSchema(name: unknown): string {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed() || name.includes('\0') || /^pg_/.test(name)) {
    throw new CacheError(
      'option-invalid',
      `schema: ${JSON.stringify(name)} cannot be the name of a schema. Give a text that does not begin with "pg_".`,
    );
  }
  // PostgreSQL would cut it off, and two caches might get the same one.
  if (Buffer.byteLength(name) > 63) {
    throw new CacheError('option-invalid', `schema: "${name}" is longer than 63 bytes. Give a shorter name.`);
  }
  return name;
}
