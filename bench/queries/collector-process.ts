/** A process of collector.ts: `collector-process.ts URL HISTORY AUDITS EVERY`. Audits a database, and tells what it took. */
import { runAudit } from '../../lib/audit.ts';
import { openHistory } from '../../lib/postgres/history.ts';
import { statementMark } from '../../lib/postgres/session.ts';
import { tellParent } from '../cache/children.ts';
import { withClient } from './client.ts';

/** What the audits took. */
export interface Audited {
  /** Of each audit. */
  took: number[];
  /** What the statements of each audit took on the database. */
  databaseMs: number[];
  atRestMegabytes: number;
  /** The most so far, after each audit. */
  peakMegabytes: number[];
}

const [url = '', historyUrl = '', audits = '', everyMs = ''] = process.argv.slice(2);
const history = openHistory(historyUrl);
await history.migrate();
const peakMegabytes = () => process.resourceUsage().maxRSS / 1024;
const result: Audited = { took: [], databaseMs: [], atRestMegabytes: peakMegabytes(), peakMegabytes: [] };
for (let left = Number(audits); left > 0; left--) {
  const before = await ownMs();
  const started = performance.now();
  await runAudit('queries', { name: 'crowded', url }, new Date(Date.now() - left * Number(everyMs)), history);
  result.took.push(performance.now() - started);
  result.databaseMs.push((await ownMs()) - before);
  result.peakMegabytes.push(peakMegabytes());
}
await history.close();
await tellParent(result);
process.disconnect?.();

/** The time that the statements of audits have taken. */
async function ownMs(): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query(
      'select coalesce(sum(total_exec_time + total_plan_time), 0) as ms from pg_stat_statements where position($1 in query) > 0',
      [statementMark],
    );
    return Number(rows[0].ms);
  });
}
