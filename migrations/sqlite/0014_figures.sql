-- Figures in constant time, alerts and their notices, duties, a cache that is bounded in bytes, and
-- carried sums in the ledger.

-- ---- figures ----

-- When its metric row was written; null: it has none.
alter table queue_items add column metric_at integer;
update queue_items set metric_at = (
    select m.created_at from metrics m
    where m.item_id = queue_items.id and m.revision = queue_items.revision
);
create index queue_items_settled on queue_items (settled_at) where settled_at is not null;
create index item_history_failed on item_history (at) where what = 'failed';

alter table metric_rollups add column asked integer not null default 0;
alter table metric_rollups add column avoided_tokens integer not null default 0;
-- Counts by bucket; bucket n holds what took at most (1.01 / 0.99) to the n microseconds. The
-- older `latencies` is kept for the release before this one, and empty.
alter table metric_rollups add column histogram text not null default '{}';

-- All rows are still there, so their sums are made anew.
create temp table bounds (most real primary key, bucket integer not null);
insert into bounds (most, bucket)
with recursive bound (most, bucket) as (
    select 1.0, 0 union all select most * 1.01 / 0.99, bucket + 1 from bound where bucket < 2000
)
select most, bucket from bound;
delete from metric_rollups;
insert into metric_rollups (tenant, minute, intent, shard, items, cached, asked, calls, tokens, cost,
    ambiguous_cost, avoided_tokens, avoided_cost, latency_us, latencies)
select tenant, created_at - created_at % 60000000, intent, 0, count(*), sum(cached),
    sum(agent is not null and not cached), sum(calls),
    sum(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens
        + cache_write_1h_tokens),
    sum(cost), sum(ambiguous_cost), sum(avoided_tokens), sum(avoided_cost), sum(latency_us), '[]'
from metrics group by 1, 2, 3;
with counted (tenant, minute, intent, bucket, items) as (
    select tenant, created_at - created_at % 60000000, intent,
        (select b.bucket from bounds b where b.most >= latency_us order by b.most limit 1), count(*)
    from metrics group by 1, 2, 3, 4
),
merged (tenant, minute, intent, histogram) as (
    select tenant, minute, intent, json_group_object(cast(bucket as text), items)
    from counted group by tenant, minute, intent
)
update metric_rollups set histogram = m.histogram
from merged m
where m.tenant = metric_rollups.tenant and m.minute = metric_rollups.minute
    and m.intent = metric_rollups.intent;
drop table bounds;

-- What the minutes of an hour come to.
create table metric_hours (
    tenant text not null,
    hour integer not null, -- the instant at which it begins
    intent text not null,
    items integer not null default 0,
    cached integer not null default 0,
    asked integer not null default 0,
    calls integer not null default 0,
    tokens integer not null default 0,
    cost integer not null default 0,
    ambiguous_cost integer not null default 0,
    avoided_tokens integer not null default 0,
    avoided_cost integer not null default 0,
    latency_us integer not null default 0,
    histogram text not null default '{}',
    primary key (tenant, hour, intent)
) strict, without rowid;
create index metric_hours_time on metric_hours (hour);

-- How far something is done: of `hours`, all before that instant are folded; of `minutes`, all
-- before it are dropped.
create table folds (
    name text primary key,
    until integer not null
) strict;

-- ---- the ledger ----

-- SQLite cannot change a check, so the table is made anew, with the state `carried`: the sum of a
-- budget's rows that are not kept any more, or with no budget, of all of them.
alter table ledger rename to ledger_before;
create table ledger (
    id text primary key,
    state text not null default 'reserved'
        check (state in ('reserved', 'charged', 'refunded', 'ambiguous', 'carried')),
    tenant text not null,
    item_id text not null,
    lease integer not null,
    revision integer not null,
    event_id text not null,
    agent text not null,
    model text not null, -- the one that was asked
    answered_by text,
    fingerprint text not null,
    scopes text not null, -- the budgets it is counted in
    rates text not null, -- the rates it took a place of at `admitted_at`
    admitted_at integer not null,
    reserved integer not null, -- its worst case
    charged integer not null default 0,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    cache_read_tokens integer not null default 0,
    cache_write_5m_tokens integer not null default 0,
    cache_write_1h_tokens integer not null default 0,
    answer text, -- kept for replay
    created_at integer not null,
    resolved_at integer,
    resolved_by text,
    -- Why it is or was ambiguous.
    why text check (why in ('abandoned', 'unanswered', 'unpriced')),
    -- How long its permit may wait before it is sent; null once its places are what they will be.
    send_within integer,
    calls integer not null default 1 -- the requests that it stands for
) strict;
insert into ledger select *, 1 from ledger_before;
drop table ledger_before;
create index ledger_item on ledger (item_id, revision);
create index ledger_event on ledger (event_id);
create index ledger_open on ledger (item_id) where state = 'reserved';
create index ledger_ambiguous on ledger (created_at) where state = 'ambiguous';
create index ledger_newest on ledger (created_at, id);
create index ledger_closed on ledger (resolved_at) where state in ('charged', 'refunded');

-- Windows that are over, and rates by the last instant that they keep.
create index scopes_ended on scopes (ends_at) where ends_at is not null;
create index scopes_idle on scopes (coalesce(instants ->> '$[#-1]', 0)) where name is null;

-- ---- the cache and the settings ----

alter table cache add column bytes integer not null default 0; -- of key and answer
alter table cache add column created_at integer not null default 0;
update cache set bytes = length(cast(key as blob)) + length(cast(answer as blob)),
    created_at = cast(round(unixepoch('subsec') * 1000000) as integer);
drop index cache_expiry;
create index cache_expiry on cache (expires_at, bytes);

alter table settings add column changed_by text;

-- ---- alerts ----

create table alerts (
    id text primary key,
    key text not null,
    rule text not null,
    text text not null,
    value real not null,
    threshold real not null,
    fired_at integer not null,
    resolved_at integer
) strict;
create unique index alerts_open on alerts (key) where resolved_at is null;
create index alerts_resolved on alerts (resolved_at) where resolved_at is not null;

-- What is to be told of them, until it is confirmed.
create table notices (
    channel text not null check (channel in ('event', 'webhook')),
    id text not null,
    kind text not null,
    routing_key text not null,
    body blob not null,
    tries integer not null default 0,
    look_at integer, -- when it is told next; null once it is confirmed or given up
    created_at integer not null,
    confirmed_at integer,
    primary key (channel, id)
) strict, without rowid;
create index notices_look on notices (look_at) where look_at is not null;
create index notices_over on notices (created_at) where look_at is null;

-- What one replica does for all.
create table duties (
    name text primary key,
    next_at integer not null
) strict;

update schema_info set version = 14;
