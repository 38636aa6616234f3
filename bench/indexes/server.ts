/** The PostgreSQL of the benchmark: one with HypoPG. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { PostgresBinaries } from '../../local/binaries.ts';

/** Debian's PostgreSQL, and what it has when HypoPG is installed. */
const programs = '/usr/lib/postgresql/15/bin';
const hypopg = '/usr/share/postgresql/15/extension/hypopg.control';

/**
 * A PostgreSQL with HypoPG: that of TEST_POSTGRES (a module that exports the paths `initdb` and `postgres`), else Debian's, into which
 * HypoPG is installed when this is root's process.
 *
 * @throws Error that says how to install it by hand
 */
export async function serverWithHypopg(): Promise<PostgresBinaries> {
  const named = process.env.TEST_POSTGRES;
  if (named) return (await import(named)) as PostgresBinaries;
  if (!existsSync(hypopg) && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    process.stderr.write('installing postgresql-15-hypopg …\n');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const words of [['update'], ['install', '-y', 'postgresql-15', 'postgresql-15-hypopg']]) {
      spawnSync('apt-get', words, { stdio: 'ignore', env });
    }
  }
  if (!existsSync(hypopg) || !existsSync(`${programs}/postgres`)) {
    throw new Error(
      'This needs a PostgreSQL with HypoPG. Debian 12: apt-get install postgresql-15 postgresql-15-hypopg. Another: set TEST_POSTGRES to a module that exports the paths of its `initdb` and `postgres`.',
    );
  }
  return { initdb: `${programs}/initdb`, postgres: `${programs}/postgres` };
}
