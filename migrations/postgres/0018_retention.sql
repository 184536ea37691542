-- What is old goes, a bounded number of rows at a time, and the ledger balances all the while.

-- Drops the oldest partition whose day ended before what is kept. False when there is none, or
-- when it is in use: the drop waits briefly, as whoever comes after it waits as well.
create function drop_metrics_day(kept interval) returns boolean
    language plpgsql security definer set search_path from current set lock_timeout = '200ms' as $$
declare
    oldest text;
begin
    select c.relname into oldest
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'metrics'::regclass and c.relname ~ '^metrics_\d{4}_\d\d_\d\d$'
        and c.relname::text collate "C" < metrics_day((
            -- Hours are made of these rows' sums, and edges of the rows: what is not folded stays.
            select least(now() - kept, f.until) at time zone 'UTC' from folds f where f.name = 'hours'
        )::date)
    order by c.relname limit 1;
    if not found then
        return false;
    end if;
    execute format('drop table %I', oldest);
    return true;
exception
    when lock_not_available then
        return false;
end
$$;

-- From now on, figures ask for no minute before what is kept, nor for the raw rows of one. What is
-- not folded is kept.
create function mark_minutes(kept interval) returns void language plpgsql as $$
begin
    insert into folds as f (name, until)
    select 'minutes', least(date_trunc('hour', now() - kept, 'UTC'), h.until)
    from folds h where h.name = 'hours'
    on conflict (name) do update set until = greatest(f.until, excluded.until);
end
$$;

create function drop_minutes(batch integer) returns bigint language plpgsql as $$
declare
    gone bigint;
begin
    delete from metric_rollups where ctid = any(array(
        select r.ctid from metric_rollups r
        where r.minute < (select f.until from folds f where f.name = 'minutes')
        order by r.minute limit batch for update skip locked
    ));
    get diagnostics gone = row_count;
    return gone;
end
$$;

create function drop_hours(kept interval, batch integer) returns bigint language plpgsql as $$
declare
    gone bigint;
begin
    delete from metric_hours where ctid = any(array(
        select h.ctid from metric_hours h where h.hour < now() - kept
        order by h.hour limit batch for update skip locked
    ));
    get diagnostics gone = row_count;
    return gone;
end
$$;

-- Resolved alerts, and what was told and is confirmed or given up.
create function drop_alerts(kept interval, batch integer) returns bigint language plpgsql as $$
declare
    gone bigint;
    told bigint;
begin
    delete from alerts where id = any(array(
        select a.id from alerts a where a.resolved_at < now() - kept
        order by a.resolved_at limit batch for update skip locked
    ));
    get diagnostics gone = row_count;
    delete from notices where ctid = any(array(
        select n.ctid from notices n where n.look_at is null and n.created_at < now() - kept
        order by n.created_at limit batch for update skip locked
    ));
    get diagnostics told = row_count;
    return greatest(gone, told);
end
$$;

-- ---- the ledger ----

-- The ID of the row that carries a budget's sums, or, with no budget, those of all.
create function carried_id(the_scope text) returns uuid language sql immutable as $$
    select md5(coalesce('carried in ' || the_scope, 'carried'))::uuid
$$;

-- One replica folds the ledger at a time.
create function begin_carrying() returns boolean language plpgsql as $$
begin
    return pg_try_advisory_xact_lock(hashtext('gleaner'), hashtext('carried ledger rows'));
end
$$;

-- Folds ledger rows that the caller holds into those that carry their budgets' sums, and the one
-- that carries all.
create function carry(rows uuid[]) returns void language plpgsql as $$
begin
    with gone as (
        delete from ledger where id = any(rows) returning *
    ), parts as (
        select scope, g.* from gone g, unnest(g.scopes) scope
        union all
        select null, g.* from gone g
    )
    insert into ledger as l (
        id, state, tenant, item_id, lease, revision, event_id, agent, model, fingerprint, scopes,
        rates, admitted_at, created_at, resolved_at, reserved, charged, calls, input_tokens,
        output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens
    )
    select
        carried_id(scope), 'carried',
        case when starts_with(scope, 'budget:event:') then max(tenant) else '-' end, '-', 0, -2,
        case when starts_with(scope, 'budget:event:') then substr(scope, 14) else '-' end,
        '-', '-', '-', array_remove(array[scope], null), '{}',
        max(admitted_at), max(created_at), max(resolved_at), 0, sum(charged),
        count(*) filter (where state = 'charged'), sum(input_tokens), sum(output_tokens),
        sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens)
    from parts group by scope
    on conflict (id) do update
    set admitted_at = greatest(l.admitted_at, excluded.admitted_at),
        created_at = greatest(l.created_at, excluded.created_at),
        resolved_at = greatest(l.resolved_at, excluded.resolved_at),
        charged = l.charged + excluded.charged, calls = l.calls + excluded.calls,
        input_tokens = l.input_tokens + excluded.input_tokens,
        output_tokens = l.output_tokens + excluded.output_tokens,
        cache_read_tokens = l.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_5m_tokens = l.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
        cache_write_1h_tokens = l.cache_write_1h_tokens + excluded.cache_write_1h_tokens;
