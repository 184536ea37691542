//! Pattern detection: from text to intent, entities and follow-up, without a model.

use jiff::Timestamp;

use crate::domain::chat::{Event, Message};
use crate::domain::intent::Detection;

/// What detection is given of a message.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The text.
    pub text: &'a str,
    /// The sender's name, where it is known.
    pub sender: Option<&'a str>,
    /// When it was sent, where that is known.
    pub sent_at: Option<Timestamp>,
    /// The event, where there is one: its participants, currency and time zone.
    pub event: Option<&'a Event>,
}

/// The detector; built once, used by all slots.
#[derive(Debug, Default)]
pub struct Detector;

impl Detector {
    /// A detector with the bundled rules.
    pub fn new() -> Self {
        Self
    }

    /// What the message is for.
    pub fn detect(&self, _subject: &Subject<'_>) -> Detection {
        Detection::none(0.5)
    }
}

/// What the producer detected itself, when it is well formed.
pub fn taken(_message: &Message) -> Option<Detection> {
    None
}
