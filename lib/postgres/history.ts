import type pg from 'pg';
import type { Finding } from '../advice/finding.ts';
import { follow, type Recommendation, type Status } from '../advice/recommendation.ts';
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
  /** The rules that ran and could look at everything. */
  judged: ReadonlySet<string>;
}

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

/** Where snapshots, findings and recommendations are kept: a PostgreSQL schema named `streamgate`. */
export interface History {
  /** Brings the schema up to date. Safe to run twice, and from several processes at once. */
  migrate(): Promise<void>;
  hasAudit(database: string, part: string, windowStart: string): Promise<boolean>;
  /** Keeps an audit and follows its recommendations, all or nothing. False when the window is kept already. */
  keep(audit: AuditRecord): Promise<boolean>;
  /** Deletes audits, and recommendations not seen, from before a moment. */
  prune(before: Date): Promise<void>;
  latest(database: string, part: string): Promise<AuditHead | undefined>;
  /** The first rows of an audit. */
  rows<Row>(audit: AuditHead, limit: number): Promise<Page<Row>>;
  summary<Summary>(audit: AuditHead): Promise<Summary>;
  findings(audit: AuditHead, rule: string, limit: number): Promise<Page<Finding>>;
  recommendations(database: string, status: Status | undefined): Promise<Recommendation[]>;
  close(): Promise<void>;
}

/** Any number that no other program uses for an advisory lock of the same database: "streamga" in ASCII. */
const lockKey = '8319395793567740769';

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
        await run(
          `insert into streamgate.rows (audit_id, position, "row")
           select $1, position, r from json_array_elements($2) with ordinality as e(r, position)`,
          [kept.id, JSON.stringify(audit.rows)],
          client,
        );
        await run(
          `insert into streamgate.findings (audit_id, position, rule, finding)
           select $1, position, finding->>'rule', finding
           from json_array_elements($2) with ordinality as f(finding, position)`,
          [kept.id, JSON.stringify(audit.findings)],
          client,
        );
        const rows = await run<{ recommendation: Recommendation }>(
          'select recommendation from streamgate.recommendations where database = $1 and part = $2',
          [audit.database, audit.part],
          client,
        );
        const known = rows.map(({ recommendation }) => recommendation);
        const { takenAt: at } = audit.snapshot;
        const followed = follow(known, { at, findings: audit.findings, judged: audit.judged });
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

    async rows<Row>(audit: AuditHead, limit: number) {
      const found = await run<{ row: Row }>(
        'select "row" from streamgate.rows where audit_id = $1 order by position limit $2',
        [audit.id, limit],
      );
      return { rows: found.map(({ row }) => row), total: audit.rowCount };
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
