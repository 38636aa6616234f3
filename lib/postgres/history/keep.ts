/** What audits keep, and what the next one asks for. Endpoints have none of it. */
import type pg from 'pg';
import { type BuiltIndex, isMeasuredAt } from '../../advice/effect.ts';
import type { Finding } from '../../advice/finding.ts';
import { queryIdsOf } from '../../advice/proof.ts';
import { follow, type Recommendation } from '../../advice/recommendation.ts';
import { CostCache } from '../../indexes/advisor/cost-cache.ts';
import type { ExistingIndex } from '../../indexes/built.ts';
import type { PastUse } from '../../indexes/observe.ts';
import type { Observation } from '../../indexes/snapshot.ts';
import type { StatementPlan } from '../../queries/snapshot.ts';
import type { SampleStore } from '../../resources/store.ts';
import { migrations } from '../migrations.ts';
import type { Note } from '../server.ts';
import type { HistoryConnection } from './connection.ts';
import { byQueryId, type StatementWindow, windowsSql } from './windows.ts';

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
  /** What the index advisor knows by now. */
  costs?: CostCache | undefined;
  /** Finds the indexes that recommendations asked for among those that there are, by the ids of the recommendations. */
  builtAmong?(known: readonly Recommendation[], indexes: readonly ExistingIndex[]): ReadonlyMap<string, BuiltIndex>;
}

