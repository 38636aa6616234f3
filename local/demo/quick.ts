import { createHash, randomUUID } from 'node:crypto';
import type { Choose, Statement } from './statement.ts';

const viewer = (choose: Choose) => [choose.popular(100_000)];
const content = (choose: Choose) => [choose.popular(20_000)];
const session = (choose: Choose) => [choose.any(200_000)];
const creator = (choose: Choose) => [choose.popular(1_000)];
const title = (choose: Choose) => [['Course', 'Live', 'Podcast', 'Studio', 'Tour', 'Vlog'][choose.any(6) - 1]];
const tokenOf = (id: number) => createHash('md5').update(`session ${id}`).digest('hex');

/**
 * Reads of a few rows through an index. Each index of sql/ that is meant to be healthy is
 * read by one of these, or enforces something, and no planted unused index is.
 */
export const reads: readonly Statement[] = [
  {
    name: 'session by token',
    sql: 'select id, viewer_id, content_id, position_seconds from playback_sessions where token = $1',
    everyMs: 250,
    values: (choose) => [tokenOf(choose.any(200_000))],
  },
  {
    name: 'may a viewer watch',
    sql: `select g.contract_id, g.min_balance, t.balance from content_gates g
      join token_grants t on t.contract_id = g.contract_id and t.viewer_id = $2
      where g.content_id = $1 and t.expires_at > now()`,
    everyMs: 500,
    values: (choose) => [choose.popular(20_000), choose.popular(100_000)],
  },
  {
    name: 'save the position',
    sql: 'update playback_sessions set position_seconds = $2 where id = $1',
    everyMs: 500,
    values: (choose) => [choose.any(200_000), choose.any(3_600)],
  },
  {
    name: 'content by slug',
    sql: 'select id, title, visibility, duration_seconds from contents where slug = $1',
    everyMs: 500,
    values: (choose) => [`vod-${choose.popular(20_000)}`],
  },
  { name: 'viewer', sql: 'select handle, country from viewers where id = $1', everyMs: 500, values: viewer },
  {
    name: 'viewer by email',
    sql: 'select id, handle from viewers where email = $1',
    everyMs: 2_000,
    values: (choose) => [`viewer${choose.any(100_000)}@example.com`],
  },
  {
    name: 'viewer by handle',
    sql: 'select id, handle from viewers where lower(handle) = lower($1)',
    everyMs: 2_000,
    values: (choose) => [`VIEWER_${choose.any(100_000)}`],
  },
  {
    name: 'viewer was seen',
    sql: 'update viewers set last_seen_at = now() where id = $1',
    everyMs: 1_000,
    values: viewer,
  },
  {
    name: 'viewing history',
    sql: `select content_id, kind, position_seconds, occurred_at from view_events
      where viewer_id = $1 order by occurred_at desc limit 20`,
    everyMs: 1_000,
    values: viewer,
  },
  {
    name: 'events of a session',
    sql: 'select kind, position_seconds, bitrate_kbps, occurred_at from view_events where session_id = $1',
    everyMs: 1_000,
    values: session,
  },
  {
    name: 'continue watching',
    sql: `select content_id, position_seconds, started_at from playback_sessions
      where viewer_id = $1 order by started_at desc limit 10`,
    everyMs: 1_000,
    values: viewer,
  },
  {
    name: 'sessions of the last hour',
    sql: "select count(*) from playback_sessions where started_at > now() - interval '1 hour'",
    everyMs: 3_000,
  },
  {
    name: 'newest public contents',
    sql: "select id, title from contents where visibility = 'public' order by published_at desc limit 20",
    everyMs: 1_000,
  },
  {
    name: 'newest contents for members',
    sql: "select id, title from contents where visibility = 'members' order by published_at desc limit 20",
    everyMs: 2_000,
  },
  {
    name: 'trending contents',
    sql: 'select id, title, score from contents order by score desc limit 20',
    everyMs: 1_000,
  },
  {
    name: 'contents of a creator',
    sql: 'select id, title from contents where creator_id = $1 order by published_at desc limit 20',
    everyMs: 1_000,
    values: (choose) => [choose.any(1_000)],
  },
  {
    name: 'contents from a title on',
    sql: 'select id, title from contents where title >= $1 order by title limit 20',
    everyMs: 4_000,
    values: title,
  },
  {
    name: 'contents from a title on, as people sort',
    sql: `select id, title from contents where title collate "unicode" >= $1 order by title collate "unicode" limit 20`,
    everyMs: 4_000,
    values: title,
  },
  {
    name: 'popularity of a content',
    sql: 'select events, completed, last_event_at from content_popularity where content_id = $1',
    everyMs: 1_000,
    values: content,
  },
  {
    name: 'creator by handle',
    sql: 'select id, display_name from creators where handle = $1',
    everyMs: 1_000,
    values: (choose) => [`creator_${choose.popular(1_000)}`],
  },
  {
    name: 'last live creators',
    sql: 'select id, display_name from creators order by last_live_at desc limit 10',
    everyMs: 2_000,
  },
  {
    name: 'contents behind a contract',
    sql: 'select content_id, min_balance from content_gates where contract_id = $1 order by content_id limit 20',
    everyMs: 3_000,
    values: (choose) => [choose.popular(300)],
  },
  {
    name: 'newest holders of a contract',
    sql: 'select viewer_id, balance from token_grants where contract_id = $1 order by granted_at desc limit 20',
    everyMs: 3_000,
    values: (choose) => [choose.popular(300)],
  },
  {
    name: 'grants about to expire',
    sql: 'select id, viewer_id from token_grants where expires_at > now() order by expires_at limit 20',
    everyMs: 3_000,
  },
  {
    name: 'oldest comments from a content on',
    sql: `select content_id, body, created_at from comments where content_id >= $1
      order by content_id, created_at limit 50`,
    everyMs: 2_000,
    values: content,
  },
  {
    name: 'newest comments from a content on',
    sql: `select content_id, body, created_at from comments where content_id >= $1
      order by content_id, created_at desc limit 50`,
    everyMs: 2_000,
    values: content,
  },
  {
    name: 'payments of a viewer',
    sql: 'select amount_cents, currency, status, paid_at from payments where viewer_id = $1',
    everyMs: 2_000,
    values: viewer,
  },
  {
    name: 'last payments to a creator',
    sql: 'select amount_cents, currency, paid_at from payments where creator_id = $1 order by paid_at desc limit 20',
    everyMs: 2_000,
    values: creator,
  },
  {
    name: 'playlists of a viewer',
    sql: 'select id, name from playlists where viewer_id = $1',
    everyMs: 2_000,
    values: viewer,
  },
  {
    name: 'items of a playlist',
    sql: `select c.id, c.title from playlist_items i join contents c on c.id = i.content_id
      where i.playlist_id = $1 order by i.added_at`,
    everyMs: 2_000,
    values: (choose) => [choose.any(30_000)],
  },
  {
    name: 'playlists with a content',
    sql: 'select playlist_id from playlist_items where content_id = $1 limit 50',
    everyMs: 3_000,
    values: content,
  },
  {
    name: 'unread notifications',
    sql: 'select id, kind, created_at from notifications where viewer_id = $1 and read_at is null',
    everyMs: 1_000,
    values: viewer,
  },
  {
    name: 'newest notifications',
    sql: 'select id, viewer_id, kind from notifications order by created_at desc limit 50',
    everyMs: 3_000,
  },
];

