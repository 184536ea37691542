-- Admission: all scopes at once, judged on locked rows. Locks come in one order: queue item, scopes
-- by key, providers by key. Whoever holds a scope waits for no item and no row of a line.

-- A budget's window, as a request names it.
create type asked_window as (
    -- The budget's place among the request's.
    place integer,
    name text,
    most bigint,
    -- Null for a soft budget.
    share double precision,
    waits boolean,
    key text,
    starts_at timestamptz,
    ends_at timestamptz
);

create type refusal as (
    verdict text,
    scope text,
    after interval,
    room bigint,
    -- The line to join, and when it is to be looked at; null where there is none.
    line text,
    opens_at timestamptz
);

-- Whether many events stand in a line, and so take turns.
create function takes_turns(the_scope text) returns boolean language sql immutable as $$
    select starts_with(the_scope, 'budget:') and not starts_with(the_scope, 'budget:event:')
$$;

-- The turn that an item gets in a line: its event's first one behind it, or a new one behind all of
-- its event's; none that is over, unless its event waits there already.
create function turn_in(
    s scopes, the_item text, the_event text, sent timestamptz, moment timestamptz
) returns bigint language plpgsql as $$
declare
    the_turn bigint;
    waits boolean;
begin
    if not takes_turns(s.key) then
        return 0;
    end if;
    select l.turn into the_turn from lines l
    where l.scope = s.key and l.event_id = the_event
        and (l.sent_at, l.item_id) > (sent, the_item)
        and (l.called_until is null or l.called_until <= moment)
    order by l.sent_at, l.item_id limit 1;
    if found then
        return the_turn;
    end if;
    select max(l.turn) + 1, bool_or(l.called_until is null or l.called_until <= moment)
    into the_turn, waits
    from lines l where l.scope = s.key and l.event_id = the_event;
    return case when waits then the_turn else greatest(the_turn, s.turn) end;
end
$$;

-- Who stands before an item in a line, and what all of them may cost: whoever is first by the
-- line's order, and whoever is called. Nobody stands before one that is called itself.
create function ahead_in(
    s scopes, mine lines, the_item text, the_event text, sent timestamptz, moment timestamptz,
    out items bigint, out worst bigint
) language plpgsql as $$
#variable_conflict use_column
declare
    the_turn bigint;
begin
    items := 0;
    worst := 0;
    if s.opens_at is null
        or (mine.called_until > moment and (mine.scope = s.key or s.key = any(mine.rates)))
    then
        return;
    end if;
    the_turn := case
        when mine.scope = s.key then mine.turn
        else turn_in(s, the_item, the_event, sent, moment)
    end;
    select count(*), coalesce(sum(l.worst), 0) into items, worst
    from lines l
    where l.scope = s.key and l.item_id <> the_item
        and (l.called_until > moment or (l.turn, l.sent_at, l.item_id) < (the_turn, sent, the_item));
    if s.span is not null then
        -- Called from another line, and on their way to a place of this rate too.
        items := items + (
            select count(*) from lines l
            where l.called_until > moment and s.key = any(l.rates) and l.scope <> s.key
                and l.item_id <> the_item
        );
    end if;
end
$$;

-- When the place frees that is left once so many others have had theirs. The taken ones free in
-- turn, and whoever gets one holds it for a span.
create function place_frees(
    alive timestamptz[], most bigint, span interval, waiting bigint, moment timestamptz
) returns timestamptz language plpgsql immutable as $$
declare
    taken bigint := cardinality(alive);
    places bigint := greatest(most, 1);
    over bigint := waiting - taken;
begin
    if over < 0 then
        return alive[waiting + 1] + span;
    elsif taken >= places then
        return alive[taken - places + over % places + 1] + (2 + over / places) * span;
    elsif waiting % places < taken then
        return alive[waiting % places + 1] + (1 + waiting / places) * span;
    end if;
    -- One that is free still, and taken at this moment at the earliest.
    return moment + (1 + waiting / places) * span;
end
$$;

-- Instants as they came, unless a clock was set back.
create function in_order(instants timestamptz[]) returns timestamptz[] language plpgsql immutable as $$
begin
    if instants[cardinality(instants)] >= instants[cardinality(instants) - 1] is not false then
        return instants;
    end if;
    return (select array_agg(at order by at) from unnest(instants) at);
end
$$;

-- Whether a hard budget holds its worst case back for a while: it would fit once those in flight
-- have ended. One request always may.
create function is_busy(
    most bigint, share double precision, spent bigint, in_flight bigint, worst bigint
) returns boolean language sql immutable as $$
    select in_flight > 0 and (
        spent + in_flight + worst > most
        or in_flight + worst > floor(share * (most - spent)::double precision)
    )
