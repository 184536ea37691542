-- Suggestions: runs as queue items of their own, and the rows that they write.

alter table suggestions add column model text;
alter table suggestions add column dismissed_by text;
-- Its place among those that its run made.
alter table suggestions add column position integer not null default 0;

create index queue_items_runs on queue_items (event_id) where kind = 'suggestion';

-- An event changed, and the caller holds its state's lock: its waiting run is put off until it is
-- quiet, or, when it has none, the answer says when a new one would be due.
create function next_run(the_event text, every interval, quiet interval, patience interval)
    returns timestamptz language plpgsql as $$
declare
    w queue_items;
    moment timestamptz;
    earliest timestamptz;
    due timestamptz;
begin
    select * into w from queue_items q
    where q.event_id = the_event and q.kind = 'suggestion' and q.status = 'pending'
    order by q.created_at, q.id limit 1 for update;
    moment := clock_timestamp();
    select max(q.claimed_at) + every into earliest from queue_items q
    where q.event_id = the_event and q.kind = 'suggestion';
    if w.id is null then
        return greatest(moment + quiet, earliest);
    end if;
    -- One that was begun and put back waits for something else, and sees this once it goes on.
    if w.first_claimed_at is null then
        due := greatest(least(moment + quiet, w.created_at + patience), earliest);
        update queue_items q set due_at = due, look_at = due, hints = 0 where q.id = w.id;
    end if;
    return null;
end
$$;

-- Begins a run whose item the caller has locked. It sees all that the event's other waiting runs,
-- and those whose worker died, would see, so they end here. False while the event changes: that
-- transaction may wait for this item, so this one does not wait for it.
create function begin_run(q queue_items) returns boolean language plpgsql as $$
begin
    perform 1 from event_state s where s.event_id = q.event_id for update skip locked;
    if not found and exists (select 1 from event_state s where s.event_id = q.event_id) then
        update queue_items i set look_at = clock_timestamp() + interval '1 second', hints = 0
        where i.id = q.id;
        return false;
    end if;
    with waiting as (
        select i.id from queue_items i
        where i.event_id = q.event_id and i.kind = 'suggestion' and i.id <> q.id
            and (i.status = 'pending'
                or (i.status = 'processing' and i.lease_until <= clock_timestamp()))
        order by i.id for update
    )
    update queue_items i
    set status = 'skipped', reason = 'nothing_to_do', lease = i.lease + 1, lease_until = null,
        look_at = null, hints = 0, waits_for = null, park_reason = null,
        settled_at = clock_timestamp()
    from waiting where i.id = waiting.id;
    return true;
end
$$;

-- What a run that was claimed just now is made as of: its event's latest settled message. Null for
-- the item of a message. It looks after the claim has its locks, which one statement would not.
create function run_moment(the_item text) returns jsonb language plpgsql volatile as $$
declare
    the_event text;
begin
    select q.event_id into the_event from queue_items q
    where q.id = the_item and q.kind = 'suggestion';
    if not found then
        return null;
    end if;
    return jsonb_build_object('moment', (
        select jsonb_build_array(q.sent_at, q.id) from queue_items q
        where q.event_id = the_event and q.kind = 'message' and q.sent_at is not null
            and q.status in ('completed', 'skipped', 'failed')
        order by q.sent_at desc, q.id desc limit 1
    ));
end
$$;

-- As before, and a run begins under its event's lock.
create or replace function claim_item(the_item text, lease_for interval)
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

    if q.kind = 'suggestion' and not begin_run(q) then
        return query select 'not_now', q.lease, q.attempt, 0::bigint, null::jsonb, null::jsonb,
            false, null::jsonb, null::jsonb, null::uuid, null::text, null::text, null::bytea;
        return;
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

-- As before, and an item may owe nothing.
create or replace function settle_item(
    the_item text, the_lease bigint, the_outcome text, the_reason text, the_detail text,
    the_intent text, the_revision bigint, the_event text, folds boolean,
    the_completion uuid, the_kind text, the_routing_key text, the_body bytea,
    the_enrichment jsonb, the_metric jsonb, the_cache jsonb
) returns table (verdict text, woken text[])
    language plpgsql as $$
#variable_conflict use_column
declare
    the_attempt integer;
begin
    perform 1 from flights where item_id = the_item order by key for update;
    select q.attempt into the_attempt from queue_items q
    where q.id = the_item and q.lease = the_lease and q.lease_until is not null for update;
    if not found then
        return query select 'lost', '{}'::text[];
        return;
    end if;
    if not folds and exists (
        select 1 from enrichments e
        where e.message_id = the_item
            and (e.changes_rows or (the_enrichment is null and the_revision is not null))
    ) then
        return query select 'fold', '{}'::text[];
        return;
    end if;

    -- The work is over, so a row that is still reserved lost its end on the way.
    perform abandon_reservations(array[the_item]);

    update queue_items q
    set status = the_outcome, reason = the_reason, detail = the_detail, intent = the_intent,
        revision = coalesce(the_revision, q.revision), event_id = coalesce(the_event, q.event_id),
        lease_until = null, waits_for = null, park_reason = null, hints = 0,
        settled_at = clock_timestamp(),
        -- What owes nothing is never looked at again.
        look_at = case
            when the_completion is not null then clock_timestamp() + interval '30 seconds'
        end,
        completion_id = the_completion, completion_kind = the_kind,
        routing_key = the_routing_key, body = the_body, confirmed_at = null
    where q.id = the_item;
    if the_outcome = 'failed' then
        insert into item_history (item_id, what, lease, attempt, reason, detail)
        values (the_item, 'failed', the_lease, the_attempt, the_reason, the_detail);
    end if;

    if folds and the_event is not null then
        insert into event_state as s (event_id) values (the_event)
        on conflict (event_id) do update set folds = s.folds + 1;
    end if;
    if the_enrichment is not null then
        insert into enrichments (
            message_id, revision, event_id, sender_id, sent_at, agent, model, level, cached,
            detection, enrichment, contribution, changes_rows
        )
        select the_item, the_revision, the_event, e.sender, e.sent_at, e.agent, e.model, e.level,
            e.cached, e.detection, e.enrichment, e.contribution, e.changes_rows
        from jsonb_to_record(the_enrichment) as e (
            sender text, sent_at timestamptz, agent text, model text, level text, cached boolean,
            detection jsonb, enrichment jsonb, contribution jsonb, changes_rows boolean
        )
        on conflict (message_id, revision) do update
        set event_id = excluded.event_id, sender_id = excluded.sender_id,
            sent_at = excluded.sent_at, agent = excluded.agent, model = excluded.model,
            level = excluded.level, cached = excluded.cached, detection = excluded.detection,
            enrichment = excluded.enrichment, contribution = excluded.contribution,
            changes_rows = excluded.changes_rows, recorded_at = clock_timestamp();
    end if;
    if the_metric is not null then
        perform add_metric(
            the_item, coalesce(the_revision, -1), the_event, the_outcome, the_metric
        );
    end if;
    if the_cache is not null then
        perform put_into_cache(the_cache);
    end if;
    return query select 'done',
        end_flights(the_item, case when the_outcome = 'failed' then 'failed' else 'landed' end);
end
$$;

update schema_info set version = 8;
