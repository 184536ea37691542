//! What reports are made of: the queue, an event's progress, and its summary.

use std::time::Duration;

use super::Spent;
use crate::domain::chat::{Event, Message};
use crate::domain::ids::MessageId;
use crate::domain::intent::Intent;
use crate::domain::outcome::Reason;
use crate::domain::projection::Projections;
use crate::domain::suggestion::SuggestionRow;
use crate::domain::usage::NanoUsd;

/// Queue items by state, and how old the oldest are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueReport {
    /// Items in `pending`.
    pub pending: u64,
    /// Items in `processing`.
    pub processing: u64,
    /// Items in `completed`.
    pub completed: u64,
    /// Items in `skipped`.
    pub skipped: u64,
    /// Items in `failed`.
    pub failed: u64,
    /// Final items whose completion event is not confirmed.
    pub owed: u64,
    /// For how long the longest due item has been due.
    pub oldest_due: Duration,
    /// For how long the longest claim has been held.
    pub oldest_processing: Duration,
}

/// How far an event's messages have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Messages whose item is settled.
    pub settled: u64,
    /// All of its messages that have an item.
    pub total: u64,
}

/// An answered question.
#[derive(Debug, Clone, PartialEq)]
pub struct AnsweredQuestion {
    /// The message that asked.
    pub message: MessageId,
    /// Its text.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// IDs of the rows that it rests on.
    pub sources: Vec<uuid::Uuid>,
}

/// All that a summary of an event is made of.
#[derive(Debug, Clone)]
pub struct EventReport {
    /// The event.
    pub event: Event,
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    /// Settled messages by intent; failed and undetected ones left out.
    pub by_intent: Vec<(Intent, u64)>,
    /// Its rows.
    pub rows: Projections,
    /// Its answered questions, oldest first.
    pub answers: Vec<AnsweredQuestion>,
    /// Answers from the cache.
    pub cache_hits: u64,
    /// HTTP requests, tokens and cost.
    pub spent: Spent,
    /// Dollars that cache hits avoided.
    pub avoided_cost: NanoUsd,
    /// Items that failed, with their reasons.
    pub failed: Vec<(MessageId, Reason)>,
    /// What was suggested, in the order in which it was.
    pub suggestions: Vec<SuggestionRow>,
}
