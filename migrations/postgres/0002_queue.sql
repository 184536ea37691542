-- The queue: the row is the truth, the delivery a hint.
create table queue_items (
    id text collate "C" primary key,
    kind text not null default 'message' check (kind in ('message', 'suggestion')),
    event_id text collate "C",
    -- Where its message stands, so that the unsettled ones before another are one range.
    room_id text collate "C",
    sent_at timestamptz,
    status text not null default 'pending'
        check (status in ('pending', 'processing', 'completed', 'skipped', 'failed')),
    -- Only ever grows: the fence of every write after the claim.
    lease bigint not null default 0,
    -- There exactly while the item is in `processing`. Fences ask for it and not for the status, so
    -- that no index but the primary key's ever looks good to the planner.
    lease_until timestamptz,
    claimed_at timestamptz,
    -- From when its patience counts; null until the first claim since it was last opened.
    first_claimed_at timestamptz,
    attempt integer not null default 0,
    -- From when a pending item may be claimed.
    due_at timestamptz not null default clock_timestamp(),
    -- When the scheduler must look at the row again; null when nothing is owed.
    look_at timestamptz default clock_timestamp() + interval '30 seconds',
    -- How often the scheduler published for the row in its present state.
    hints integer not null default 0,
    -- The cache key whose flight makes it due.
    waits_for text collate "C",
    park_reason text,
    -- The message's revision at the last claim; -1 while it had no row.
    revision bigint not null default -1,
    -- The revision that has its turn once the present one's completion event is confirmed; -1
    -- when none was seen since the claim.
    wanted bigint not null default -1,
    created_at timestamptz not null default clock_timestamp(),
    settled_at timestamptz,
    intent text,
    reason text,
    detail text,
    completion_id uuid,
    completion_kind text,
    routing_key text,
    body bytea,
    confirmed_at timestamptz,
    check ((status = 'processing') = (lease_until is not null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

create index queue_items_to_look_at on queue_items (look_at) where look_at is not null;
-- What the scheduler takes while the work queue is full: all but second hints.
create index queue_items_to_look_at_first on queue_items (look_at)
    where look_at is not null and (hints = 0 or status <> 'pending');
create index queue_items_waiting on queue_items (waits_for) where waits_for is not null;
create index queue_items_by_status on queue_items (status, due_at);
create index queue_items_owing on queue_items (settled_at)
    where completion_id is not null and confirmed_at is null;
create index queue_items_unsettled on queue_items (room_id, sent_at, id)
    where status = 'processing' or (status = 'pending' and park_reason is null);
create index queue_items_of_event on queue_items (event_id, status) where event_id is not null;

-- A row per park, failure and takeover; none for the straight way.
create table item_history (
    id bigint generated always as identity primary key,
    item_id text collate "C" not null references queue_items (id) on delete cascade,
    what text not null check (what in ('parked', 'failed', 'taken_over')),
    lease bigint not null,
    attempt integer not null,
    reason text,
    detail text,
    at timestamptz not null default clock_timestamp()
);
create index item_history_of_item on item_history (item_id, id);

-- Opens a settled item again, as good as new. What settled it can be read back until it is claimed.
create function reopen_item(the_item text, look_in interval) returns void language plpgsql as $$
begin
    update queue_items
    set status = 'pending', attempt = 0, due_at = clock_timestamp(),
        look_at = clock_timestamp() + look_in, hints = 0, created_at = clock_timestamp(),
        first_claimed_at = null, park_reason = null, reason = null, detail = null
    where id = the_item;
end
$$;

-- The producer's own transaction makes the item, so a producer that dies before it publishes loses
-- nothing. It runs with the schema owner's rights: a producer needs none but on `messages`.
create function enqueue_message() returns trigger
    language plpgsql security definer set search_path from current as $$
declare
    q queue_items;
    the_event text;
begin
    select r.event_id into the_event from rooms r where r.id = new.room_id;
    insert into queue_items (id, event_id, room_id, sent_at, look_at)
    values (
        new.id, the_event, new.room_id, new.sent_at, clock_timestamp() + interval '30 seconds'
    )
    on conflict (id) do nothing;
    if found then
        return null;
    end if;

    select * into q from queue_items i where i.id = new.id for update;
    if q.room_id is null then
        update queue_items
        set event_id = coalesce(the_event, event_id), room_id = new.room_id, sent_at = new.sent_at
        where id = new.id;
    end if;
    if q.status = 'pending' then
        -- A delivery that was faster than its producer's commit waits here.
        if q.park_reason = 'message_missing' then
            update queue_items
            set due_at = clock_timestamp(), look_at = clock_timestamp(), hints = 0,
                park_reason = null
            where id = new.id;
        end if;
    elsif new.revision <= q.revision then
        null;
    elsif q.status = 'processing' or (q.completion_id is not null and q.confirmed_at is null) then
        -- The claim may have read the row as it was before, and what is owed must not be lost: the
        -- confirm opens the item.
        update queue_items set wanted = greatest(wanted, new.revision) where id = new.id;
    else
        perform reopen_item(new.id, interval '30 seconds');
    end if;
    return null;
end
$$;

do $$
begin
    if (select c.relkind in ('r', 'p') from pg_class c where c.oid = to_regclass('messages')) then
        create index if not exists messages_of_room on messages (room_id, sent_at, id);
        create trigger gleaner_enqueue_new after insert on messages
            for each row execute function enqueue_message();
        create trigger gleaner_enqueue_revised after update of revision on messages
            for each row when (new.revision > old.revision) execute function enqueue_message();
    end if;
end
$$;
