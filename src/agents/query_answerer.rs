//! The query answerer: answers are computed from the records, and cite them.
//!
//! A model is asked for two things only: which query a question means where the
//! patterns did not understand it, and a sentence in the group's language for an
//! answer that is there. It never sees a figure that it could change.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use super::question::{Locale, PrivateQuestion, Question};
use super::reading::{BadAnswer, one_line};
use super::records::Routed;
use super::shape::Shape;
use crate::context::Level;
use crate::domain::chat::{Event, Message};
use crate::model::Brief;

/// What its questions may see.
pub(super) const LEVEL: Level = Level::Full;

/// How a question is put to a query.
pub(super) static ROUTE: LazyLock<Shape> =
    LazyLock::new(|| Shape::new::<Routed>(include_str!("prompts/query_route.md"), &[]));

/// How an answer is worded.
pub(super) static WORDING: LazyLock<Shape> =
    LazyLock::new(|| Shape::new::<Wording>(include_str!("prompts/query_wording.md"), &[]));

/// A sentence for an answer.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wording {
    /// The answer in the group's language.
    sentence: String,
}

/// Which query a question means that the patterns did not understand.
pub fn routing(event: &Event, message: &Message) -> Question {
    let brief = Brief::Route { question: message.text.clone() };
    Question::Private(PrivateQuestion::new(event, brief))
}

/// The answer in the group's language; nothing is asked where code speaks it.
pub fn wording(event: &Event, message: &Message, answer: &str) -> Option<Question> {
    if Locale::of(&event.locale).is_english() {
        return None;
    }
    let brief = Brief::Wording { question: message.text.clone(), answer: answer.to_owned() };
    Some(Question::Private(PrivateQuestion::new(event, brief)))
}

/// The sentence, held against the answer: every figure and every name of the answer, and no other
/// figure.
pub(super) fn checked(wording: Wording, answer: &str) -> Result<String, BadAnswer> {
    let sentence = one_line("sentence", &wording.sentence)?;
    if figures(&sentence) != figures(answer) {
        return Err(BadAnswer::new("sentence must have exactly the figures of the answer"));
    }
    Ok(sentence)
}

/// The runs of digits in a text, without what groups and divides them.
fn figures(text: &str) -> BTreeSet<String> {
    let bare: String = text.chars().filter(|c| !matches!(c, ',' | '.' | '\'' | '\u{a0}')).collect();
    bare.split(|c: char| !c.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::samples::{event, message};

    const ANSWER: &str = "GBP 1,234.50 spent so far, 3 tasks open.";

    fn worded(sentence: &str) -> Result<String, BadAnswer> {
        checked(Wording { sentence: sentence.into() }, ANSWER)
    }

    #[test]
    fn nothing_is_worded_where_code_speaks_the_language() {
        let mut event = event();
        assert!(wording(&event, &message("how much?"), ANSWER).is_none());
        event.locale = "de-DE".into();
        assert!(wording(&event, &message("wie viel?"), ANSWER).is_some());
    }

    #[test]
    fn a_sentence_keeps_every_figure_however_it_is_grouped() {
        assert!(worded("Bisher GBP 1.234,50 ausgegeben, 3 Aufgaben offen.").is_ok());
    }

    #[test]
    fn a_sentence_that_loses_changes_or_adds_a_figure_is_refused() {
        for wrong in [
            "Bisher GBP 1.234,50 ausgegeben.",
            "Bisher GBP 1.334,50 ausgegeben, 3 Aufgaben offen.",
            "Bisher GBP 1.234,50 ausgegeben, 3 Aufgaben offen; 500 an Tom.",
            "",
        ] {
            assert!(worded(wrong).is_err(), "{wrong}");
        }
    }
}
