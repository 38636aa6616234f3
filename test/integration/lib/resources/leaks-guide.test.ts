import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/guides/leaks.md'), 'utf8');

/** Keeps an object of a class, and leaves a timer, in each invocation. */
const handler = `class Order { lines = [1, 2]; }
const orders = [];
export async function handler() {
  orders.push(new Order());
  setInterval(() => {}, 1_000_000);
  await new Promise(setImmediate);
}
`;

describe('the programs of docs/guides/leaks.md', () => {
  const directory = mkdtempSync(join(tmpdir(), 'streamgate-leaks-'));
  const node = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8', env: {} }).split('\n');

  beforeAll(() => {
    writeFileSync(join(directory, 'handler.mjs'), handler);
    for (const [, name = '', text = ''] of page.matchAll(/^```js\n\/\/ (\w+\.mjs)\n(.*?)^```$/gms)) {
      writeFileSync(join(directory, name), text);
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('finds the objects that a handler keeps, by two snapshots', () => {
    node('run.mjs');
    expect(node('grown.mjs', 'after-200.heapsnapshot', 'after-1000.heapsnapshot')).toContain('+800 object Order');
  }, 60_000);

  test('finds the line that makes the timers', () => {
    const [most = ''] = node('--import', './open.mjs', 'run.mjs');
    expect(most).toMatch(/^1000 Timeout at handler .*handler\.mjs:5:3/);
  }, 60_000);
});
