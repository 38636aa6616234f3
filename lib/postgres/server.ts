import * as z from 'zod';
import { StreamGateError } from '../errors.ts';
import type { Session } from './session.ts';

/** The oldest PostgreSQL that is read: pg_stat_statements got its present columns in 13. */
export const oldestVersion = 130_000;

/** An installed extension: where its functions are, and its version, which may lag behind the server's. */
export const Extension = z.strictObject({ schema: z.string(), version: z.string() });
export type Extension = z.infer<typeof Extension>;

/** The server and the database behind a snapshot. Times are ISO 8601 in UTC. */
export const Server = z
  .strictObject({
    /** The name under which StreamGate knows the database. */
    database: z.string(),
    version: z.string(),
    /** As `server_version_num`: 180004 is 18.4. */
    versionNumber: z.number(),
    /** A hot standby: its counters are of the standby alone. */
    isStandby: z.boolean(),
    startedAt: z.string(),
    /** When the database's counters were last set to zero; null when never. */
    statisticsResetAt: z.string().nullable(),
    sizeBytes: z.number().nullable(),
    blockBytes: z.number(),
    role: z.string(),
    /** Whether the role sees everybody's statistics (`pg_read_all_stats`, a part of `pg_monitor`). */
    readsAllStatistics: z.boolean(),
    extensions: z.record(z.string(), Extension),
  })
  .meta({ id: 'Server', description: 'The server and the database behind a snapshot.' });
export type Server = z.infer<typeof Server>;

/** Something that could not be looked at, why, and what would help. */
export const Note = z
  .strictObject({
    code: z.string(),
    message: z.string(),
    /** The rules whose silence means nothing because of it, by their ids or, as `queries/*`, all of a domain. */
    rules: z.array(z.string()),
  })
  .meta({ id: 'Note', description: 'Something that could not be looked at, and what would help.' });
export type Note = z.infer<typeof Note>;

const serverSql = `
select
  current_database() as database,
  current_setting('server_version') as version,
  current_setting('server_version_num')::int as "versionNumber",
  pg_is_in_recovery() as "isStandby",
  pg_postmaster_start_time() as "startedAt",
  (select stats_reset from pg_stat_database where datname = current_database()) as "statisticsResetAt",
  case when has_database_privilege(current_database(), 'connect') then pg_database_size(current_database()) end as "sizeBytes",
  current_setting('block_size')::int as "blockBytes",
  current_user as role,
  pg_has_role('pg_read_all_stats', 'usage') as "readsAllStatistics",
  coalesce(
    (select json_object_agg(e.extname, json_build_object('schema', n.nspname, 'version', e.extversion))
     from pg_extension e join pg_namespace n on n.oid = e.extnamespace),
    '{}'
  ) as extensions`;

/**
 * Reads what the rules need to know of the server.
 *
 * @param name the configured name of the database; its own name when left out
 * @throws StreamGateError `database-unsupported` below PostgreSQL 13
 */
export async function readServer(session: Session, name?: string): Promise<Server> {
  const [setting] = await session.read<{ number: number; version: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
  );
  if (!setting || setting.number < oldestVersion) {
    throw new StreamGateError(
      'database-unsupported',
      `${session.where} runs PostgreSQL ${setting?.version ?? 'of an unknown version'}; StreamGate reads 13 and newer.`,
    );
  }
  const [server] = await session.read<Server>(serverSql);
  if (!server) throw new StreamGateError('database-failed', `${session.where} did not describe itself.`);
  return name === undefined ? server : { ...server, database: name };
}
