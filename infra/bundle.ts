/**
 * Builds every Lambda function with esbuild: half a second for all of them, and the
 * tests run the very bytes that are deployed. Runs as part of synth, and by itself as `npm run build`.
 */
import { existsSync } from 'node:fs';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { type Bundle, bundleList, entries, isWaitedFor } from './entries.ts';
import { noJsonSchema, plainPostgres, unusedSchemas } from './lean.ts';

const root = resolve(import.meta.dirname, '..');

/** Where the bundles go unless another place is named; not kept in git. */
export const bundleDirectory = join(root, 'dist/functions');

/**
 * What a module reads at run time, and esbuild therefore cannot see: the parser its program, from its
 * own folder, and the configuration of the rules, from the working directory. Both are the bundle's folder.
 */
const companions = [
  {
    module: 'node_modules/libpg-query/wasm/libpg-query.js',
    file: 'node_modules/libpg-query/wasm/libpg-query.wasm',
    optional: false,
  },
  { module: 'lib/advice/configuration.ts', file: 'streamgate.config.json', optional: true },
] as const;

/**
 * What CommonJS modules (pg, libpg-query) expect to find, and an ES module does not have.
 * The names are esbuild's to keep: it renames nothing that it does not declare.
 */
const commonJs = [
  "import { createRequire as requireFrom } from 'node:module';",
  'const require = requireFrom(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join('');

/** How a function is built. */
export const bundling = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  minify: true,
  // Some libraries, those of AWS and of Redis, go by the names of their classes.
  keepNames: true,
  sourcemap: true,
  sourcesContent: false,
  banner: { js: commonJs },
  // pg tries to load it and goes on without.
  external: ['pg-native'],
  metafile: true,
  logLevel: 'error',
} as const satisfies BuildOptions;

/** The client of Redis, in a file of its own: who has no Redis need not even parse it. */
const redisClient = { module: 'lib/cache/redis/connect.ts', file: 'ioredis.mjs' };

const redisClientApart: Plugin = {
  name: 'redis client apart',
  setup({ onResolve }) {
    onResolve({ filter: /^ioredis$/ }, () => ({ path: `./${redisClient.file}`, external: true }));
  },
};

/**
 * How a function is built that somebody waits for. Its source map, which Lambda is told to use, has the file, the line and
 * most names of a stack; to keep all of them in the code is a call for each function, at each start.
 */
const leanBundling = {
  keepNames: false,
  plugins: [redisClientApart, plainPostgres, noJsonSchema, unusedSchemas],
} satisfies BuildOptions;

/**
 * Builds all functions into `<directory>/<entry>/index.mjs`, in place of what was there.
 *
 * @throws esbuild's BuildFailure, with the place in the source, when one does not build
 */
export async function bundle(directory = bundleDirectory): Promise<Bundle[]> {
  const outdir = resolve(directory);
  await rm(outdir, { recursive: true, force: true });
  const functions = (chosen: readonly string[], options: Pick<BuildOptions, 'keepNames' | 'plugins'>) =>
    build({
      ...bundling,
      ...options,
      metafile: true,
      entryPoints: Object.fromEntries(chosen.map((entry) => [`${entry}/index`, `functions/${entry}.ts`])),
      outdir,
      outExtension: { '.js': '.mjs' },
    });
  const [lean, others] = await Promise.all([
    functions(entries.filter(isWaitedFor), leanBundling),
    functions(
      entries.filter((entry) => !isWaitedFor(entry)),
      { plugins: [redisClientApart] },
    ),
    build({
      ...bundling,
      stdin: { contents: "export { Cluster, Redis } from 'ioredis';", resolveDir: root },
      outfile: join(outdir, redisClient.file),
      sourcemap: false,
    }),
  ]);
  const written = { ...lean.metafile.outputs, ...others.metafile.outputs };
  const outputs = new Map(Object.entries(written).map(([file, output]) => [resolve(root, file), output]));
  const bundles = await Promise.all(
    entries.map(async (entry): Promise<Bundle> => {
      const file = join(outdir, entry, 'index.mjs');
      const output = outputs.get(file);
      if (!output) throw new Error(`esbuild wrote no ${file}.`);
      const sources = Object.keys(output.inputs);
      const beside = (source: string) => copyFile(source, join(dirname(file), basename(source)));
      for (const { module, file: companion, optional } of companions) {
        if (!sources.includes(module) || (optional && !existsSync(join(root, companion)))) continue;
        await beside(join(root, companion));
      }
      if (sources.includes(redisClient.module)) await beside(join(outdir, redisClient.file));
      return { entry, directory: dirname(file), sizeBytes: output.bytes, sources };
    }),
  );
  const list = bundles.map((built) => ({ ...built, directory: relative(outdir, built.directory) }));
  await writeFile(join(outdir, bundleList), JSON.stringify(list));
  return bundles;
}

if (import.meta.main) {
  for (const { entry, sizeBytes } of await bundle())
    console.log(`${(sizeBytes / 1000).toFixed(0).padStart(6)} kB  ${entry}`);
}
