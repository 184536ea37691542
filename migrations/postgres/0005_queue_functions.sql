-- One round trip a step. All take their locks in one order: flights, queue items, ledger rows,
-- scopes, then an event's state; within a kind by key. Instants are taken after the locks.

create function event_json(the_event text) returns jsonb language plpgsql stable as $$
begin
    return (
        select jsonb_build_object(
            'id', e.id,
            'tenant', coalesce(e.tenant, 'default'),
            'name', coalesce(e.name, ''),
            'kind', coalesce(e.kind, ''),
            'starts_at', e.starts_at,
            'time_zone', coalesce(e.time_zone, 'UTC'),
            'locale', coalesce(e.locale, 'en'),
            -- ISO 4217's code for no currency.
            'currency', coalesce(e.currency, 'XXX'),
            'budget', e.budget,
            'participants', coalesce((
                select jsonb_agg(
                    jsonb_build_object('id', p.id, 'name', coalesce(p.name, p.id))
                    order by p.position, p.id collate "C"
                )
                from participants p where p.event_id = e.id
            ), '[]')
        )
        from events e where e.id = the_event
    );
end
$$;

create function message_json(the_message text) returns jsonb language plpgsql stable as $$
begin
    return (
        select jsonb_build_object(
            'id', m.id, 'room', m.room_id, 'sender', m.sender_id, 'sent_at', m.sent_at,
            'text', coalesce(m.text, ''), 'revision', coalesce(m.revision, 1),
            'deleted_at', m.deleted_at, 'detected_intent', m.detected_intent,
            'extracted_entities', m.extracted_entities
        )
        from messages m where m.id = the_message
    );
end
$$;

-- Whether the claim that took a flight still lives; until when, if it does.
create function flight_until(f flights) returns timestamptz language plpgsql as $$
begin
    return (
        select q.lease_until from queue_items q
        where q.id = f.item_id and q.lease = f.lease and q.lease_until > clock_timestamp()
    );
end
$$;

-- Makes due whatever waits for these flights, and names it. An item that is at work under the eyes
-- of an older snapshot is locked only if it still waits.
create function wake(keys text[]) returns text[] language plpgsql as $$
declare
    woken text[];
begin
    if keys is null then
        return '{}';
    end if;
    with due as (
        select id from queue_items
        where waits_for = any(keys) and status = 'pending'
        order by id for update
    ), moved as (
        update queue_items q
        set due_at = least(q.due_at, clock_timestamp()), look_at = clock_timestamp(), hints = 0,
            waits_for = null, park_reason = null
        from due where q.id = due.id
        returning q.id
    )
    select array_agg(id order by id) into woken from moved;
    return coalesce(woken, '{}');
end
$$;

-- Ends all flights of an item: landed, given up (the next leader starts at once), or failed (it
-- starts after a pause that doubles with each failure). Names the items that waited for them.
create function end_flights(the_item text, how text) returns text[] language plpgsql as $$
declare
    keys text[];
begin
    if how = 'landed' then
        with ended as (delete from flights where item_id = the_item returning key)
        select array_agg(key) into keys from ended;
    else
        with ended as (
            update flights
            set item_id = null, lease = null,
                failures = failures + (how = 'failed')::integer,
                open_at = clock_timestamp() + case
                    when how = 'failed' then least(
                        interval '1 second' * power(2, least(failures, 10)), interval '5 minutes'
                    )
                    else interval '0'
                end
            where item_id = the_item
            returning key
        )
        select array_agg(key) into keys from ended;
    end if;
    return wake(keys);
end
$$;

create function claim_item(the_item text, lease_for interval)
    returns table (
        verdict text, lease bigint, attempt integer, age_us bigint,
        message jsonb, event jsonb, room_exists boolean, kept jsonb, spent jsonb,
        completion_id uuid, completion_kind text, routing_key text, body bytea
    )
    language plpgsql as $$
#variable_conflict use_column
declare
    q queue_items;
    the_message jsonb;
    the_revision bigint;
    the_event text;
    has_room boolean := false;
    opens boolean;
    moment timestamptz;
