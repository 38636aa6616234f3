import { type SpawnOptions, spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StreamGateError } from '../lib/errors.ts';

/** The account that PostgreSQL runs under, because it refuses to run as root. */
export interface Account {
  uid: number;
  gid: number;
  /** The account may not enter a directory on the way (such as /root), so it is lent that one capability. */
  lendAccess: boolean;
}

/**
 * Chooses the account for a directory: none when this process is not root; else the owner of
 * existing data, or `postgres`, or `nobody`. No account is ever made or changed.
 *
 * @param directory the data, or the directory in which it will be made
 * @param exists whether `directory` is the data already
 */
export async function accountFor(directory: string, exists: boolean): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(directory);
  const account = exists && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : await unprivileged();
  return { ...account, lendAccess: !(await mayEnter(directory, account.uid)) };
}

/** How to spawn a program under the account: the words for `spawn`. */
export function spawnAs(
  account: Account | undefined,
  program: string,
  args: string[],
): [string, string[], SpawnOptions] {
  if (!account) return [program, args, {}];
  const { uid, gid } = account;
  if (!account.lendAccess) return [program, args, { uid, gid }];
  const setpriv = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--',
  ];
  if (spawnSync('setpriv', [...setpriv, 'true']).status !== 0) {
    throw new StreamGateError(
      'service-failed',
      `PostgreSQL does not run as root, and the account with id ${uid} may not enter this directory. Run as a normal user, or move the directory to where others may enter, or install util-linux (setpriv).`,
    );
  }
  return ['setpriv', [...setpriv, program, ...args], {}];
}

/** `postgres` or `nobody` from the account file. */
async function unprivileged(): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const line = lines.find(([name]) => name === wanted);
    if (line) return { uid: Number(line[2]), gid: Number(line[3]) };
  }
  throw new StreamGateError(
    'service-failed',
    'PostgreSQL does not run as root, and there is no account "postgres" or "nobody". Run as a normal user.',
  );
}

/** Whether an account may enter every directory down to this one. */
export async function mayEnter(directory: string, uid: number): Promise<boolean> {
  for (let path = directory; ; path = dirname(path)) {
    const { uid: owner, mode } = await stat(path);
    if ((owner === uid ? mode & 0o100 : mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
