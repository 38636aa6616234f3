import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** The file that `npx streamgate` runs. */
export const launch = join(import.meta.dirname, '../../cli/launch.mjs');

/** How a command ended. */
export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs `streamgate`, without this process's own database. @param url the one of its environment */
export function streamgate(
  words: readonly string[],
  { directory, url, input = '' }: { directory: string; url?: string | undefined; input?: string | undefined },
): Promise<Ended> {
  const { DATABASE_URL: _, ...others } = process.env;
  const env = url === undefined ? others : { ...others, DATABASE_URL: url };
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [launch, ...words],
      { cwd: directory, env, maxBuffer: 1e8 },
      (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
    );
    // It may end before it has read anything.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
