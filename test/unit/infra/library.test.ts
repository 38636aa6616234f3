import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const names = Object.keys(exports).filter((name) => name.startsWith('./cache'));

test.each(names)('streamgate%s is built, and can be imported by its name', async (name) => {
  const script = `console.log(Object.keys(await import(${JSON.stringify(join('streamgate', name))})).length)`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root });
  expect(Number(stdout)).toBeGreaterThan(0);
  expect(readFileSync(join(root, exports[name].types), 'utf8')).toContain('export');
});

test('an error is of the same class wherever it comes from', async () => {
  const script = `
    import { CacheError } from 'streamgate/cache';
    import { redisStore } from 'streamgate/cache/redis';
    try { redisStore({}) } catch (error) { console.log(error instanceof CacheError, error.code) }`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root });
  expect(stdout).toBe('true option-invalid\n');
});
