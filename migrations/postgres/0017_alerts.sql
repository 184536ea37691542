-- Alerts and what is told of them, duties, the cache's size, who changed a setting.

alter table cache add column bytes bigint not null default 0; -- of key and answer
alter table cache add column created_at timestamptz not null default clock_timestamp();
update cache set bytes = octet_length(key) + octet_length(answer::text);

alter table settings add column changed_by text;

create table alerts (
    id uuid primary key,
    key text collate "C" not null,
    rule text not null,
    text text not null,
    value double precision not null,
    threshold double precision not null,
    fired_at timestamptz not null,
    resolved_at timestamptz
);
create unique index alerts_open on alerts (key) where resolved_at is null;
create index alerts_resolved on alerts (resolved_at) where resolved_at is not null;

-- What is to be told of them, until it is confirmed.
create table notices (
    channel text not null check (channel in ('event', 'webhook')),
    id uuid not null,
    kind text not null,
    routing_key text not null,
    body bytea not null,
    tries integer not null default 0,
    -- When it is told next; null once it is confirmed or given up.
    look_at timestamptz default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp(),
    confirmed_at timestamptz,
    primary key (channel, id)
);
create index notices_to_look_at on notices (look_at) where look_at is not null;
create index notices_over on notices (created_at) where look_at is null;

-- What one replica does for all.
create table duties (
    name text primary key,
    next_at timestamptz not null
);

create or replace function put_into_cache(entry jsonb) returns void language plpgsql as $$
begin
    insert into cache (key, event_id, answer, model, usage, cost, expires_at, bytes)
    values (
        entry ->> 'key', entry ->> 'event', entry -> 'answer', entry ->> 'model',
        entry -> 'usage', (entry ->> 'cost')::bigint,
        clock_timestamp() + (entry ->> 'ttl_us')::bigint * interval '1 microsecond',
        octet_length(entry ->> 'key') + octet_length(entry ->> 'answer')
    )
    on conflict (key) do update
    set event_id = excluded.event_id, answer = excluded.answer, model = excluded.model,
        usage = excluded.usage, cost = excluded.cost, expires_at = excluded.expires_at,
        bytes = excluded.bytes, created_at = excluded.created_at;
    -- Each write takes a few expired entries along, so that the table stays bounded.
    delete from cache where key in (
        select c.key from cache c where c.expires_at < now()
        order by c.expires_at limit 10 for update skip locked
    );
end
$$;

-- Drops all entries whose key begins with this, and moves the cache's generation on.
create function clear_cache(prefix text) returns bigint language plpgsql as $$
declare
    gone bigint;
begin
    delete from cache where starts_with(key, prefix);
    get diagnostics gone = row_count;
    insert into settings as s (key, value) values ('cache', '{"generation": 1}')
    on conflict (key) do update
    set value = jsonb_build_object('generation', (s.value ->> 'generation')::bigint + 1),
        changed_at = clock_timestamp();
    return gone;
end
$$;

-- Drops what expires soonest until there are no more entries and bytes than these; a bounded
-- number at a time.
create function trim_cache(most_entries bigint, most_bytes bigint) returns bigint
    language plpgsql as $$
declare
    gone bigint;
begin
    if (select count(*) <= most_entries and coalesce(sum(bytes), 0) <= most_bytes from cache) then
        return 0;
    end if;
    with kept_first as (
        select key, expires_at, row_number() over latest as entries, sum(bytes) over latest as bytes
        from cache
        window latest as (order by expires_at desc, key desc)
    ), over as (
        select key from kept_first
        where entries > most_entries or bytes > most_bytes
        order by expires_at, key limit 1000
    )
    delete from cache where key = any(array(
        select c.key from cache c where c.key = any(array(select key from over))
        order by c.key for update skip locked
    ));
    get diagnostics gone = row_count;
    return gone;
end
$$;

update schema_info set version = 17;
