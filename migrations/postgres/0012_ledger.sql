-- The ledger's changes of state. Locks come in one order: queue item, ledger rows, scopes by key,
-- then the figures.

-- A row that was ambiguous is not any more, or its tokens are known: its message's figures follow.
create function restate_metric(was ledger, becomes ledger) returns void language plpgsql as $$
declare
    m metrics;
begin
    select * into m from metrics
    where item_id = was.item_id and revision = was.revision for update;
    if not found then
        return;
    end if;
    perform roll_up(m, -1);
    update metrics
    set cost = cost + becomes.charged - was.charged,
        ambiguous_cost = ambiguous_cost
            - case when becomes.state = 'ambiguous' then 0 else was.reserved end,
        input_tokens = input_tokens + becomes.input_tokens - was.input_tokens,
        output_tokens = output_tokens + becomes.output_tokens - was.output_tokens,
        cache_read_tokens = cache_read_tokens + becomes.cache_read_tokens - was.cache_read_tokens,
        cache_write_5m_tokens = cache_write_5m_tokens
            + becomes.cache_write_5m_tokens - was.cache_write_5m_tokens,
        cache_write_1h_tokens = cache_write_1h_tokens
            + becomes.cache_write_1h_tokens - was.cache_write_1h_tokens
    where item_id = m.item_id and revision = m.revision
    returning * into m;
    perform roll_up(m, 1);
end
$$;

-- Moves a locked row's amount between the counters of its budgets, and has their lines looked at.
create function move_amount(l ledger, next_state text, amount bigint) returns void
    language plpgsql as $$
begin
    -- What leaves doubt makes room for those, too, who wait for the window after.
    perform 1 from scopes s
    where s.key = any(l.scopes) or (
        l.state = 'ambiguous' and s.opens_at is not null
        and s.name in (select o.name from scopes o where o.key = any(l.scopes))
    )
    order by s.key for update;
    if l.state = 'ambiguous' then
        update scopes s set opens_at = least(s.opens_at, clock_timestamp())
        where s.opens_at is not null
            and s.name in (select o.name from scopes o where o.key = any(l.scopes));
    end if;
    update scopes s
    set reserved = s.reserved - case when l.state = 'reserved' then l.reserved else 0 end,
        ambiguous = s.ambiguous
            - case when l.state = 'ambiguous' then l.reserved else 0 end
            + case when next_state = 'ambiguous' then l.reserved else 0 end,
        charged = s.charged + amount,
        opens_at = case when s.opens_at is not null then least(s.opens_at, clock_timestamp()) end
    where s.key = any(l.scopes);
end
$$;

-- An item whose row is ambiguous may be in record, which sums what this changes.
create function await_record(the_ledger uuid) returns void language plpgsql as $$
begin
    perform 1 from queue_items q
    where q.id = (select l.item_id from ledger l where l.id = the_ledger and l.state = 'ambiguous')
    for share;
end
$$;

-- As before; without a cost the row is ambiguous, with its tokens and its answer.
create or replace function charge_ledger_row(
    the_ledger uuid, cost bigint, input bigint, output bigint, cache_read bigint,
    cache_write_5m bigint, cache_write_1h bigint, the_model text, the_answer jsonb
) returns void language plpgsql as $$
declare
    l ledger;
    charges ledger;
    next_state text := case when cost is null then 'ambiguous' else 'charged' end;
begin
    perform await_record(the_ledger);
    select * into l from ledger
    where id = the_ledger and state in ('reserved', 'ambiguous') for update;
    if not found then
        return;
    end if;
    perform move_amount(l, next_state, coalesce(cost, 0));
    update ledger
    set state = next_state, charged = coalesce(cost, 0), resolved_at = clock_timestamp(),
        why = case when cost is null then 'unpriced' else why end,
        input_tokens = input, output_tokens = output, cache_read_tokens = cache_read,
        cache_write_5m_tokens = cache_write_5m, cache_write_1h_tokens = cache_write_1h,
        answered_by = the_model, answer = the_answer
    where id = the_ledger
    returning * into charges;
    if l.state = 'ambiguous' then
        perform restate_metric(l, charges);
    end if;
end
$$;

