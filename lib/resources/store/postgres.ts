import type pg from 'pg';
import { databaseError, sqlState } from '../../postgres/errors.ts';
import { marked } from '../../postgres/session.ts';
import type { Environment, Sample, Series } from '../sample.ts';
import { type SampleStore, type StoreLimits, storeLimits } from '../store.ts';

/** What is in the tables is read in one go: so many samples of 1.5 kB at most. */
const mostRead = 20_000;

const appendSql = `
with environment as (
  insert into streamgate.environments (id, function, stage, version, started_at, last_at, environment)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (id) do update set
    last_at = greatest(environments.last_at, excluded.last_at), environment = excluded.environment
  returning id
)
insert into streamgate.samples (environment_id, invocation, at, has_floor, sample)
select environment.id, (s->>'invocation')::bigint, (s->>'at')::timestamptz, coalesce(json_typeof(s->'floor') = 'object', false), s
from environment, json_array_elements($8) s
on conflict do nothing`;

/** Older than the newest, and older than the newest with a floor or without one. */
const surplusSamplesSql = `
delete from streamgate.samples where environment_id = $1
and invocation not in (
  select invocation from streamgate.samples where environment_id = $1 order by invocation desc limit $2)
and (not has_floor or invocation not in (
  select invocation from streamgate.samples where environment_id = $1 and has_floor order by invocation desc limit $2))`;

const surplusEnvironmentsSql = `
delete from streamgate.environments where id in (
  select id from streamgate.environments where function = $1 and stage = $2 and version = $3
  order by last_at desc offset $4)`;

const readSql = `
select e.environment, json_agg(s.sample order by s.invocation) as samples
from (
  select s.* from streamgate.samples s join streamgate.environments e on e.id = s.environment_id
  where ($1::text is null or e.function = $1) and ($2::text is null or e.stage = $2)
    and ($3::text is null or e.version = $3) and ($4::text is null or e.id = $4)
    and ($5::timestamptz is null or s.at >= $5)
  order by s.at desc, s.invocation desc limit $6
) s join streamgate.environments e on e.id = s.environment_id
group by e.id
order by e.started_at, e.id`;

/**
 * Samples in the history's database, in the tables that its migrations make.
 *
 * @param pool stays the caller's: that of the history's database, with its time limits
 * @param where the database, as messages name it
 * @throws StreamGateError from its methods, as the history's do; to read before the first migration finds nothing
 */
export function postgresSamples(pool: pg.Pool, where: string, limits: StoreLimits = {}): SampleStore {
  const { samples: mostSamples, environments: mostEnvironments } = { ...storeLimits, ...limits };

  async function run<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    try {
      return (await pool.query(marked(sql), parameters)).rows as Row[];
    } catch (error) {
      throw databaseError(error, where);
    }
  }

  return {
    async append({ environment, samples }) {
      if (samples.length === 0) return;
      const { id, function: name, stage, version, startedAt } = environment;
      const lastAt = samples.reduce((last, { at }) => (at > last ? at : last), '');
      await run(appendSql, [
        ...[id, name, stage, version, startedAt, lastAt],
        ...[JSON.stringify(environment), JSON.stringify(samples)],
      ]);
      await run(surplusSamplesSql, [id, mostSamples]);
      await run(surplusEnvironmentsSql, [name, stage, version, mostEnvironments]);
    },

    async read(choice = {}) {
      const { function: name, stage, version, environment, since, limit = mostRead } = choice;
      try {
        const rows = await run<{ environment: Environment; samples: Sample[] }>(readSql, [
          ...[name, stage, version, environment].map((value) => value ?? null),
          ...[since ?? null, Math.min(limit, mostRead)],
        ]);
        return rows.map((row): Series => ({ environment: row.environment, samples: row.samples }));
      } catch (error) {
        // 42P01: the tables are made by the first audit, which has not come yet.
        if (sqlState(error) === '42P01') return [];
        throw error;
      }
    },

    async prune(before) {
      await run('delete from streamgate.environments where last_at < $1', [before]);
    },
  };
}
