//! Projections as rows: the fold of an event's contributions, and the changes it makes.
//!
//! The write lock stands for the event's row lock: no two records of an event
//! fold at the same time, so the order of work never shows.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::codec::{self, Reader};
use super::{Done, Write};
use crate::domain::chat::Event;
use crate::domain::ids::{EventId, MessageId};
use crate::domain::projection::{
    Effect, Entry, ExpenseRow, PollRow, Projections, RepaymentRow, SourceRow, TaskRow, fold,
};

statements! {
    ENTRIES = "select message_id, sent_at, sender_id, contribution from enrichments e
        where event_id = ?1 and changes_rows
            and revision = (select max(l.revision) from enrichments l where l.message_id = e.message_id)";
    ENTRIES_BEFORE = "select message_id, sent_at, sender_id, contribution from enrichments e
        where event_id = ?1 and changes_rows and (sent_at, message_id) < (?2, ?3)
            and revision = (select max(l.revision) from enrichments l where l.message_id = e.message_id)";
    TASKS = "select id, title, object, action, assignee, due_said, due, status, opened_at
        from tasks where event_id = ?1 order by opened_at, opened_by";
    EXPENSES = "select id, what, minor, currency, category, paid_by, split_between, shares, status, opened_at
        from expenses where event_id = ?1 order by opened_at, opened_by";
    POLLS = "select id, question, options, opened_at
        from polls where event_id = ?1 order by opened_at, opened_by";
    REPAYMENTS = "select id, \"from\", \"to\", minor, currency, opened_at
        from repayments where event_id = ?1 order by opened_at, opened_by";
    SOURCES = "select message_id, projection_id, effect
        from projection_sources where event_id = ?1 order by sent_at, message_id";
    WRITE_TASK = "insert into tasks
            (id, event_id, title, object, action, assignee, due_said, due, status, opened_at, opened_by)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        on conflict (id) do update set title = ?3, object = ?4, action = ?5, assignee = ?6, due_said = ?7,
            due = ?8, status = ?9, opened_at = ?10, opened_by = ?11";
    WRITE_EXPENSE = "insert into expenses (id, event_id, what, minor, currency, category, paid_by,
            split_between, shares, status, opened_at, opened_by)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        on conflict (id) do update set what = ?3, minor = ?4, currency = ?5, category = ?6, paid_by = ?7,
            split_between = ?8, shares = ?9, status = ?10, opened_at = ?11, opened_by = ?12";
    WRITE_POLL = "insert into polls (id, event_id, question, options, opened_at, opened_by)
        values (?1, ?2, ?3, ?4, ?5, ?6)
        on conflict (id) do update set question = ?3, options = ?4, opened_at = ?5, opened_by = ?6";
    WRITE_REPAYMENT = "insert into repayments
            (id, event_id, \"from\", \"to\", minor, currency, opened_at, opened_by)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        on conflict (id) do update set \"from\" = ?3, \"to\" = ?4, minor = ?5, currency = ?6,
            opened_at = ?7, opened_by = ?8";
    WRITE_SOURCE = "insert into projection_sources (message_id, event_id, projection_id, effect, sent_at)
        values (?1, ?2, ?3, ?4, ?5)
        on conflict (message_id) do update set event_id = ?2, projection_id = ?3, effect = ?4, sent_at = ?5";
    DROP_TASK = "delete from tasks where id = ?1";
    DROP_EXPENSE = "delete from expenses where id = ?1";
    DROP_POLL = "delete from polls where id = ?1";
    DROP_REPAYMENT = "delete from repayments where id = ?1";
    DROP_SOURCE = "delete from projection_sources where message_id = ?1";
}

type Query = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

/// Folds the event anew and writes what changed; says whether anything did.
pub(super) async fn refold(tx: &mut Write, event: &Event) -> Done<bool> {
    let rows = sqlx::query(ENTRIES).bind(event.id.as_str()).fetch_all(&mut **tx).await?;
    let entries = rows.iter().map(entry).collect::<Done<Vec<_>>>()?;
    let sent_at: HashMap<MessageId, Timestamp> =
        entries.iter().map(|entry| (entry.message.clone(), entry.sent_at)).collect();
    let old = rows_of(tx, &event.id).await?;
    let new = fold(event, entries);
    let change = Change { event: &event.id, openers: openers(&new), sent_at };
    let queries = change.queries(&old, &new)?;
    let changed = !queries.is_empty();
    for query in queries {
        query.execute(&mut **tx).await?;
    }
    Ok(changed)
}

/// The rows as they were just before a message, refolded from what is settled.
pub(super) async fn rows_before(
    connection: &mut SqliteConnection,
    event: &Event,
    (sent_at, message): &(Timestamp, MessageId),
) -> Done<Projections> {
    let rows = sqlx::query(ENTRIES_BEFORE)
        .bind(event.id.as_str())
        .bind(sent_at.as_microsecond())
        .bind(message.as_str())
        .fetch_all(connection)
        .await?;
    Ok(fold(event, rows.iter().map(entry).collect::<Done<_>>()?))
}

/// The rows as they are.
pub(super) async fn rows_of(
    connection: &mut SqliteConnection,
    event: &EventId,
) -> Done<Projections> {
    Ok(Projections {
        tasks: read(connection, TASKS, event, codec::task).await?,
        expenses: read(connection, EXPENSES, event, codec::expense).await?,
        polls: read(connection, POLLS, event, codec::poll).await?,
        repayments: read(connection, REPAYMENTS, event, codec::repayment).await?,
        sources: read(connection, SOURCES, event, codec::source).await?,
    })
}

