-- A record's part of the figures. After the ledger, locks come in this order: hours, metric rows,
-- minutes' sums, hours' sums; of two minutes the earlier one first.

-- Whoever changes an hour's figures holds this until his transaction ends; whoever folds the hour
-- holds it alone, and so sees all of it.
create function hour_lock(at timestamptz) returns integer language sql stable as $$
    select (extract(epoch from at)::bigint / 3600)::integer
$$;

create function share_hour(at timestamptz) returns void language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('gleaner'), hour_lock(at));
end
$$;

-- A histogram with so many more, or less, in a bucket. Stable, as what it calls is, so that it is
-- planned with the statement that calls it.
create function add_to_bucket(histogram jsonb, bucket integer, items integer) returns jsonb
    language sql stable as $$
    select histogram
        || jsonb_build_object(bucket, coalesce((histogram ->> bucket::text)::bigint, 0) + items)
$$;

create function tokens_of(m metrics) returns bigint language sql immutable as $$
    select m.input_tokens + m.output_tokens + m.cache_read_tokens + m.cache_write_5m_tokens
        + m.cache_write_1h_tokens
$$;

-- Adds a metric row to its minute's sums.
create function add_to_minute(m metrics) returns void language plpgsql as $$
begin
    insert into metric_rollups as r (
        tenant, minute, intent, shard, items, cached, asked, calls, tokens, cost, ambiguous_cost,
        avoided_tokens, avoided_cost, latency_us, histogram
    )
    values (
        m.tenant, date_trunc('minute', m.created_at), m.intent, abs(hashtext(m.item_id) % 16), 1,
        m.cached::integer, (m.agent is not null and not m.cached)::integer, m.calls, tokens_of(m),
        m.cost, m.ambiguous_cost, m.avoided_tokens, m.avoided_cost, m.latency_us,
        jsonb_build_object(latency_bucket(m.latency_us), 1)
    )
    on conflict (tenant, minute, intent, shard) do update
    set items = r.items + 1, cached = r.cached + excluded.cached, asked = r.asked + excluded.asked,
        calls = r.calls + excluded.calls, tokens = r.tokens + excluded.tokens,
        cost = r.cost + excluded.cost, ambiguous_cost = r.ambiguous_cost + excluded.ambiguous_cost,
        avoided_tokens = r.avoided_tokens + excluded.avoided_tokens,
        avoided_cost = r.avoided_cost + excluded.avoided_cost,
        latency_us = r.latency_us + excluded.latency_us,
        histogram = add_to_bucket(r.histogram, latency_bucket(m.latency_us), 1);
end
$$;

-- The same to the sums of an hour that is folded already.
create function add_to_hour(m metrics) returns void language plpgsql as $$
begin
    insert into metric_hours as h (
        tenant, hour, intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
        avoided_tokens, avoided_cost, latency_us, histogram
    )
    values (
        m.tenant, date_trunc('hour', m.created_at, 'UTC'), m.intent, 1, m.cached::integer,
        (m.agent is not null and not m.cached)::integer, m.calls, tokens_of(m), m.cost,
        m.ambiguous_cost, m.avoided_tokens, m.avoided_cost, m.latency_us,
        jsonb_build_object(latency_bucket(m.latency_us), 1)
    )
    on conflict (tenant, hour, intent) do update
    set items = h.items + 1, cached = h.cached + excluded.cached, asked = h.asked + excluded.asked,
        calls = h.calls + excluded.calls, tokens = h.tokens + excluded.tokens,
        cost = h.cost + excluded.cost, ambiguous_cost = h.ambiguous_cost + excluded.ambiguous_cost,
        avoided_tokens = h.avoided_tokens + excluded.avoided_tokens,
        avoided_cost = h.avoided_cost + excluded.avoided_cost,
        latency_us = h.latency_us + excluded.latency_us,
        histogram = add_to_bucket(h.histogram, latency_bucket(m.latency_us), 1);
end
$$;

