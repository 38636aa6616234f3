import type { StoredEntry } from '../store.ts';
import { entryFormat, headBytes } from './parts.ts';

/**
 * An entry as Redis keeps it: the head, then each tag as it stands in the log, with its length before it in
 * two bytes, then the value. All numbers begin with the highest byte.
 */
export function encodeEntry({ bytes, tags, position }: StoredEntry): Buffer {
  const labels = tags.map((tag) => Buffer.from(`t${tag}`));
  const valueAt = labels.reduce((at, label) => at + 2 + label.length, headBytes);
  const entry = Buffer.allocUnsafe(valueAt + bytes.length);
  entry.writeUInt8(entryFormat, 0);
  entry.writeDoubleBE(position, 1);
  entry.writeUInt16BE(labels.length, 9);
  let at = headBytes;
  for (const label of labels) {
    at = entry.writeUInt16BE(label.length, at);
    at += label.copy(entry, at);
  }
  entry.set(bytes, valueAt);
  return entry;
}

/** Reads an entry, whose value is a view of it, not a copy. Undefined when there is none, or it is damaged. */
export function decodeEntry(entry: Buffer | null | undefined): StoredEntry | undefined {
  if (!entry || entry.length < headBytes) return undefined;
  const tags: string[] = [];
  let at = headBytes;
  for (let left = entry.readUInt16BE(9); left > 0; left--) {
    if (at + 2 > entry.length) return undefined;
    const end = at + 2 + entry.readUInt16BE(at);
    if (end > entry.length) return undefined;
    tags.push(entry.toString('utf8', at + 3, end));
    at = end;
  }
  return { bytes: entry.subarray(at), tags, position: entry.readDoubleBE(1) };
}