$$;

-- Makes the scopes that are missing, and locks all in the order of their keys.
create function lock_scopes(asked text[], missing boolean, out keys text[], out held scopes[])
    language plpgsql as $$
begin
    if missing then
        insert into scopes (key) select distinct key from unnest(asked) key order by key
        on conflict (key) do nothing;
    end if;
    select array_agg((l.s).key), array_agg(l.s) into keys, held from (
        select s from scopes s where s.key = any(asked) order by s.key for update
    ) l;
end
$$;

-- The first budget that is spent, else the first that is busy.
create function judge_budgets(
    windows asked_window[], keys text[], held scopes[], mine lines, the_item text, the_event text,
    sent timestamptz, worst bigint, expected bigint, moment timestamptz
) returns refusal language plpgsql as $$
declare
    w asked_window;
    next_one asked_window;
    s scopes;
    spent bigint;
    cost bigint;
    in_flight bigint;
    busy refusal;
begin
    for i in 1 .. coalesce(cardinality(windows), 0) loop
        w := windows[i];
        continue when w.most is null or w.starts_at > moment;
        s := held[array_position(keys, w.key)];
        spent := s.charged + s.ambiguous;
        cost := case when w.share is null then expected else worst end;
        if spent + cost > w.most then
            if not w.waits or w.ends_at is null then
                return row('over_budget', w.name, null, greatest(0, w.most - spent), null, null)::refusal;
            end if;
            next_one := windows[i + 1];
            return row(
                'budget_spent', w.key, w.ends_at - moment, cost,
                case when next_one.place = w.place then next_one.key end, w.ends_at
            )::refusal;
        end if;
        continue when w.share is null or busy.verdict is not null;
        in_flight := s.reserved;
        if s.opens_at is not null then
            in_flight := in_flight
                + (ahead_in(s, mine, the_item, the_event, sent, moment)).worst;
        end if;
        if is_busy(w.most, w.share, spent, in_flight, worst) then
            busy := row(
                'budget_busy', w.key, interval '5 seconds', null, w.key,
                moment + interval '250 milliseconds'
            );
        end if;
    end loop;
    return busy;
end
$$;

-- Until when a provider wants to be left alone; null while it does not. A limit whose reset has
-- passed does not bind, so that nobody waits for more than there ever is.
create function judge_provider(
    provider_keys text[], needs_input bigint, needs_output bigint, moment timestamptz
) returns timestamptz language plpgsql as $$
begin
    return (
        select greatest(
            max(p.paused_until),
            max(p.requests_reset) filter (where p.requests_left < 1),
            max(p.input_reset) filter (where p.input_left < needs_input),
            max(p.output_reset) filter (where p.output_left < needs_output)
        )
        from providers p
        where p.key = any(provider_keys)
    );
end
$$;

-- What an admitted request takes of the limits that a provider told, as long as they hold.
create function take_from_provider(
    provider_keys text[], needs_input bigint, needs_output bigint, moment timestamptz
) returns void language plpgsql as $$
begin
    update providers p
    set requests_left = case
            when p.requests_reset > moment then greatest(p.requests_left - 1, 0)
            else p.requests_left
        end,
        input_left = case
            when p.input_reset > moment then greatest(p.input_left - needs_input, 0)
            else p.input_left
        end,
        output_left = case
            when p.output_reset > moment then greatest(p.output_left - needs_output, 0)
            else p.output_left
        end
    where p.key = any(provider_keys)
        and greatest(p.requests_reset, p.input_reset, p.output_reset) > moment;
end
$$;

-- Of the rates that refuse, the one with the longest wait.
create function judge_rates(
    rate_keys text[], rate_limits bigint[], rate_spans interval[], keys text[], held scopes[],
    mine lines, the_item text, the_event text, sent timestamptz, moment timestamptz
) returns refusal language plpgsql as $$
declare
    s scopes;
    alive timestamptz[];
    free bigint;
    ahead bigint;
    after interval;
    longest refusal;
begin
    for r in 1 .. coalesce(cardinality(rate_keys), 0) loop
        s := held[array_position(keys, rate_keys[r])];
        free := rate_limits[r] - cardinality(s.instants)
            + width_bucket(moment - rate_spans[r], s.instants);
        ahead := 0;
        if s.opens_at is not null then
            ahead := (ahead_in(s, mine, the_item, the_event, sent, moment)).items;
        end if;
        continue when free > ahead;
        alive := s.instants[width_bucket(moment - rate_spans[r], s.instants) + 1:];
        after := place_frees(alive, rate_limits[r], rate_spans[r], ahead - free, moment) - moment;
        continue when after <= longest.after;
        longest := row(
            'rate_limited', s.key, after, null, s.key,
            case
                when free > 0 then moment + interval '50 milliseconds'
                else place_frees(alive, rate_limits[r], rate_spans[r], -free, moment)
            end
        );
    end loop;
    return longest;
