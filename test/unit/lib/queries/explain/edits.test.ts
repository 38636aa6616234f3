import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits, type Edit, placeBefore } from '../../../../../lib/queries/explain/edits.ts';

/** Texts with characters of one to four bytes, and edits at borders of characters that do not overlap. */
const edited = fc
  .array(fc.constantFrom('a', ' ', '$1', 'é', '漢', '😀'), { maxLength: 20 })
  .chain((pieces) =>
    fc.record({
      pieces: fc.constant(pieces),
      changes: fc.array(fc.option(fc.constantFrom('', 'x', 'ü', '(😀)'), { freq: 2 }), {
        minLength: pieces.length,
        maxLength: pieces.length,
      }),
      seed: fc.integer(),
    }),
  )
  .map(({ pieces, changes, seed }) => {
    let at = 0;
    const edits: Edit[] = [];
    for (const [i, piece] of pieces.entries()) {
      const end = at + Buffer.byteLength(piece);
      const text = changes[i];
      if (typeof text === 'string') edits.push({ start: at, end, text });
      at = end;
    }
    // The order of the edits does not matter.
    const shuffled = edits.map((edit, i) => ({ edit, key: Math.sin(seed + i) })).sort((a, b) => a.key - b.key);
    const expected = pieces.map((piece, i) => changes[i] ?? piece);
    return { text: pieces.join(''), pieces, expected, edits: shuffled.map(({ edit }) => edit) };
  });

describe('applyEdits', () => {
  it('changes what it is told to, and nothing else', () => {
    fc.assert(
      fc.property(edited, ({ text, edits, expected }) => {
        expect(applyEdits(text, edits)).toBe(expected.join(''));
      }),
    );
  });

  it('puts in what replaces nothing', () => {
    expect(applyEdits('ab', [{ start: 1, end: 1, text: 'é' }])).toBe('aéb');
    expect(applyEdits('', [{ start: 0, end: 0, text: 'x' }])).toBe('x');
  });

  it('takes the first of two that overlap', () => {
    const edits = [
      { start: 1, end: 3, text: 'X' },
      { start: 2, end: 4, text: 'Y' },
      { start: 4, end: 5, text: 'Z' },
    ];
    expect(applyEdits('abcde', edits)).toBe('aXdZ');
    expect(applyEdits('abcde', edits.toReversed())).toBe('aXdZ');
  });
});

describe('placeBefore', () => {
  it('finds what was not changed where it was', () => {
    fc.assert(
      fc.property(edited, ({ pieces, expected, edits }) => {
        const changed = new Set(edits.map(({ start }) => start));
        let before = 0;
        let after = 0;
        for (const [i, piece] of pieces.entries()) {
          if (!changed.has(before)) expect(placeBefore(edits, after)).toBe(before);
          before += Buffer.byteLength(piece);
          after += Buffer.byteLength(expected[i] ?? '');
        }
        expect(placeBefore(edits, after)).toBe(before);
      }),
    );
  });

  it('takes what is inside of a change for the beginning of it', () => {
    const edits = [{ start: 2, end: 4, text: 'wxyz' }];
    expect([2, 3, 4, 5, 6, 7].map((place) => placeBefore(edits, place))).toEqual([2, 2, 2, 2, 4, 5]);
  });
});
