import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { bundling } from '../../../infra/bundle.ts';
import { noJsonSchema, plainPostgres, unusedSchemas } from '../../../infra/lean.ts';

/** Builds a module, and imports it. */
async function built(contents: string, plugin: Plugin) {
  const directory = await mkdtemp(join(tmpdir(), 'streamgate-lean-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await symlink(join(import.meta.dirname, '../../../node_modules'), join(directory, 'node_modules'));
  await mkdir(join(directory, 'lib'));
  await writeFile(join(directory, 'lib/it.ts'), contents);
  const outfile = join(directory, 'it.mjs');
  const { outputFiles } = await build({
    ...bundling,
    absWorkingDir: directory,
    sourcemap: false,
    entryPoints: ['lib/it.ts'],
    outfile,
    write: false,
    plugins: [plugin],
  });
  const text = outputFiles[0]?.text ?? '';
  await writeFile(outfile, text);
  return { text, exports: await import(/* @vite-ignore */ pathToFileURL(outfile).href) };
}

test('pg has no native implementation, says so as it would without the module, and asks no file for a password', async () => {
  const { text, exports } = await built("export { default as pg } from 'pg';", plainPostgres);
  expect(exports.pg.native).toBeNull();
  expect(text).not.toContain('pgpass.conf');
  const client = new exports.pg.Client({ connectionString: 'postgres://u@127.0.0.1/d' });
  await new Promise<void>((resolve) => client._getPassword(resolve));
  expect(client.password).toBeNull();
});

test('schemas check as ever, and describe themselves to nobody', async () => {
  const contents = `import * as z from 'zod';
    const Row = z.strictObject({ at: z.iso.datetime(), size: z.string().regex(/^\\d+$/).transform(Number).pipe(z.number().max(9)).default(3).describe('d') });
    export const check = (value) => Row.safeParse(value);
    export const describe = () => z.toJSONSchema(Row);
    export const describeItself = () => Row.toJSONSchema();`;
  const { exports } = await built(contents, noJsonSchema);
  expect(exports.check({ at: '2026-01-31T12:00:00Z' }).data).toEqual({ at: '2026-01-31T12:00:00Z', size: 3 });
  expect(exports.check({ at: 'x', size: '12', more: 1 }).error.issues).toHaveLength(3);
  expect(exports.describe).toThrow('JSON Schema is not in this bundle.');
  expect(exports.describeItself).toThrow('JSON Schema is not in this bundle.');
});

test('a schema that nothing refers to is not there, whatever it is made of; all others are', async () => {
  const contents = `import * as z from 'zod';
    const Unused = z
      .strictObject({ unusedKey: z.array(z.string().min(1)).optional(), more: z.lazy(() => Unused) })
      .meta({ id: 'Unused' });
    function listOf(row) { return z.strictObject({ data: z.array(row) }); }
    const AlsoUnused = Unused.extend({ unusedExtension: z.string() });
    const routeOfUnused = { path: '/unusedPath', response: listOf(Unused), more: Unused.optional() };
    const Part = z.object({ usedKey: z.enum(['a', 'b']).default('a') });
    const route = { path: '/usedPath', response: listOf(Part) };
    let made = 0;
    const count = () => ++made;
    count();
    export const check = (value) => route.response.parse(value);
    export const counted = () => made;`;
  const { text, exports } = await built(contents, unusedSchemas);
  expect(text).not.toMatch(/unusedKey|unusedExtension|unusedPath/);
  expect(exports.check({ data: [{}] })).toEqual({ data: [{ usedKey: 'a' }] });
  // What is no schema keeps its effects.
  expect(exports.counted()).toBe(1);
});