begin
    select * into q from queue_items i where i.id = the_item for update;
    if not found then
        insert into queue_items (id) values (the_item) on conflict (id) do nothing;
        select * into q from queue_items i where i.id = the_item for update;
    end if;
    moment := clock_timestamp();
    if q.status = 'pending' and q.due_at > moment then
        return query select 'not_now', q.lease, q.attempt, 0::bigint, null::jsonb, null::jsonb,
            false, null::jsonb, null::jsonb, null::uuid, null::text, null::text, null::bytea;
        return;
    end if;

    if q.kind = 'message' then
        the_message := message_json(the_item);
        the_revision := (the_message ->> 'revision')::bigint;
    end if;

    if q.status = 'processing' and q.lease_until > moment then
        if the_revision > greatest(q.revision, q.wanted) then
            update queue_items i set wanted = the_revision where i.id = the_item;
        end if;
        return query select 'not_now', q.lease, q.attempt, 0::bigint, null::jsonb, null::jsonb,
            false, null::jsonb, null::jsonb, null::uuid, null::text, null::text, null::bytea;
        return;
    end if;

    if q.status not in ('pending', 'processing') then
        opens := the_revision > q.revision;
        if opens and q.completion_id is not null and q.confirmed_at is null then
            -- What is owed must not be lost: the confirm opens the item.
            update queue_items i set wanted = greatest(i.wanted, the_revision)
            where i.id = the_item;
            opens := false;
        end if;
        if opens is not true then
            return query select 'settled', q.lease, q.attempt, 0::bigint, null::jsonb, null::jsonb,
                false, null::jsonb, null::jsonb,
                case when q.confirmed_at is null then q.completion_id end,
                q.completion_kind, q.routing_key, q.body;
            return;
        end if;
        q.attempt := 0;
        q.created_at := moment;
        q.first_claimed_at := null;
    end if;

    if q.status = 'processing' then
        insert into item_history (item_id, what, lease, attempt)
        values (the_item, 'taken_over', q.lease, q.attempt);
    end if;
    perform abandon_reservations(array[the_item]);

    if the_message is not null then
        select r.event_id into the_event from rooms r where r.id = the_message ->> 'room';
        has_room := found;
    end if;
    the_event := coalesce(the_event, case when q.kind = 'suggestion' then q.event_id end);
    the_revision := coalesce(the_revision, -1);
    q.first_claimed_at := coalesce(q.first_claimed_at, moment);

    update queue_items i
    set status = 'processing', lease = q.lease + 1, attempt = q.attempt + 1,
        claimed_at = moment, lease_until = moment + lease_for, look_at = moment + lease_for,
        hints = 0, waits_for = null, park_reason = null, reason = null, detail = null,
        settled_at = null, created_at = q.created_at,
        first_claimed_at = q.first_claimed_at, revision = the_revision,
        wanted = -1, event_id = coalesce(the_event, i.event_id),
        room_id = coalesce(the_message ->> 'room', i.room_id),
        sent_at = coalesce((the_message ->> 'sent_at')::timestamptz, i.sent_at)
    where i.id = the_item;

    return query select 'held', q.lease + 1, q.attempt + 1,
        (extract(epoch from moment - q.first_claimed_at) * 1000000)::bigint,
        the_message, event_json(the_event), has_room or q.kind = 'suggestion',
        (
            select jsonb_agg(
                jsonb_build_object(
                    'fingerprint', l.fingerprint,
                    'model', coalesce(l.answered_by, l.model),
                    'answer', l.answer
                ) order by l.created_at, l.id
            )
            from ledger l
            where l.item_id = the_item and l.revision = the_revision
                and l.state = 'charged' and l.answer is not null
        ),
        spent_on(the_item, the_revision),
        null::uuid, null::text, null::text, null::bytea;
end
$$;

-- Puts an item back. False when the lease is not the caller's any more.
create function park_item(
    the_item text, the_lease bigint, after interval, the_reason text, spends boolean,
    the_detail text, the_flight text
) returns boolean language plpgsql as $$
#variable_conflict use_column
declare
    q queue_items;
    f flights;
    moment timestamptz;
    due timestamptz;
    waits boolean := false;
