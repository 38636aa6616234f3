import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const names = Object.keys(exports).filter((name) => name !== './package.json');

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

describe('streamgate/queries in an application', () => {
  let application: string;

  beforeAll(async () => {
    application = await mkdtemp(join(tmpdir(), 'streamgate-application-'));
    const modules = join(application, 'node_modules');
    await mkdir(join(modules, '@types'), { recursive: true });
    await symlink(root, join(modules, 'streamgate'));
    for (const name of ['@types/pg', '@types/node', 'pg'])
      await symlink(join(root, 'node_modules', name), join(modules, name));
    await writeFile(join(application, 'package.json'), '{ "type": "module" }');
  });

  afterAll(() => rm(application, { recursive: true, force: true }));

  test('has types that fit pg, and tell what is wrong', async () => {
    await writeFile(
      join(application, 'typed.ts'),
      `import pg from 'pg';
      import { emf, queryScope, trackQueries, type RepeatedStatement, type TrackedStatement } from 'streamgate/queries';
      const found: RepeatedStatement[] = [];
      const tracker = trackQueries(new pg.Pool(), { onRepeated: (one) => found.push(one), onScope: emf() });
      trackQueries(new pg.Client());
      queryScope(tracker).before({ context: {}, internal: {} });
      export const statistics: Promise<TrackedStatement[]> = tracker.stats();
      export const text: Promise<string> = tracker.run(async () => 'answer');
      export const p95: number | null = tracker.connections().p95Ms;
      // @ts-expect-error
      trackQueries(new pg.Pool(), { slow: 5 });
      // @ts-expect-error
      trackQueries('postgres://');
      // @ts-expect-error
      export const number: number = tracker.run(() => 'text');`,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(
      process.execPath,
      [compiler, '--ignoreConfig', ...options, '--lib', 'es2022,esnext.disposable', 'typed.ts'],
      { cwd: application },
    ).catch((error) => error);
    expect(stdout).toBe('');
  });

  test('brings in nothing but itself, is small, and does without the parser', async () => {
    await writeFile(
      join(application, 'handler.js'),
      `import { EventEmitter } from 'node:events';
      import { trackQueries } from 'streamgate/queries';
      const client = Object.assign(new EventEmitter(), { connect() {}, query: async () => ({ rowCount: 3 }) });
      const tracker = trackQueries(client);
      await client.query('select 1');
      console.log(JSON.stringify(await tracker.stats()));`,
    );
    const outfile = join(application, 'bundle.mjs');
    const { metafile } = await build({
      absWorkingDir: application,
      entryPoints: ['handler.js'],
      outfile,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      external: ['libpg-query'],
      metafile: true,
    });
    const [output] = Object.values(metafile.outputs);
    const packages = output?.imports.filter(({ path }) => !path.startsWith('node:'));
    expect(packages).toEqual([{ path: 'libpg-query', kind: 'dynamic-import', external: true }]);
    expect(output?.bytes).toBeLessThan(25_000);
    const { stdout } = await run(process.execPath, [outfile]);
    expect(JSON.parse(stdout)).toMatchObject([{ query: 'select $1', fingerprint: null, calls: 1, rows: 3 }]);
  });
});
