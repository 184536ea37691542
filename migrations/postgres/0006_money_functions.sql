-- Admission and the ledger: limits are judged on locked rows, never by counting others.

-- What model calls for a message's revision cost so far.
create function spent_on(the_item text, the_revision bigint) returns jsonb
    language plpgsql stable as $$
begin
    return (
        select jsonb_build_object(
            'calls', count(*) filter (where l.state in ('charged', 'ambiguous')),
            'usage', jsonb_build_object(
                'input', coalesce(sum(l.input_tokens), 0),
                'output', coalesce(sum(l.output_tokens), 0),
                'cache_read', coalesce(sum(l.cache_read_tokens), 0),
                'cache_write_5m', coalesce(sum(l.cache_write_5m_tokens), 0),
                'cache_write_1h', coalesce(sum(l.cache_write_1h_tokens), 0)
            ),
            'cost', coalesce(sum(l.charged), 0)
        )
        from ledger l where l.item_id = the_item and l.revision = the_revision
    );
end
$$;

-- Asks all scopes at once: all pass and the ledger row is `reserved`, or nothing changes. Budgets
-- are asked first: a place in a line is worth nothing to whoever cannot pay.
create function admit(
    the_ledger uuid, the_item text, the_lease bigint, the_event text, the_tenant text,
    the_revision bigint, the_agent text, the_model text, the_fingerprint text, worst bigint,
    rate_keys text[], rate_limits integer[], rate_spans interval[],
    budget_keys text[], budget_limits bigint[]
) returns table (verdict text, scope text, after_us bigint)
    language plpgsql as $$
#variable_conflict use_column
declare
    all_keys text[] := rate_keys || budget_keys;
    moment timestamptz;
    refusing text;
    frees_at timestamptz;
begin
    perform 1 from queue_items q
    where q.id = the_item and q.lease = the_lease and q.lease_until is not null for share;
    if not found then
        return query select 'lost', null::text, null::bigint;
        return;
    end if;

    if (select count(*) from scopes s where s.key = any(all_keys)) < cardinality(all_keys) then
        insert into scopes (key) select distinct key from unnest(all_keys) key order by key
        on conflict (key) do nothing;
    end if;
    perform 1 from scopes s where s.key = any(all_keys) order by s.key for update;
    moment := clock_timestamp();

    select b.key into refusing
    from unnest(budget_keys, budget_limits) with ordinality b (key, most, place)
    join scopes s on s.key = b.key
    where s.reserved + s.charged + s.ambiguous + worst > b.most
    order by b.place limit 1;
    if found then
        return query select 'over_budget', refusing, null::bigint;
        return;
    end if;

    -- A scope frees when so many of its places have, oldest first, that one is left over.
    select r.key, coalesce(
        (
            select taken.at + r.span from (
                select at, row_number() over (order by at desc) as newest_first
                from unnest(s.instants) at
            ) taken
            where taken.newest_first = r.most
        ), moment + r.span
    ) into refusing, frees_at
    from unnest(rate_keys, rate_limits, rate_spans) r (key, most, span)
    join scopes s on s.key = r.key
    where (select count(*) from unnest(s.instants) at where at + r.span > moment) >= r.most
    order by 2 desc limit 1;
    if found then
        return query select 'rate_limited', refusing,
            greatest(1, ceil(extract(epoch from frees_at - moment) * 1000000))::bigint;
        return;
    end if;

    update scopes s
    set instants = (
        select array_agg(kept.at order by kept.at) from (
            select at from unnest(s.instants || moment) at order by at desc limit r.most
        ) kept
    )
    from unnest(rate_keys, rate_limits) r (key, most)
    where s.key = r.key;
    update scopes s set reserved = s.reserved + worst where s.key = any(budget_keys);
    insert into ledger (
        id, tenant, item_id, lease, revision, event_id, agent, model, fingerprint, scopes, rates,
        admitted_at, reserved
    )
    values (
        the_ledger, the_tenant, the_item, the_lease, the_revision, the_event, the_agent, the_model,
        the_fingerprint, budget_keys, rate_keys, moment, worst
    );
    return query select 'admitted', null::text, null::bigint;
