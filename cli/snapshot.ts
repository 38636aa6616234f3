import { takeSnapshot } from '../lib/audit.ts';
import { databaseTarget } from './target.ts';

/** `streamgate snapshot URL`: prints a snapshot as JSON on standard output. */
export async function snapshot(url: string | undefined): Promise<void> {
  process.stdout.write(`${JSON.stringify(await takeSnapshot(databaseTarget(url)), null, 2)}\n`);
}
