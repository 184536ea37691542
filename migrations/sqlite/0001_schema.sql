-- Gleaner's tables in SQLite. Instants are integer microseconds since 1970 UTC, dollars are integer
-- nano-dollars, amounts of the group integers in the currency's minor unit. JSON is kept as text.

-- ---- inputs: written by producers and by `gleaner ingest`; no foreign keys among them ----

create table events (
    id text primary key,
    tenant text not null default 'default',
    name text not null,
    kind text not null default 'event',
    starts_at integer,
    time_zone text not null default 'UTC',
    locale text not null default 'en',
    currency text not null default 'USD',
    budget integer
) strict;

create table participants (
    event_id text not null,
    id text not null,
    name text not null,
    position integer not null default 0, -- who bears odd units is decided in this order
    primary key (event_id, id)
) strict, without rowid;

create table rooms (
    id text primary key,
    event_id text not null
) strict;
create index rooms_event on rooms (event_id);

create table messages (
    id text primary key,
    room_id text not null,
    sender_id text not null,
    sent_at integer not null,
    text text not null,
    revision integer not null default 1,
    deleted_at integer,
    detected_intent text,
    extracted_entities text
) strict;
create index messages_room on messages (room_id, sent_at, id);

create table vendors (
    id text primary key,
    name text not null,
    kind text not null,
    area text,
    price_from integer,
    currency text,
    rating real
) strict;
create index vendors_kind on vendors (kind);

-- ---- the queue ----

create table queue_items (
    id text primary key,
    kind text not null default 'message' check (kind in ('message', 'suggestion')),
    event_id text,
    room_id text, -- where its message stands, so that the unsettled ones before another are one range
    sent_at integer,
    status text not null default 'pending'
        check (status in ('pending', 'processing', 'completed', 'skipped', 'failed')),
    lease integer not null default 0, -- only ever grows: the fence
    lease_until integer, -- there exactly while the item is in `processing`
    attempt integer not null default 0,
    due_at integer not null,
    look_at integer, -- when the scheduler must look again; null when nothing is owed
    hints integer not null default 0,
    waits_for text, -- the cache key whose flight it waits for
    park_reason text, -- null once it waits for nothing any more
    revision integer not null default -1, -- the message's at the last claim; -1 while it had no row
    -- The revision that has its turn once the present one's completion event is confirmed; -1 when
    -- none was seen since the claim.
    wanted integer not null default -1,
    created_at integer not null,
    claimed_at integer,
    -- From when its patience counts; null until the first claim since it was last opened.
    first_claimed_at integer,
    intent text,
    reason text,
    detail text,
    completion_id text,
    completion_kind text,
    routing_key text,
    body blob,
    confirmed_at integer,
    settled_at integer,
    check ((status = 'processing') = (lease_until is not null))
) strict;
create index queue_items_look on queue_items (look_at) where look_at is not null;
-- What is looked at while the work queue is full: all but second hints.
create index queue_items_first_look on queue_items (look_at)
    where look_at is not null and (hints = 0 or status <> 'pending');
create index queue_items_waiting on queue_items (waits_for) where waits_for is not null;
create index queue_items_open on queue_items (status, due_at) where status in ('pending', 'processing');
create index queue_items_owed on queue_items (settled_at)
    where completion_id is not null and confirmed_at is null;
create index queue_items_status on queue_items (status);
create index queue_items_unsettled on queue_items (room_id, sent_at, id)
    where status = 'processing' or (status = 'pending' and park_reason is null);

create table item_history (
    id integer primary key,
    item_id text not null references queue_items (id) on delete cascade,
    at integer not null,
    what text not null check (what in ('parked', 'failed', 'taken_over')),
    reason text,
    detail text,
    lease integer not null,
    attempt integer not null
) strict;
create index item_history_item on item_history (item_id, id);

