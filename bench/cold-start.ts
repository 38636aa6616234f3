/**
 * What a cold start of each function reads and how long its import takes, in new processes of Node.js 24 on this machine.
 * Lambda's own start, the network and the first connection come on top.
 * `node cli/launch.mjs --run bench/cold-start.ts [rounds]`
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { bundle } from '../infra/bundle.ts';

const run = promisify(execFile);
const rounds = Number(process.argv[2] ?? 15);

/** What an import took. On a machine that has other things to do the processor's time is the better figure. */
interface Times {
  wallMs: number;
  cpuMs: number;
}

/** What an endpoint should keep to. */
const target = { bytes: 300_000, ms: 60 };

const directory = mkdtempSync(join(tmpdir(), 'streamgate-cold-'));
try {
  const bundles = await bundle(directory);
  const times = new Map(bundles.map(({ entry }) => [entry, [] as Times[]]));
  // Round by round, so that what else the machine does falls on all of them.
  for (let round = 0; round < rounds; round++)
    for (const { entry, directory: folder } of bundles) times.get(entry)?.push(await importTimes(folder));
  console.log(
    `      kB   wall ms   processor ms   (medians of ${rounds} processes; an endpoint's target: ${target.bytes / 1_000} kB, ${target.ms} ms)`,
  );
  for (const { entry, sizeBytes } of bundles) {
    const of = (figure: keyof Times) => median((times.get(entry) ?? []).map((each) => each[figure]));
    const figures = [sizeBytes / 1_000, of('wallMs'), of('cpuMs')].map((figure) => figure.toFixed(0).padStart(8));
    console.log(`${figures.join('  ')}   ${entry}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function importTimes(folder: string): Promise<Times> {
  const file = JSON.stringify(pathToFileURL(join(folder, 'index.mjs')).href);
  const script = `const before = performance.now(); const cpu = process.cpuUsage(); await import(${file}); const { user, system } = process.cpuUsage(cpu); process.stdout.write(JSON.stringify([performance.now() - before, (user + system) / 1000]), () => process.exit());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder });
  const [wallMs = 0, cpuMs = 0] = JSON.parse(stdout) as number[];
  return { wallMs, cpuMs };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
