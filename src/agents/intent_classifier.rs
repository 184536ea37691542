//! The intent classifier: asked where detection doubts, by the cheapest model and with the message alone.
//!
//! It names an intent and nothing else; entities are read by code, so that no
//! amount or name of an answer can come from here.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use super::question::{PrivateQuestion, Question};
use super::reading::BadAnswer;
use super::shape::Shape;
use crate::context::Level;
use crate::domain::chat::{Event, Message};
use crate::domain::intent::{Detection, Intent};
use crate::model::Brief;

/// What its questions may see.
pub(super) const LEVEL: Level = Level::Minimal;

/// What it says to a model, and what the answer must look like.
pub(super) static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    let names = Intent::ALL.map(Intent::name);
    let prompt = include_str!("prompts/intent_classifier.md");
    Shape::new::<Classified>(prompt, &[("/properties/intent", &names)])
});

/// What a message is for, as a model says it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Classified {
    /// The intent's name.
    intent: String,
}

/// What is asked of a message that detection doubts.
pub fn question(event: &Event, message: &Message, detection: &Detection) -> Question {
    let brief = Brief::Intent { guess: detection.intent() };
    Question::Private(PrivateQuestion::about(event, message, brief))
}

/// The answer, held against the list of intents.
pub(super) fn checked(answer: &Classified) -> Result<Intent, BadAnswer> {
    Intent::named(&answer.intent).ok_or_else(|| BadAnswer::new("intent is none of the listed ones"))
}
