//! What goes into a store and what comes out of it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::runs::{ItemKind, RunRecord, SuggestAfter};
use super::{StoreError, Stored};

use crate::domain::chat::{Event, Message, Participant, Remark};
use crate::domain::enrichment::{Contribution, Enrichment};
use crate::domain::ids::{EventId, Held, ItemId, MessageId, PersonId, RoomId};
use crate::domain::intent::{Detection, Intent};
use crate::domain::outcome::{Outcome, Reason};
use crate::domain::projection::{ExpenseRow, TaskRow};
use crate::domain::suggestion::Suggestion;
use crate::domain::usage::{NanoUsd, Usage};

/// What `check` found.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreCheck {
    /// The engine's own version.
    pub server: String,
    /// The schema's version.
    pub version: i64,
    /// The oldest release that may work on the schema.
    pub oldest_binary: String,
}

/// An event with messages to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestBatch {
    /// The event; its participants come along.
    pub event: Event,
    /// Its messages; their rooms are made where they are missing.
    pub messages: Vec<Message>,
}

/// What an ingest did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Messages that are new, in the batch's order; each has a queue item now.
    pub new: Vec<MessageId>,
    /// How many were known already.
    pub known: u64,
}

/// What became of a claim.
#[derive(Debug)]
pub enum Claimed {
    /// It is ours.
    Held(Box<Claim>),
    /// It is settled; `owed` is its completion event when that was never confirmed.
    Settled {
        /// What must still be published.
        owed: Option<OwedEvent>,
    },
    /// Leased by a live worker, or not yet due: the scheduler looks again.
    NotNow,
}

/// What a claim brings along.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The item and the lease.
    pub held: Held,
    /// What is to be worked on.
    pub kind: ItemKind,
    /// Of a suggestion run: its event's latest settled message by the chat's clock, just after
    /// which it is made; `None` when none is settled.
    pub moment: Option<(Timestamp, MessageId)>,
    /// This attempt, counted at the claim; the first is 1.
    pub attempt: u32,
    /// How long ago its first claim was, since it was last opened; the time before that was the
    /// queue's and not its own.
    pub age: Duration,
    /// The message; `None` when it has no row, and for a suggestion run.
    pub message: Option<Message>,
    /// What was said before it in its room, oldest first: the last 8 messages, deleted ones left out.
    pub before: Vec<Remark>,
    /// The message's or the run's event; `None` when that or the message's room has no row.
    pub event: Option<Event>,
    /// Whether the message's room has a row; a run needs none.
    pub room_exists: bool,
    /// Why the row of the message or of its event cannot be read; then it is `None` above.
    pub unreadable: Option<String>,
    /// Answers that were paid for by earlier runs of this message and revision.
    pub kept: Vec<KeptAnswer>,
    /// What earlier runs of this revision were charged.
    pub spent: Spent,
}

impl Claim {
    /// The revision that ledger and metrics count it under: the message's, or -1 where there is none.
    pub fn revision(&self) -> i64 {
        self.message.as_ref().map_or(-1, |message| message.revision)
    }
}

/// What was read, or `None` where the row holds what cannot be read: then `unreadable` says why.
///
/// An input's bad row is its message's end and must not be the claim's.
pub(super) fn readable<T>(
    read: Stored<Option<T>>,
    unreadable: &mut Option<String>,
) -> Stored<Option<T>> {
    match read {
        Err(error @ StoreError::BadRow { .. }) => {
            *unreadable = Some(error.to_string());
            Ok(None)
        }
        read => read,
    }
}

/// What model calls cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// HTTP requests that were charged or are ambiguous.
    pub calls: u32,
    /// Their tokens.
    pub usage: Usage,
    /// Their cost, charged rows only.
    pub cost: NanoUsd,
}

/// A paid answer that a later run replays instead of asking again.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAnswer {
    /// Which question it answers: agent, prompt, schema and model versions, digested.
    pub fingerprint: String,
    /// The model that answered.
    pub model: String,
    /// The answer as it was read from the response.
    pub answer: Value,
}

