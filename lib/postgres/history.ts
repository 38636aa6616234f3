import type pg from 'pg';
import type { Finding } from '../advice/finding.ts';
import { queryIdsOf } from '../advice/proof.ts';
import { follow, type Recommendation, type Status } from '../advice/recommendation.ts';
import type { PastUse } from '../indexes/observe.ts';
import type { Observation } from '../indexes/snapshot.ts';
import type { StatementHistory } from '../queries/history.ts';
import type { Past, PastPlan, PastWindow, Statement, StatementPlan } from '../queries/snapshot.ts';
import { postgresSamples } from '../resources/store/postgres.ts';
import type { SampleStore } from '../resources/store.ts';
import { databaseError, sqlState } from './errors.ts';
import { migrations } from './migrations.ts';
import { openPool } from './pool.ts';
import type { Note } from './server.ts';
import { marked, plainTypes } from './session.ts';
import { describeUrl } from './url.ts';

/** An audit of one part of one database, as it is kept. */
export interface AuditRecord {
  database: string;
  part: string;
  /** The start of the audit's window, ISO 8601: the same window is stored once. */
  windowStart: string;
  /** All of the snapshot but its rows. */
  snapshot: { takenAt: string; notes: Note[] };
  /** What the part is about: its indexes, or its statements. */
  rows: readonly object[];
  /** Figures over the whole snapshot that endpoints read often. */
  summary: object;
  findings: readonly Finding[];
  /** Whether the audit could have found something: only then does its silence mean anything. */
  isJudged(recommendation: Recommendation): boolean;
  /** What statements gained since the audit before. */
  windows?: readonly StatementWindow[];
  /** The plans that statements have. */
  plans?: readonly (StatementPlan & { plan: object; shape: string })[];
}

/** A window of a statement. */
export type StatementWindow = PastWindow & { queryId: string };

/** The newest audit of a part, without its rows. */
export interface AuditHead {
  id: number;
  rowCount: number;
  takenAt: string;
  notes: Note[];
}

/** Some rows of a list, and how many there are in all. */
export interface Page<Row> {
  rows: Row[];
  total: number;
}

/** Which rows of an audit. */
export interface RowChoice {
  limit: number;
  offset?: number | undefined;
  /** The figure to sort by, as the path to it. */
  sort?: { path: readonly string[]; descending: boolean } | undefined;
  /** A figure that must be above zero, as the path to it. */
  having?: readonly string[] | undefined;
  /** A text that their `query` must contain, whatever the case of its letters. */
  containing?: string | undefined;
  /** What must stand in them as it is. */
  matching?: Readonly<Record<string, string>> | undefined;
  /** The least `at`, ISO 8601. */
  since?: string | undefined;
}

/** Where snapshots, findings and recommendations are kept: a PostgreSQL schema named `streamgate`. */
export interface History {
  /** The samples of functions. */
  readonly samples: SampleStore;
  /** Brings the schema up to date. Safe to run twice, and from several processes at once. */
  migrate(): Promise<void>;
  hasAudit(database: string, part: string, windowStart: string): Promise<boolean>;
  /** Keeps an audit and follows its recommendations, all or nothing. False when the window is kept already. */
  keep(audit: AuditRecord): Promise<boolean>;
  /** Deletes audits, and recommendations not seen, from before a moment. */
  prune(before: Date): Promise<void>;
  latest(database: string, part: string): Promise<AuditHead | undefined>;
  /** The newest audit of a part as it was, with all its rows; undefined when there is none. */
  newest<Snapshot extends object, Row>(
    database: string,
    part: string,
  ): Promise<{ snapshot: Snapshot; rows: Row[] } | undefined>;
  /**
   * What is known of statements: the windows of the last day as they were, those of the days before by the hour, and all shapes
   * of their plans; oldest first.
   */
  past(database: string, queryIds: readonly string[], from: Date): Promise<Past>;
  /** Some rows of an audit, in its own order unless another is asked for. */
  rows<Row>(audit: AuditHead, choice: RowChoice): Promise<Page<Row>>;
  /** The row of a statement, every plan it has had, and what was found about it; undefined when the audit has none. */
  statement(
    audit: AuditHead,
    database: string,
    queryId: string,
  ): Promise<Omit<StatementHistory, 'windows'> | undefined>;
  /** What the newest audit of the indexes knew of their use; undefined when there is none. */
  indexUse(database: string): Promise<PastUse | undefined>;
  /** The plans that the newest audit of the queries has seen; undefined when there is none. */
  newestPlans(database: string): Promise<StatementPlan[] | undefined>;
  summary<Summary>(audit: AuditHead): Promise<Summary>;
  findings(audit: AuditHead, rule: string, limit: number): Promise<Page<Finding>>;
  recommendations(database: string, status: Status | undefined): Promise<Recommendation[]>;
  close(): Promise<void>;
}

