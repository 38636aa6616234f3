import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { StreamGateError } from '../lib/errors.ts';
import { adviseDatabase, type DatabaseAdvice, type Pricing } from '../lib/indexes/advisor/advise-database.ts';
import { copyPricing, estimatePricing, hypopgPricing } from '../lib/indexes/advisor/pricing.ts';
import { type Workload, workloadOfDatabase, workloadOfFile } from '../lib/indexes/advisor/workload.ts';
import type { Note, Server } from '../lib/postgres/server.ts';
import { readServer } from '../lib/postgres/server.ts';
import { type Session, withSession } from '../lib/postgres/session.ts';
import { adviceText } from './report/advice.ts';
import { hideSecrets } from './secrets.ts';
import { databaseTarget } from './target.ts';

/** The words of `streamgate advise`. */
export interface AdviseOptions {
  /** In bytes; any size when left out. */
  budget?: number;
  workload?: string;
  format: 'text' | 'json';
  /** In seconds. */
  timeout: number;
  /** Whether constants of the workload file may become conditions of indexes. */
  constants?: boolean;
  /** Whether the database is a copy, on which indexes may be built. */
  onCopy?: boolean;
}

/** `streamgate advise`: prints the indexes that a workload should have. */
export async function advise(target: string | undefined, options: AdviseOptions): Promise<void> {
  const url = databaseTarget(target);
  const deadline = Date.now() + options.timeout * 1_000;
  const sql = options.workload === undefined ? undefined : await read(options.workload);
  const report = await withSession(url, async (session) => {
    const server = await readServer(session);
    const workload = sql === undefined ? await workloadOfDatabase(session, server) : await workloadOfFile(sql);
    const { pricing, notes, close } = await pricingFor(session, server, url, options.onCopy === true);
    try {
      const advice = await adviseDatabase(session, server, {
        workload: withNotes(workload, notes),
        pricing,
        budgetBytes: options.budget ?? null,
        valuesAllowed: options.constants === true,
        deadline,
      });
      return { server, advice };
    } finally {
      await close();
    }
  });
  process.stdout.write(
    options.format === 'json'
      ? json(report.advice)
      : adviceText(report.server, report.advice, process.stdout.isTTY === true),
  );
  // What was not looked at must not be missed where the answer is for a program.
  if (options.format === 'json') {
    for (const { message } of report.advice.notes) process.stderr.write(`note: ${message}\n`);
  }
}

const estimateNote: Note = {
  code: 'hypopg-missing',
  rules: ['indexes/missing'],
  message:
    'HypoPG is not installed, so that these costs are rough estimates that PostgreSQL was not asked for. For its own: CREATE EXTENSION hypopg (RDS, Aurora and Cloud SQL have it; Debian: postgresql-NN-hypopg), or run this on a copy of the database with --on-copy, which builds the indexes and takes them back.',
};

async function pricingFor(
  session: Session,
  server: Server,
  url: string,
  onCopy: boolean,
): Promise<{ pricing: Pricing; notes: Note[]; close(): Promise<void> }> {
  if (onCopy) {
    const pricing = await copyPricing(url, session.where, { databaseIsACopy: true });
    return { pricing, notes: [], close: () => pricing.close() };
  }
  const close = async () => {};
  const pricing = hypopgPricing(session, server);
  return pricing ? { pricing, notes: [], close } : { pricing: estimatePricing(), notes: [estimateNote], close };
}

function withNotes(workload: Workload, notes: readonly Note[]): Workload {
  return { ...workload, notes: [...notes, ...workload.notes] };
}

/** What was learned is for the next run of a program, and no answer. */
function json({ learned: _, ...advice }: DatabaseAdvice): string {
  return `${JSON.stringify(advice, null, 2)}\n`;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new StreamGateError(
      'statement-refused',
      `The workload "${hideSecrets(path)}" cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      { cause },
    );
  }
}

const units = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;

/** Reads a size such as `500MB` or `1.5 GB`, in powers of 1,024 as PostgreSQL's; a number alone is bytes. */
export function readSize(value: string): number {
  const [, number, unit = 'B'] = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?b)?\s*$/i.exec(value) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Write a size such as 500MB or 2GB.');
  return Math.floor(Number(number) * units[unit.toUpperCase() as keyof typeof units]);
}

/** Reads a time in seconds. */
export function readSeconds(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError('Write a number of seconds, such as 60.');
  return seconds;
}
