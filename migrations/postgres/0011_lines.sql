-- Lines: calling whoever's turn has come, and what makes room besides. Whoever calls holds scopes,
-- and so waits for nothing: items that somebody holds are passed over.

-- The places of a rate that are neither taken nor kept for somebody who is called.
create function free_places(s scopes, moment timestamptz) returns bigint
    language plpgsql stable as $$
begin
    return s.most - cardinality(s.instants) + width_bucket(moment - s.span, s.instants) - (
        select count(*) from lines l where l.called_until > moment and s.key = any(l.rates)
    );
end
$$;

-- Makes an item due that waits in a locked scope's line. False when it is passed over: it is at
-- work, waits for something else, or is due by itself.
create function call_item(l lines, moment timestamptz) returns boolean language plpgsql as $$
declare
    q record;
begin
    select i.status, i.park_reason into q from queue_items i
    where i.id = l.item_id for update skip locked;
    if not found then
        delete from lines x
        where x.scope = l.scope and x.item_id = l.item_id
            and not exists (select 1 from queue_items i where i.id = l.item_id);
        return false;
    end if;
    if q.status not in ('pending', 'processing') then
        delete from lines x where x.scope = l.scope and x.item_id = l.item_id;
        return false;
    end if;
    if q.status <> 'pending'
        or q.park_reason in ('rate_limited', 'budget_busy', 'budget_spent') is not true
    then
        return false;
    end if;
    update queue_items i
    set due_at = least(i.due_at, moment), park_reason = null,
        -- One that came due by itself just now has its hint.
        look_at = case when i.due_at <= moment and i.hints > 0 then i.look_at else moment end,
        hints = case when i.due_at <= moment then i.hints else 0 end
    where i.id = l.item_id;
    update lines x set called_until = moment + interval '5 seconds'
    where x.scope = l.scope and x.item_id = l.item_id;
    return true;
end
$$;

-- Calls, from the line of a locked rate, as many as there are places. One that another of its rates
-- has no place for is passed over. Says when to look again.
create function call_for_places(s scopes, moment timestamptz) returns timestamptz
    language plpgsql as $$
declare
    l lines;
    free bigint := free_places(s, moment);
    passed boolean := false;
begin
    for l in
        select * from lines x
        where x.scope = s.key and (x.called_until is null or x.called_until <= moment)
        order by x.turn, x.sent_at, x.item_id limit 1000
    loop
        exit when free <= 0;
        if cardinality(l.rates) > 1 and exists (
            select 1 from scopes o
            where o.key = any(l.rates) and o.key <> s.key and free_places(o, moment) <= 0
        ) then
            passed := true;
        elsif call_item(l, moment) then
            free := free - 1;
        else
            passed := true;
        end if;
    end loop;
    return greatest(moment + interval '50 milliseconds', least(
        s.instants[width_bucket(moment - s.span, s.instants) + 1] + s.span,
        (select min(x.called_until) from lines x where x.scope = s.key and x.called_until > moment),
        case when passed then moment + interval '250 milliseconds' end
    ));
end
$$;

-- Calls, from the line of a locked budget, as many as have room together, in turn. A line that
-- waits for its window is judged by the one that runs, in which an operator may have made room.
-- Says when to look again.
create function call_for_room(s scopes, moment timestamptz) returns timestamptz
    language plpgsql as $$
declare
    l lines;
    judged scopes := s;
    waits boolean := coalesce(s.starts_at > moment, false);
    spent bigint;
    in_flight bigint;
    called integer := 0;
    passed boolean := false;
    full_until timestamptz;
begin
    if waits then
        select * into judged from scopes o
        where o.name = s.name and o.starts_at <= moment and o.ends_at > moment;
        if not found then
            return s.starts_at;
        end if;
    end if;
    spent := judged.charged + judged.ambiguous;
    select judged.reserved + coalesce(sum(x.worst), 0) into in_flight
    from lines x where x.scope = s.key and x.called_until > moment;
    for l in
        select * from lines x
        where x.scope = s.key and (x.called_until is null or x.called_until <= moment)
        order by x.turn, x.sent_at, x.item_id limit 1000
    loop
        exit when called = 256;
        if spent + l.worst > judged.most then
            -- Once its window runs, it is called all the same, to hear that it is spent.
            if waits then
                return s.starts_at;
            end if;
            l.worst := 0;
        elsif judged.share is not null
            and is_busy(judged.most, judged.share, spent, in_flight, l.worst)
        then
            exit;
        end if;
        if call_item(l, moment) then
            called := called + 1;
            in_flight := in_flight + l.worst;
            update scopes o set turn = greatest(o.turn, l.turn) where o.key = s.key;
        else
            passed := true;
        end if;
    end loop;
    return moment
        + case when passed then interval '250 milliseconds' else interval '1 second' end;