end
$$;

-- An item stands in one line at most. Whoever was called, and has left for another one, leaves room
-- there; its scope is locked, or looked at soon.
create function leave_line(mine lines, keys text[], moment timestamptz) returns void
    language plpgsql as $$
begin
    delete from lines where item_id = mine.item_id;
    if mine.called_until > moment and mine.scope = any(keys) then
        update scopes set opens_at = least(opens_at, moment) where key = mine.scope;
    end if;
end
$$;

-- Puts an item into the line of a locked scope, or keeps it in its place there.
create function join_line(
    the_line text, opens timestamptz, mine lines, the_item text, the_event text, sent timestamptz,
    worst bigint, the_rates text[], moment timestamptz
) returns void language plpgsql as $$
#variable_conflict use_variable
declare
    s scopes;
begin
    update scopes set opens_at = least(opens_at, opens) where key = the_line returning * into s;
    if mine.scope = the_line then
        update lines l set worst = join_line.worst, rates = the_rates, called_until = null
        where l.scope = the_line and l.item_id = the_item;
        return;
    end if;
    insert into lines (scope, item_id, event_id, sent_at, turn, worst, rates)
    values (
        the_line, the_item, the_event, sent, turn_in(s, the_item, the_event, sent, moment), worst,
        the_rates
    );
    if takes_turns(the_line) then
        -- Its event's other messages behind it have theirs a turn later. Whoever settles one holds
        -- its row, which then matters no more.
        with behind as (
            select l.item_id from lines l
            where l.scope = the_line and l.event_id = the_event
                and (l.sent_at, l.item_id) > (sent, the_item)
                and (l.called_until is null or l.called_until <= moment)
            for update skip locked
        )
        update lines l set turn = l.turn + 1 from behind
        where l.scope = the_line and l.item_id = behind.item_id;
    end if;
end
$$;

-- Writes down what locked scopes are judged by, where it differs.
create function note_limits(
    keys text[], held scopes[], windows asked_window[], rate_keys text[], rate_limits bigint[],
    rate_spans interval[]
) returns void language plpgsql as $$
declare
    w asked_window;
    s scopes;
begin
    for i in 1 .. coalesce(cardinality(windows), 0) loop
        w := windows[i];
        s := held[array_position(keys, w.key)];
        continue when s.key is null;
        if (s.name, s.starts_at, s.ends_at, s.most, s.share)
            is distinct from (w.name, w.starts_at, w.ends_at, w.most, w.share)
        then
            update scopes o
            set name = w.name, starts_at = w.starts_at, ends_at = w.ends_at, most = w.most,
                share = w.share
            where o.key = s.key;
        end if;
    end loop;
    for i in 1 .. coalesce(cardinality(rate_keys), 0) loop
        s := held[array_position(keys, rate_keys[i])];
        if (s.most, s.span) is distinct from (rate_limits[i], rate_spans[i]) then
            update scopes o set most = rate_limits[i], span = rate_spans[i] where o.key = s.key;
        end if;
    end loop;
end
$$;

-- Asks all scopes at once: all pass, their places and amounts are taken and the ledger row is
-- `reserved`; or nothing changes but the line that the item joins.
create function admit_call(
    the_ledger uuid, the_item text, the_lease bigint, the_event text, the_tenant text,
    the_revision bigint, sent timestamptz, the_agent text, the_model text, the_fingerprint text,
    worst bigint, expected bigint, queues boolean,
    rate_keys text[], rate_limits bigint[], rate_spans interval[], the_send_within interval,
    budgets integer, window_places integer[], window_names text[], window_limits bigint[],
    window_shares double precision[], window_waits boolean[], window_keys text[],
    window_starts timestamptz[], window_ends timestamptz[],
    provider_keys text[], needs_input bigint, needs_output bigint
) returns table (verdict text, scope text, after_us bigint, room bigint)
    language plpgsql as $$
#variable_conflict use_column
declare
    moment timestamptz := clock_timestamp();
    keys text[];
    missing boolean;
    held scopes[];
    windows asked_window[];
    budget_keys text[];
    mine lines;
    known_provider boolean := false;
    paused timestamptz;
    refused refusal;
