import { reads, writes } from './quick.ts';
import type { Statement } from './statement.ts';

/** Look-alikes of a slow statement: much time in all, but none of it a query with a slow mean. */
const heavy: Statement[] = [
  {
    name: 'revenue of the week',
    sql: `select currency, count(*), sum(amount_cents) from payments
      where paid_at > now() - $1::interval group by currency`,
    everyMs: 3_000,
    values: () => ['7 days'],
  },
  {
    name: 'refresh the popularity',
    sql: 'refresh materialized view concurrently content_popularity',
    everyMs: 120_000,
  },
  { name: 'analyze the events', sql: 'analyze view_events', everyMs: 120_000 },
];

/**
 * Planted, slow. All their constants are parameters, so that pg_stat_statements keeps their text as it
 * is here. The rests are long: together they may take a fifteenth of a core.
 */
const slow: Statement[] = [
  {
    name: 'page of the event feed',
    sql: `select * from view_events order by occurred_at desc, id desc limit $1 offset $2`,
    everyMs: 33_000,
    values: (choose) => [50, 400_000 + 50 * choose.any(2_000)],
  },
  {
    name: 'last completions for a creator',
    sql: `select c.id, c.title,
      (select max(v.occurred_at) from view_events v where v.content_id = c.id and v.kind = $2) as last_completed_at
      from contents c where c.creator_id = $1 order by c.published_at desc limit $3`,
    everyMs: 31_000,
    values: (choose) => [choose.any(400), 'complete', 8],
  },
  {
    name: 'search in the event log',
    sql: `select player, kind, count(*) from view_events
      where player ilike $1 or kind ilike $1 group by player, kind order by count(*) desc limit $2`,
    everyMs: 35_000,
    values: (choose) => [`%${['exoplayer', 'safari', 'tizen', 'error'][choose.any(4) - 1]}%`, 50],
  },
  {
    name: 'audience of a week',
    sql: `select content_id, count(distinct viewer_id) as viewers from view_events
      where to_char(occurred_at, $1) = $2 group by content_id order by viewers desc limit $3`,
    everyMs: 37_000,
    values: (choose) => ['IYYY-IW', weekAgo(choose.any(12)), 10],
  },
];

/** The ISO week some weeks ago, as `to_char(…, 'IYYY-IW')` writes it. */
function weekAgo(weeks: number): string {
  const date = new Date(Date.now() - weeks * 7 * 86_400_000);
  // A week belongs to the year of its Thursday.
  date.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const dayOfYear =
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) /
    86_400_000;
  return `${date.getUTCFullYear()}-${String(1 + Math.floor(dayOfYear / 7)).padStart(2, '0')}`;
}

/** The mix. The quick ones come first, so that soon after the start every healthy index has been read. */
export const statements: readonly Statement[] = [...reads, ...writes, ...heavy, ...slow];
