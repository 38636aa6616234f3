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
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

while (!isInstalled()) install();

const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const words = process.argv.slice(2);
const args =
  words[0] === '--run' ? [program(words[1] ?? ''), ...words.slice(2)] : [join(root, 'cli/main.ts'), ...words];

const child = spawn(node, args, {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` },
});
let toldAt = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // The same Ctrl-C may arrive twice, from the terminal and from npm; one that comes later is meant.
    const again = toldAt > 0 && Date.now() - toldAt > 1_000;
    toldAt ||= Date.now();
    child.kill(again ? 'SIGKILL' : signal);
  });
}
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

/** npm writes this file last, so an install that was interrupted is done again. */
function isInstalled() {
  return existsSync(join(root, 'node_modules', '.package-lock.json'));
}

/** Installs the dependencies, or waits a moment for whoever does: two installs at once destroy each other's work. */
function install() {
  const lock = join(root, '.installing');
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') giveUp(`The dependencies cannot be installed in ${root} (${error.code}).`);
    if (!isRunning(ownerOf(lock))) rmSync(lock, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    return;
  }
  process.stderr.write('Installing dependencies (npm ci), once …\n');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    // Standard output belongs to the command: `audit --format json` prints JSON there and nothing else.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  rmSync(lock, { force: true });
  if (npm.status !== 0)
    giveUp('npm ci failed: see its message above. StreamGate cannot start without its dependencies.');
}

function giveUp(why) {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}

/** The process that wrote a lock; zero while it is being written or when it is gone by now. */
function ownerOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return 0;
  }
}

/** Whether a process runs, as far as can be said. */
function isRunning(pid) {
  if (!(pid > 0)) return pid === 0;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