/** The history as audits need it beside what endpoints read. */
export interface KeptHistory {
  /** Brings the schema up to date. Safe to run twice, and from several processes at once. */
  migrate(): Promise<void>;
  hasAudit(database: string, part: string, windowStart: string): Promise<boolean>;
  /** Keeps an audit and follows its recommendations, all or nothing. False when the window is kept already. */
  keep(audit: AuditRecord): Promise<boolean>;
  /** Deletes audits, and recommendations not seen, from before a moment. */
  prune(before: Date): Promise<void>;
  /** The newest audit of a part as it was, with all its rows; undefined when there is none. */
  newest<Snapshot extends object, Row>(
    database: string,
    part: string,
  ): Promise<{ snapshot: Snapshot; rows: Row[] } | undefined>;
  /** What the newest audit of the indexes knew of their use; undefined when there is none. */
  indexUse(database: string): Promise<PastUse | undefined>;
  /** What the index advisor had learned by the last audit of the indexes; undefined when there is none. */
  knownCosts(database: string): Promise<CostCache | undefined>;
  /** The plans that the newest audit of the queries has seen; undefined when there is none. */
  newestPlans(database: string): Promise<StatementPlan[] | undefined>;
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

/**
 * Whether a recommendation asks for an index that nobody has seen yet. All that are open are looked at where the audit is of the
 * indexes; others wait until they are applied.
 */
function isAwaited({ action, appliedAt, effect }: Recommendation, part: string): boolean {
  const isOpen = appliedAt === null;
  return effect === undefined && (!isOpen || part === 'indexes') && /CREATE INDEX/.test(action?.sql ?? '');
}

/** Keeps audits at the end of a connection. */
export function keepHistory({ run, transaction }: HistoryConnection, samples: SampleStore): KeptHistory {
  /** The windows of the statements of what was applied, from a while before it was. */
  async function windowsAround(database: string, known: readonly Recommendation[], at: string, client: pg.PoolClient) {
    const applied = known.filter((each) => each.status === 'applied' || isMeasuredAt(each, at));
    const queryIds = [...new Set(applied.flatMap(queryIdsOf))];
    if (queryIds.length === 0) return new Map<string, StatementWindow[]>();
    const earliest = Math.min(...applied.map(({ appliedAt }) => Date.parse(appliedAt ?? '') || Date.now()));
    const from = new Date(earliest - beforeAppliedMs);
    return byQueryId(await run<StatementWindow>(windowsSql, [database, queryIds, from], client));
  }

  /** Those of the recommended indexes that are there, by what the newest audit of the indexes has seen. */
  async function builtOf(audit: AuditRecord, known: readonly Recommendation[], client: pg.PoolClient) {
    const awaited = known.filter((each) => isAwaited(each, audit.part));
    if (!audit.builtAmong || awaited.length === 0) return undefined;
    const indexes = await run<ExistingIndex>(
      `select "row"->>'schema' as schema, "row"->>'table' as table, "row"->>'definition' as definition,
         ("row"->>'sizeBytes')::float8 as "sizeBytes", ("row"->>'valid')::bool as valid, "row"->'sql' as sql
       from streamgate.rows
       where audit_id = (
         select id from streamgate.audits where database = $1 and part = 'indexes' order by window_start desc limit 1)`,
      [audit.database],
      client,
    );
    return audit.builtAmong(awaited, indexes);
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

  async function keepCosts(database: string, learnedAt: string, costs: CostCache, client: pg.PoolClient) {
    await run(
      `insert into streamgate.costs (database, learned_at, costs) values ($1, $2, $3)
       on conflict (database) do update set learned_at = excluded.learned_at, costs = excluded.costs`,
      [database, learnedAt, JSON.stringify(costs)],
      client,
    );
  }

  return {
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
        if (audit.costs) await keepCosts(audit.database, audit.snapshot.takenAt, audit.costs, client);
        const rows = await run<{ recommendation: Recommendation }>(
          'select recommendation from streamgate.recommendations where database = $1 and part = $2',
          [audit.database, audit.part],
          client,
        );
        const known = rows.map(({ recommendation }) => recommendation);
        const { takenAt: at } = audit.snapshot;
        const windows = await windowsAround(audit.database, known, at, client);
        const built = await builtOf(audit, known, client);
        const followed = follow(known, {
          at,
          findings: audit.findings,
          isJudged: audit.isJudged,
          windows,
          ...(built ? { built } : {}),
        });
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
        const left = new Set(followed.map(({ id }) => id));
        const withdrawn = known.map(({ id }) => id).filter((id) => !left.has(id));
        if (withdrawn.length > 0) {
          await run(
            'delete from streamgate.recommendations where database = $1 and id = any($2)',
            [audit.database, withdrawn],
            client,
          );
        }
        return true;
      }),

    async prune(before) {
      await run('delete from streamgate.audits where taken_at < $1', [before]);
      await run('delete from streamgate.recommendations where last_seen_at < $1', [before]);
      await run('delete from streamgate.windows where ended_at < $1', [before]);
      await run('delete from streamgate.plans where last_seen_at < $1', [before]);
      await run('delete from streamgate.costs where learned_at < $1', [before]);
      await samples.prune(before);
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

    async indexUse(database) {
      const [audit] = await run<{ id: number } & Omit<PastUse, 'uses'>>(
        `select id, to_json(taken_at) as "takenAt", snapshot->'server'->>'startedAt' as "startedAt",
           snapshot->'server'->>'statisticsResetAt' as "statisticsResetAt"
         from streamgate.audits where database = $1 and part = 'indexes' order by window_start desc limit 1`,
        [database],
      );
      if (!audit) return undefined;
      const rows = await run<{ index: string; scans: number; observed: Observation | null }>(
        // Each row is parsed once, not once for each of its fields that is wanted.
        `select known.sql->>'index' as index, known.scans, known.observed
         from streamgate.rows, json_to_record("row") as known(sql json, scans float8, observed json) where audit_id = $1`,
        [audit.id],
      );
      const { id: _, ...head } = audit;
      return { ...head, uses: new Map(rows.map((row) => [row.index, row])) };
    },

    async knownCosts(database) {
      const [known] = await run<{ costs: unknown }>('select costs from streamgate.costs where database = $1', [
        database,
      ]);
      // What another version has kept is learned anew.
      return CostCache.safeParse(known?.costs).data;
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
  };
}