async fn read<T>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    event: &EventId,
    read_row: fn(&SqliteRow) -> Done<T>,
) -> Done<Vec<T>> {
    let rows = sqlx::query(statement).bind(event.as_str()).fetch_all(connection).await?;
    rows.iter().map(read_row).collect()
}

fn entry(row: &SqliteRow) -> Done<Entry> {
    let reader = Reader::new("enrichments", row);
    Ok(Entry {
        message: reader.message_id("message_id")?,
        sent_at: reader.instant("sent_at")?,
        sender: reader.person("sender_id")?,
        contribution: reader.json("contribution")?,
    })
}

/// Which message opened each row.
fn openers(rows: &Projections) -> HashMap<Uuid, String> {
    rows.sources
        .iter()
        .filter(|source| matches!(source.effect, Effect::Opened | Effect::Repaid))
        .map(|source| (source.projection, source.message.to_string()))
        .collect()
}

/// What writing one row needs beside the row.
struct Change<'a> {
    event: &'a EventId,
    openers: HashMap<Uuid, String>,
    sent_at: HashMap<MessageId, Timestamp>,
}

impl Change<'_> {
    /// The statements that make the old rows into the new ones.
    fn queries(&self, old: &Projections, new: &Projections) -> Done<Vec<Query>> {
        let mut all = Vec::new();
        diff(&mut all, &old.tasks, &new.tasks, |row| row.id, DROP_TASK, |row| self.task(row))?;
        diff(
            &mut all,
            &old.expenses,
            &new.expenses,
            |row| row.id,
            DROP_EXPENSE,
            |row| self.expense(row),
        )?;
        diff(&mut all, &old.polls, &new.polls, |row| row.id, DROP_POLL, |row| self.poll(row))?;
        diff(
            &mut all,
            &old.repayments,
            &new.repayments,
            |row| row.id,
            DROP_REPAYMENT,
            |row| self.repayment(row),
        )?;
        diff(
            &mut all,
            &old.sources,
            &new.sources,
            |row| row.message.clone(),
            DROP_SOURCE,
            |row| self.source(row),
        )?;
        Ok(all)
    }

    fn opener(&self, id: Uuid) -> Option<String> {
        self.openers.get(&id).cloned()
    }

    fn task(&self, row: &TaskRow) -> Done<Query> {
        Ok(sqlx::query(WRITE_TASK)
            .bind(row.id.to_string())
            .bind(self.event.to_string())
            .bind(row.title.clone())
            .bind(row.object.clone())
            .bind(row.action.clone())
            .bind(row.assignee.clone())
            .bind(row.due_said.clone())
            .bind(row.due.map(|due| due.to_string()))
            .bind(row.status.name())
            .bind(row.opened_at.as_microsecond())
            .bind(self.opener(row.id)))
    }

    fn expense(&self, row: &ExpenseRow) -> Done<Query> {
        Ok(sqlx::query(WRITE_EXPENSE)
            .bind(row.id.to_string())
            .bind(self.event.to_string())
            .bind(row.what.clone())
            .bind(row.minor)
            .bind(row.currency.to_string())
            .bind(row.category.clone())
            .bind(row.paid_by.as_ref().map(|person| person.0.clone()))
            .bind(row.split_between.as_ref().map(codec::json).transpose()?)
            .bind(codec::json(&row.shares)?)
            .bind(row.status.name())
            .bind(row.opened_at.as_microsecond())
            .bind(self.opener(row.id)))
    }

    fn poll(&self, row: &PollRow) -> Done<Query> {
        Ok(sqlx::query(WRITE_POLL)
            .bind(row.id.to_string())
            .bind(self.event.to_string())
            .bind(row.question.clone())
            .bind(codec::json(&row.options)?)
            .bind(row.opened_at.as_microsecond())
            .bind(self.opener(row.id)))
    }

    fn repayment(&self, row: &RepaymentRow) -> Done<Query> {
        Ok(sqlx::query(WRITE_REPAYMENT)
            .bind(row.id.to_string())
            .bind(self.event.to_string())
            .bind(row.from.0.clone())
            .bind(row.to.0.clone())
            .bind(row.minor)
            .bind(row.currency.to_string())
            .bind(row.opened_at.as_microsecond())
            .bind(self.opener(row.id)))
    }

    fn source(&self, row: &SourceRow) -> Done<Query> {
        Ok(sqlx::query(WRITE_SOURCE)
            .bind(row.message.to_string())
            .bind(self.event.to_string())
            .bind(row.projection.to_string())
            .bind(row.effect.name())
            .bind(self.sent_at.get(&row.message).map(|at| at.as_microsecond())))
    }
}

/// Statements for the rows that are gone, then for those that are new or differ.
fn diff<T: PartialEq, K: PartialEq + ToString>(
    all: &mut Vec<Query>,
    old: &[T],
    new: &[T],
    key: impl Fn(&T) -> K,
    drop: &'static str,
    write: impl Fn(&T) -> Done<Query>,
) -> Done<()> {
    let gone = old.iter().filter(|row| !new.iter().any(|kept| key(kept) == key(row)));
    all.extend(gone.map(|row| sqlx::query(drop).bind(key(row).to_string())));
    for row in new.iter().filter(|row| !old.contains(row)) {
        all.push(write(row)?);
    }
    Ok(())
}
