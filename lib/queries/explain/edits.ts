/** A change of a text: what stands from byte `start` to `end` of its UTF-8 becomes `text`. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Makes the changes, whose places are those of the text before any of them. Of two that overlap the first in the text counts. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text;
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, text: replacement } of inOrder(edits)) {
    if (start < at) continue;
    parts.push(bytes.toString('utf8', at, start), replacement);
    at = end;
  }
  return parts.join('') + bytes.toString('utf8', at);
}

/**
 * Where a place of the changed text was before the changes. A place inside of what was put in becomes the start of it.
 *
 * @param place a byte of the changed text
 */
export function placeBefore(edits: readonly Edit[], place: number): number {
  let shift = 0;
  for (const { start, end, text } of inOrder(edits)) {
    const length = Buffer.byteLength(text);
    if (place < start + shift) break;
    if (place < start + shift + length) return start;
    shift += length - (end - start);
  }
  return place - shift;
}

function inOrder(edits: readonly Edit[]): Edit[] {
  return edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
}
