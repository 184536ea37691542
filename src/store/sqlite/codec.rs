//! Rows into domain types: a row that no version of Gleaner writes is named, never guessed at.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{Done, Micros};
use crate::domain::chat::{Event, Message, Participant, Remark, Vendor};
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::{EventId, ItemId, MessageId, PersonId, RoomId};
use crate::domain::money::Currency;
use crate::domain::projection::{
    Effect, ExpenseRow, PollRow, RepaymentRow, SourceRow, TaskRow, TaskStatus,
};
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{CompletionEvent, OwedEvent, StoreError};

/// A row with the names that an error about it needs.
pub(super) struct Reader<'r> {
    table: &'static str,
    row: &'r SqliteRow,
}

impl<'r> Reader<'r> {
    pub(super) fn new(table: &'static str, row: &'r SqliteRow) -> Self {
        Self { table, row }
    }

    /// A column that SQLite's types already say all about.
    pub(super) fn get<'a, T>(&'a self, column: &str) -> Done<T>
    where
        T: sqlx::Decode<'a, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        Ok(self.row.try_get(column)?)
    }

    /// The error for a value that means nothing; it holds no chat text.
    fn bad<T>(&self, column: &str) -> Done<T> {
        let key = ["id", "key", "message_id"].iter().find_map(|key| self.row.try_get(*key).ok());
        let why = format!("column {column} holds no value of its kind");
        Err(StoreError::BadRow { table: self.table, id: key.unwrap_or_default(), why }.into())
    }

    fn parsed<T, E>(&self, column: &str, parse: impl Fn(&str) -> Result<T, E>) -> Done<T> {
        parse(self.get::<&str>(column)?).or_else(|_| self.bad(column))
    }

    pub(super) fn named<T>(&self, column: &str, find: impl Fn(&str) -> Option<T>) -> Done<T> {
        self.parsed(column, |text| find(text).ok_or(()))
    }

    pub(super) fn item(&self, column: &str) -> Done<ItemId> {
        self.parsed(column, ItemId::parse)
    }

    pub(super) fn message_id(&self, column: &str) -> Done<MessageId> {
        self.parsed(column, MessageId::parse)
    }

    pub(super) fn event_id(&self, column: &str) -> Done<EventId> {
        self.parsed(column, EventId::parse)
    }

    pub(super) fn uuid(&self, column: &str) -> Done<Uuid> {
        self.parsed(column, Uuid::parse_str)
    }

    pub(super) fn person(&self, column: &str) -> Done<PersonId> {
        Ok(PersonId(self.get(column)?))
    }

    pub(super) fn instant(&self, column: &str) -> Done<Timestamp> {
        Timestamp::from_microsecond(self.get(column)?).or_else(|_| self.bad(column))
    }

    pub(super) fn instant_if_any(&self, column: &str) -> Done<Option<Timestamp>> {
        match self.get::<Option<Micros>>(column)? {
            Some(_) => self.instant(column).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> Done<T> {
        self.parsed(column, |text| serde_json::from_str(text))
    }

    pub(super) fn json_if_any<T: DeserializeOwned>(&self, column: &str) -> Done<Option<T>> {
        match self.get::<Option<&str>>(column)? {
            Some(_) => self.json(column).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn currency(&self, column: &str) -> Done<Currency> {
        self.named(column, Currency::parse)
    }

    pub(super) fn count(&self, column: &str) -> Done<u64> {
        u64::try_from(self.get::<i64>(column)?).or_else(|_| self.bad(column))
    }

    pub(super) fn cost(&self, column: &str) -> Done<NanoUsd> {
        Ok(NanoUsd(self.get(column)?))
    }

    /// The five token classes, under their own names.
    pub(super) fn usage(&self) -> Done<Usage> {
        Ok(Usage {
            input: self.count("input_tokens")?,
            output: self.count("output_tokens")?,
            cache_read: self.count("cache_read_tokens")?,
            cache_write_5m: self.count("cache_write_5m_tokens")?,
            cache_write_1h: self.count("cache_write_1h_tokens")?,
        })
    }
}

/// The five token classes as columns have them, in the order of the columns.
pub(super) fn classes(usage: &Usage) -> [i64; 5] {
    [usage.input, usage.output, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h]
        .map(|tokens| i64::try_from(tokens).unwrap_or(i64::MAX))
}

/// A value as its JSON text. Our own types always have one.
pub(super) fn json(value: &impl Serialize) -> Done<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()).into())
}

pub(super) fn event(row: &SqliteRow, participants: &[SqliteRow]) -> Done<Event> {
    let reader = Reader::new("events", row);
    let participants = participants.iter().map(participant).collect::<Done<_>>()?;
    Ok(Event {
        id: reader.event_id("id")?,
        tenant: reader.get("tenant")?,
        name: reader.get("name")?,
        kind: reader.get("kind")?,
        starts_at: reader.instant_if_any("starts_at")?,
        time_zone: reader.get("time_zone")?,
        locale: reader.get("locale")?,
        currency: reader.currency("currency")?,
        budget: reader.get("budget")?,
        participants,
    })
}

