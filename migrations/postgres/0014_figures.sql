-- Figures in constant time: metric rows by the day, their sums by the minute and by the hour.
-- Tables are locked in the order in which a record comes to them.
lock table queue_items, ledger, metrics, metric_rollups in access exclusive mode;

-- When its newest metric row was written; null: it has none.
alter table queue_items add column metric_at timestamptz;
create index queue_items_settled on queue_items (settled_at) where settled_at is not null;
create index item_history_failed on item_history (at) where what = 'failed';

-- The requests that a row stands for; those of a carried one may be many.
alter table ledger add column calls bigint not null default 1;
alter table ledger drop constraint ledger_state_check;
alter table ledger add constraint ledger_state_check
    check (state in ('reserved', 'charged', 'refunded', 'ambiguous', 'carried'));
create index ledger_closed on ledger (created_at, id) where state in ('charged', 'refunded');

-- ---- metric rows, a partition a day ----

alter table metrics rename to metrics_before;
alter index metrics_pkey rename to metrics_before_pkey;
alter index metrics_by_time rename to metrics_before_by_time;
alter index metrics_of_event rename to metrics_before_of_event;

create table metrics (
    item_id text collate "C" not null,
    revision bigint not null,
    tenant text not null,
    event_id text collate "C",
    outcome text not null,
    intent text not null,
    agent text,
    model text,
    cached boolean not null,
    latency_us bigint not null,
    calls integer not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    cache_read_tokens bigint not null,
    cache_write_5m_tokens bigint not null,
    cache_write_1h_tokens bigint not null,
    cost bigint not null,
    ambiguous_cost bigint not null,
    avoided_tokens bigint not null,
    avoided_cost bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (item_id, revision, created_at)
) partition by range (created_at);
create index metrics_by_time on metrics (created_at);
create index metrics_of_event on metrics (event_id);

create function metrics_day(the_day date) returns text language sql stable as $$
    select to_char(the_day, '"metrics_"YYYY_MM_DD')
$$;

-- Makes a UTC day's partition where it is missing. It is made beside the others and attached, which
-- waits for nobody who reads or writes them. With the schema owner's rights: a worker needs none
-- but on the tables.
create function make_metrics_day(the_day date) returns boolean
    language plpgsql security definer set search_path from current as $$
declare
    day_name text := metrics_day(the_day);
begin
    if to_regclass(day_name) is not null then
        return false;
    end if;
    -- Which the attaching takes anyway; having waited for it, one sees what others made.
    lock table metrics in share update exclusive mode;
    if to_regclass(day_name) is not null then
        return false;
    end if;
    execute format(
        'create table %I (like metrics including defaults including constraints)', day_name
    );
    execute format(
        'alter table metrics attach partition %I for values from (%L) to (%L)', day_name,
        to_char(the_day, 'YYYY-MM-DD') || ' 00:00:00+00',
        to_char(the_day + 1, 'YYYY-MM-DD') || ' 00:00:00+00'
    );
    return true;
end
$$;

do $$
declare
    today date := (now() at time zone 'UTC')::date;
begin
    perform make_metrics_day(d.day) from (
        select distinct (created_at at time zone 'UTC')::date as day from metrics_before
        union select today union select today + 1 union select today + 2
    ) d
    order by d.day;
end
$$;

insert into metrics (
    item_id, revision, tenant, event_id, outcome, intent, agent, model, cached, latency_us, calls,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    cost, ambiguous_cost, avoided_tokens, avoided_cost, created_at
)
select
    item_id, revision, tenant, event_id, outcome, intent, agent, model, cached, latency_us, calls,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    cost, ambiguous_cost, avoided_tokens, avoided_cost, created_at
from metrics_before;
update queue_items q set metric_at = m.created_at
from metrics_before m where m.item_id = q.id and m.revision = q.revision;

-- ---- sums by the minute and by the hour ----

-- The bucket of a latency in a histogram: bucket n holds what took at most (1.01 / 0.99)^n µs.
create function latency_bucket(micros bigint) returns integer language sql immutable as $$
    select case
        when micros <= 1 then 0
        else least(
            ceil(ln(micros::double precision) / ln(1.01::double precision / 0.99::double precision)),
            65535
        )::integer
    end
$$;

alter table metric_rollups add column asked bigint not null default 0;
alter table metric_rollups add column avoided_tokens bigint not null default 0;
-- Items by bucket of their latency. The older `latencies` is kept for the release before this one,
-- and empty.
alter table metric_rollups add column histogram jsonb not null default '{}';
alter table metric_rollups alter column latencies set default '{}';
-- The minute that runs is written anew by each record: within its page, and whole.
-- Compressing it each time would cost more than the rest.
alter table metric_rollups set (fillfactor = 70, toast_tuple_target = 8160);

-- All metric rows are still there, so what the sums lack is made of them.
with counted as (
    select m.tenant, date_trunc('minute', m.created_at) as minute, m.intent,
        abs(hashtext(m.item_id) % 16)::smallint as shard, latency_bucket(m.latency_us) as bucket,
        count(*) as items, sum(m.avoided_tokens) as avoided_tokens,
        count(*) filter (where m.agent is not null and not m.cached) as asked
    from metrics_before m
    group by 1, 2, 3, 4, 5
), merged as (
    select tenant, minute, intent, shard, sum(asked) as asked,
        sum(avoided_tokens) as avoided_tokens, jsonb_object_agg(bucket, items) as histogram
    from counted
    group by tenant, minute, intent, shard
)
update metric_rollups r
set asked = m.asked, avoided_tokens = m.avoided_tokens, histogram = m.histogram
from merged m
where (r.tenant, r.minute, r.intent, r.shard) = (m.tenant, m.minute, m.intent, m.shard);

create table metric_hours (
    tenant text not null,
    hour timestamptz not null,
    intent text not null,
    items bigint not null,
    cached bigint not null,
    asked bigint not null,
    calls bigint not null,
    tokens bigint not null,
    cost bigint not null,
    ambiguous_cost bigint not null,
    avoided_tokens bigint not null,
    avoided_cost bigint not null,
    latency_us bigint not null,
    histogram jsonb not null,
    primary key (tenant, hour, intent)
);
create index metric_hours_by_time on metric_hours (hour);

-- How far something is done: of `hours`, all before that instant are folded; of `minutes`, all
-- before it are dropped, or about to be.
create table folds (
    name text primary key,
    until timestamptz not null
);
insert into folds (name, until)
select 'hours', date_trunc('hour', coalesce(min(created_at), now()), 'UTC') from metrics_before;

-- `roll_up` names the type.
drop function roll_up(metrics_before, integer);
drop table metrics_before;

update schema_info set version = 14;