/** A week and a day: what was applied is compared to the same hours of the days before. */
const beforeAppliedMs = 8 * 24 * 3_600_000;

/** Of an audit with very many rows no more than these are text at a time: that text is as large as all of them. */
const rowsAtOnce = 2_000;

/** Any number that no other program uses for an advisory lock of the same database: "streamga" in ASCII. */
const lockKey = '8319395793567740769';

/** An audit's rows are wanted by its endpoints, and by the next audit, which counts what has come since. */
const outdatedSql = (table: 'rows' | 'findings') => `
delete from streamgate.${table} where audit_id in (
  select id from streamgate.audits where database = $1 and part = $2 order by window_start desc offset 2)`;

/** The variance over several windows follows from sums: see lib/queries/join.ts. */
const windowsSql = `
select
  query_id as "queryId",
  min(began_at) as "from",
  max(ended_at) as "to",
  sum(calls) as calls,
  sum(total_ms) as "totalMs",
  sum(total_ms) / sum(calls) as "meanMs",
  sqrt(greatest(sum(calls * (stddev_ms ^ 2 + (total_ms / calls) ^ 2)) / sum(calls) - (sum(total_ms) / sum(calls)) ^ 2, 0))
    as "stddevMs",
  sum(rows) as rows,
  sum(blocks) as blocks
from streamgate.windows
where database = $1 and query_id = any($2) and ended_at >= $3 and calls > 0
group by query_id, case when ended_at > now() - interval '1 day' then ended_at else date_trunc('hour', ended_at) end
order by query_id, "to"`;

function byQueryId<Row extends { queryId: string }>(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, ({ queryId }) => queryId);
}