begin
    -- The flight's row before the item's: its leader's landing either sees this item waiting, or
    -- has gone by and is seen from here.
    perform 1 from flights where key = the_flight or item_id = the_item order by key for update;
    select * into q from queue_items i
    where i.id = the_item and i.lease = the_lease and i.lease_until is not null for update;
    if not found then
        return false;
    end if;

    moment := clock_timestamp();
    due := moment + after;
    if the_flight is not null then
        select * into f from flights where key = the_flight;
        waits := found and f.item_id is not null and flight_until(f) is not null;
        if not waits then
            due := greatest(moment, least(due, coalesce(f.open_at, moment)));
        end if;
    elsif the_reason = 'message_missing' and q.wanted > q.revision then
        due := moment;
    end if;

    update queue_items i
    set status = 'pending', attempt = i.attempt - (not spends)::integer, due_at = due,
        look_at = due, hints = 0, lease_until = null,
        -- What it waited for is there already: then it waits for nothing, and questions wait for it.
        park_reason = case when due > moment then the_reason end,
        waits_for = case when waits then the_flight end
    where i.id = the_item;
    insert into item_history (item_id, what, lease, attempt, reason, detail)
    values (the_item, 'parked', the_lease, q.attempt, the_reason, the_detail);
    perform end_flights(the_item, case when spends then 'failed' else 'given up' end);
    return true;
end
$$;

-- Puts back what a drain could not finish; says how many items were still the caller's.
create function release_items(items text[], leases bigint[]) returns bigint
    language plpgsql as $$
#variable_conflict use_column
declare
    ours text[];
begin
    perform 1 from flights where item_id = any(items) order by key for update;
    with held as (
        select q.id, q.lease, q.attempt from queue_items q
        join unnest(items, leases) h (id, lease) on h.id = q.id and h.lease = q.lease
        where q.lease_until is not null
        order by q.id for update of q
    ), released as (
        update queue_items q
        set status = 'pending', attempt = q.attempt - 1, due_at = clock_timestamp(),
            look_at = clock_timestamp(), hints = 0, lease_until = null
        from held where q.id = held.id
        returning q.id
    ), told as (
        insert into item_history (item_id, what, lease, attempt, reason)
        select held.id, 'parked', held.lease, held.attempt, 'drained' from held
    )
    select array_agg(id order by id) into ours from released;
    perform end_flights(id, 'given up') from unnest(ours) id;
    return coalesce(cardinality(ours), 0);
end
$$;

-- The entry under a key, or its flight: taken for this claim, or found in the air.
create function cached_or_flight(the_item text, the_lease bigint, the_key text)
    returns table (
        verdict text, answer jsonb, model text, usage jsonb, cost bigint, remaining_us bigint
    )
    language plpgsql as $$
#variable_conflict use_column
declare
    f flights;
    until timestamptz;
    moment timestamptz;
begin
    return query select 'hit', c.answer, c.model, c.usage, c.cost,
        (extract(epoch from c.expires_at - clock_timestamp()) * 1000000)::bigint
    from cache c where c.key = the_key and c.expires_at > clock_timestamp();
    if found then
        return;
    end if;

    loop
        insert into flights (key) values (the_key) on conflict (key) do nothing;
        select * into f from flights where key = the_key for update;
        -- Landing takes the row with it; whoever waited for it begins anew.
        exit when found;
    end loop;
    -- The leader may have landed between the first look and the lock.
    return query select 'hit', c.answer, c.model, c.usage, c.cost,
        (extract(epoch from c.expires_at - clock_timestamp()) * 1000000)::bigint
    from cache c where c.key = the_key and c.expires_at > clock_timestamp();
    if found then
        delete from flights where key = the_key and item_id is null and failures = 0;
        return;
    end if;

    moment := clock_timestamp();
    if f.item_id is null then
        until := f.open_at;
    elsif f.item_id = the_item and f.lease = the_lease then
        until := null;
    else
        until := flight_until(f);
    end if;
    if until > moment then
        return query select 'in_flight', null::jsonb, null::text, null::jsonb, null::bigint,
            (extract(epoch from until - moment) * 1000000)::bigint;
        return;
    end if;
    -- A claim that is over takes no flight; whoever asks learns the rest when it parks.
    if not exists (
        select 1 from queue_items q
        where q.id = the_item and q.lease = the_lease and q.lease_until is not null
    ) then
        return query select 'in_flight', null::jsonb, null::text, null::jsonb, null::bigint,
            0::bigint;
        return;
    end if;
    -- A leader that died counts as one that failed; its lease was the pause.
    update flights
    set item_id = the_item, lease = the_lease, open_at = moment,
        failures = failures + coalesce(f.item_id <> the_item, false)::integer
    where key = the_key;
    return query select 'leader', null::jsonb, null::text, null::jsonb, null::bigint, null::bigint;
end
$$;