-- Takes a metric row off its minute's and its hour's sums; nothing off what is not kept any more.
-- An hour that is not folded has no row.
create function take_off(m metrics) returns void language plpgsql as $$
begin
    update metric_rollups r
    set items = r.items - 1, cached = r.cached - m.cached::integer,
        asked = r.asked - (m.agent is not null and not m.cached)::integer,
        calls = r.calls - m.calls, tokens = r.tokens - tokens_of(m), cost = r.cost - m.cost,
        ambiguous_cost = r.ambiguous_cost - m.ambiguous_cost,
        avoided_tokens = r.avoided_tokens - m.avoided_tokens,
        avoided_cost = r.avoided_cost - m.avoided_cost, latency_us = r.latency_us - m.latency_us,
        histogram = add_to_bucket(r.histogram, latency_bucket(m.latency_us), -1)
    where r.tenant = m.tenant and r.minute = date_trunc('minute', m.created_at)
        and r.intent = m.intent and r.shard = abs(hashtext(m.item_id) % 16);
    update metric_hours h
    set items = h.items - 1, cached = h.cached - m.cached::integer,
        asked = h.asked - (m.agent is not null and not m.cached)::integer,
        calls = h.calls - m.calls, tokens = h.tokens - tokens_of(m), cost = h.cost - m.cost,
        ambiguous_cost = h.ambiguous_cost - m.ambiguous_cost,
        avoided_tokens = h.avoided_tokens - m.avoided_tokens,
        avoided_cost = h.avoided_cost - m.avoided_cost, latency_us = h.latency_us - m.latency_us,
        histogram = add_to_bucket(h.histogram, latency_bucket(m.latency_us), -1)
    where h.tenant = m.tenant and h.hour = date_trunc('hour', m.created_at, 'UTC')
        and h.intent = m.intent;
end
$$;

-- Adds an item's figures to its sums, or takes them off with a sign of -1; the caller shares the
-- hour.
create function roll_up(m metrics, sign integer) returns void language plpgsql as $$
begin
    if sign < 0 then
        perform take_off(m);
        return;
    end if;
    perform add_to_minute(m);
    if exists (select from folds f where f.name = 'hours' and f.until > m.created_at) then
        perform add_to_hour(m);
    end if;
end
$$;

-- A settled item's row in `metrics`, and its part of the sums. An item that is settled once more
-- under the same revision replaces what it gave before: the row of that `earlier` instant.
create function put_metric(
    the_item text, the_revision bigint, the_event text, the_outcome text, the_metric jsonb,
    earlier timestamptz, moment timestamptz
) returns void language plpgsql as $$
declare
    m metrics;
    the_day date := (moment at time zone 'UTC')::date;
begin
    perform share_hour(moment);
    if earlier is not null then
        perform share_hour(earlier);
        -- Planned for this instant, so that one partition is touched and not all of them.
        execute 'delete from metrics where item_id = $1 and revision = $2 and created_at = $3
            returning *'
        into m using the_item, the_revision, earlier;
        if m.item_id is not null then
            perform roll_up(m, -1);
        end if;
    end if;
    if to_regclass(metrics_day(the_day)) is null then
        perform make_metrics_day(the_day);
    end if;
    insert into metrics (
        item_id, revision, tenant, event_id, outcome, intent, agent, model, cached, latency_us,
        calls, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
        cache_write_1h_tokens, cost, ambiguous_cost, avoided_tokens, avoided_cost, created_at
    )
    select
        the_item, the_revision, the_metric ->> 'tenant', the_event, the_outcome,
        the_metric ->> 'intent',
        the_metric ->> 'agent', the_metric ->> 'model', (the_metric ->> 'cached')::boolean,
        (the_metric ->> 'latency_us')::bigint,
        count(*) filter (where l.state in ('charged', 'ambiguous')),
        coalesce(sum(l.input_tokens), 0), coalesce(sum(l.output_tokens), 0),
        coalesce(sum(l.cache_read_tokens), 0), coalesce(sum(l.cache_write_5m_tokens), 0),
        coalesce(sum(l.cache_write_1h_tokens), 0), coalesce(sum(l.charged), 0),
        coalesce(sum(l.reserved) filter (where l.state = 'ambiguous'), 0),
        (the_metric ->> 'avoided_tokens')::bigint, (the_metric ->> 'avoided_cost')::bigint, moment
    from ledger l
    where l.item_id = the_item and l.revision = the_revision
    returning * into m;
    perform roll_up(m, 1);
end
$$;

