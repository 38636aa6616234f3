import { chooseDatabase } from '../../../lib/settings.ts';
import { endpoint } from '../../endpoint.ts';
import { readCacheStatistics, settings } from '../../environment.ts';
import { cacheStats } from '../../routes.ts';

/** GET /optimization/cache/stats. Asked of the cache itself: its figures change with every request. */
export const handler = endpoint(cacheStats, async ({ parameters }) => {
  const { name } = chooseDatabase((await settings()).databases, parameters.database);
  const data = await readCacheStatistics();
  return { body: { data, meta: { takenAt: new Date().toISOString(), database: name, notes: [] } } };
});
