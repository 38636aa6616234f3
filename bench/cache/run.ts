/**
 * Measures the cache beside its peers and prints what comes out as Markdown. Takes four minutes.
 *
 *   npm run bench:cache                prints it
 *   npm run bench:cache -- --write     also puts it into docs/benchmarks.md
 *   npm run bench:cache -- thaw size   only some of the files, or of the sections; writes nothing
 *
 * A goal that is not met is no error: a bench tells, it does not judge.
 */
import { writeReport } from '../report.ts';
import { startChild } from './children.ts';
import { surroundings } from './machine.ts';
import { markdownOf, type Section } from './measure.ts';
import { withRedis } from './redis-server.ts';

/** The sections: in which file, by which name, and whether there must be a Redis. */
const sections = [
  { file: 'throughput.ts', name: 'memory', needsRedis: false },
  { file: 'throughput.ts', name: 'loading', needsRedis: false },
  { file: 'throughput.ts', name: 'redisOneByOne', needsRedis: true },
  { file: 'throughput.ts', name: 'redisManyAtOnce', needsRedis: true },
  { file: 'outage.ts', name: 'outage', needsRedis: true },
  { file: 'thaw.ts', name: 'thaw', needsRedis: true },
  { file: 'stampede.ts', name: 'acrossProcesses', needsRedis: true },
  { file: 'stampede.ts', name: 'failingLoader', needsRedis: false },
  { file: 'simulation.ts', name: 'simulation', needsRedis: false },
  { file: 'size.ts', name: 'size', needsRedis: false },
] as const;

/** A section that takes longer than this is given up, in milliseconds. */
const capMs = 180_000;

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isWriting = process.argv.includes('--write') && wanted.length === 0;

const redis = await withRedis(async ({ version }) => version).catch(() => undefined);
const parts = [`## Cache\n\n${surroundings(redis)}`];
for (const { file, name, needsRedis } of sections) {
  if (wanted.length > 0 && !wanted.some((word) => file.startsWith(word) || name === word)) continue;
  process.stderr.write(`${file} ${name} …\n`);
  const part =
    needsRedis && !redis
      ? `### ${name}\n\nSkipped: there is no redis-server or valkey-server on the PATH.`
      : await measured(file, name);
  parts.push(part);
  console.log(parts.length === 2 ? parts.join('\n\n') : `\n${part}`);
}
if (isWriting) await writeReport('bench:cache', parts.join('\n\n'));

/** A section in Markdown, measured in a process of its own. */
async function measured(file: string, name: string): Promise<string> {
  const child = startChild('section.ts', [file, name], ['--expose-gc']);
  const cap = setTimeout(() => child.process.kill('SIGTERM'), capMs);
  try {
    return markdownOf(await child.hear<Section>());
  } catch (error) {
    return `### ${name}\n\nNot measured: ${(error as Error).message}`;
  } finally {
    clearTimeout(cap);
  }
}
