/** What a cache adds to the bundle of a function, and how long Node.js takes to import it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { digits, limitGoal, type Sample, type Section, sampleOf, shuffled } from './measure.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** Each bundle is imported so often. */
const imports = 21;

const core = "export * from './lib/cache/index.ts';";
const adapter = "export * from './lib/cache/redis.ts';";
const dedupe = "export { createCache } from 'async-cache-dedupe';";
const bento =
  "export { BentoCache, bentostore } from 'bentocache'; export { memoryDriver } from 'bentocache/drivers/memory';";
const redis = "export { Redis } from 'ioredis';";

/** What a function writes to use a cache. */
const sources = {
  ours: core,
  'lru-cache': "export { LRUCache } from 'lru-cache';",
  'async-cache-dedupe': dedupe,
  bentocache: bento,
  'cache-manager': "export { createCache } from 'cache-manager';",
  cacheable: "export { Cacheable } from 'cacheable';",
  'ours, with the adapter for Redis': `${core} ${adapter}`,
  'ours, with Redis': `${core} ${adapter} ${redis}`,
  'async-cache-dedupe, with Redis': `${dedupe} ${redis}`,
  'bentocache, with Redis': `${bento} export * from 'bentocache/drivers/redis';`,
} as const;

/** What CommonJS modules expect to find. */
const commonJs = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Prints how long the import of a module takes, in milliseconds. */
const stopwatch =
  'const started = performance.now(); await import(process.argv[2]); console.log(performance.now() - started);';

interface Bundle {
  name: string;
  code: Uint8Array;
  /** The files that are in it, from the root of the repository. */
  inputs: string[];
}

export async function size(): Promise<Section> {
  const bundles = await Promise.all(Object.entries(sources).map(([name, source]) => bundleOf(name, source)));
  const times = await importTimesOf(bundles);
  const [own] = bundles as [Bundle];
  const foreign = own.inputs.filter((file) => !file.startsWith('lib/cache/'));
  const timeOf = (name: string) => times.get(name) ?? sampleOf([]);
  return {
    title: 'Size and import',
    method: `Bundled and minified by esbuild for Node.js. Import: milliseconds in a fresh process, ${imports} times, less those of an empty module. Ours is lib/cache/index.ts and all that it needs, ${own.inputs.length} files; what a second level needs comes with its adapter. With Redis, ioredis is in it.`,
    head: ['', 'bytes', 'gzip', 'import, ms', 'spread'],
    rows: bundles.map(({ name, code }) => [
      name,
      code.length.toLocaleString('en'),
      gzipSync(code).length.toLocaleString('en'),
      digits(timeOf(name).median),
      `${digits(timeOf(name).min)}–${digits(timeOf(name).max)}`,
    ]),
    goals: [
      limitGoal('ours under 15 KB (15,360 bytes)', 15_360, own.code.length, ' bytes'),
      limitGoal('ours imported in under 5 ms', 5, timeOf(own.name).median, ' ms'),
      limitGoal('files in ours that are not in lib/cache: 0', 0, foreign.length, ` ${foreign.join(', ')}`.trimEnd()),
    ],
  };
}

async function bundleOf(name: string, contents: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
    external: name.endsWith('with Redis') ? [] : ['ioredis'],
    ...(name === 'ours' ? {} : { banner: { js: commonJs } }),
  });
  const inputs = Object.keys(metafile.inputs).filter((file) => file !== '<stdin>');
  return { name, code: outputFiles[0]?.contents ?? new Uint8Array(), inputs };
}

/** How long each takes to import beyond an empty module, in shuffled rounds. */
async function importTimesOf(bundles: readonly Bundle[]): Promise<Map<string, Sample>> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-import-'));
  const empty: Bundle = { name: '', code: new Uint8Array(), inputs: [] };
  const all = [empty, ...bundles].map((bundle, at) => ({
    ...bundle,
    file: `${directory}/${at}.mjs`,
    ms: [] as number[],
  }));
  try {
    await writeFile(`${directory}/stopwatch.mjs`, stopwatch);
    for (const { file, code } of all) await writeFile(file, code);
    for (let round = 0; round < imports; round++) {
      for (const { file, ms } of shuffled(all)) {
        ms.push(Number((await run(process.execPath, [`${directory}/stopwatch.mjs`, file])).stdout));
      }
    }
  } finally {
    await rm(directory, { recursive: true });
  }
  const base = sampleOf(all[0]?.ms ?? []).median;
  return new Map(all.map(({ name, ms }) => [name, sampleOf(ms.map((one) => one - base))]));
}
