import type { Changes, Counts, Exchange, NewEntry, StoredEntry } from '../store.ts';

/** A row that `read` answers. */
export interface ReadRow {
  /** 0: what the log says. From 1: the entry of the key at that place. */
  place: string;
  /** Where the log ends, or the position of the entry. */
  at_position: string;
  /** The changes, or the tags of the entry. */
  labels: string | null;
  contents: string | null;
}

/** The row that `invalidate` answers. */
export interface InvalidateRow {
  at_position: string;
  changes: string | null;
}

/** The row that `lease` answers. */
export interface LeaseRow {
  granted: string;
  at_position: string;
  entry_position: string | null;
  labels: string | null;
  contents: string | null;
}

/** A row that `counts` answers. */
export interface CountRow {
  largest: string;
  name: string;
  value: string;
}

/** A hundred years: for ever would be out of the range of PostgreSQL's dates. */
export const longestMs = 100 * 365 * 86_400_000;

/** A text as its bytes. */
export function utf8(text: string): Buffer {
  return Buffer.from(text);
}

/** A key as it stands in the log. */
export function keyLabel(key: string): Buffer {
  return Buffer.from(`k${key}`);
}

/** A tag as it stands in the log. */
export function tagLabel(tag: string): Buffer {
  return Buffer.from(`t${tag}`);
}

/** Entries as parameters, column by column: see `entryColumns` in sql.ts. */
export function columnsOf(entries: readonly NewEntry[]): unknown[] {
  const tags = entries.map((entry) => entry.tags.map(tagLabel));
  const tagCounts = tags.map(({ length }) => length);
  const sizes = entries.map(({ bytes }) => bytes.length);
  return [
    entries.map(({ key }) => utf8(key)),
    entries.map(({ leaseToken }) => (leaseToken === undefined ? null : utf8(leaseToken))),
    entries.map(({ position }) => position),
    entries.map(({ ttlMs }) => Math.min(ttlMs, longestMs)),
    sumsBefore(sizes).map((before) => before + 1),
    sizes,
    sumsBefore(tagCounts).map((before) => before + 1),
    sumsBefore(tagCounts).map((before, index) => before + (tagCounts[index] ?? 0)),
    tags.flat(),
    // One parameter of bytes is sent as it is; in an array of them each would be sent in hexadecimal.
    Buffer.concat(entries.map(({ bytes }) => bytes)),
  ];
}

/** What an answer says about the log. */
export function exchangeOf(position: string, changes: string | null): Exchange {
  return { position: Number(position), changes: changes === null ? 'lost' : changesOf(changes) };
}

/** An entry, of its columns. */
export function entryOf(tags: string | null, position: string, contents: string | null): StoredEntry {
  return {
    bytes: Buffer.from(contents ?? '', 'base64'),
    tags: tags ? tags.split(',').map((label) => nameOf(label)) : [],
    position: Number(position),
  };
}

/** The counters, of their rows. */
export function countsOf(rows: readonly CountRow[]): Counts {
  const those = (largest: string) =>
    Object.fromEntries(
      rows
        .filter((row) => row.largest === largest)
        .map(({ name, value }) => [Buffer.from(name, 'hex').toString(), Number(value)]),
    );
  return { sums: those('false'), maxima: those('true') };
}

/** `<label in hexadecimal>:<position>`, separated by commas. */
function changesOf(text: string): Changes {
  const keys: Array<[string, number]> = [];
  const tags: Array<[string, number]> = [];
  for (const change of text === '' ? [] : text.split(',')) {
    const end = change.indexOf(':');
    const isKey = change.startsWith('6b');
    (isKey ? keys : tags).push([nameOf(change.slice(0, end)), Number(change.slice(end + 1))]);
  }
  return { keys, tags };
}

/** The key or tag of a label in hexadecimal. */
function nameOf(label: string): string {
  return Buffer.from(label, 'hex').toString('utf8', 1);
}

function sumsBefore(numbers: readonly number[]): number[] {
  let sum = 0;
  return numbers.map((number) => {
    const before = sum;
    sum += number;
    return before;
  });
}
