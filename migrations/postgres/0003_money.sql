-- Admission and the ledger. Amounts are integer nano-dollars.

-- One row a limited thing, which holds all that decides about it.
create table scopes (
    key text collate "C" primary key,
    -- Of a rate: the last admissions, oldest first.
    instants timestamptz[] not null default '{}',
    -- Of a budget: its counters.
    reserved bigint not null default 0,
    charged bigint not null default 0,
    ambiguous bigint not null default 0
) with (fillfactor = 50);

-- One row an HTTP request to a model.
create table ledger (
    id uuid primary key,
    state text not null default 'reserved'
        check (state in ('reserved', 'charged', 'refunded', 'ambiguous')),
    tenant text not null,
    item_id text collate "C" not null,
    lease bigint not null,
    revision bigint not null,
    event_id text collate "C" not null,
    agent text not null,
    -- The model that was asked, and the one that answered.
    model text not null,
    answered_by text,
    fingerprint text not null,
    -- The budgets it is counted in, and the rates it took a place of at `admitted_at`.
    scopes text[] collate "C" not null,
    rates text[] collate "C" not null,
    admitted_at timestamptz not null,
    reserved bigint not null,
    charged bigint not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cache_read_tokens bigint not null default 0,
    cache_write_5m_tokens bigint not null default 0,
    cache_write_1h_tokens bigint not null default 0,
    -- Kept for replay.
    answer jsonb,
    created_at timestamptz not null default clock_timestamp(),
    -- When it left `reserved`; by whom, when a person closed an ambiguous row.
    resolved_at timestamptz,
    resolved_by text
);
create index ledger_of_item on ledger (item_id, revision);
create index ledger_of_event on ledger (event_id);
create index ledger_open on ledger (item_id) where state = 'reserved';
create index ledger_ambiguous on ledger (created_at) where state = 'ambiguous';
