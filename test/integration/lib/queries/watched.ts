/** A database that is audited at times of the test's choice. */
import { vi } from 'vitest';
import type { RuleConfiguration } from '../../../../lib/advice/configuration.ts';
import type { Recommendation } from '../../../../lib/advice/recommendation.ts';
import { type AuditResult, runAudit } from '../../../../lib/audit.ts';
import { type History, openHistory } from '../../../../lib/postgres/history.ts';
import type { QuerySnapshot, Statement } from '../../../../lib/queries/snapshot.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';

/** The newest audit as it was kept. */
export type Kept = Omit<QuerySnapshot, 'statements'> & { statements: Statement[] };

export interface Watched {
  kept: TestDatabase;
  history: History;
  /** Audits the queries so many minutes after the first moment of the test, which is an hour from now. */
  audit(minute: number, configuration?: RuleConfiguration, url?: string): Promise<AuditResult>;
  newest(): Promise<Kept>;
  /** The one statement of the newest audit whose text begins like this. */
  statement(beginning: string): Promise<Statement | undefined>;
  recommendations(rule?: string): Promise<Recommendation[]>;
  close(): Promise<void>;
}

/** The name under which the database is audited. */
export const watchedName = 'watched';

/** Watches a database; its history is on the shared server. Only the clock of this process is set, not the servers'. */
export async function watch(url: string): Promise<Watched> {
  const kept = await createDatabase({ extensions: false });
  const history = openHistory(kept.url);
  await history.migrate();
  vi.useFakeTimers({ toFake: ['Date'] });
  const start = Date.now() + 3_600_000;
  const newest = async (): Promise<Kept> => {
    const audit = await history.newest<Omit<QuerySnapshot, 'statements'>, Statement>(watchedName, 'queries');
    if (!audit) throw new Error('There was no audit yet.');
    return { ...audit.snapshot, statements: audit.rows };
  };
  return {
    kept,
    history,
    newest,
    audit(minute, configuration = {}, at = url) {
      const moment = new Date(start + minute * 60_000);
      vi.setSystemTime(moment);
      return runAudit('queries', { name: watchedName, url: at }, moment, history, configuration);
    },
    async statement(beginning) {
      const found = (await newest()).statements.filter(({ query }) => query.startsWith(beginning));
      if (found.length > 1) throw new Error(`${found.length} statements begin with ${beginning}.`);
      return found[0];
    },
    async recommendations(rule) {
      const all = await history.recommendations(watchedName, undefined);
      return all.filter((recommendation) => rule === undefined || recommendation.rule === rule);
    },
    async close() {
      vi.useRealTimers();
      await history.close();
      await kept.drop();
    },
  };
}

/** Every row of every table of a history, as one text. */
export async function everythingIn(history: TestDatabase): Promise<string> {
  const [tables] = await history.run(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_schema = 'streamgate'`,
  );
  const texts: string[] = [];
  for (const { name } of (tables?.rows ?? []) as { name: string }[]) {
    const [rows] = await history.run(`select t::text as row from ${name} t`);
    texts.push(...((rows?.rows ?? []) as { row: string }[]).map(({ row }) => row));
  }
  return texts.join('\n');
}
