/** The windows of statements, as the history has them. */
import type { PastWindow } from '../../queries/snapshot.ts';

/** A window of a statement. */
export type StatementWindow = PastWindow & { queryId: string };

/** The variance over several windows follows from sums: see lib/queries/join.ts. */
export const windowsSql = `
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

export function byQueryId<Row extends { queryId: string }>(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, ({ queryId }) => queryId);
}
