/**
 * Builds what other projects import, such as `streamgate/cache`, into dist/library: JavaScript that any Node.js from 20 on
 * runs, with its types. Runs after `npm ci` and before the package is packed.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const outdir = join(root, 'dist/library');

/** Each is an export of its own in package.json, so that nobody pays for a client that he does not use. */
const entries = [
  ...['index', 'redis', 'postgres', 'cloudfront', 'shared/level', 'contract', 'http', 'emf'].map(
    (name) => `lib/cache/${name}.ts`,
  ),
  'lib/queries/track.ts',
  'lib/resources/monitor.ts',
];

rmSync(outdir, { recursive: true, force: true });
buildSync({
  absWorkingDir: root,
  entryPoints: entries,
  outbase: 'lib',
  outdir,
  bundle: true,
  // What two entries share they load once: a CacheError is the same class wherever it comes from.
  splitting: true,
  chunkNames: 'chunks/[hash]',
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
});
// A construct for CDK apps, in one file. The functions that it deploys lie in dist/functions.
buildSync({
  absWorkingDir: root,
  entryPoints: ['infra/index.ts'],
  outdir: join(outdir, 'infra'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
});

/** Writes the types of some files and of what they import. @returns the exit code */
function declare(files: readonly string[], rootDir: string, to: string): number {
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...['--ignoreConfig', '--noCheck', '--declaration', '--emitDeclarationOnly', '--allowImportingTsExtensions'],
      ...['--rewriteRelativeImportExtensions', '--rootDir', rootDir, '--outDir', to],
      ...['--module', 'nodenext', '--target', 'es2024', '--lib', 'es2025,esnext.disposable'],
      ...['--types', 'node', '--strict'],
      ...files,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  return status ?? 1;
}

process.exitCode = declare(entries, 'lib', outdir) || declare(['infra/index.ts'], '.', join(outdir, 'types'));
