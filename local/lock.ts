import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StreamGateError } from '../lib/errors.ts';
import { isRunning } from './process.ts';

/**
 * Makes sure that one StreamGate uses a directory at a time: two servers on the same data would
 * destroy it. A lock whose process is gone is taken over.
 *
 * @returns what gives the lock back
 * @throws StreamGateError `already-running`
 */
export function lockDirectory(directory: string): () => void {
  const file = join(directory, 'lock');
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    if (pid !== process.pid && isStreamGate(pid)) {
      throw new StreamGateError(
        'already-running',
        `StreamGate already runs here (process ${pid}). End it, or set STREAMGATE_DIRECTORY and PORT to others.`,
      );
    }
  } catch (error) {
    if (error instanceof StreamGateError) throw error;
  }
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, String(process.pid));
  } catch (cause) {
    throw new StreamGateError(
      'service-failed',
      `Nothing can be written to ${directory} (${(cause as NodeJS.ErrnoException).code}). Set STREAMGATE_DIRECTORY to a directory where something can.`,
      { cause },
    );
  }
  return () => rmSync(file, { force: true });
}

/** Whether a process is a StreamGate: process numbers repeat, in containers at every start. */
function isStreamGate(pid: number): boolean {
  if (!(pid > 0) || !isRunning(pid)) return false;
  try {
    return /main\.ts\0start/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return true;
  }
}