begin
    perform 1 from queue_items q
    where q.id = the_item and q.lease = the_lease and q.lease_until is not null for share;
    if not found then
        return query select 'lost', null::text, null::bigint, null::bigint;
        return;
    end if;

    -- All windows that may run once the locks are had; no statement waits for longer.
    select array_agg(asked.key), count(s.key) < count(*) into keys, missing
    from (
        select unnest(rate_keys) as key
        union all
        select w.key from unnest(window_keys, window_starts, window_ends) w (key, starts_at, ends_at)
        where (w.starts_at is null or w.starts_at <= moment + interval '40 seconds')
            and (w.ends_at is null or w.ends_at > moment)
    ) asked
    left join scopes s on s.key = asked.key;
    select l.keys, l.held into keys, held from lock_scopes(keys, missing) l;
    if provider_keys is not null then
        perform 1 from providers p where p.key = any(provider_keys) order by p.key for update;
        known_provider := found;
    end if;
    moment := clock_timestamp();
    select * into mine from lines l where l.item_id = the_item;

    -- The windows that run, and those after them.
    select array_agg(
            row(
                w.place, w.name, case when o.name is null then w.most else o.most end, w.share,
                w.waits, w.key, w.starts_at, w.ends_at
            )::asked_window
            order by w.place, w.starts_at nulls first
        ),
        array_agg(w.key order by w.place)
            filter (where w.starts_at is null or w.starts_at <= moment)
    into windows, budget_keys
    from unnest(
        window_places, window_names, window_limits, window_shares, window_waits, window_keys,
        window_starts, window_ends
    ) w (place, name, most, share, waits, key, starts_at, ends_at)
    left join budget_limits o on o.name = w.name
    where w.ends_at is null or w.ends_at > moment;
    budget_keys := coalesce(budget_keys, '{}');
    if cardinality(budget_keys) <> budgets or (budgets > 0 and not budget_keys <@ keys) then
        raise 'the clocks differ: a budget has no window at %', moment;
    end if;

    refused := judge_budgets(
        windows, keys, held, mine, the_item, the_event, sent, worst, expected, moment
    );
    if known_provider and (refused.verdict is null or refused.verdict = 'budget_busy') then
        paused := judge_provider(provider_keys, needs_input, needs_output, moment);
        if paused > moment then
            refused := row('provider_paused', null, paused - moment, null, null, null);
        end if;
    end if;
    if refused.verdict is null then
        refused := judge_rates(
            rate_keys, rate_limits, rate_spans, keys, held, mine, the_item, the_event, sent, moment
        );
    end if;

    if refused.verdict is not null then
        if queues and mine.scope is not null and mine.scope is distinct from refused.line then
            perform leave_line(mine, keys, moment);
        end if;
        if queues and refused.line is not null and not refused.line = any(keys) then
            -- The window after one that is locked: who waits for it holds that one's lock.
            select keys || l.keys, held || l.held into keys, held
            from lock_scopes(array[refused.line], true) l;
        end if;
        perform note_limits(keys, held, windows, rate_keys, rate_limits, rate_spans);
        if queues and refused.line is not null then
            perform join_line(
                refused.line, refused.opens_at, mine, the_item, the_event, sent, coalesce(refused.room, worst),
                case when refused.verdict = 'rate_limited' then rate_keys else '{}' end, moment
            );
        end if;
        return query select refused.verdict, refused.scope,
            greatest(1, ceil(extract(epoch from refused.after) * 1000000))::bigint, refused.room;
        return;
    end if;

    if mine.scope is not null then
        delete from lines l where l.item_id = the_item;
    end if;
    if rate_keys <> '{}' then
        update scopes s
        set most = r.most, span = r.span,
            instants = in_order(s.instants[greatest(
                width_bucket(moment - r.span, s.instants) + 1,
                cardinality(s.instants) - r.most + 2
            ):] || moment)
        from unnest(rate_keys, rate_limits, rate_spans) r (key, most, span)
        where s.key = r.key;
    end if;
    if budgets > 0 then
        update scopes s
        set reserved = s.reserved + worst, name = w.name, starts_at = w.starts_at,
            ends_at = w.ends_at, most = w.most, share = w.share
        from unnest(windows) w
        where s.key = w.key and (w.starts_at is null or w.starts_at <= moment);
    end if;
    if known_provider then
        perform take_from_provider(provider_keys, needs_input, needs_output, moment);
    end if;
    insert into ledger (
        id, tenant, item_id, lease, revision, event_id, agent, model, fingerprint, scopes, rates,
        admitted_at, send_within, reserved
    )
    values (
        the_ledger, the_tenant, the_item, the_lease, the_revision, the_event, the_agent, the_model,
        the_fingerprint, budget_keys, rate_keys, moment, the_send_within, worst
    );
    return query select 'admitted', null::text, null::bigint, null::bigint;
end
$$;
