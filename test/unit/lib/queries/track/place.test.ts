import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { placeAbove, placeIn } from '../../../../../lib/queries/track/place.ts';

describe('the place of a call', () => {
  test('is where the function was called that is asked about', () => {
    const asked = () => placeAbove(asked);
    expect(asked()).toMatch(/^test[\\/]unit[\\/]lib[\\/]queries[\\/]track[\\/]place\.test\.ts:\d+:\d+$/);
  });

  test('leaves the depth of stacks as it was', () => {
    const before = Error.stackTraceLimit;
    placeAbove(placeAbove);
    expect(Error.stackTraceLimit).toBe(before);
  });

  test('is not known where a program writes stacks in another way', () => {
    const { prepareStackTrace } = Error;
    try {
      Error.prepareStackTrace = () => [];
      expect(placeAbove(placeAbove)).toBeNull();
      Error.prepareStackTrace = () => {
        throw new Error('broken');
      };
      expect(placeAbove(placeAbove)).toBeNull();
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
  });
});

describe('in a stack', () => {
  const here = join(process.cwd(), 'src', 'orders.ts');

  test.each([
    [`    at list (${here}:3:5)`, join('src', 'orders.ts:3:5')],
    [`    at async list (file://${here}:3:5)`, join('src', 'orders.ts:3:5')],
    [`    at ${here}:3:5`, join('src', 'orders.ts:3:5')],
    [`    at new Orders (${here}:3:5)`, join('src', 'orders.ts:3:5')],
    ['    at Object.<anonymous> (/elsewhere/a b (1).js:1:2)', '/elsewhere/a b (1).js:1:2'],
  ])('%s', (line, place) => {
    expect(placeIn(`Error\n${line}`)).toBe(place);
  });

  test('packages and Node.js itself are passed over', () => {
    const stack = `Error: with a message\n    at a (node:internal/x:1:1)\n    at b (/app/node_modules/orm/index.js:1:1)\n    at eval (eval at c (x.js:1:1), <anonymous>:1:1)\n    at d (${here}:7:1)`;
    expect(placeIn(stack)).toBe(join('src', 'orders.ts:7:1'));
    expect(placeIn('Error')).toBeNull();
    expect(placeIn('')).toBeNull();
  });
});
