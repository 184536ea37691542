//! Alerts and what is told of them, as rows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CompletionEvent;

/// An alert: it is open until it is resolved, and there is one open alert of a key at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRow {
    /// Its ID.
    pub id: Uuid,
    /// What it is about, in full: `budget:80:budget:day:2026-11-22`.
    pub key: String,
    /// Its rule: `budget`, `cost_spike`…
    pub rule: String,
    /// What it says, for people.
    pub text: String,
    /// What was measured when it fired.
    pub value: f64,
    /// What it was held against.
    pub threshold: f64,
    /// When it fired.
    pub fired_at: Timestamp,
    /// When it was resolved; `None`: it is open.
    pub resolved_at: Option<Timestamp>,
}

/// A change of an alert, with what is to be told of it.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertChange {
    /// It fires, unless one of its key is open.
    Fire {
        /// The new row.
        alert: AlertRow,
        /// What is told.
        notices: Vec<Notice>,
    },
    /// It is resolved, unless it is already.
    Resolve {
        /// Which.
        id: Uuid,
        /// When.
        at: Timestamp,
        /// What is told.
        notices: Vec<Notice>,
    },
}

/// By which way something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// As a CloudEvents event over the broker.
    Event,
    /// To the webhook.
    Webhook,
}

impl Channel {
    /// All ways.
    pub const ALL: [Self; 2] = [Self::Event, Self::Webhook];

    /// Its name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Webhook => "webhook",
        }
    }

    /// The way of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// Something to be told, at least once and with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// By which way.
    pub channel: Channel,
    /// What: its ID is stable; a webhook has no routing key.
    pub event: CompletionEvent,
}

/// A notice that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueNotice {
    /// The notice.
    pub notice: Notice,
    /// How often it was tried before.
    pub tries: u32,
}
