import { bySeverity } from '../../lib/advice/finding.ts';
import { parts } from '../../lib/audit.ts';
import { endpoint } from '../../lib/http/endpoint.ts';
import { chooseDatabase } from '../../lib/settings.ts';
import { historyEmpty } from '../answers.ts';
import { history, settings } from '../environment.ts';
import { recommendations } from '../routes.ts';

/** GET /optimization/recommendations */
export const handler = endpoint(recommendations, async ({ parameters: { database, limit, status } }) => {
  const { name } = chooseDatabase((await settings()).databases, database);
  const store = await history();
  const audits = (await Promise.all(parts.map((part) => store.latest(name, part)))).filter(
    (audit) => audit !== undefined,
  );
  const takenAt = audits
    .map((audit) => audit.takenAt)
    .sort()
    .at(-1);
  if (takenAt === undefined) throw historyEmpty(name);
  const all = await store.recommendations(name, status === 'all' ? undefined : status);
  return {
    body: {
      data: all.sort(bySeverity).slice(0, limit),
      meta: { takenAt, database: name, notes: audits.flatMap(({ notes }) => notes), total: all.length, limit },
    },
  };
});
