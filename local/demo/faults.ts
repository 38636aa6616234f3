/**
 * What is wrong with the demo database on purpose, and what only looks wrong. README.md shows these
 * lists, and test/integration/local/demo.test.ts holds the rules, the database and README.md to them.
 */

/** The rules that faults are planted for. */
export const plantedRules = ['indexes/unused', 'indexes/duplicate', 'indexes/fragmented', 'queries/slow'] as const;

/** One of {@link plantedRules}. */
export type PlantedRule = (typeof plantedRules)[number];

/** A fault, or a look-alike of one. */
export interface Planted {
  rule: PlantedRule;
  /** The index, or the name of the statement in statements.ts. */
  subject: string;
  /** Why it is a fault, or why it is none. */
  why: string;
}

/** A fault that a rule must find. */
export interface Fault extends Planted {
  /** What makes it so. */
  how: string;
}

/** Every fault. An index that two rules must find is listed twice. */
export const faults: readonly Fault[] = [
  {
    rule: 'indexes/unused',
    subject: 'view_events_country_idx',
    why: 'Every event is written to it, and no query asks for a country.',
    how: 'Made for a map of the audience that was never built.',
  },
  {
    rule: 'indexes/unused',
    subject: 'contents_tags_idx',
    why: 'A GIN index is dear to write, and no query looks into the tags.',
    how: 'The search by tag moved to a search engine.',
  },
  {
    rule: 'indexes/unused',
    subject: 'viewers_country_joined_idx',
    why: 'Two columns of every viewer, read by nobody.',
    how: 'The report by country runs elsewhere by now.',
  },
  {
    rule: 'indexes/unused',
    subject: 'playback_sessions_device_idx',
    why: 'Every session is written to it, and no query starts from a device.',
    how: 'Its first column is not in any WHERE: every query names a viewer or a time.',
  },
  {
    rule: 'indexes/unused',
    subject: 'token_grants_viewer_contract_idx',
    why: 'The constraint on the same columns serves every query.',
    how: 'A duplicate too. PostgreSQL takes the younger of two equal indexes, which is the constraint.',
  },
  {
    rule: 'indexes/unused',
    subject: 'payments_creator_newest_idx',
    why: 'Its mirror image serves every query.',
    how: 'A duplicate too. PostgreSQL takes the younger of two equal indexes, which is the other one.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'viewers_id_idx',
    why: 'The primary key has an index on id already.',
    how: 'CREATE INDEX on a column that is the primary key. It is used, but the primary key would do.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'token_grants_viewer_contract_idx',
    why: 'The unique constraint has an index on the same two columns.',
    how: 'The index came first, the constraint later, and nobody dropped the index.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'payments_creator_newest_idx',
    why: 'A b-tree reads backwards: (creator_id desc, paid_at) is (creator_id, paid_at desc) in reverse.',
    how: 'Two people made an index for the same page.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'viewers_lower_handle_idx',
    why: 'The unique index on lower(handle) serves the same queries.',
    how: 'The same expression twice. It is used, but the unique one would do.',
  },
  {
    rule: 'indexes/fragmented',
    subject: 'token_grants_expires_at_idx',
    why: 'About 60 % of its space is waste: every page lost three of five entries.',
    how: 'Revoked grants were deleted all over the index.',
  },
  {
    rule: 'indexes/fragmented',
    subject: 'notifications_created_at_idx',
    why: 'About 65 % of its space is waste: two of three pages are deleted.',
    how: 'The oldest notifications were deleted at once.',
  },
  {
    rule: 'indexes/fragmented',
    subject: 'contents_score_idx',
    why: 'About 80 % of its space is waste: pages were split for entries that moved on.',
    how: 'Three scoring runs gave every content a new place in the index.',
  },
  {
    rule: 'queries/slow',
    subject: 'page of the event feed',
    why: 'OFFSET reads and drops every row before the page, and no index has the order.',
    how: 'ORDER BY occurred_at with no index on it: all events are sorted for 50 of them.',
  },
  {
    rule: 'queries/slow',
    subject: 'last completions for a creator',
    why: 'The subquery runs once for each content, and reads all events each time.',
    how: 'view_events has no index on content_id.',
  },
  {
    rule: 'queries/slow',
    subject: 'search in the event log',
    why: 'No b-tree can serve a pattern that starts with %, so all events are read.',
    how: "ILIKE '%…%' on two columns of the largest table.",
  },
  {
    rule: 'queries/slow',
    subject: 'audience of a week',
    why: 'The column is inside a function, so that no index on it could serve, and COUNT(DISTINCT) sorts.',
    how: 'to_char(occurred_at, …) = $2 where a range of times would do.',
  },
];

/** What looks like a fault and is none. No rule may report it. */
export const lookAlikes: readonly Planted[] = [
  {
    rule: 'indexes/unused',
    subject: 'viewers_wallet_key',
    why: 'No query reads it, but it keeps two viewers from one wallet.',
  },
  {
    rule: 'indexes/unused',
    subject: 'payments_grant_id_idx',
    why: 'No query reads it, but it is the only index behind a foreign key: without it, to delete a grant is to read all payments.',
  },
  {
    rule: 'indexes/unused',
    subject: 'token_contracts_symbol_idx',
    why: 'No query reads it, but it is one page: to drop it saves nothing.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'playlist_items_content_playlist_idx',
    why: 'Same columns as the primary key in the other order: it finds the playlists of a content.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'content_gates_contract_content_idx',
    why: 'Same columns as the primary key in the other order: it finds the contents behind a contract.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'comments_content_newest_idx',
    why: 'Same columns as comments_content_created_idx, one direction of two turned round: that is no mirror image.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'contents_members_idx',
    why: 'Same column as contents_public_idx, but other rows: the predicates differ.',
  },
  {
    rule: 'indexes/duplicate',
    subject: 'contents_title_sorted_idx',
    why: 'Same column as contents_title_idx in another collation: it sorts as people do.',
  },
  {
    rule: 'indexes/fragmented',
    subject: 'playback_sessions_started_at_idx',
    why: 'Its pages are 60 % full because its fillfactor says so.',
  },
  {
    rule: 'indexes/fragmented',
    subject: 'payments_transaction_hash_key',
    why: 'Random keys leave about 20 % of waste: that is how a b-tree lives.',
  },
  {
    rule: 'indexes/fragmented',
    subject: 'creators_last_live_at_idx',
    why: 'Half of it is waste, but half of 90 kB is nothing.',
  },
  {
    rule: 'queries/slow',
    subject: 'revenue of the week',
    why: 'One of the largest totals of all statements, but each call takes a few hundredths of a second.',
  },
  {
    rule: 'queries/slow',
    subject: 'refresh the popularity',
    why: 'Slow, but a utility statement (REFRESH MATERIALIZED VIEW): no request waits for it.',
  },
  {
    rule: 'queries/slow',
    subject: 'analyze the events',
    why: 'Slow, but a utility statement (ANALYZE): no request waits for it.',
  },
];
