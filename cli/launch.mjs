#!/usr/bin/env node
/**
 * Starts StreamGate's TypeScript in a checkout, whatever Node.js (20 or newer) the machine has:
 * installs the dependencies when they are missing, then hands over to the Node.js that
 * package.json pins, which is the one that Lambda runs and which needs no build step.
 *
 *   launch.mjs audit postgres://…      the command line, cli/main.ts
 *   launch.mjs --run vitest run        an installed tool
 *   launch.mjs --run test/versions.ts  a script of ours
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

// npm writes this file last, so an install that was interrupted is done again.
if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
  process.stderr.write('Installing dependencies (npm ci), once …\n');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    // Standard output belongs to the command: `audit --format json` prints JSON there and nothing else.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    process.stderr.write('npm ci failed: see its message above. StreamGate cannot start without its dependencies.\n');
    process.exit(2);
  }
}

const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const words = process.argv.slice(2);
const args =
  words[0] === '--run' ? [program(words[1] ?? ''), ...words.slice(2)] : [join(root, 'cli/main.ts'), ...words];

const child = spawn(node, args, {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm may be ended by a signal that it hands on to nobody: a lost parent means the same.
const parent = process.ppid;
if (process.env.npm_lifecycle_event) setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 250).unref();
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));

/** The file behind a tool's name (the `bin` of the installed package), or a script of this repository. */
function program(name) {
  if (name.endsWith('.ts')) return join(root, name);
  const manifest = join(root, 'node_modules', name, 'package.json');
  const { bin } = createRequire(import.meta.url)(manifest);
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[name]);
}