pub(super) fn participant(row: &SqliteRow) -> Done<Participant> {
    let reader = Reader::new("participants", row);
    Ok(Participant { id: reader.person("id")?, name: reader.get("name")? })
}

pub(super) fn message(row: &SqliteRow) -> Done<Message> {
    let reader = Reader::new("messages", row);
    Ok(Message {
        id: reader.message_id("id")?,
        room: reader.parsed("room_id", RoomId::parse)?,
        sender: reader.person("sender_id")?,
        sent_at: reader.instant("sent_at")?,
        text: reader.get("text")?,
        revision: reader.get("revision")?,
        deleted_at: reader.instant_if_any("deleted_at")?,
        detected_intent: reader.get("detected_intent")?,
        // A producer's JSON that cannot be read is not well formed, so it is as good as absent.
        extracted_entities: reader.json_if_any("extracted_entities").unwrap_or(None),
    })
}

pub(super) fn remark(row: &SqliteRow) -> Done<Remark> {
    let reader = Reader::new("messages", row);
    Ok(Remark { sender: Some(reader.person("sender_id")?), text: reader.get("text")? })
}

pub(super) fn vendor(row: &SqliteRow) -> Done<Vendor> {
    let reader = Reader::new("vendors", row);
    Ok(Vendor {
        id: reader.get("id")?,
        name: reader.get("name")?,
        kind: reader.get("kind")?,
        area: reader.get("area")?,
        price_from: reader.get("price_from")?,
        currency: reader.get::<Option<&str>>("currency")?.and_then(Currency::parse),
        rating: reader.get("rating")?,
    })
}

/// The completion event of a queue item that has one.
pub(super) fn owed(row: &SqliteRow) -> Done<OwedEvent> {
    let reader = Reader::new("queue_items", row);
    Ok(OwedEvent {
        item: reader.item("id")?,
        completion: CompletionEvent {
            id: reader.uuid("completion_id")?,
            kind: reader.get("completion_kind")?,
            routing_key: reader.get("routing_key")?,
            body: reader.get("body")?,
        },
    })
}

pub(super) fn task(row: &SqliteRow) -> Done<TaskRow> {
    const STATUSES: [TaskStatus; 3] = [TaskStatus::Open, TaskStatus::Done, TaskStatus::Cancelled];
    let reader = Reader::new("tasks", row);
    let due = match reader.get::<Option<&str>>("due")? {
        Some(_) => Some(reader.parsed("due", str::parse)?),
        None => None,
    };
    Ok(TaskRow {
        id: reader.uuid("id")?,
        title: reader.get("title")?,
        object: reader.get("object")?,
        action: reader.get("action")?,
        assignee: reader.get("assignee")?,
        due_said: reader.get("due_said")?,
        due,
        status: reader.named("status", |name| STATUSES.into_iter().find(|s| s.name() == name))?,
        opened_at: reader.instant("opened_at")?,
    })
}

pub(super) fn expense(row: &SqliteRow) -> Done<ExpenseRow> {
    const STATUSES: [ExpenseStatus; 3] =
        [ExpenseStatus::Paid, ExpenseStatus::Due, ExpenseStatus::Cancelled];
    let reader = Reader::new("expenses", row);
    Ok(ExpenseRow {
        id: reader.uuid("id")?,
        what: reader.get("what")?,
        minor: reader.get("minor")?,
        currency: reader.currency("currency")?,
        category: reader.get("category")?,
        paid_by: reader.get::<Option<String>>("paid_by")?.map(PersonId),
        split_between: reader.json_if_any("split_between")?,
        shares: reader.json("shares")?,
        status: reader.named("status", |name| STATUSES.into_iter().find(|s| s.name() == name))?,
        opened_at: reader.instant("opened_at")?,
    })
}

pub(super) fn poll(row: &SqliteRow) -> Done<PollRow> {
    let reader = Reader::new("polls", row);
    Ok(PollRow {
        id: reader.uuid("id")?,
        question: reader.get("question")?,
        options: reader.json("options")?,
        opened_at: reader.instant("opened_at")?,
    })
}

pub(super) fn repayment(row: &SqliteRow) -> Done<RepaymentRow> {
    let reader = Reader::new("repayments", row);
    Ok(RepaymentRow {
        id: reader.uuid("id")?,
        from: reader.person("from")?,
        to: reader.person("to")?,
        minor: reader.get("minor")?,
        currency: reader.currency("currency")?,
        opened_at: reader.instant("opened_at")?,
    })
}

pub(super) fn source(row: &SqliteRow) -> Done<SourceRow> {
    const EFFECTS: [Effect; 8] = [
        Effect::Opened,
        Effect::Confirmed,
        Effect::Corrected,
        Effect::Paid,
        Effect::Completed,
        Effect::Cancelled,
        Effect::Voted,
        Effect::Repaid,
    ];
    let reader = Reader::new("projection_sources", row);
    Ok(SourceRow {
        message: reader.message_id("message_id")?,
        projection: reader.uuid("projection_id")?,
        effect: reader.named("effect", |name| EFFECTS.into_iter().find(|e| e.name() == name))?,
    })
}
