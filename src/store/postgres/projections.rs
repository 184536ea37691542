//! An event's rows: the fold redone under the event's lock, and only what it
//! changed written.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::codec::{Instant, json, read};
use super::pool::store_error;
use crate::domain::chat::Event;
use crate::domain::enrichment::Contribution;
use crate::domain::ids::{EventId, MessageId, PersonId};
use crate::domain::projection::{
    Effect, Entry, ExpenseRow, PollRow, Projections, RepaymentRow, SourceRow, TaskRow, fold,
};
use crate::store::Stored;

// Of each message the latest revision speaks, also when it takes back what an earlier one said.
const ENTRIES: &str = r#"
    select e.message_id, e.sent_at, e.sender_id, e.contribution
    from enrichments e
    where e.event_id = $1 and e.changes_rows
        and ($2::timestamptz is null or (e.sent_at, e.message_id) < ($2, $3))
        and not exists (
            select 1 from enrichments later
            where later.message_id = e.message_id and later.revision > e.revision
        )"#;

const STORED: &str = "
    select jsonb_build_object(
        'tasks', (
            select coalesce(jsonb_agg(to_jsonb(t) order by t.opened_at, t.opened_by), '[]')
            from tasks t where t.event_id = $1
        ),
        'expenses', (
            select coalesce(jsonb_agg(to_jsonb(e) order by e.opened_at, e.opened_by), '[]')
            from expenses e where e.event_id = $1
        ),
        'polls', (
            select coalesce(jsonb_agg(to_jsonb(p) order by p.opened_at, p.opened_by), '[]')
            from polls p where p.event_id = $1
        ),
        'repayments', (
            select coalesce(jsonb_agg(to_jsonb(r) order by r.opened_at, r.opened_by), '[]')
            from repayments r where r.event_id = $1
        ),
        'sources', (
            select coalesce(jsonb_agg(to_jsonb(s) order by s.sent_at, s.message_id), '[]')
            from projection_sources s where s.event_id = $1
        )
    )";

const PUT_TASKS: &str = "
    insert into tasks (
        id, event_id, title, object, action, assignee, due_said, due, status, opened_at, opened_by
    )
    select id, $1, title, object, action, assignee, due_said, due, status, opened_at, opened_by
    from jsonb_to_recordset($2) as t (
        id uuid, title text, object text, action text, assignee text, due_said text, due date,
        status text, opened_at timestamptz, opened_by text
    )
    on conflict (id) do update
    set title = excluded.title, object = excluded.object, action = excluded.action,
        assignee = excluded.assignee, due_said = excluded.due_said, due = excluded.due,
        status = excluded.status, opened_at = excluded.opened_at, opened_by = excluded.opened_by";
const DROP_TASKS: &str = "delete from tasks where event_id = $1 and id = any($2)";

const PUT_EXPENSES: &str = "
    insert into expenses (
        id, event_id, what, minor, currency, category, paid_by, split_between, shares, status,
        opened_at, opened_by
    )
    select id, $1, what, minor, currency, category, paid_by, nullif(split_between, 'null'), shares,
        status, opened_at, opened_by
    from jsonb_to_recordset($2) as e (
        id uuid, what text, minor bigint, currency text, category text, paid_by text,
        split_between jsonb, shares jsonb, status text, opened_at timestamptz, opened_by text
    )
    on conflict (id) do update
    set what = excluded.what, minor = excluded.minor, currency = excluded.currency,
        category = excluded.category, paid_by = excluded.paid_by,
        split_between = excluded.split_between, shares = excluded.shares,
        status = excluded.status, opened_at = excluded.opened_at, opened_by = excluded.opened_by";
const DROP_EXPENSES: &str = "delete from expenses where event_id = $1 and id = any($2)";

const PUT_POLLS: &str = "
    insert into polls (id, event_id, question, options, opened_at, opened_by)
    select id, $1, question, options, opened_at, opened_by
    from jsonb_to_recordset($2) as p (
        id uuid, question text, options jsonb, opened_at timestamptz, opened_by text
    )
    on conflict (id) do update
    set question = excluded.question, options = excluded.options,
        opened_at = excluded.opened_at, opened_by = excluded.opened_by";
const DROP_POLLS: &str = "delete from polls where event_id = $1 and id = any($2)";

