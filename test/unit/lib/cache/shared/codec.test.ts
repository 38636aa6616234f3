import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../../../../lib/cache/shared/codec.ts';

const times = { freshUntil: 1_000, staleUntil: 2_000, loadMs: 1.5 };

function roundTrip(value: unknown, compressAbove = 2_048): unknown {
  return decode(encode({ value, ...times }, compressAbove))?.value;
}

const { tree } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', '__proto__', ''),
    fc.double(),
    fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, undefined, null, true, false),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.uint8Array(),
    fc.float64Array(),
    fc.int16Array(),
    fc.bigInt64Array(),
    fc.sparseArray(fc.integer()),
    fc.constantFrom(/a+/gi),
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('tree'), { maxLength: 3 }).map((items) => new Set(items)),
  ),
}));

/** JSON has no -0. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('round trip', () => {
  test('whatever can be cloned comes back as it was, compressed or not', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(0, 16, 2_048, Number.POSITIVE_INFINITY), (value, compressAbove) => {
        expect(roundTrip(value, compressAbove)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test('as JSON, too', () => {
    fc.assert(
      fc.property(fc.jsonValue().map(withoutNegativeZero), (value) => {
        const bytes = encode({ value, ...times }, Number.POSITIVE_INFINITY);
        expect(decode(bytes)?.value).toStrictEqual(value);
        expect(bytes[1]).toBe(Object.is(value, -0) || JSON.stringify(value)?.includes('-0') ? bytes[1] : 0);
      }),
    );
  });

  test('cycles, shared parts, and what is nested very deep', () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle.self = cycle;
    const back = roundTrip(cycle) as typeof cycle;
    expect(back.self).toBe(back);
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 500; depth++) deep = { deep };
    expect(roundTrip(deep)).toEqual(deep);
  });

  test('properties that JSON would leave out or change', () => {
    const dated = { at: new Date(5), toJSON: undefined };
    expect(roundTrip(dated)).toEqual(dated);
    const named = Object.assign([1, 2], { name: 'x' });
    expect(roundTrip(named)).toEqual(named);
  });

  test('a value in which one part stands in many places is written in no time', () => {
    let shared: unknown = 'leaf';
    for (let depth = 0; depth < 22; depth++) shared = [shared, shared];
    // The structured clone writes each part once: 22 levels in less than a kilobyte, where JSON takes 29 megabytes.
    expect(serialize(shared).length).toBeLessThan(1_000);
    expect(encode({ value: shared, ...times }, Number.POSITIVE_INFINITY).length).toBeLessThan(100_000);
  });

  test('buffers do not hold on to the whole answer that they came in', () => {
    const answer = Buffer.concat([
      encode({ value: { part: Buffer.from('part') }, ...times }, 10_000),
      Buffer.alloc(1e6),
    ]);
    const bytes = new Uint8Array(answer.buffer, answer.byteOffset, answer.length - 1e6);
    const part = (decode(bytes)?.value as { part: Buffer } | undefined)?.part as Buffer;
    expect(part.toString()).toBe('part');
    expect(part.buffer.byteLength).toBeLessThan(100_000);
  });

  test('times', () => {
    fc.assert(
      fc.property(
        fc.nat(1e15),
        fc.nat(1e12),
        fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }),
        (at, more, loadMs) => {
          const encoded = { value: 1, freshUntil: at, staleUntil: at + more, loadMs };
          expect(decode(encode(encoded, 0))).toEqual(encoded);
        },
      ),
    );
  });

  test('what cannot be cloned is refused', () => {
    for (const value of [() => 1, Symbol('a'), { f() {} }, [new WeakMap()], Promise.resolve()]) {
      expect(() => encode({ value, ...times }, 0)).toThrow(expect.objectContaining({ code: 'value-invalid' }));
    }
  });
});

describe('garbage', () => {
  test('is undefined or a value, never an error', () => {
    const header = (flags: number) => {
      const bytes = encode({ value: undefined, ...times }, 0);
      bytes[1] = flags;
      return bytes;
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(255), fc.boolean(), (body, flags, hasHeader) => {
        const bytes = hasHeader ? Buffer.concat([header(flags), body]) : body;
        expect(() => decode(bytes)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });

  test('also one that differs in a byte from what was written', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(255), fc.boolean(), (value, at, byte, isCompressed) => {
        const bytes = encode({ value, ...times }, isCompressed ? 0 : 10_000);
        bytes[at % bytes.length] = byte;
        const found = decode(bytes);
        if (found) expect(found.freshUntil <= found.staleUntil && found.loadMs >= 0).toBe(true);
        decode(bytes.subarray(0, at % bytes.length));
      }),
      { numRuns: 1_000 },
    );
  });

  test('a load that took for ever is garbage: it would be refreshed at no time at all', () => {
    const bytes = encode({ value: 1, ...times }, 0);
    bytes.writeFloatLE(Number.POSITIVE_INFINITY, 18);
    expect(decode(bytes)).toBe(undefined);
  });
});

test('V8 keeps the promises that this relies on', () => {
  const holes = [1];
  holes[5] = 6;
  expect(deserialize(serialize(holes))).toStrictEqual(holes);
});
