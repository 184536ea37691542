-- Record, confirm, and the figures that go with them.

-- Adds an item's figures to its minute's sums, or takes them off with a sign of -1. Takes nothing
-- off a minute that is not kept any more.
create function roll_up(m metrics, sign integer) returns void language plpgsql as $$
declare
    the_minute timestamptz := date_trunc('minute', m.created_at);
    the_shard smallint := abs(hashtext(m.item_id) % 16);
    bucket integer := 1 + width_bucket(
        m.latency_us / 1000.0,
        array[10, 50, 100, 250, 500, 1000, 2000, 3000, 5000, 10000, 30000]::numeric[]
    );
begin
    if sign > 0 then
        insert into metric_rollups (
            tenant, minute, intent, shard, items, cached, calls, tokens, cost, ambiguous_cost,
            avoided_cost, latency_us, latencies
        )
        values (
            m.tenant, the_minute, m.intent, the_shard, 0, 0, 0, 0, 0, 0, 0, 0,
            array_fill(0, array[12])
        )
        on conflict (tenant, minute, intent, shard) do nothing;
    end if;
    update metric_rollups r
    set items = r.items + sign,
        cached = r.cached + sign * m.cached::integer,
        calls = r.calls + sign * m.calls,
        tokens = r.tokens + sign * (
            m.input_tokens + m.output_tokens + m.cache_read_tokens + m.cache_write_5m_tokens
            + m.cache_write_1h_tokens
        ),
        cost = r.cost + sign * m.cost,
        ambiguous_cost = r.ambiguous_cost + sign * m.ambiguous_cost,
        avoided_cost = r.avoided_cost + sign * m.avoided_cost,
        latency_us = r.latency_us + sign * m.latency_us,
        latencies[bucket] = r.latencies[bucket] + sign
    where r.tenant = m.tenant and r.minute = the_minute and r.intent = m.intent
        and r.shard = the_shard;
end
$$;

-- A settled item's row in `metrics`, and its part of the minute's sums. An item that is settled
-- once more under the same revision replaces what it gave before.
create function add_metric(
    the_item text, the_revision bigint, the_event text, the_outcome text, the_metric jsonb
) returns void language plpgsql as $$
declare
    m metrics;
begin
    delete from metrics where item_id = the_item and revision = the_revision returning * into m;
    if found then
        perform roll_up(m, -1);
    end if;
    insert into metrics (
        item_id, revision, tenant, event_id, outcome, intent, agent, model, cached, latency_us,
        calls, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
        cache_write_1h_tokens, cost, ambiguous_cost, avoided_tokens, avoided_cost
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
        (the_metric ->> 'avoided_tokens')::bigint, (the_metric ->> 'avoided_cost')::bigint
    from ledger l
    where l.item_id = the_item and l.revision = the_revision
    returning * into m;
    perform roll_up(m, 1);
end
$$;

create function put_into_cache(entry jsonb) returns void language plpgsql as $$
begin
    insert into cache (key, event_id, answer, model, usage, cost, expires_at)
    values (
        entry ->> 'key', entry ->> 'event', entry -> 'answer', entry ->> 'model',
        entry -> 'usage', (entry ->> 'cost')::bigint,
        clock_timestamp() + (entry ->> 'ttl_us')::bigint * interval '1 microsecond'
    )
    on conflict (key) do update
    set event_id = excluded.event_id, answer = excluded.answer, model = excluded.model,
        usage = excluded.usage, cost = excluded.cost, expires_at = excluded.expires_at;
    -- Each write takes a few expired entries along, so that the table stays bounded.
    delete from cache where key in (
        select c.key from cache c where c.expires_at < now()
        order by c.expires_at limit 10 for update skip locked
    );
end
$$;

-- Settles an item, fenced: everything but the fold. `lost` when the lease is not the caller's;
-- `fold` when nothing was written because an earlier revision said something that this one takes
-- back, so that the caller must ask again with `folds` and redo the fold. With `folds` the event's
-- state stays locked until the transaction ends.
create function settle_item(
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
        settled_at = clock_timestamp(), look_at = clock_timestamp() + interval '30 seconds',
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

-- Nothing is owed any more, and a revision that waited for that has its turn.
create function confirm_completion(the_item text, the_completion uuid) returns void
    language plpgsql as $$
declare
    waits boolean;
begin
    update queue_items q
    set confirmed_at = clock_timestamp(), hints = 0, look_at = null
    where q.id = the_item and q.completion_id = the_completion and q.confirmed_at is null
        and q.status not in ('pending', 'processing')
    returning q.wanted > q.revision into waits;
    if waits then
        perform reopen_item(the_item, interval '0');
    end if;
end
$$;

insert into schema_info (version, oldest_binary) values (7, '0.1.0');
