-- The inputs: what applications write and Gleaner reads. Each may be there already as a view over
-- the application's own tables, so each is made only where nothing of its name stands in the
-- schema. No table of ours has a foreign key to them.
do $$
begin
    if to_regclass('events') is null then
        create table events (
            id text collate "C" primary key,
            tenant text not null default 'default',
            name text not null,
            kind text not null default '',
            starts_at timestamptz,
            time_zone text not null default 'UTC',
            locale text not null default 'en',
            currency text not null check (currency ~ '^[A-Z]{3}$'),
            budget bigint
        );
    end if;

    if to_regclass('participants') is null then
        create table participants (
            event_id text collate "C" not null,
            id text collate "C" not null,
            name text not null,
            position integer not null,
            primary key (event_id, id)
        );
    end if;

    if to_regclass('rooms') is null then
        create table rooms (
            id text collate "C" primary key,
            event_id text collate "C" not null
        );
        create index rooms_of_event on rooms (event_id);
    end if;

    if to_regclass('messages') is null then
        create table messages (
            id text collate "C" primary key,
            room_id text collate "C" not null,
            sender_id text collate "C" not null,
            sent_at timestamptz not null,
            text text not null,
            revision bigint not null default 1,
            deleted_at timestamptz,
            detected_intent text,
            extracted_entities jsonb
        );
    end if;

    if to_regclass('vendors') is null then
        create table vendors (
            id text collate "C" primary key,
            name text not null,
            kind text not null,
            area text,
            price_from bigint,
            currency text,
            rating double precision
        );
        create index vendors_of_kind on vendors (kind);
    end if;
end
$$;