/** Writes of a few rows. Few enough that indexes that are whole stay so for days. */
export const writes: readonly Statement[] = [
  {
    name: 'start a session',
    sql: `insert into playback_sessions (token, viewer_id, content_id, device, started_at)
      values ($1, $2, $3, $4, now()) returning id`,
    everyMs: 3_000,
    values: (choose) => [randomUUID(), choose.popular(100_000), choose.popular(20_000), 'phone'],
  },
  {
    name: 'report events',
    sql: `insert into view_events (session_id, viewer_id, content_id, kind, position_seconds, bitrate_kbps, country, player, occurred_at)
      select s.id, s.viewer_id, s.content_id, kind, s.position_seconds, $2, 'US', 'web/Chrome 4.2', now()
      from playback_sessions s, unnest($3::text[]) kind where s.id = $1`,
    everyMs: 2_000,
    values: (choose) => [choose.any(200_000), 800 * choose.any(10), ['play', 'progress', 'complete']],
  },
  {
    name: 'comment',
    sql: 'insert into comments (content_id, viewer_id, body, created_at) values ($1, $2, $3, now())',
    everyMs: 5_000,
    values: (choose) => [choose.popular(20_000), choose.popular(100_000), 'Loved it. See you at the next stream.'],
  },
  {
    name: 'pay',
    sql: `insert into payments (viewer_id, creator_id, grant_id, amount_cents, currency, status, transaction_hash, paid_at)
      select viewer_id, $2, id, $3, 'USD', 'pending', $4, now() from token_grants where id = $1`,
    everyMs: 5_000,
    values: (choose) => [
      5 * choose.any(39_000) + 3,
      choose.popular(1_000),
      100 * choose.any(50),
      `0x${randomUUID().replaceAll('-', '')}00000000`,
    ],
  },
  {
    name: 'score a content',
    sql: 'update contents set score = $2 where id = $1',
    everyMs: 5_000,
    values: (choose) => [choose.any(20_000), choose.any(1_000) / 1_000],
  },
  {
    name: 'add to a playlist',
    sql: `insert into playlist_items (playlist_id, content_id, added_at) values ($1, $2, now()) on conflict do nothing`,
    everyMs: 4_000,
    values: (choose) => [choose.any(30_000), choose.any(20_000)],
  },
  {
    name: 'remove from a playlist',
    sql: 'delete from playlist_items where playlist_id = $1 and content_id = $2',
    everyMs: 4_000,
    values: (choose) => [choose.any(30_000), choose.any(20_000)],
  },
  {
    name: 'notification was read',
    sql: 'update notifications set read_at = now() where id = $1 and read_at is null',
    everyMs: 5_000,
    values: (choose) => [120_000 + choose.any(60_000)],
  },
];
