import { StreamGateError } from '../errors.ts';
import { sqlState } from './errors.ts';
import type { Note } from './server.ts';

/** What is read of a database part by part, doing without what cannot be read. */
export interface Attempts {
  /** One for each part that was not read, in their order. */
  readonly notes: readonly Note[];
  /**
   * Reads a part.
   *
   * @param what what it is, as the subject of a sentence: `The open transactions`
   * @param rules the rules whose silence means nothing without it
   * @param without what stands for it when a lock, a permission, the time or the connection keeps it from being read
   * @throws what else `read` throws
   */
  attempt<Part>(what: string, rules: readonly string[], read: () => Promise<Part>, without: Part): Promise<Part>;
}

/**
 * Begins to read.
 *
 * @param domain what the codes of the notes begin with: `queries`
 * @param totalMs once so many milliseconds are over nothing more is read; default: no limit
 */
export function beginAttempts(domain: string, totalMs = Number.POSITIVE_INFINITY): Attempts {
  const deadline = Date.now() + totalMs;
  const notes: Note[] = [];
  const note = (code: string, rules: readonly string[], message: string) =>
    notes.push({ code: `${domain}-${code}`, rules: [...rules], message });
  return {
    notes,
    async attempt(what, rules, read, without) {
      try {
        if (Date.now() < deadline) return await read();
        note(
          'out-of-time',
          rules,
          `${what} were not read: the audit's time of ${totalMs / 1_000} s was up. The next audit tries again.`,
        );
      } catch (error) {
        const [code, reason] = whyUnread(error) ?? [];
        if (code === undefined) throw error;
        note(code, rules, `${what} were not read: ${reason}`);
      }
      return without;
    },
  };
}

/** Undefined for an error that is not about one part alone. */
function whyUnread(error: unknown): [code: string, reason: string] | undefined {
  switch (sqlState(error)) {
    case '55P03':
      return ['locked', 'somebody holds a lock on them or on a catalog, and StreamGate does not wait.'];
    case '57014':
      return ['timeout', 'the server took longer than the statement timeout.'];
    case '42501':
      return ['permission', 'the role may not. GRANT pg_monitor, pg_read_all_data.'];
  }
  return isLost(error)
    ? ['connection-lost', 'the connection was lost, or the server answered no more. The next audit tries again.']
    : undefined;
}

/** Whether the connection is of no more use: what was read over it before is as true as ever. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof StreamGateError &&
    (error.code === 'database-unreachable' || (error.code === 'database-timeout' && sqlState(error) === undefined))
  );
}
