-- Limits: windows of budgets, what operators set, lines, and what providers say of theirs.

-- A budget's name, in all its windows; null for a rate.
alter table scopes add column name text;
-- The window of a budget that has one.
alter table scopes add column starts_at integer;
alter table scopes add column ends_at integer;
-- The limit that it was last judged by: places, or nano-dollars; null when there is none.
alter table scopes add column most integer;
-- Of a hard budget, the share of what is left that requests in flight may hold; null for a soft one.
alter table scopes add column share real;
-- Of a rate, for how long a place is held.
alter table scopes add column span integer;
-- When its line is to be looked at; null when nobody waits.
alter table scopes add column opens_at integer;
-- The turn that was called last in its line.
alter table scopes add column turn integer not null default 0;
update scopes set name = key where key like 'budget:%';
create index scopes_opening on scopes (opens_at) where opens_at is not null;
create index scopes_name on scopes (name, starts_at) where name is not null;

-- Who waits in a scope's line, in order of (turn, sent_at, item_id).
create table lines (
    scope text not null,
    item_id text not null,
    event_id text not null,
    sent_at integer not null,
    turn integer not null, -- 0 in a line that belongs to one event
    worst integer not null, -- the worst case of what it asks for
    rates text not null, -- in a rate's line, all rates that it needs a place of
    called_until integer, -- until then room is kept for it; null while it is not called
    primary key (scope, item_id)
) strict, without rowid;
create index lines_order on lines (scope, turn, sent_at, item_id);
create index lines_event on lines (scope, event_id, sent_at, item_id);
create index lines_item on lines (item_id);
create index lines_called on lines (called_until) where called_until is not null;

-- What operators set for a budget, before what the settings say; a null limit lifts it.
create table budget_limits (
    name text primary key,
    most integer,
    set_by text not null,
    set_at integer not null
) strict;

-- What a provider said of its own limits: a row an account, which is only ever paused, and a row a
-- model of it.
create table providers (
    key text primary key,
    paused_until integer,
    requests_left integer,
    requests_reset integer,
    input_left integer,
    input_reset integer,
    output_left integer,
    output_reset integer
) strict;

-- Why a row is or was ambiguous.
alter table ledger add column why text check (why in ('abandoned', 'unanswered', 'unpriced'));
-- How long its permit may wait before it is sent; null once its places are what they will be.
alter table ledger add column send_within integer;
create index ledger_newest on ledger (created_at, id);

-- A question waits for what was said before it, also where that waits for a moment only.
drop index queue_items_unsettled;
create index queue_items_unsettled on queue_items (room_id, sent_at, id)
    where status = 'processing' or (status = 'pending' and coalesce(park_reason, 'flight_taken')
        in ('flight_taken', 'budget_busy', 'model_busy'));

update schema_info set version = 9;