end
$$;

-- Looks at the lines whose time has come, a bounded number of them.
create function call_waiting(most_lines integer) returns void language plpgsql as $$
declare
    s scopes;
    moment timestamptz;
    opens timestamptz;
begin
    for s in
        select * from scopes o where o.opens_at <= now()
        order by o.opens_at limit most_lines for update skip locked
    loop
        moment := clock_timestamp();
        if s.span is not null then
            opens := call_for_places(s, moment);
        else
            opens := call_for_room(s, moment);
        end if;
        update scopes o
        set opens_at = case
            when exists (select 1 from lines x where x.scope = s.key) then opens
        end
        where o.key = s.key;
    end loop;
end
$$;

-- Sets what a budget's windows may cost, lifts it, or leaves it to the settings again: then whoever
-- asks next brings the limit along, and its lines are called as if there were none.
create function set_budget(the_name text, is_set boolean, the_most bigint, by text) returns void
    language plpgsql as $$
begin
    if is_set then
        insert into budget_limits (name, most, set_by, set_at)
        values (the_name, the_most, by, clock_timestamp())
        on conflict (name) do update
        set most = excluded.most, set_by = excluded.set_by, set_at = excluded.set_at;
    else
        delete from budget_limits where name = the_name;
    end if;
    perform 1 from scopes s
    where s.name = the_name and (s.ends_at is null or s.ends_at > now())
    order by s.key for update;
    update scopes s
    set most = case when is_set then the_most end,
        opens_at = case when s.opens_at is not null then least(s.opens_at, clock_timestamp()) end
    where s.name = the_name and (s.ends_at is null or s.ends_at > now());
end
$$;

-- A request had reached the endpoint by then: its places free that much sooner, once.
create function free_sooner(the_ledger uuid, arrived_within interval) returns void
    language plpgsql as $$
declare
    l ledger;
    arrived timestamptz;
begin
    select * into l from ledger o
    where o.id = the_ledger and o.send_within > arrived_within for update;
    if not found then
        return;
    end if;
    update ledger set send_within = null where id = the_ledger;
    arrived := l.admitted_at - (l.send_within - arrived_within);
    perform 1 from scopes s where s.key = any(l.rates) order by s.key for update;
    update scopes s
    set instants = array(
            select at from unnest(
                s.instants[:array_position(s.instants, l.admitted_at) - 1]
                || s.instants[array_position(s.instants, l.admitted_at) + 1:]
                || arrived
            ) at
            order by at
        ),
        opens_at = case when s.opens_at is not null then least(s.opens_at, arrived + s.span) end
    where s.key = any(l.rates) and array_position(s.instants, l.admitted_at) is not null;
end
$$;

-- What a provider said of an account or a model of it; what it did not name stays.
create function note_provider(
    the_key text, pause interval, requests bigint, requests_in interval, input bigint,
    input_in interval, output bigint, output_in interval
) returns void language plpgsql as $$
declare
    moment timestamptz := clock_timestamp();
begin
    if coalesce(pause, requests_in, input_in, output_in) is null then
        return;
    end if;
    insert into providers as p (
        key, paused_until, requests_left, requests_reset, input_left, input_reset, output_left,
        output_reset
    )
    values (
        the_key, moment + pause, requests, moment + requests_in, input, moment + input_in, output,
        moment + output_in
    )
    on conflict (key) do update
    set paused_until = greatest(p.paused_until, excluded.paused_until),
        requests_left = coalesce(excluded.requests_left, p.requests_left),
        requests_reset = coalesce(excluded.requests_reset, p.requests_reset),
        input_left = coalesce(excluded.input_left, p.input_left),
        input_reset = coalesce(excluded.input_reset, p.input_reset),
        output_left = coalesce(excluded.output_left, p.output_left),
        output_reset = coalesce(excluded.output_reset, p.output_reset);
end
$$;

-- What a request taught: places that free sooner, then the provider's word.
create function hear(
    the_ledger uuid, arrived_within interval, account text, account_pause interval, model text,
    model_pause interval, requests bigint, requests_in interval, input bigint, input_in interval,
    output bigint, output_in interval
) returns void language plpgsql as $$
begin
    if arrived_within is not null then
        perform free_sooner(the_ledger, arrived_within);
    end if;
    if account is not null then
        perform note_provider(account, account_pause, null, null, null, null, null, null);
        perform note_provider(
            model, model_pause, requests, requests_in, input, input_in, output, output_in
        );
    end if;
end
$$;
