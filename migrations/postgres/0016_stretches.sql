-- Figures of a stretch of time: hours and minutes from their sums, the raw rows at its edges.

-- A stretch in parts: hours' sums from `hours_from` on, before `hours_to`; minutes' sums around
-- them, from `minutes_from` on, before `minutes_to`; raw rows around those. Up to now, the minute
-- that runs is whole. An edge that lies before what minutes are kept for is moved back to the hour.
create function stretch_parts(
    length interval, ended interval,
    out starts timestamptz, out minutes_from timestamptz, out hours_from timestamptz,
    out hours_to timestamptz, out minutes_to timestamptz, out ends timestamptz
) language plpgsql stable as $$
declare
    folded_until timestamptz := (select f.until from folds f where f.name = 'hours');
    kept_from timestamptz := (select f.until from folds f where f.name = 'minutes');
begin
    ends := now() - ended;
    starts := ends - length;
    if ended <= interval '0' then
        ends := date_trunc('minute', ends) + interval '1 minute';
    elsif ends < kept_from then
        ends := date_trunc('hour', ends, 'UTC');
    end if;
    if starts < kept_from then
        starts := date_trunc('hour', starts, 'UTC');
    end if;
    minutes_to := date_trunc('minute', ends);
    minutes_from := date_trunc('minute', starts + interval '1 minute - 1 microsecond');
    if minutes_from > minutes_to then
        minutes_from := ends;
        minutes_to := ends;
    end if;
    hours_to := least(date_trunc('hour', minutes_to, 'UTC'), folded_until);
    hours_from := date_trunc('hour', minutes_from + interval '1 hour - 1 microsecond', 'UTC');
    if hours_from > hours_to then
        hours_from := minutes_to;
        hours_to := minutes_to;
    end if;
end
$$;

-- Sums by intent. One snapshot, as the function is stable; planned for these instants, so that
-- partitions of other days are not touched.
create function figures(length interval, ended interval)
    returns table (
        intent text, items bigint, cached bigint, asked bigint, calls bigint, tokens bigint,
        cost bigint, ambiguous_cost bigint, avoided_tokens bigint, avoided_cost bigint,
        latency_us bigint
    )
    language plpgsql stable as $$
declare
    p record;
begin
    select * into p from stretch_parts(length, ended);
    return query execute '
        select intent, sum(items)::bigint, sum(cached)::bigint, sum(asked)::bigint,
            sum(calls)::bigint, sum(tokens)::bigint, sum(cost)::bigint,
            sum(ambiguous_cost)::bigint, sum(avoided_tokens)::bigint, sum(avoided_cost)::bigint,
            sum(latency_us)::bigint
        from (
            select intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
                avoided_tokens, avoided_cost, latency_us
            from metric_hours where hour >= $3 and hour < $4
            union all
            select intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
                avoided_tokens, avoided_cost, latency_us
            from (
                select * from metric_rollups where minute >= $2 and minute < $3
                union all
                select * from metric_rollups where minute >= $4 and minute < $5
            ) minutes
            union all
            select intent, 1, cached::integer, (agent is not null and not cached)::integer, calls,
                input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens
                    + cache_write_1h_tokens,
                cost, ambiguous_cost, avoided_tokens, avoided_cost, latency_us
            from (
                select * from metrics where created_at >= $1 and created_at < $2
                union all
                select * from metrics where created_at >= $5 and created_at < $6
            ) edges
        ) part
        group by intent having sum(items) > 0'
    using p.starts, p.minutes_from, p.hours_from, p.hours_to, p.minutes_to, p.ends;
end
$$;

-- Items by bucket of their latency, of the same rows.
create function latencies(length interval, ended interval)
    returns table (bucket integer, items bigint)
    language plpgsql stable as $$
declare
    p record;
begin
    select * into p from stretch_parts(length, ended);
    return query execute '
        select bucket, sum(items)::bigint
        from (
            select key::integer as bucket, value::bigint as items
            from metric_hours, jsonb_each_text(histogram)
            where hour >= $3 and hour < $4
            union all
            select key::integer, value::bigint
            from (
                select * from metric_rollups where minute >= $2 and minute < $3
                union all
                select * from metric_rollups where minute >= $4 and minute < $5
            ) minutes, jsonb_each_text(histogram)
            union all
            select latency_bucket(latency_us), 1
            from (
                select * from metrics where created_at >= $1 and created_at < $2
                union all
                select * from metrics where created_at >= $5 and created_at < $6
            ) edges
        ) part
        group by bucket having sum(items) > 0'
    using p.starts, p.minutes_from, p.hours_from, p.hours_to, p.minutes_to, p.ends;
end
$$;

-- Writes an hour's sums; the caller has the hour for himself.
create function sum_hour(the_hour timestamptz) returns void language plpgsql as $$
begin
    with minutes as (
        select * from metric_rollups
        where minute >= the_hour and minute < the_hour + interval '1 hour'
    ), sums as (
        select tenant, intent, sum(items) as items, sum(cached) as cached, sum(asked) as asked,
            sum(calls) as calls, sum(tokens) as tokens, sum(cost) as cost,
            sum(ambiguous_cost) as ambiguous_cost, sum(avoided_tokens) as avoided_tokens,
            sum(avoided_cost) as avoided_cost, sum(latency_us) as latency_us
        from minutes group by tenant, intent
    ), buckets as (
        select tenant, intent, key as bucket, sum(value::bigint) as items
        from minutes, jsonb_each_text(histogram)
        group by tenant, intent, key having sum(value::bigint) > 0
    ), histograms as (
        select tenant, intent, jsonb_object_agg(bucket, items) as histogram
        from buckets group by tenant, intent
    )
    insert into metric_hours (
        tenant, hour, intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
        avoided_tokens, avoided_cost, latency_us, histogram
    )
    select tenant, the_hour, intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
        avoided_tokens, avoided_cost, latency_us, coalesce(histogram, '{}')
    from sums left join histograms using (tenant, intent);
end
$$;

-- Folds the minutes of the next hour that is over into the hour's sums; hours without any are
-- passed over. False when there is none, or when somebody folds or changes it at this moment.
create function fold_hour() returns boolean language plpgsql as $$
declare
    -- What ended less than two minutes ago may yet get rows from those who are late.
    foldable timestamptz := date_trunc('hour', now() - interval '2 minutes', 'UTC');
    done timestamptz;
    the_hour timestamptz;
begin
    select f.until into done from folds f where f.name = 'hours' for update skip locked;
    if done is null or done >= foldable then
        return false;
    end if;
    select least(foldable, date_trunc('hour', min(r.minute), 'UTC')) into the_hour
    from metric_rollups r where r.minute >= done;
    -- The hour, and those that are passed over: nothing is under way in one that was over a day
    -- ago and has no minute, as no transaction lasts that long.
    if not (
        select bool_and(pg_try_advisory_xact_lock(hashtext('gleaner'), hour_lock(h.hour)))
        from generate_series(
            greatest(done, least(the_hour, foldable - interval '1 day')),
            least(the_hour, foldable - interval '1 hour'), interval '1 hour'
        ) h (hour)
    ) then
        return false;
    end if;
    -- Whoever had one of them before us is seen from here on.
    select least(the_hour, date_trunc('hour', min(r.minute), 'UTC')) into the_hour
    from metric_rollups r where r.minute >= done;
    if the_hour < foldable then
        perform sum_hour(the_hour);
    end if;
    update folds set until = least(foldable, the_hour + interval '1 hour') where name = 'hours';
    return the_hour < foldable;
end
$$;

update schema_info set version = 16;
