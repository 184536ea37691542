-- Limits: windows of budgets, what operators set, lines, and what providers say of theirs.

-- A budget's name, in all its windows; null for a rate.
alter table scopes add column name text collate "C";
-- The window of a budget that has one.
alter table scopes add column starts_at timestamptz;
alter table scopes add column ends_at timestamptz;
-- The limit that it was last judged by: places, or nano-dollars; null when there is none.
alter table scopes add column most bigint;
-- Of a hard budget, the share of what is left that requests in flight may hold; null for a soft one.
alter table scopes add column share double precision;
-- Of a rate, for how long a place is held.
alter table scopes add column span interval;
-- When its line is to be looked at; null when nobody waits.
alter table scopes add column opens_at timestamptz;
-- The turn that was called last in its line.
alter table scopes add column turn bigint not null default 0;
-- Each admission writes a long one anew: compressing it would cost more than the rest.
alter table scopes alter column instants set storage external;
update scopes set name = key where key like 'budget:%';
create index scopes_opening on scopes (opens_at) where opens_at is not null;
create index scopes_name on scopes (name, starts_at) where name is not null;

-- Who waits in a scope's line, in order of (turn, sent_at, item_id). Rows come and change under
-- their scope's lock; whoever holds an item's lock takes its row away.
create table lines (
    scope text collate "C" not null,
    item_id text collate "C" not null,
    event_id text collate "C" not null,
    sent_at timestamptz not null,
    turn bigint not null, -- 0 in a line that belongs to one event
    worst bigint not null, -- what it asks for: its worst case, of a soft budget what is expected
    rates text[] collate "C" not null, -- in a rate's line, all rates that it needs a place of
    called_until timestamptz, -- until then room is kept for it; null while it is not called
    primary key (scope, item_id)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index lines_order on lines (scope, turn, sent_at, item_id);
create index lines_event on lines (scope, event_id, sent_at, item_id);
create index lines_item on lines (item_id);
create index lines_called on lines (called_until) where called_until is not null;

-- What operators set for a budget, before what the settings say; a null limit lifts it.
create table budget_limits (
    name text collate "C" primary key,
    most bigint,
    set_by text not null,
    set_at timestamptz not null
);

-- What a provider said of its own limits: a row an account, which is only ever paused, and a row a
-- model of it.
create table providers (
    key text collate "C" primary key,
    paused_until timestamptz,
    requests_left bigint,
    requests_reset timestamptz,
    input_left bigint,
    input_reset timestamptz,
    output_left bigint,
    output_reset timestamptz
) with (fillfactor = 50);

-- Why a row is or was ambiguous.
alter table ledger add column why text check (why in ('abandoned', 'unanswered', 'unpriced'));
-- How long its permit may wait before it is sent; null once its places are what they will be.
alter table ledger add column send_within interval;
create index ledger_newest on ledger (created_at, id);