create or replace function refund_ledger_row(the_ledger uuid, gives_place_back boolean) returns void
    language plpgsql as $$
declare
    l ledger;
begin
    select * into l from ledger where id = the_ledger and state = 'reserved' for update;
    if not found then
        return;
    end if;
    if gives_place_back then
        perform 1 from scopes s where s.key = any(l.scopes || l.rates) order by s.key for update;
        -- One place only, should two admissions ever share a microsecond.
        update scopes s
        set instants = s.instants[:array_position(s.instants, l.admitted_at) - 1]
                || s.instants[array_position(s.instants, l.admitted_at) + 1:],
            opens_at = case when s.opens_at is not null then least(s.opens_at, clock_timestamp()) end
        where s.key = any(l.rates) and array_position(s.instants, l.admitted_at) is not null;
    end if;
    perform move_amount(l, 'refunded', 0);
    update ledger set state = 'refunded', resolved_at = clock_timestamp() where id = l.id;
end
$$;

-- Nobody knows what a locked row was billed, and why not.
create function doubt_ledger_row(l ledger, the_why text) returns void language plpgsql as $$
begin
    perform move_amount(l, 'ambiguous', 0);
    update ledger set state = 'ambiguous', why = the_why, resolved_at = clock_timestamp()
    where id = l.id;
end
$$;

create or replace function leave_ledger_row_ambiguous(the_ledger uuid) returns void
    language plpgsql as $$
declare
    l ledger;
begin
    select * into l from ledger where id = the_ledger and state = 'reserved' for update;
    if found then
        perform doubt_ledger_row(l, 'unanswered');
    end if;
end
$$;

-- What leases that are over reserved and never closed: nobody knows whether it was sent.
create or replace function abandon_reservations(items text[]) returns void language plpgsql as $$
declare
    l ledger;
begin
    perform 1 from ledger where item_id = any(items) and state = 'reserved' order by id for update;
    if not found then
        return;
    end if;
    perform 1 from scopes s
    where s.key in (
        select unnest(o.scopes) from ledger o where o.item_id = any(items) and o.state = 'reserved'
    )
    order by s.key for update;
    for l in
        select * from ledger where item_id = any(items) and state = 'reserved' order by id
    loop
        perform doubt_ledger_row(l, 'abandoned');
    end loop;
end
$$;

drop function move_ledger_row(ledger, text, bigint);

-- A person's word on an ambiguous row: `closed`, else the row's state; null when there is none.
create function resolve_ledger_row(the_ledger uuid, cost bigint, by text) returns text
    language plpgsql as $$
declare
    l ledger;
    resolved ledger;
    next_state text := case when cost > 0 then 'charged' else 'refunded' end;
begin
    perform await_record(the_ledger);
    select * into l from ledger where id = the_ledger for update;
    if l.state is distinct from 'ambiguous' then
        return l.state;
    end if;
    perform move_amount(l, next_state, greatest(cost, 0));
    update ledger
    set state = next_state, charged = greatest(cost, 0), resolved_at = clock_timestamp(),
        resolved_by = by
    where id = l.id
    returning * into resolved;
    perform restate_metric(l, resolved);
    return 'closed';
end
$$;

-- Answers of a message's revision that were paid for.
create function kept_answers(the_item text, the_revision bigint) returns jsonb
    language plpgsql stable as $$
begin
    return (
        select jsonb_agg(
            jsonb_build_object(
                'fingerprint', l.fingerprint,
                'model', coalesce(l.answered_by, l.model),
                'answer', l.answer
            ) order by l.created_at, l.id
        )
        from ledger l
        where l.item_id = the_item and l.revision = the_revision
            and l.state in ('charged', 'ambiguous') and l.answer is not null
    );
end
$$;

-- As before, and answers that were paid for at an unknown price are kept too.
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
        kept_answers(the_item, the_revision), spent_on(the_item, the_revision),
        null::uuid, null::text, null::text, null::bytea;
end
$$;

-- As before, and whoever is settled waits in no line.
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
    -- At the end, as nobody may wait for a row of a line who waits for more.
    delete from lines l where l.item_id = the_item;
end
$$;

update schema_info set version = 12;
