import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { DatabaseSnapshot, takeSnapshot } from '../lib/audit.ts';
import { StreamGateError } from '../lib/errors.ts';
import { checkDatabaseUrl } from '../lib/postgres/url.ts';
import { hideSecrets } from './secrets.ts';

/** The database that is meant: the argument, or else DATABASE_URL. */
export function databaseTarget(argument: string | undefined): string {
  const url = argument ?? process.env.DATABASE_URL;
  if (!url) {
    throw new StreamGateError(
      'database-url-invalid',
      'Which database? Give postgres://USER:PASSWORD@HOST:5432/DATABASE, or set DATABASE_URL.',
    );
  }
  return checkDatabaseUrl(url, argument === undefined ? 'DATABASE_URL' : 'The database URL');
}

/** A snapshot of a database, or out of a file that `streamgate snapshot` wrote. */
export async function readTarget(argument: string | undefined): Promise<DatabaseSnapshot> {
  if (argument === undefined || argument.includes('://')) return takeSnapshot(databaseTarget(argument));
  return parseSnapshot(argument, await read(argument));
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new StreamGateError(
      'snapshot-invalid',
      `"${hideSecrets(path)}" is neither a postgres:// URL nor a file that can be read (${(cause as NodeJS.ErrnoException).code}).`,
      { cause },
    );
  }
}

/** @throws StreamGateError `snapshot-invalid`, naming the first thing that is wrong */
export function parseSnapshot(path: string, text: string): DatabaseSnapshot {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new StreamGateError(
      'snapshot-invalid',
      `${path} is not JSON. Make it with: streamgate snapshot URL > FILE.`,
      { cause },
    );
  }
  const parsed = DatabaseSnapshot.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new StreamGateError(
    'snapshot-invalid',
    `${path} is not a snapshot of this version (${issue?.path.join('.') || 'document'}: ${issue?.message}). Make it with: streamgate snapshot URL > FILE.`,
    { cause: new z.ZodError(parsed.error.issues) },
  );
}
