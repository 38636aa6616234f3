/** What the endpoints answer from. */
import type { Finding } from '../../advice/finding.ts';
import type { Recommendation, Status } from '../../advice/recommendation.ts';
import type { StatementHistory } from '../../queries/history.ts';
import type { Past, PastPlan, Statement, StatementPlan } from '../../queries/snapshot.ts';
import { postgresSamples } from '../../resources/store/postgres.ts';
import type { SampleStore } from '../../resources/store.ts';
import { sqlState } from '../errors.ts';
import type { Note } from '../server.ts';
import type { HistoryConnection } from './connection.ts';
import { byQueryId, type StatementWindow, windowsSql } from './windows.ts';

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

/** The history as endpoints need it: they read the newest audits, and add samples of themselves. */
export interface ReadableHistory {
  /** The samples of functions. */
  readonly samples: SampleStore;
  latest(database: string, part: string): Promise<AuditHead | undefined>;
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
  summary<Summary>(audit: AuditHead): Promise<Summary>;
  findings(audit: AuditHead, rule: string, limit: number): Promise<Page<Finding>>;
  recommendations(database: string, status: Status | undefined): Promise<Recommendation[]>;
  close(): Promise<void>;
}

/** Reads the history at the end of a connection. */
export function readHistory({ pool, where, run, close }: HistoryConnection): ReadableHistory {
  return {
    samples: postgresSamples(pool, where),

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

    close,
  };
}
