import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { readConfiguration } from '../lib/advice/configuration.ts';
import type { Finding } from '../lib/advice/finding.ts';
import { roster } from '../lib/audit.ts';
import { StreamGateError } from '../lib/errors.ts';
import { readServer } from '../lib/postgres/server.ts';
import { withSession } from '../lib/postgres/session.ts';
import { type Examined, examinePlan, examineStatement } from '../lib/queries/examine.ts';
import { readPlans } from '../lib/queries/plan/read.ts';
import { renderPlan } from '../lib/queries/plan/render.ts';
import { findingsText } from './report/text.ts';
import { hideSecrets } from './secrets.ts';
import { databaseTarget } from './target.ts';

/** The words of `streamgate explain`. */
export interface ExplainOptions {
  analyze?: boolean;
  format: 'text' | 'json';
  config?: string;
}

/** A terminal that does not tell its width. */
const usualColumns = 100;

/**
 * `streamgate explain`: prints the plan of a statement as a tree, and what is wrong with it.
 *
 * @param target a database, a file with plans (`-`: standard input), or a statement of $DATABASE_URL
 * @param statement of the database
 */
export async function explain(
  target: string | undefined,
  statement: string | undefined,
  options: ExplainOptions,
): Promise<void> {
  const configuration = readConfiguration(options.config ?? process.env.STREAMGATE_CONFIG, roster);
  const examined = await examine();
  process.stdout.write(options.format === 'json' ? json(examined) : examined.map(text).join('\n'));

  async function examine(): Promise<Examined[]> {
    if (target === undefined || target.includes('://')) return [await fromDatabase(target, statement)];
    if (statement !== undefined) {
      throw new StreamGateError(
        'statement-refused',
        'A file of plans takes no statement. Give a postgres:// URL first, and the statement in quotes.',
      );
    }
    // A single word with spaces that is no file is the statement: the database is $DATABASE_URL.
    if (target !== '-' && /\s/.test(target) && !existsSync(target)) return [await fromDatabase(undefined, target)];
    return fromFile(target);
  }

  async function fromDatabase(url: string | undefined, query: string | undefined): Promise<Examined> {
    const checked = databaseTarget(url);
    if (query === undefined) {
      throw new StreamGateError('statement-refused', 'Which statement? Give it in quotes behind the URL.');
    }
    return withSession(checked, async (session) =>
      examineStatement(session, await readServer(session), query, { isRun: options.analyze === true, configuration }),
    );
  }

  async function fromFile(path: string): Promise<Examined[]> {
    if (options.analyze === true) {
      throw new StreamGateError('statement-refused', 'A plan of a file was made already. Leave --analyze out.');
    }
    const plans = readPlans(path === '-' ? await readAll(process.stdin) : await read(path));
    return Promise.all(plans.map(({ plan, query }) => examinePlan(plan, query, configuration)));
  }
}

function text({ plan, findings }: Examined): string {
  const colour = process.stdout.isTTY === true;
  const columns = process.stdout.columns ?? usualColumns;
  return `${renderPlan(plan, { colour, columns })}\n\n${findingsText(findings, colour)}`;
}

function json(examined: readonly { plan: object; findings: readonly Finding[] }[]): string {
  const [only, ...others] = examined;
  return `${JSON.stringify(others.length === 0 ? only : examined, null, 2)}\n`;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new StreamGateError(
      'plan-invalid',
      `"${hideSecrets(path)}" is neither a postgres:// URL nor a file that can be read (${(cause as NodeJS.ErrnoException).code}).`,
      { cause },
    );
  }
}
