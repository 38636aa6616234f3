import type { Health } from '../../lib/health.ts';
import { scopesOf } from '../../lib/http/authentication.ts';
import { endpoint } from '../../lib/http/endpoint.ts';
import { databaseParts, parts } from '../../lib/parts.ts';
import { version } from '../../lib/version.ts';
import { history, settings } from '../environment.ts';
import { health } from '../routes.ts';

/** GET /optimization/health. A stranger learns whether the service is up, and nothing of why not. */
export const handler = endpoint(health, async ({ headers }) => {
  const { historyError, audits } = await look();
  const status = historyError === undefined ? 'up' : 'down';
  const { tokens } = await settings();
  const known = scopesOf(headers.authorization, tokens)?.includes('read') ?? false;
  const details: Health['data']['details'] = {
    version,
    history: historyError === undefined ? { status: 'up' } : { status: 'down', message: historyError },
    audits,
  };
  const body: Health = { data: { status, ...(known ? { details } : {}) }, meta: {} };
  return { status: status === 'up' ? 200 : 503, body };
});

async function look() {
  try {
    const now = Date.now();
    const { databases } = await settings();
    const store = await history();
    const audits = await Promise.all(
      databases.flatMap(({ name }, position) =>
        (position === 0 ? parts : databaseParts).map(async (part) => {
          const latest = await store.latest(name, part);
          return {
            database: name,
            part,
            takenAt: latest?.takenAt ?? null,
            ageSeconds: latest ? Math.round((now - Date.parse(latest.takenAt)) / 1000) : null,
            notes: latest?.notes.map(({ message }) => message) ?? [],
          };
        }),
      ),
    );
    return { historyError: undefined, audits };
  } catch (error) {
    return { historyError: (error as Error).message, audits: [] };
  }
}