end
$$;

-- Folds closed rows, the oldest first, and says how many. Those of messages that are at work or
-- wait are left, as their answers may be replayed, and so is whatever somebody holds.
create function carry_ledger(kept interval, batch integer) returns bigint language plpgsql as $$
declare
    before timestamptz := now() - kept;
    rows uuid[];
    items text[];
    free text[];
begin
    if not begin_carrying() then
        return 0;
    end if;
    select array_agg(c.id), array_agg(distinct c.item_id) into rows, items
    from (
        select l.id, l.item_id from ledger l
        where l.state in ('charged', 'refunded') and l.created_at < before
            and l.resolved_at < before
            and not exists (
                select from queue_items q
                where q.id = l.item_id and q.status in ('pending', 'processing')
            )
        order by l.created_at, l.id limit batch
    ) c;
    if rows is null then
        return 0;
    end if;
    -- Items before ledger rows, as everybody locks them.
    select array_agg(q.id) into free from (
        select i.id, i.status from queue_items i where i.id = any(items)
        order by i.id for share skip locked
    ) q
    where q.status not in ('pending', 'processing');
    select array_agg(l.id) into rows from (
        select o.id from ledger o
        where o.id = any(rows) and o.state in ('charged', 'refunded') and (
            o.item_id = any(free) or not exists (select from queue_items q where q.id = o.item_id)
        )
        order by o.id for update skip locked
    ) l;
    if rows is null then
        return 0;
    end if;
    perform carry(rows);
    return cardinality(rows);
end
$$;

-- Windows that ended before what is kept, and whose rows are all carried, with the rows that carry
-- them; the row that carries all has their sums too.
create function drop_windows(kept interval, batch integer) returns bigint language plpgsql as $$
declare
    over text[];
begin
    if not begin_carrying() then
        return 0;
    end if;
    select array_agg(w.key) into over from (
        select s.key from scopes s
        where s.ends_at < now() - kept and s.reserved = 0 and s.ambiguous = 0
            and s.opens_at is null and not exists (select from lines l where l.scope = s.key)
            and not exists (
                select from ledger l
                where l.created_at >= s.starts_at - interval '1 hour'
                    and l.created_at < s.ends_at + interval '1 hour' and l.state <> 'carried'
                    and s.key = any(l.scopes)
            )
        order by s.key limit batch for update skip locked
    ) w;
    delete from ledger where id in (select carried_id(key) from unnest(over) key);
    delete from scopes where key = any(over);
    return coalesce(cardinality(over), 0);
end
$$;

-- Rates whose places have all been free for a day, and that nobody waits for.
create function drop_rates(batch integer) returns bigint language plpgsql as $$
declare
    gone bigint;
begin
    delete from scopes where key = any(array(
        select s.key from scopes s
        where s.span is not null and s.opens_at is null
            and s.instants[cardinality(s.instants)] + s.span < now() - interval '1 day' is not false
            and not exists (select from lines l where l.scope = s.key)
        order by s.key limit batch for update skip locked
    ));
    get diagnostics gone = row_count;
    return gone;
end
$$;

-- As before, and a scope that is dropped at this moment is made again.
create or replace function lock_scopes(
    asked text[], missing boolean, out keys text[], out held scopes[]
) language plpgsql as $$
begin
    loop
        if missing then
            insert into scopes (key) select distinct key from unnest(asked) key order by key
            on conflict (key) do nothing;
        end if;
        select array_agg((l.s).key), array_agg(l.s) into keys, held from (
            select s from scopes s where s.key = any(asked) order by s.key for update
        ) l;
        exit when asked <@ coalesce(keys, '{}') is not false;
        missing := true;
    end loop;
end
$$;

update schema_info set version = 18;