-- A producer's own transaction makes the item, so that a producer that dies before it publishes loses
-- nothing. Nobody else can publish to the worker's own queue, so the scheduler looks at once.
create trigger messages_enqueue after insert on messages begin
    insert into queue_items (id, event_id, room_id, sent_at, due_at, look_at, created_at)
    values (
        new.id,
        (select event_id from rooms where id = new.room_id),
        new.room_id,
        new.sent_at,
        cast(round(unixepoch('subsec') * 1000000) as integer),
        cast(round(unixepoch('subsec') * 1000000) as integer),
        cast(round(unixepoch('subsec') * 1000000) as integer)
    )
    on conflict (id) do update set
        event_id = coalesce(excluded.event_id, event_id), room_id = excluded.room_id,
        sent_at = excluded.sent_at
    where room_id is null;
    -- A delivery that was faster than its producer's commit waits here.
    update queue_items set
        due_at = cast(round(unixepoch('subsec') * 1000000) as integer),
        look_at = cast(round(unixepoch('subsec') * 1000000) as integer), hints = 0, park_reason = null
    where id = new.id and status = 'pending' and park_reason = 'message_missing';
    -- The claim may have read the row as it was before, and what is owed must not be lost: the
    -- confirm opens the item.
    update queue_items set wanted = max(wanted, new.revision)
    where id = new.id and new.revision > revision and (
        status = 'processing'
        or (status <> 'pending' and completion_id is not null and confirmed_at is null)
    );
    update queue_items set
        status = 'pending', attempt = 0, hints = 0, park_reason = null, reason = null, detail = null,
        first_claimed_at = null,
        due_at = cast(round(unixepoch('subsec') * 1000000) as integer),
        look_at = cast(round(unixepoch('subsec') * 1000000) as integer),
        created_at = cast(round(unixepoch('subsec') * 1000000) as integer)
    where id = new.id and new.revision > revision and status in ('completed', 'skipped', 'failed')
        and (completion_id is null or confirmed_at is not null);
end;

-- A higher revision opens a settled item again.
create trigger messages_reopen after update of revision on messages when new.revision > old.revision begin
    -- The claim may have read the row as it was before, and what is owed must not be lost: the
    -- confirm opens the item.
    update queue_items set wanted = max(wanted, new.revision)
    where id = new.id and new.revision > revision and (
        status = 'processing'
        or (status <> 'pending' and completion_id is not null and confirmed_at is null)
    );
    update queue_items set
        status = 'pending', attempt = 0, hints = 0, park_reason = null, reason = null, detail = null,
        first_claimed_at = null,
        due_at = cast(round(unixepoch('subsec') * 1000000) as integer),
        look_at = cast(round(unixepoch('subsec') * 1000000) as integer),
        created_at = cast(round(unixepoch('subsec') * 1000000) as integer)
    where id = new.id and new.revision > revision and status in ('completed', 'skipped', 'failed')
        and (completion_id is null or confirmed_at is not null);
end;

-- ---- answers and what the group knows ----

create table enrichments (
    message_id text not null,
    revision integer not null,
    event_id text,
    sender_id text not null,
    sent_at integer not null,
    agent text,
    model text,
    level text,
    cached integer not null default 0,
    detection text,
    enrichment text,
    contribution text not null default '{}',
    changes_rows integer not null, -- whether the contribution has a part in the fold
    recorded_at integer not null,
    primary key (message_id, revision)
) strict;
create index enrichments_event on enrichments (event_id, sent_at, message_id);
create index enrichments_fold on enrichments (event_id, sent_at, message_id) where changes_rows;

create table tasks (
    id text primary key,
    event_id text not null,
    title text not null,
    object text not null,
    action text not null,
    assignee text,
    due_said text,
    due text,
    status text not null check (status in ('open', 'done', 'cancelled')),
    opened_at integer not null,
    opened_by text not null
) strict;
create index tasks_event on tasks (event_id, opened_at, opened_by);

create table expenses (
    id text primary key,
    event_id text not null,
    what text not null,
    minor integer not null,
    currency text not null,
    category text not null,
    paid_by text,
    split_between text,
    shares text not null,
    status text not null check (status in ('paid', 'due', 'cancelled')),
    opened_at integer not null,
    opened_by text not null
) strict;
create index expenses_event on expenses (event_id, opened_at, opened_by);

create table polls (
    id text primary key,
    event_id text not null,
    question text not null,
    options text not null,
    opened_at integer not null,
    opened_by text not null
) strict;
create index polls_event on polls (event_id, opened_at, opened_by);

create table repayments (
    id text primary key,
    event_id text not null,
    "from" text not null,
    "to" text not null,
    minor integer not null,
    currency text not null,
    opened_at integer not null,
    opened_by text not null
) strict;
create index repayments_event on repayments (event_id, opened_at, opened_by);