const PUT_REPAYMENTS: &str = r#"
    insert into repayments (
        id, event_id, "from", "to", minor, currency, opened_at, opened_by
    )
    select id, $1, "from", "to", minor, currency, opened_at, opened_by
    from jsonb_to_recordset($2) as r (
        id uuid, "from" text, "to" text, minor bigint, currency text, opened_at timestamptz,
        opened_by text
    )
    on conflict (id) do update
    set "from" = excluded."from", "to" = excluded."to", minor = excluded.minor,
        currency = excluded.currency, opened_at = excluded.opened_at,
        opened_by = excluded.opened_by"#;
const DROP_REPAYMENTS: &str = "delete from repayments where event_id = $1 and id = any($2)";

const PUT_SOURCES: &str = "
    insert into projection_sources (message_id, event_id, projection_id, effect, sent_at)
    select message_id, $1, projection_id, effect, sent_at
    from jsonb_to_recordset($2) as s (
        message_id text, projection_id uuid, effect text, sent_at timestamptz
    )
    on conflict (message_id) do update
    set event_id = excluded.event_id, projection_id = excluded.projection_id,
        effect = excluded.effect, sent_at = excluded.sent_at";
const DROP_SOURCES: &str = "
    delete from projection_sources where event_id = $1 and message_id = any($2)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    ENTRIES,
    STORED,
    PUT_TASKS,
    DROP_TASKS,
    PUT_EXPENSES,
    DROP_EXPENSES,
    PUT_POLLS,
    DROP_POLLS,
    PUT_REPAYMENTS,
    DROP_REPAYMENTS,
    PUT_SOURCES,
    DROP_SOURCES,
];

/// The contributions of an event's messages, or only of those before a message.
pub(super) async fn entries(
    connection: &mut PgConnection,
    event: &EventId,
    before: Option<&(Timestamp, MessageId)>,
) -> Stored<Vec<Entry>> {
    let rows = sqlx::query(ENTRIES)
        .bind(event.as_str())
        .bind(before.map(|(sent_at, _)| Instant(*sent_at)))
        .bind(before.map(|(_, id)| id.as_str()))
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.try_get(0).map_err(store_error)?;
        let Instant(sent_at) = row.try_get(1).map_err(store_error)?;
        let sender: String = row.try_get(2).map_err(store_error)?;
        let Json(contribution): Json<Value> = row.try_get(3).map_err(store_error)?;
        let contribution: Contribution = read("enrichments", &id, contribution)?;
        let message = read("enrichments", &id, Value::String(id.clone()))?;
        entries.push(Entry { message, sent_at, sender: PersonId(sender), contribution });
    }
    Ok(entries)
}

/// An event's rows as they stand.
pub(super) async fn stored_rows(
    connection: &mut PgConnection,
    event: &EventId,
) -> Stored<Projections> {
    let Json(rows): Json<Value> = sqlx::query_scalar(STORED)
        .bind(event.as_str())
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    let rows: StoredRows = read("projections of event", event.as_str(), rows)?;
    Ok(Projections {
        tasks: rows.tasks,
        expenses: rows.expenses,
        polls: rows.polls,
        repayments: rows.repayments,
        sources: rows.sources.into_iter().map(SourceRow::from).collect(),
    })
}

#[derive(Deserialize)]
struct StoredRows {
    tasks: Vec<TaskRow>,
    expenses: Vec<ExpenseRow>,
    polls: Vec<PollRow>,
    repayments: Vec<RepaymentRow>,
    sources: Vec<StoredSource>,
}

#[derive(Deserialize)]
struct StoredSource {
    message_id: MessageId,
    projection_id: Uuid,
    effect: Effect,
}

impl From<StoredSource> for SourceRow {
    fn from(StoredSource { message_id, projection_id, effect }: StoredSource) -> Self {
        Self { message: message_id, projection: projection_id, effect }
    }
}

