-- Suggestions: runs as queue items of their own, and the rows that they write.

alter table suggestions add column model text;
alter table suggestions add column dismissed_by text;
-- Its place among those that its run made.
alter table suggestions add column position integer not null default 0;

create index queue_items_runs on queue_items (event_id) where kind = 'suggestion';

update schema_info set version = 8;
