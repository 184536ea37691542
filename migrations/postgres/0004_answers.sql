-- What the messages said, what the group knows from it, and what it cost.

create table enrichments (
    message_id text collate "C" not null,
    revision bigint not null,
    event_id text collate "C",
    sender_id text collate "C" not null,
    sent_at timestamptz not null,
    agent text,
    model text,
    level text,
    cached boolean not null default false,
    detection jsonb,
    enrichment jsonb,
    contribution jsonb not null default '{}',
    -- Whether the contribution has a part in the fold.
    changes_rows boolean not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (message_id, revision)
);
create index enrichments_to_fold on enrichments (event_id) where changes_rows;
create index enrichments_of_event on enrichments (event_id);

-- The row lock under which an event's fold is redone.
create table event_state (
    event_id text collate "C" primary key,
    folds bigint not null default 1
);

create table tasks (
    id uuid primary key,
    event_id text collate "C" not null,
    title text not null,
    object text not null,
    action text not null,
    assignee text,
    due_said text,
    due date,
    status text not null check (status in ('open', 'done', 'cancelled')),
    opened_at timestamptz not null,
    opened_by text collate "C" not null
);
create index tasks_of_event on tasks (event_id, opened_at);

create table expenses (
    id uuid primary key,
    event_id text collate "C" not null,
    what text not null,
    minor bigint not null,
    currency text not null,
    category text not null,
    paid_by text collate "C",
    split_between jsonb,
    shares jsonb not null,
    status text not null check (status in ('paid', 'due', 'cancelled')),
    opened_at timestamptz not null,
    opened_by text collate "C" not null
);
create index expenses_of_event on expenses (event_id, opened_at);

create table polls (
    id uuid primary key,
    event_id text collate "C" not null,
    question text not null,
    options jsonb not null,
    opened_at timestamptz not null,
    opened_by text collate "C" not null
);
create index polls_of_event on polls (event_id, opened_at);

create table repayments (
    id uuid primary key,
    event_id text collate "C" not null,
    "from" text collate "C" not null,
    "to" text collate "C" not null,
    minor bigint not null,
    currency text not null,
    opened_at timestamptz not null,
    opened_by text collate "C" not null
);
create index repayments_of_event on repayments (event_id, opened_at);

-- A message has at most one effect, on one row.
create table projection_sources (
    message_id text collate "C" primary key,
    event_id text collate "C" not null,
    projection_id uuid not null,
    effect text not null check (effect in (
        'opened', 'confirmed', 'corrected', 'paid', 'completed', 'cancelled', 'voted', 'repaid'
    )),
    sent_at timestamptz not null
);
create index projection_sources_of_event on projection_sources (event_id, sent_at);
create index projection_sources_of_row on projection_sources (projection_id);

create table suggestions (
    id uuid primary key,
    event_id text collate "C" not null,
    status text not null,
    body jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    dismissed_at timestamptz
);
create index suggestions_of_event on suggestions (event_id, created_at);

-- A row for each settled item that was answered or cost anything.
create table metrics (
    item_id text collate "C" not null,
    revision bigint not null,
    tenant text not null,
    event_id text collate "C",
    outcome text not null,
    intent text not null,
    agent text,
    model text,
    cached boolean not null,
    latency_us bigint not null,
    calls integer not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    cache_read_tokens bigint not null,
    cache_write_5m_tokens bigint not null,
    cache_write_1h_tokens bigint not null,
    cost bigint not null,
    ambiguous_cost bigint not null,
    avoided_tokens bigint not null,
    avoided_cost bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (item_id, revision)
);
create index metrics_by_time on metrics (created_at);
create index metrics_of_event on metrics (event_id);

-- Their sums by the minute; shards keep replicas from queueing for one row.
create table metric_rollups (
    tenant text not null,
    minute timestamptz not null,
    intent text not null,
    shard smallint not null,
    items bigint not null,
    cached bigint not null,
    calls bigint not null,
    tokens bigint not null,
    cost bigint not null,
    ambiguous_cost bigint not null,
    avoided_cost bigint not null,
    latency_us bigint not null,
    -- Items by latency: under 10, 50, 100, 250, 500 ms, 1, 2, 3, 5, 10, 30 s, and above.
    latencies integer[] not null,
    primary key (tenant, minute, intent, shard)
);
create index metric_rollups_by_time on metric_rollups (minute);

create table cache (
    key text collate "C" primary key,
    -- The event whose data the answer holds; null when it holds none's.
    event_id text collate "C",
    answer jsonb not null,
    model text not null,
    usage jsonb not null,
    cost bigint not null,
    expires_at timestamptz not null
);
create index cache_by_expiry on cache (expires_at);
create index cache_of_event on cache (event_id) where event_id is not null;

-- Who computes a cache key now. With an item, it is in the air as long as that item's claim lives;
-- without one, the next leader may start from `open_at` on. A row that nobody flies any more keeps
-- the count of failures for an hour.
create table flights (
    key text collate "C" primary key,
    item_id text collate "C",
    lease bigint,
    failures integer not null default 0,
    open_at timestamptz not null default clock_timestamp()
);
create index flights_of_item on flights (item_id) where item_id is not null;
create index flights_by_opening on flights (open_at);

-- What may change at run time, for all replicas.
create table settings (
    key text primary key,
    value jsonb not null,
    changed_at timestamptz not null default clock_timestamp()
);

create table schema_info (
    id integer primary key default 1 check (id = 1),
    version bigint not null,
    oldest_binary text not null
);
