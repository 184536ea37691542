//! How a message ends, and why.

use serde::{Deserialize, Serialize};

/// The end state of a queue item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was answered, or changed a row.
    Completed,
    /// There was nothing to do.
    Skipped,
    /// It cannot be done; the reason says why.
    Failed,
}

impl Outcome {
    /// The outcome's name in rows, events and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// Why an item was skipped or failed: the whole list, printed in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Skipped: the message has no intent and changes nothing.
    NothingToDo,
    /// Skipped: its event is outside the rollout.
    OutsideRollout,
    /// Skipped: the message was deleted.
    Deleted,
    /// Failed: no row for the message, also after the grace for its producer to commit.
    MessageNotFound,
    /// Failed: the message's room has no row.
    RoomNotFound,
    /// Failed: the room's event has no row.
    EventNotFound,
    /// Failed: the row of the message or of its event holds what cannot be read.
    UnreadableRow,
    /// Failed: the model refused.
    Refused,
    /// Failed: the answer was invalid, also after one repair.
    AnswerInvalid,
    /// Failed: the endpoint does not accept the request.
    RequestRejected,
    /// Failed: a budget is spent, and its scope says to refuse.
    OverBudget,
    /// Failed: the model has no price, and the setting says to block.
    Unpriced,
    /// Failed: the last attempt met a passing fault.
    AttemptsExhausted,
    /// Failed: parked for longer than the longest wait.
    WaitedTooLong,
}

impl Reason {
    /// All reasons, in the order in which the README lists them.
    pub const ALL: [Self; 14] = [
        Self::NothingToDo,
        Self::OutsideRollout,
        Self::Deleted,
        Self::MessageNotFound,
        Self::RoomNotFound,
        Self::EventNotFound,
        Self::UnreadableRow,
        Self::Refused,
        Self::AnswerInvalid,
        Self::RequestRejected,
        Self::OverBudget,
        Self::Unpriced,
        Self::AttemptsExhausted,
        Self::WaitedTooLong,
    ];

    /// The reason's name in rows and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::NothingToDo => "nothing_to_do",
            Self::OutsideRollout => "outside_rollout",
            Self::Deleted => "deleted",
            Self::MessageNotFound => "message_not_found",
            Self::RoomNotFound => "room_not_found",
            Self::EventNotFound => "event_not_found",
            Self::UnreadableRow => "unreadable_row",
            Self::Refused => "refused",
            Self::AnswerInvalid => "answer_invalid",
            Self::RequestRejected => "request_rejected",
            Self::OverBudget => "over_budget",
            Self::Unpriced => "unpriced",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::WaitedTooLong => "waited_too_long",
        }
    }

    /// The reason of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Why an item was parked, in its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkReason {
    /// The message has no row yet.
    MessageMissing,
    /// A rate limit is used up.
    RateLimited,
    /// A budget's window is spent, and its messages wait for the next one.
    BudgetSpent,
    /// What is left of a budget is held by requests in flight.
    BudgetBusy,
    /// Another message computes the same cache key.
    FlightTaken,
    /// A query waits for the earlier messages of its room.
    EarlierMessages,
    /// The provider asked for a pause, or its circuit breaker is open.
    ProviderPaused,
    /// As many requests are in flight to the model as it takes.
    ModelBusy,
    /// The daemon stopped before the item was done.
    Drained,
    /// Gleaner is paused by its operator.
    Paused,
    /// A passing fault; the attempt is spent.
    Retry,
}

impl ParkReason {
    /// The reason's name in rows and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::MessageMissing => "message_missing",
            Self::RateLimited => "rate_limited",
            Self::BudgetSpent => "budget_spent",
            Self::BudgetBusy => "budget_busy",
            Self::FlightTaken => "flight_taken",
            Self::EarlierMessages => "earlier_messages",
            Self::ProviderPaused => "provider_paused",
            Self::ModelBusy => "model_busy",
            Self::Drained => "drained",
            Self::Paused => "paused",
            Self::Retry => "retry",
        }
    }
}