/** Opens the history. Nothing is connected before the first statement. */
export function openHistory(url: string): History {
  const where = `${describeUrl(url)} (the history)`;
  const pool = openPool(url, plainTypes);

  /** Runs a statement by itself, or on the connection of a transaction. */
  async function run<Row>(sql: string, parameters: unknown[] = [], on: pg.Pool | pg.PoolClient = pool): Promise<Row[]> {
    try {
      return (await on.query(marked(sql), parameters)).rows as Row[];
    } catch (error) {
      throw databaseError(error, where);
    }
  }

  async function transaction<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await pool.connect().catch((error) => {
      throw databaseError(error, where);
    });
    // While a client is out of the pool its own errors are nobody's but ours; the statement reports them.
    const quiet = () => {};
    client.on('error', quiet);
    let broken = false;
    try {
      await run('begin isolation level read committed', [], client);
      const result = await work(client);
      await run('commit', [], client);
      return result;
    } catch (error) {
      await client.query(marked('rollback')).catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      client.off('error', quiet);
      client.release(broken);
    }
  }

  /** The windows of the statements of what was applied, from a while before it was. */
  async function windowsAround(database: string, known: readonly Recommendation[], client: pg.PoolClient) {
    const applied = known.filter(({ status }) => status === 'applied');
    const queryIds = [...new Set(applied.flatMap(queryIdsOf))];
    if (queryIds.length === 0) return new Map<string, StatementWindow[]>();
    const earliest = Math.min(...applied.map(({ appliedAt }) => Date.parse(appliedAt ?? '') || Date.now()));
    const from = new Date(earliest - beforeAppliedMs);
    return byQueryId(await run<StatementWindow>(windowsSql, [database, queryIds, from], client));
  }

  async function keepTimeline({ database, snapshot, windows = [], plans = [] }: AuditRecord, client: pg.PoolClient) {
    await run(
      `insert into streamgate.windows (database, query_id, began_at, ended_at, calls, total_ms, stddev_ms, rows, blocks)
       select $1, w->>'queryId', (w->>'from')::timestamptz, (w->>'to')::timestamptz, (w->>'calls')::float8,
         (w->>'totalMs')::float8, (w->>'stddevMs')::float8, (w->>'rows')::float8, (w->>'blocks')::float8
       from json_array_elements($2) w on conflict do nothing`,
      [database, JSON.stringify(windows)],
      client,
    );
    await run(
      `insert into streamgate.plans (database, query_id, shape, first_seen_at, last_seen_at, plan)
       select $1, p->>'queryId', p->>'shape', $2, $2, p from json_array_elements($3) p
       on conflict (database, query_id, shape) do update set last_seen_at = excluded.last_seen_at, plan = excluded.plan`,
      [database, snapshot.takenAt, JSON.stringify(plans)],
      client,
    );
  }

  const samples = postgresSamples(pool, where);

  return {
    samples,

    migrate: () =>
      transaction(async (client) => {
        await run(`select pg_advisory_xact_lock(${lockKey})`, [], client);
        await run('create schema if not exists streamgate', [], client);
        await run(
          'create table if not exists streamgate.migrations (version int primary key, applied_at timestamptz not null default now())',
          [],
          client,
        );
        const [done] = await run<{ version: number }>(
          'select coalesce(max(version), 0) as version from streamgate.migrations',
          [],
          client,
        );
        for (const [i, step] of migrations.entries()) {
          if (i < (done?.version ?? 0)) continue;
          for (const statement of step) await run(statement, [], client);
          await run('insert into streamgate.migrations (version) values ($1)', [i + 1], client);
        }
      }),

    async hasAudit(database, part, windowStart) {
      const rows = await run('select from streamgate.audits where database = $1 and part = $2 and window_start = $3', [
        database,
        part,
        windowStart,
      ]);
      return rows.length > 0;
    },

    keep: (audit) =>
      transaction(async (client) => {
        // Two audits of the same part follow the same recommendations: one after the other.
        await run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`${audit.database}/${audit.part}`], client);
        const [kept] = await run<{ id: number }>(
          `insert into streamgate.audits (database, part, window_start, taken_at, notes, summary, snapshot, row_count)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning id`,
          [
            audit.database,
            audit.part,
            audit.windowStart,
            audit.snapshot.takenAt,
            JSON.stringify(audit.snapshot.notes),
            JSON.stringify(audit.summary),
            JSON.stringify(audit.snapshot),
            audit.rows.length,
          ],
          client,
        );
        if (!kept) return false;
        for (const table of ['rows', 'findings'] as const) {
          await run(outdatedSql(table), [audit.database, audit.part], client);
        }
        for (let from = 0; from < audit.rows.length; from += rowsAtOnce) {
          await run(
            `insert into streamgate.rows (audit_id, position, "row")
             select $1, $3 + position, r from json_array_elements($2) with ordinality as e(r, position)`,
            [kept.id, JSON.stringify(audit.rows.slice(from, from + rowsAtOnce)), from],
            client,
          );
        }
        await run(
          `insert into streamgate.findings (audit_id, position, rule, finding)
           select $1, position, finding->>'rule', finding
           from json_array_elements($2) with ordinality as f(finding, position)`,
          [kept.id, JSON.stringify(audit.findings)],
          client,
        );
        await keepTimeline(audit, client);
        const rows = await run<{ recommendation: Recommendation }>(
          'select recommendation from streamgate.recommendations where database = $1 and part = $2',
          [audit.database, audit.part],
          client,
        );
        const known = rows.map(({ recommendation }) => recommendation);
        const { takenAt: at } = audit.snapshot;
        const windows = await windowsAround(audit.database, known, client);
        const followed = follow(known, { at, findings: audit.findings, isJudged: audit.isJudged, windows });
        // What `follow` hands back as it was need not be written again at every audit.
        const unchanged = new Set(known);
        const changed = followed.filter((recommendation) => !unchanged.has(recommendation));
        await run(
          `insert into streamgate.recommendations (database, id, part, status, last_seen_at, recommendation)
           select $1, r->>'id', $2, r->>'status', (r->>'lastSeenAt')::timestamptz, r from json_array_elements($3) r
           on conflict (database, id) do update set
             status = excluded.status, last_seen_at = excluded.last_seen_at, recommendation = excluded.recommendation`,
          [audit.database, audit.part, JSON.stringify(changed)],
          client,
        );
        return true;
      }),

    async prune(before) {
      await run('delete from streamgate.audits where taken_at < $1', [before]);
      await run('delete from streamgate.recommendations where last_seen_at < $1', [before]);
      await run('delete from streamgate.windows where ended_at < $1', [before]);
      await run('delete from streamgate.plans where last_seen_at < $1', [before]);
      await samples.prune(before);
    },

    async latest(database, part) {
      try {
        const [head] = await run<AuditHead>(
          // As JSON a time is written the same way whatever DateStyle is set to.
          `select id, to_json(taken_at) as "takenAt", notes, row_count as "rowCount" from streamgate.audits
           where database = $1 and part = $2 order by window_start desc limit 1`,
          [database, part],
        );
        return head && { ...head, takenAt: new Date(head.takenAt).toISOString() };
      } catch (error) {
        // 42P01: the tables are made by the first audit, which has not come yet.
        if (sqlState(error) === '42P01') return undefined;
        throw error;
      }
    },

    async newest<Snapshot extends object, Row>(database: string, part: string) {
      // By when it was taken: a window that is audited late counts from the one that was audited last.
      const [audit] = await run<{ id: number; snapshot: Snapshot }>(
        `select id, snapshot from streamgate.audits where database = $1 and part = $2 order by taken_at desc limit 1`,
        [database, part],
      );
      if (!audit) return undefined;
      const rows = await run<{ row: Row }>('select "row" from streamgate.rows where audit_id = $1 order by position', [
        audit.id,
      ]);
      return { snapshot: audit.snapshot, rows: rows.map(({ row }) => row) };
    },

    async past(database, queryIds, from) {
      const windows = await run<StatementWindow>(windowsSql, [database, queryIds, from]);
      const plans = await run<PastPlan & { queryId: string }>(
        `select query_id as "queryId", shape, first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt"
         from streamgate.plans where database = $1 and query_id = any($2) order by first_seen_at`,
        [database, queryIds],
      );
      return { windows: byQueryId(windows), plans: byQueryId(plans) };
    },

    async rows<Row>(audit: AuditHead, { limit, offset = 0, ...choice }: RowChoice) {
      const { sort, having, containing, matching, since } = choice;
      if (Object.values(choice).every((each) => each === undefined)) {
        const found = await run<{ row: Row }>(
          'select "row" from streamgate.rows where audit_id = $1 order by position limit $2 offset $3',
          [audit.id, limit, offset],
        );
        return { rows: found.map(({ row }) => row), total: audit.rowCount };
      }
      const found = await run<{ row: Row; total: number }>(
        `select "row", count(*) over () as total from streamgate.rows
         where audit_id = $1
           and ($4::text[] is null or ("row" #>> $4::text[])::float8 > 0)
           and ($5::text is null or position(lower($5) in lower("row"->>'query')) > 0)
           and ($7::jsonb is null or "row"::jsonb @> $7::jsonb)
           and ($8::text is null or "row"->>'at' >= $8)
         order by ("row" #>> $6::text[])::float8 ${sort?.descending ? 'desc' : 'asc'} nulls last, position
         limit $2 offset $3`,
        [
          audit.id,
          limit,
          offset,
          having ?? null,
          containing ?? null,
          sort?.path ?? null,
          matching ? JSON.stringify(matching) : null,
          since ?? null,
        ],
      );
      if (found.length === 0 && offset > 0) {
        // Behind the last row there is none that could tell how many there are.
        const { total } = await this.rows(audit, { limit: 1, ...choice });
        return { rows: [], total };
      }
      return { rows: found.map(({ row }) => row), total: found[0]?.total ?? 0 };
    },

    async statement(audit, database, queryId) {
      const [found] = await run<{ row: Statement }>(
        `select "row" from streamgate.rows where audit_id = $1 and "row"->>'queryId' = $2`,
        [audit.id, queryId],
      );
      if (!found) return undefined;
      const plans = await run<{ plan: StatementPlan; firstSeenAt: string; lastSeenAt: string }>(
        `select plan, first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt" from streamgate.plans
         where database = $1 and query_id = $2 order by last_seen_at desc`,
        [database, queryId],
      );
      const findings = await run<{ finding: Finding }>(
        `select finding from streamgate.findings
         where audit_id = $1 and finding->'subject'->>'queryId' = $2 order by position`,
        [audit.id, queryId],
      );
      return {
        statement: found.row,
        plans: plans.map(({ plan, ...seen }) => ({ ...plan, ...seen })),
        findings: findings.map(({ finding }) => finding),
      };
    },

    async indexUse(database) {
      const [audit] = await run<{ id: number } & Omit<PastUse, 'uses'>>(
        `select id, to_json(taken_at) as "takenAt", snapshot->'server'->>'startedAt' as "startedAt",
           snapshot->'server'->>'statisticsResetAt' as "statisticsResetAt"
         from streamgate.audits where database = $1 and part = 'indexes' order by window_start desc limit 1`,
        [database],
      );
      if (!audit) return undefined;
      const rows = await run<{ index: string; scans: number; observed: Observation | null }>(
        `select "row"#>>'{sql,index}' as index, ("row"->>'scans')::float8 as scans, "row"->'observed' as observed
         from streamgate.rows where audit_id = $1`,
        [audit.id],
      );
      const { id: _, ...head } = audit;
      return { ...head, uses: new Map(rows.map(({ index, ...use }) => [index, use])) };
    },

    async newestPlans(database) {
      const [audit] = await run<{ takenAt: string }>(
        `select to_json(taken_at) as "takenAt" from streamgate.audits
         where database = $1 and part = 'queries' order by window_start desc limit 1`,
        [database],
      );
      if (!audit) return undefined;
      const plans = await run<{ plan: StatementPlan }>(
        'select plan from streamgate.plans where database = $1 and last_seen_at >= $2',
        [database, audit.takenAt],
      );
      return plans.map(({ plan }) => plan);
    },

    async summary<Summary>(audit: AuditHead) {
      const [row] = await run<{ summary: Summary }>('select summary from streamgate.audits where id = $1', [audit.id]);
      return row?.summary as Summary;
    },

    async findings(audit, rule, limit) {
      const rows = await run<{ finding: Finding; total: number }>(
        `select finding, count(*) over () as total from streamgate.findings
         where audit_id = $1 and rule = $2 order by position limit $3`,
        [audit.id, rule, limit],
      );
      return { rows: rows.map(({ finding }) => finding), total: rows[0]?.total ?? 0 };
    },

    async recommendations(database, status) {
      const rows = await run<{ recommendation: Recommendation }>(
        `select recommendation from streamgate.recommendations
         where database = $1 and ($2::text is null or status = $2)`,
        [database, status ?? null],
      );
      return rows.map(({ recommendation }) => recommendation);
    },

    close: () => pool.end(),
  };
}
