-- What follows on tables.sql: ages the fragmented indexes, and makes the others and the foreign keys.

-- vacuum 1 creators
vacuum (index_cleanup on) creators;
-- vacuum 4 contents
vacuum (index_cleanup on) contents;
-- vacuum 4 token grants
vacuum (index_cleanup on) token_grants;
-- vacuum 3 notifications
vacuum (index_cleanup on) notifications;

-- The order within a table matters: of two indexes that serve a query alike, PostgreSQL takes the younger.

-- index 1 indexes of creators
alter table creators add primary key (id);
alter table creators add constraint creators_handle_key unique (handle);

-- index 27 indexes of contents
alter table contents add primary key (id);
alter table contents add constraint contents_slug_key unique (slug);
create index contents_creator_id_idx on contents (creator_id);
-- Look-alike, duplicate: another predicate.
create index contents_public_idx on contents (published_at) where visibility = 'public';
create index contents_members_idx on contents (published_at) where visibility = 'members';
-- Look-alike, duplicate: another collation.
create index contents_title_idx on contents (title);
create index contents_title_sorted_idx on contents (title collate "unicode");
-- Planted, unused: a search by tag that moved to a search engine.
create index contents_tags_idx on contents using gin (tags);

-- index 1 indexes of token contracts
alter table token_contracts add primary key (id);
alter table token_contracts add constraint token_contracts_chain_address_key unique (chain, address);
-- Look-alike, unused: too small to matter.
create index token_contracts_creator_id_idx on token_contracts (creator_id);
create index token_contracts_symbol_idx on token_contracts (symbol);

-- index 4 indexes of gates
-- Look-alike, duplicate: the other way round.
alter table content_gates add primary key (content_id, contract_id);
create index content_gates_contract_content_idx on content_gates (contract_id, content_id);

-- index 80 indexes of viewers
alter table viewers add primary key (id);
-- Planted, duplicate: the primary key has an index already.
create index viewers_id_idx on viewers (id);
alter table viewers add constraint viewers_email_key unique (email);
-- Look-alike, unused: it keeps two viewers from one wallet, though nobody searches by it.
alter table viewers add constraint viewers_wallet_key unique (wallet);
create unique index viewers_handle_key on viewers (lower(handle));
-- Planted, duplicate: the twin of an expression.
create index viewers_lower_handle_idx on viewers (lower(handle));
-- Planted, unused: a report by country that runs elsewhere by now.
create index viewers_country_joined_idx on viewers (country, joined_at);

-- index 18 indexes of grants
alter table token_grants add primary key (id);
-- Planted, duplicate: made before the constraint that does the same.
create index token_grants_viewer_contract_idx on token_grants (viewer_id, contract_id);
alter table token_grants add constraint token_grants_viewer_contract_key unique (viewer_id, contract_id);
create index token_grants_contract_id_idx on token_grants (contract_id, granted_at);

-- index 85 indexes of sessions
alter table playback_sessions add primary key (id);
-- Tokens are random: with room in every page they split few of them.
alter table playback_sessions add constraint playback_sessions_token_key unique (token) with (fillfactor = 75);
create index playback_sessions_viewer_started_idx on playback_sessions (viewer_id, started_at);
-- Look-alike, fragmented: as full as its fillfactor lets it be.
create index playback_sessions_started_at_idx on playback_sessions (started_at) with (fillfactor = 60);
-- Planted, unused: every query names a viewer first.
create index playback_sessions_device_idx on playback_sessions (device, started_at);

-- index 30 indexes of payments
alter table payments add primary key (id);
create index payments_viewer_id_idx on payments (viewer_id);
-- Look-alike, unused: without it, to delete a grant would be to read all payments.
create index payments_grant_id_idx on payments (grant_id);
-- Planted, duplicate: the mirror image of the next.
create index payments_creator_newest_idx on payments (creator_id desc, paid_at);
create index payments_creator_paid_idx on payments (creator_id, paid_at desc);

-- index 2 indexes of playlists
alter table playlists add primary key (id);
create index playlists_viewer_id_idx on playlists (viewer_id);

-- index 14 indexes of playlist items
-- Look-alike, duplicate: the other way round.
alter table playlist_items add primary key (playlist_id, content_id);
create index playlist_items_content_playlist_idx on playlist_items (content_id, playlist_id);

-- index 27 indexes of comments
alter table comments add primary key (id);
-- Look-alike, duplicate: one direction of two is turned round, which is no mirror image.
create index comments_content_created_idx on comments (content_id, created_at);
create index comments_content_newest_idx on comments (content_id, created_at desc);

-- index 3 indexes of notifications
alter table notifications add primary key (id);
create index notifications_unread_idx on notifications (viewer_id) where read_at is null;

-- index 40 popularity of contents
create materialized view content_popularity as
select content_id, count(*) as events, count(*) filter (where kind = 'complete') as completed, max(occurred_at) as last_event_at
from view_events group by content_id;
create unique index content_popularity_key on content_popularity (content_id);

-- key 8 foreign keys
alter table contents add foreign key (creator_id) references creators;
-- key 8 foreign keys
alter table token_contracts add foreign key (creator_id) references creators;
-- key 8 foreign keys
alter table content_gates add foreign key (content_id) references contents, add foreign key (contract_id) references token_contracts;
-- key 8 foreign keys
alter table token_grants add foreign key (viewer_id) references viewers, add foreign key (contract_id) references token_contracts;
-- key 8 foreign keys
alter table playback_sessions add foreign key (viewer_id) references viewers, add foreign key (content_id) references contents;
-- key 8 foreign keys
alter table payments add foreign key (viewer_id) references viewers, add foreign key (creator_id) references creators, add foreign key (grant_id) references token_grants;
-- key 8 foreign keys
alter table playlists add foreign key (viewer_id) references viewers;
-- key 8 foreign keys
alter table playlist_items add foreign key (playlist_id) references playlists, add foreign key (content_id) references contents;
-- key 8 foreign keys
alter table comments add foreign key (content_id) references contents, add foreign key (viewer_id) references viewers;
-- key 8 foreign keys
alter table notifications add foreign key (viewer_id) references viewers;

-- key 1 identity columns
do $$
declare
  t text;
begin
  for t in select table_name from information_schema.columns where table_schema = 'public' and is_identity = 'YES' loop
    execute format('select setval(pg_get_serial_sequence(%L, %L), max(id)) from %I', t, 'id', t);
  end loop;
end $$;

-- finish 70 statistics
vacuum (freeze, analyze) creators, contents, token_contracts, content_gates, viewers, token_grants, playback_sessions, payments, playlists, playlist_items, comments, notifications, content_popularity;