create table projection_sources (
    message_id text primary key, -- a message has at most one effect
    event_id text not null,
    projection_id text not null,
    effect text not null check (effect in
        ('opened', 'confirmed', 'corrected', 'paid', 'completed', 'cancelled', 'voted', 'repaid')),
    sent_at integer not null
) strict;
create index projection_sources_event on projection_sources (event_id, sent_at, message_id);

create table suggestions (
    id text primary key,
    event_id text not null,
    status text not null,
    body text not null,
    created_at integer not null,
    dismissed_at integer
) strict;
create index suggestions_event on suggestions (event_id, created_at);

-- ---- figures ----

create table metrics (
    item_id text not null,
    revision integer not null,
    tenant text not null,
    event_id text,
    outcome text not null,
    intent text not null,
    agent text,
    model text,
    cached integer not null,
    latency_us integer not null,
    calls integer not null,
    input_tokens integer not null,
    output_tokens integer not null,
    cache_read_tokens integer not null,
    cache_write_5m_tokens integer not null,
    cache_write_1h_tokens integer not null,
    cost integer not null,
    ambiguous_cost integer not null,
    avoided_tokens integer not null,
    avoided_cost integer not null,
    created_at integer not null,
    primary key (item_id, revision)
) strict;
create index metrics_time on metrics (created_at);
create index metrics_event on metrics (event_id);

create table metric_rollups (
    tenant text not null,
    minute integer not null, -- the instant at which it begins
    intent text not null,
    shard integer not null default 0,
    items integer not null default 0,
    cached integer not null default 0,
    calls integer not null default 0,
    tokens integer not null default 0,
    cost integer not null default 0,
    ambiguous_cost integer not null default 0,
    avoided_cost integer not null default 0,
    latency_us integer not null default 0,
    -- Items by latency: under 10, 50, 100, 250, 500 ms, 1, 2, 3, 5, 10, 30 s, and above.
    latencies text not null,
    primary key (tenant, minute, intent, shard)
) strict, without rowid;
create index metric_rollups_time on metric_rollups (minute);

-- ---- money ----

-- One row an HTTP request to a model.
create table ledger (
    id text primary key,
    state text not null default 'reserved'
        check (state in ('reserved', 'charged', 'refunded', 'ambiguous')),
    tenant text not null,
    item_id text not null,
    lease integer not null,
    revision integer not null,
    event_id text not null,
    agent text not null,
    model text not null, -- the one that was asked
    answered_by text,
    fingerprint text not null,
    scopes text not null, -- the budgets it is counted in
    rates text not null, -- the rates it took a place of at `admitted_at`
    admitted_at integer not null,
    reserved integer not null, -- its worst case
    charged integer not null default 0,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    cache_read_tokens integer not null default 0,
    cache_write_5m_tokens integer not null default 0,
    cache_write_1h_tokens integer not null default 0,
    answer text, -- kept for replay
    created_at integer not null,
    resolved_at integer,
    resolved_by text
) strict;
create index ledger_item on ledger (item_id, revision);
create index ledger_event on ledger (event_id);
create index ledger_open on ledger (item_id) where state = 'reserved';
create index ledger_ambiguous on ledger (created_at) where state = 'ambiguous';

-- One row a limited thing, which holds all that decides about it.
create table scopes (
    key text primary key,
    instants text not null default '[]', -- of a rate: the last admissions, oldest first
    reserved integer not null default 0,
    charged integer not null default 0,
    ambiguous integer not null default 0
) strict;

-- ---- cache ----

create table cache (
    key text primary key,
    event_id text, -- whose data the answer holds; null when it holds none's
    answer text not null,
    model text not null,
    usage text not null,
    cost integer not null,
    expires_at integer not null
) strict;
create index cache_expiry on cache (expires_at);
create index cache_event on cache (event_id) where event_id is not null;

-- Who computes a cache key now. With an item, it is in the air as long as that item's claim lives;
-- without one, the next leader may start from `open_at` on. A row that nobody flies any more keeps
-- the count of failures for an hour.
create table flights (
    key text primary key,
    item_id text,
    lease integer,
    failures integer not null default 0,
    open_at integer not null
) strict;
create index flights_item on flights (item_id) where item_id is not null;
create index flights_open on flights (open_at);

-- ---- the process ----

create table settings (
    key text primary key,
    value text not null,
    changed_at integer not null
) strict;

create table schema_info (
    id integer primary key default 1 check (id = 1),
    version integer not null,
    oldest_binary text not null
) strict;
insert into schema_info (version, oldest_binary) values (1, '0.1.0');