end
$$;

-- Moves a locked ledger row to its next state, and its amount between the counters of its scopes.
create function move_ledger_row(l ledger, next_state text, amount bigint) returns void
    language plpgsql as $$
begin
    perform 1 from scopes s where s.key = any(l.scopes || l.rates) order by s.key for update;
    update scopes s
    set reserved = s.reserved - case when l.state = 'reserved' then l.reserved else 0 end,
        ambiguous = s.ambiguous
            - case when l.state = 'ambiguous' then l.reserved else 0 end
            + case when next_state = 'ambiguous' then l.reserved else 0 end,
        charged = s.charged + amount
    where s.key = any(l.scopes);
    update ledger set state = next_state, charged = amount, resolved_at = clock_timestamp()
    where id = l.id;
end
$$;

create function charge_ledger_row(
    the_ledger uuid, cost bigint, input bigint, output bigint, cache_read bigint,
    cache_write_5m bigint, cache_write_1h bigint, the_model text, the_answer jsonb
) returns void language plpgsql as $$
declare
    l ledger;
begin
    select * into l from ledger
    where id = the_ledger and state in ('reserved', 'ambiguous') for update;
    if not found then
        return;
    end if;
    perform move_ledger_row(l, 'charged', cost);
    update ledger
    set input_tokens = input, output_tokens = output, cache_read_tokens = cache_read,
        cache_write_5m_tokens = cache_write_5m, cache_write_1h_tokens = cache_write_1h,
        answered_by = the_model, answer = the_answer
    where id = the_ledger;
end
$$;

create function refund_ledger_row(the_ledger uuid, gives_place_back boolean) returns void
    language plpgsql as $$
declare
    l ledger;
begin
    select * into l from ledger where id = the_ledger and state = 'reserved' for update;
    if not found then
        return;
    end if;
    perform move_ledger_row(l, 'refunded', 0);
    if gives_place_back then
        -- One place only, should two admissions ever share a microsecond.
        update scopes s
        set instants = s.instants[:array_position(s.instants, l.admitted_at) - 1]
            || s.instants[array_position(s.instants, l.admitted_at) + 1:]
        where s.key = any(l.rates) and array_position(s.instants, l.admitted_at) is not null;
    end if;
end
$$;

create function leave_ledger_row_ambiguous(the_ledger uuid) returns void language plpgsql as $$
declare
    l ledger;
begin
    select * into l from ledger where id = the_ledger and state = 'reserved' for update;
    if found then
        perform move_ledger_row(l, 'ambiguous', 0);
    end if;
end
$$;

-- What leases that are over reserved and never closed: nobody knows whether it was sent.
create function abandon_reservations(items text[]) returns void language plpgsql as $$
declare
    l ledger;
begin
    perform 1 from ledger where item_id = any(items) and state = 'reserved' order by id for update;
    if not found then
        return;
    end if;
    perform 1 from scopes s
    where s.key in (
        select unnest(o.scopes || o.rates) from ledger o
        where o.item_id = any(items) and o.state = 'reserved'
    )
    order by s.key for update;
    for l in
        select * from ledger where item_id = any(items) and state = 'reserved' order by id
    loop
        perform move_ledger_row(l, 'ambiguous', 0);
    end loop;
end
$$;

-- The same for items that nobody claims for long. Only what model calls reserve at this moment is
-- looked at, and an item that somebody has locked is left to him.
create function abandon_lost_reservations(most integer) returns void language plpgsql as $$
declare
    open_items text[];
    lost text[];
begin
    select array_agg(distinct l.item_id) into open_items from ledger l where l.state = 'reserved';
    if open_items is null then
        return;
    end if;
    with ended as (
        select q.id from queue_items q
        where q.id = any(open_items)
            and (q.status <> 'processing' or q.lease_until <= clock_timestamp())
        order by q.id limit most for update skip locked
    )
    select array_agg(id) into lost from ended;
    perform abandon_reservations(lost);
end
$$;
