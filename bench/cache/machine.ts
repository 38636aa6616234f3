import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

const packages = [
  'bentocache',
  'cacheable',
  'cache-manager',
  'async-cache-dedupe',
  'lru-cache',
  'ioredis',
  'esbuild',
] as const;

/** When, on what, and with which Node.js it was measured. */
export function machine(): string {
  const { model = 'unknown processor' } = cpus()[0] ?? {};
  return [
    `- **Date**: ${new Date().toISOString().slice(0, 10)}`,
    `- **Machine**: ${cpus().length} cores of ${model}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}; load before it began: ${loadavg()[0]?.toFixed(1)}`,
    `- **Node.js**: ${process.version}`,
  ].join('\n');
}

/** The same, with what the cache is measured with and beside. */
export function surroundings(redis: string | undefined): string {
  const versions = packages.map((name) => `${name} ${versionOf(name)}`).join(', ');
  return [
    machine(),
    `- **Redis**: ${redis ?? 'none on the PATH'}, on the same machine`,
    `- **Packages**: ${versions}`,
  ].join('\n');
}

function versionOf(name: string): string {
  const manifest = join(import.meta.dirname, '../../node_modules', name, 'package.json');
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}
