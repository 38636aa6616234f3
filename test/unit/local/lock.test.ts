import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDirectory } from '../../../local/lock.ts';

let directory: string;
const file = () => join(directory, 'lock');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamgate-lock-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('a lock is taken in a directory that is made for it, and given back', () => {
  const release = lockDirectory(join(directory, 'deeper'));
  expect(readFileSync(join(directory, 'deeper/lock'), 'utf8')).toBe(String(process.pid));
  release();
  expect(() => readFileSync(join(directory, 'deeper/lock'))).toThrow('ENOENT');
});

test.each(['', 'nonsense', '0', '-1', '4194305'])('a lock that holds %j is nobody’s and is taken over', (content) => {
  writeFileSync(file(), content);
  lockDirectory(directory);
  expect(readFileSync(file(), 'utf8')).toBe(String(process.pid));
});

test.runIf(process.platform === 'linux')('a number that belongs to another program by now is nobody’s', async () => {
  const other = spawn('sleep', ['60']);
  await once(other, 'spawn');
  writeFileSync(file(), String(other.pid));
  lockDirectory(directory);
  other.kill();
});

test.runIf(process.platform === 'linux')('a StreamGate that runs keeps its directory', async () => {
  const other = spawn('sh', ['-c', 'sleep 60', 'cli/main.ts', 'start'], { detached: true });
  await once(other, 'spawn');
  writeFileSync(file(), String(other.pid));
  expect(() => lockDirectory(directory)).toThrow(`already runs here (process ${other.pid})`);
  process.kill(-Number(other.pid));
});
