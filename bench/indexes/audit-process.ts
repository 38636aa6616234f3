/** A process of audit.ts: `audit-process.ts URL HISTORY AUDITS`. Audits the indexes of a database, and tells what it took. */
import { runAudit } from '../../lib/audit.ts';
import { openHistory } from '../../lib/postgres/history.ts';
import { tellParent } from '../cache/children.ts';

/** What the audits took. */
export interface Audited {
  /** Of each audit, in milliseconds. */
  took: number[];
  /** Of each the processor time of this process, in milliseconds; most of the rest is the database's. */
  processor: number[];
  findings: number;
  atRestMegabytes: number;
  peakMegabytes: number;
}

const [url = '', historyUrl = '', audits = ''] = process.argv.slice(2);
const history = openHistory(historyUrl);
await history.migrate();
const peakMegabytes = () => process.resourceUsage().maxRSS / 1024;
const result: Audited = { took: [], processor: [], findings: 0, atRestMegabytes: peakMegabytes(), peakMegabytes: 0 };
for (let left = Number(audits); left > 0; left--) {
  const started = performance.now();
  const before = process.cpuUsage();
  const { findings } = await runAudit(
    'indexes',
    { name: 'large', url },
    new Date(Date.now() - left * 3_600_000),
    history,
  );
  const { user, system } = process.cpuUsage(before);
  result.took.push(performance.now() - started);
  result.processor.push((user + system) / 1000);
  result.findings = findings.length;
}
await history.close();
await tellParent({ ...result, peakMegabytes: peakMegabytes() } satisfies Audited);
process.disconnect?.();