/// Which part of an event's past is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextQuery {
    /// The event, as the claim read it.
    pub event: Event,
    /// The message before which the past ends, by its time and ID; it is not part of the answer.
    pub before: (Timestamp, MessageId),
    /// At most so many messages.
    pub messages: u32,
    /// At most so many tasks.
    pub tasks: u32,
    /// At most so many expenses.
    pub expenses: u32,
}

/// An event's past, oldest first; the limits keep the newest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContextRows {
    /// Messages of the event's rooms, deleted ones left out.
    pub messages: Vec<Message>,
    /// Tasks opened before.
    pub tasks: Vec<TaskRow>,
    /// Expenses opened before.
    pub expenses: Vec<ExpenseRow>,
}

/// An answer in the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheEntry {
    /// The answer.
    pub answer: Value,
    /// The model that gave it.
    pub model: String,
    /// What it cost when it was computed: what a hit avoids.
    pub usage: Usage,
    /// Likewise.
    pub cost: NanoUsd,
    /// Until it expires.
    pub remaining: Duration,
}

/// What a look into the cache found.
#[derive(Debug, Clone, PartialEq)]
pub enum CacheLookup {
    /// An entry.
    Hit(CacheEntry),
    /// None; the key's flight is ours.
    Leader,
    /// None; another claim computes it. Wait this long at most.
    InFlight {
        /// Until the leader's lease ends, or the pause after a failed leader does.
        after: Duration,
    },
}

/// An answer to be cached with the record.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheWrite {
    /// The key.
    pub key: String,
    /// The event whose data the answer holds; `None` when it holds none's.
    pub event: Option<EventId>,
    /// The answer.
    pub answer: Value,
    /// The model that gave it.
    pub model: String,
    /// What it cost.
    pub usage: Usage,
    /// Likewise.
    pub cost: NanoUsd,
    /// How long it stays.
    pub ttl: Duration,
}

/// A row of `metrics`: one settled item that was answered or cost anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The intent.
    pub intent: Intent,
    /// The agent that answered; `None` when code alone did.
    pub agent: Option<&'static str>,
    /// The model that answered; `None` when code alone did.
    pub model: Option<String>,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// From claim to answer, without parked time.
    pub latency: Duration,
    /// HTTP requests, tokens and cost of all runs.
    pub spent: Spent,
    /// Tokens that a cache hit avoided.
    pub avoided_usage: Usage,
    /// Dollars that a cache hit avoided.
    pub avoided_cost: NanoUsd,
}

/// The answer of a message, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The agent; `None` when code alone answered.
    pub agent: Option<&'static str>,
    /// The model; `None` when code alone answered.
    pub model: Option<String>,
    /// The context level the model saw.
    pub level: Option<&'static str>,
    /// Whether it came from the cache.
    pub cached: bool,
    /// The answer.
    pub enrichment: Option<Enrichment>,
}

/// What a settled item writes.
#[derive(Debug, Clone)]
pub struct Record {
    /// How it ends.
    pub outcome: Outcome,
    /// Why, when it was skipped or failed.
    pub reason: Option<Reason>,
    /// What was seen when it failed; never chat text.
    pub detail: Option<String>,
    /// The message it stands for, with its revision, sender, time and room; `None` when it has no row.
    pub message: Option<Message>,
    /// The event whose rows are folded; `None` when there is none.
    pub event: Option<Event>,
    /// What detection said, if it came that far.
    pub detection: Option<Detection>,
    /// The answer, if there is one.
    pub answered: Option<Answered>,
    /// What it contributes to the fold; an empty one also takes back what an earlier revision gave.
    pub contribution: Contribution,
    /// Its row in `metrics`, if it has one.
    pub metric: Option<Metric>,
    /// What it puts into the cache.
    pub cache: Option<CacheWrite>,
    /// The completion event it owes; `None` owes none, and the news of a run stand in `run`.
    pub completion: Option<CompletionEvent>,
    /// When the event's next suggestion run is due, should this change the event's rows; `None`
    /// lets it start none.
    pub suggest: Option<SuggestAfter>,
    /// What a suggestion run came to; `None` for a message.
    pub run: Option<RunRecord>,
}