-- As before, for a settlement of the last release that was under way when this was laid.
create or replace function add_metric(
    the_item text, the_revision bigint, the_event text, the_outcome text, the_metric jsonb
) returns void language plpgsql as $$
declare
    earlier timestamptz;
    moment timestamptz := clock_timestamp();
begin
    select q.metric_at into earlier from queue_items q where q.id = the_item;
    perform put_metric(
        the_item, the_revision, the_event, the_outcome, the_metric, earlier, moment
    );
    update queue_items set metric_at = moment where id = the_item;
end
$$;

-- The metric row that counts a ledger row, locked, with its hour: of the item's revision, and
-- written after the request was admitted. One that is yet to be written sums the ledger itself.
create function metric_of(was ledger) returns metrics language plpgsql as $$
declare
    m metrics;
    newest timestamptz;
    least_at timestamptz;
begin
    select i.metric_at,
        greatest(was.created_at, case when i.revision = was.revision then i.metric_at end)
    into newest, least_at
    from queue_items i where i.id = was.item_id;
    execute 'select * from metrics
        where item_id = $1 and revision = $2 and created_at between $3 and $4
        order by created_at desc limit 1 for update'
    into m using was.item_id, was.revision, least_at, newest;
    if m.item_id is not null then
        perform share_hour(m.created_at);
    end if;
    return m;
end
$$;

-- A row that was ambiguous is not any more, or its tokens are known: its message's figures follow,
-- as far as they are kept.
create or replace function restate_metric(was ledger, becomes ledger) returns void
    language plpgsql as $$
declare
    m metrics := metric_of(was);
    more_cost bigint := becomes.charged - was.charged;
    more_doubt bigint := case when becomes.state = 'ambiguous' then 0 else -was.reserved end;
    more_tokens bigint;
begin
    if m.item_id is null then
        return;
    end if;
    more_tokens := -tokens_of(m);
    execute 'update metrics
        set cost = cost + $4, ambiguous_cost = ambiguous_cost + $5,
            input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
            cache_read_tokens = cache_read_tokens + $8,
            cache_write_5m_tokens = cache_write_5m_tokens + $9,
            cache_write_1h_tokens = cache_write_1h_tokens + $10
        where item_id = $1 and revision = $2 and created_at = $3
        returning *'
    into m using m.item_id, m.revision, m.created_at, more_cost, more_doubt,
        becomes.input_tokens - was.input_tokens, becomes.output_tokens - was.output_tokens,
        becomes.cache_read_tokens - was.cache_read_tokens,
        becomes.cache_write_5m_tokens - was.cache_write_5m_tokens,
        becomes.cache_write_1h_tokens - was.cache_write_1h_tokens;
    more_tokens := more_tokens + tokens_of(m);
    update metric_rollups r
    set cost = r.cost + more_cost, ambiguous_cost = r.ambiguous_cost + more_doubt,
        tokens = r.tokens + more_tokens
    where r.tenant = m.tenant and r.minute = date_trunc('minute', m.created_at)
        and r.intent = m.intent and r.shard = abs(hashtext(m.item_id) % 16);
    update metric_hours h
    set cost = h.cost + more_cost, ambiguous_cost = h.ambiguous_cost + more_doubt,
        tokens = h.tokens + more_tokens
    where h.tenant = m.tenant and h.hour = date_trunc('hour', m.created_at, 'UTC')
        and h.intent = m.intent;
end
$$;

-- As before, and a metric row is found again by when it was written.
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
    earlier_metric timestamptz;
    moment timestamptz;
begin
    perform 1 from flights where item_id = the_item order by key for update;
    select q.attempt, q.metric_at into the_attempt, earlier_metric from queue_items q
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

    moment := clock_timestamp();
    update queue_items q
    set status = the_outcome, reason = the_reason, detail = the_detail, intent = the_intent,
        revision = coalesce(the_revision, q.revision), event_id = coalesce(the_event, q.event_id),
        lease_until = null, waits_for = null, park_reason = null, hints = 0,
        settled_at = moment,
        metric_at = case when the_metric is null then q.metric_at else moment end,
        -- What owes nothing is never looked at again.
        look_at = case
            when the_completion is not null then moment + interval '30 seconds'
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
        perform put_metric(
            the_item, coalesce(the_revision, -1), the_event, the_outcome, the_metric,
            earlier_metric, moment
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

update schema_info set version = 15;
