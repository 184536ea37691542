-- Patience: a wait for a budget's next window, or for the end of a pause, is not the item's own.

-- As before, and its patience begins anew after a wait that an operator asked for.
create or replace function park_item(
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
        first_claimed_at = case
            when the_reason not in ('budget_spent', 'paused') then i.first_claimed_at
        end,
        -- What it waited for is there already: then it waits for nothing, and questions wait for it.
        park_reason = case when due > moment then the_reason end,
        waits_for = case when waits then the_flight end
    where i.id = the_item;
    insert into item_history (item_id, what, lease, attempt, reason, detail)
    values (the_item, 'parked', the_lease, q.attempt, the_reason, the_detail);
    perform end_flights(the_item, case when spends then 'failed' else 'given up' end);
    -- Who waits for something else stands in nobody's way.
    if the_reason not in ('rate_limited', 'budget_busy', 'budget_spent') then
        delete from lines where item_id = the_item;
    end if;
    return true;
end
$$;

-- A question waits for what was said before it, also where that waits for a moment only.
drop index queue_items_unsettled;
create index queue_items_unsettled on queue_items (room_id, sent_at, id)
    where status = 'processing' or (status = 'pending' and coalesce(park_reason, 'flight_taken')
        in ('flight_taken', 'budget_busy', 'model_busy'));

update schema_info set version = 13;