/// What a record found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Items that waited for this one's flight and are due now.
    pub woken: Vec<ItemId>,
    /// Which of a run's suggestions are new.
    pub new: Vec<Suggestion>,
    /// The completion event that tells of them, owed from now on.
    pub news: Option<CompletionEvent>,
}

/// A completion event, ready to be published; a repeat is equal byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionEvent {
    /// UUIDv5 of the item's ID and the lease at settling.
    pub id: Uuid,
    /// Its CloudEvents type: `gleaner.message.completed`…
    pub kind: String,
    /// `message.<outcome>.<intent or unknown>`, or `suggestion.created`.
    pub routing_key: String,
    /// The CloudEvents JSON.
    pub body: Vec<u8>,
}

/// A completion event that was never confirmed, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedEvent {
    /// The item that owes it.
    pub item: ItemId,
    /// The event.
    pub completion: CompletionEvent,
}

/// What the scheduler must do for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Publish its ID: it is due, its hint was lost, or its worker died.
    Hint(ItemId),
    /// Publish its completion event.
    Owed(OwedEvent),
}

/// Settings that change at run time, for all replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeSettings {
    /// 0 to 100: the share of events that Gleaner works for.
    pub rollout_percent: u8,
    /// Events that are always in.
    pub allow: Vec<EventId>,
    /// Events that are always out; it beats `allow`.
    pub deny: Vec<EventId>,
    /// Whether no model may be asked now.
    pub paused: bool,
    /// Counts how often the cache was cleared: what a replica kept in memory under another
    /// generation is gone.
    pub cache_generation: u64,
}

/// A change of what may change at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeChange {
    /// The share of events that Gleaner works for, 0 to 100.
    Rollout(u8),
    /// This event is always in, and not denied any more.
    Allow(EventId),
    /// This event is always out, and not allowed any more.
    Deny(EventId),
    /// This event goes by the percentage again.
    Unlist(EventId),
    /// Whether no model may be asked.
    Pause(bool),
}

/// Within this time every replica has read a change, so what is woken by it is due then.
pub(super) const HEARD_WITHIN: Duration = Duration::from_secs(3);

impl RuntimeSettings {
    /// What holds after a change.
    #[must_use]
    pub fn changed(mut self, change: &RuntimeChange) -> Self {
        let without = |list: &mut Vec<EventId>, event: &EventId| list.retain(|it| it != event);
        match change {
            RuntimeChange::Rollout(percent) => self.rollout_percent = (*percent).min(100),
            RuntimeChange::Allow(event)
            | RuntimeChange::Deny(event)
            | RuntimeChange::Unlist(event) => {
                without(&mut self.allow, event);
                without(&mut self.deny, event);
            }
            RuntimeChange::Pause(paused) => self.paused = *paused,
        }
        match change {
            RuntimeChange::Allow(event) => self.allow.push(event.clone()),
            RuntimeChange::Deny(event) => self.deny.push(event.clone()),
            RuntimeChange::Rollout(_) | RuntimeChange::Unlist(_) | RuntimeChange::Pause(_) => {}
        }
        self
    }
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            rollout_percent: 100,
            allow: Vec::new(),
            deny: Vec::new(),
            paused: false,
            cache_generation: 0,
        }
    }
}

/// A room of an event; inputs only name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its ID.
    pub id: RoomId,
    /// The event it belongs to.
    pub event: EventId,
}

/// The participants whose names an ingest adds: everyone who wrote and is not listed.
pub fn unlisted_senders(event: &Event, messages: &[Message]) -> Vec<Participant> {
    let mut known: Vec<PersonId> = event.people();
    let mut added = Vec::new();
    for message in messages {
        if !known.contains(&message.sender) {
            known.push(message.sender.clone());
            added.push(Participant { id: message.sender.clone(), name: message.sender.0.clone() });
        }
    }
    added
}