/// Redoes an event's fold and writes what it changed; says whether it did. The caller holds the
/// event's lock, so what is read here is all that is settled.
pub(super) async fn refold(connection: &mut PgConnection, event: &Event) -> Stored<bool> {
    let entries = entries(connection, &event.id, None).await?;
    let sent_at: HashMap<MessageId, Timestamp> =
        entries.iter().map(|entry| (entry.message.clone(), entry.sent_at)).collect();
    let new = fold(event, entries);
    let old = stored_rows(connection, &event.id).await?;
    // The first source of a row is the message that opened it.
    let mut openers: HashMap<Uuid, &MessageId> = HashMap::new();
    for source in &new.sources {
        openers.entry(source.projection).or_insert(&source.message);
    }

    let mut write = Writer { connection, event: &event.id, openers, changed: false };
    write.rows(PUT_TASKS, DROP_TASKS, &old.tasks, &new.tasks, |row| row.id).await?;
    write.rows(PUT_EXPENSES, DROP_EXPENSES, &old.expenses, &new.expenses, |row| row.id).await?;
    write.rows(PUT_POLLS, DROP_POLLS, &old.polls, &new.polls, |row| row.id).await?;
    let (old_repaid, new_repaid) = (&old.repayments, &new.repayments);
    write.rows(PUT_REPAYMENTS, DROP_REPAYMENTS, old_repaid, new_repaid, |row| row.id).await?;
    write.sources(&old.sources, &new.sources, &sent_at).await?;
    Ok(write.changed)
}

struct Writer<'a> {
    connection: &'a mut PgConnection,
    event: &'a EventId,
    openers: HashMap<Uuid, &'a MessageId>,
    changed: bool,
}

/// A row with the message that opened it, which orders rows of one instant.
#[derive(Serialize)]
struct Placed<'a, T> {
    #[serde(flatten)]
    row: &'a T,
    opened_by: Option<&'a str>,
}

#[derive(Serialize)]
struct PlacedSource<'a> {
    message_id: &'a str,
    projection_id: Uuid,
    effect: &'static str,
    sent_at: Option<Timestamp>,
}

impl Writer<'_> {
    async fn rows<T: PartialEq + Serialize>(
        &mut self,
        put: &'static str,
        drop: &'static str,
        old: &[T],
        new: &[T],
        id: impl Fn(&T) -> Uuid,
    ) -> Stored<()> {
        let stood: HashMap<Uuid, &T> = old.iter().map(|row| (id(row), row)).collect();
        let changed: Vec<Placed<'_, T>> = new
            .iter()
            .filter(|row| stood.get(&id(row)) != Some(row))
            .map(|row| {
                let opened_by = self.openers.get(&id(row)).map(|opener| opener.as_str());
                Placed { row, opened_by }
            })
            .collect();
        let stands: std::collections::HashSet<Uuid> = new.iter().map(&id).collect();
        let gone: Vec<Uuid> = stood.into_keys().filter(|id| !stands.contains(id)).collect();
        self.changed |= !gone.is_empty() || !changed.is_empty();
        if !gone.is_empty() {
            let drop = sqlx::query(drop).bind(self.event.as_str()).bind(gone);
            drop.execute(&mut *self.connection).await.map_err(store_error)?;
        }
        if !changed.is_empty() {
            let put = sqlx::query(put).bind(self.event.as_str()).bind(json(&changed));
            put.execute(&mut *self.connection).await.map_err(store_error)?;
        }
        Ok(())
    }

    async fn sources(
        &mut self,
        old: &[SourceRow],
        new: &[SourceRow],
        sent_at: &HashMap<MessageId, Timestamp>,
    ) -> Stored<()> {
        let stood: HashMap<&MessageId, &SourceRow> =
            old.iter().map(|source| (&source.message, source)).collect();
        let changed: Vec<PlacedSource<'_>> = new
            .iter()
            .filter(|source| stood.get(&source.message) != Some(source))
            .map(|source| PlacedSource {
                message_id: source.message.as_str(),
                projection_id: source.projection,
                effect: source.effect.name(),
                sent_at: sent_at.get(&source.message).copied(),
            })
            .collect();
        let gone: Vec<String> = old
            .iter()
            .filter(|source| !new.iter().any(|other| other.message == source.message))
            .map(|source| source.message.as_str().to_owned())
            .collect();
        self.changed |= !gone.is_empty() || !changed.is_empty();
        if !gone.is_empty() {
            let drop = sqlx::query(DROP_SOURCES).bind(self.event.as_str()).bind(gone);
            drop.execute(&mut *self.connection).await.map_err(store_error)?;
        }
        if !changed.is_empty() {
            let put = sqlx::query(PUT_SOURCES).bind(self.event.as_str()).bind(json(&changed));
            put.execute(&mut *self.connection).await.map_err(store_error)?;
        }
        Ok(())
    }
}
