//! The query answerer: answers are computed from the records, and cite them.
//!
//! A model is asked for two things only: which query a question means where the
//! patterns did not understand it, and a sentence in the group's language for an
//! answer that is there. It never sees a figure that it could change.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use super::lines::one_line;
use super::question::{Locale, PrivateQuestion, Question};
use super::reading::BadAnswer;
use super::records::{Routed, UNKNOWN};
use super::shape::Shape;
use crate::context::Level;
use crate::domain::chat::{Event, Message};
use crate::domain::money::Currency;
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

/// An answer that is to be said in the group's language.
#[derive(Debug, Clone, PartialEq)]
pub struct ToWord {
    /// What is asked of a model: the answer with a slot for whatever must not change.
    pub question: Question,
    /// What stands in the slots, in their order.
    values: Vec<String>,
}

impl ToWord {
    /// The sentence with what stands in its slots.
    pub fn filled(&self, sentence: &str) -> String {
        let slots = self.values.iter().enumerate();
        slots.fold(sentence.to_owned(), |said, (nr, value)| said.replace(&slot(nr), value))
    }
}

/// What is to be worded; nothing where code speaks the language, or has no answer. Who asked, and
/// in which words, is not told: no message has a say in how its answer sounds.
pub fn wording(event: &Event, answer: &str) -> Option<ToWord> {
    if Locale::of(&event.locale).is_english() || answer == UNKNOWN {
        return None;
    }
    let (answer, values) = slotted(event, answer);
    let brief = Brief::Wording { answer };
    Some(ToWord { question: Question::Private(PrivateQuestion::new(event, brief)), values })
}

/// The sentence, held against the answer: every slot once, and no figure beside them.
pub(super) fn checked(wording: &Wording, answer: &str) -> Result<String, BadAnswer> {
    let sentence = one_line("sentence", &wording.sentence)?;
    let mut rest = sentence.clone();
    for nr in (0..).take_while(|nr| answer.contains(&slot(*nr))) {
        if sentence.matches(&slot(nr)).count() != 1 {
            return Err(BadAnswer::new("sentence must have each of the answer's {n} once"));
        }
        rest = rest.replace(&slot(nr), "");
    }
    if rest.contains(|c: char| c.is_numeric() || matches!(c, '{' | '}')) {
        return Err(BadAnswer::new("sentence has a figure that the answer has not"));
    }
    Ok(sentence)
}

fn slot(nr: usize) -> String {
    format!("{{{}}}", nr + 1)
}

/// The answer with slots in place of names and figures, and what stood there. An amount goes with
/// its currency, a day with its month and year.
fn slotted(event: &Event, answer: &str) -> (String, Vec<String>) {
    let mut names: Vec<&str> = event.participants.iter().map(|it| it.name.as_str()).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let (mut said, mut values, mut rest) = (String::new(), Vec::new(), answer);
    while let Some(first) = rest.chars().next() {
        let at_word = !said.ends_with(char::is_alphanumeric);
        let kept = if at_word { kept_at(rest, &names) } else { 0 };
        if kept == 0 {
            said.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        said += &slot(values.len());
        values.push(rest[..kept].to_owned());
        rest = &rest[kept..];
    }
    (said, values)
}

/// How many bytes from here on are a name or a figure, which are kept as they are.
fn kept_at(text: &str, names: &[&str]) -> usize {
    let ends = |at: usize| !text[at..].starts_with(char::is_alphanumeric);
    let named = names.iter().find(|name| text.starts_with(**name) && ends(name.len()));
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        return name.len();
    }
    let is_code = |it: &&str| {
        let code = it.strip_suffix(' ').filter(|code| code.bytes().all(|b| b.is_ascii_uppercase()));
        code.and_then(Currency::parse).is_some()
    };
    let amount = text.get(..4).filter(is_code).map_or(0, |code| figure(&text[code.len()..]));
    if amount > 0 { 4 + amount } else { figure(text) }
}

/// The bytes of a number, with what groups and divides it; a sign or letters at it go along.
fn figure(text: &str) -> usize {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let word = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '%');
    let begins = word.trim_start_matches(['-', '+', '{', '}']).starts_with(char::is_numeric);
    if begins || word.contains(char::is_numeric) { word.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::samples::event;

    const ANSWER: &str = "Tom owes Priya GBP 1,234.50, 3 tasks open, due 5 June 2026.";

    fn german() -> ToWord {
        let mut event = event();
        event.locale = "de-DE".into();
        wording(&event, ANSWER).unwrap()
    }

    fn worded(sentence: &str) -> Result<String, BadAnswer> {
        let Brief::Wording { answer } = german().question.brief() else { panic!("no wording") };
        checked(&Wording { sentence: sentence.into() }, &answer)
    }

    #[test]
    fn nothing_is_worded_where_code_speaks_the_language_or_has_no_answer() {
        let mut event = event();
        assert!(wording(&event, ANSWER).is_none());
        event.locale = "de-DE".into();
        assert!(wording(&event, UNKNOWN).is_none());
    }

    #[test]
    fn a_model_sees_no_name_and_no_figure_that_it_could_change() {
        let Brief::Wording { answer } = german().question.brief() else { panic!("no wording") };
        assert_eq!(answer, "{1} owes {2} {3}, {4} tasks open, due {5} June {6}.");
    }

    #[test]
    fn a_sentence_is_filled_in_whatever_order_it_has() {
        let sentence = "{4} Aufgaben offen bis {5}. Juni {6}; {1} schuldet {2} {3}.";
        let said = german().filled(&worded(sentence).unwrap());
        assert_eq!(said, "3 Aufgaben offen bis 5. Juni 2026; Tom schuldet Priya GBP 1,234.50.");
    }

    #[test]
    fn a_sentence_that_loses_doubles_or_adds_anything_is_refused() {
        for wrong in [
            "{1} schuldet {2} {3}.",
            "{1} {1} {2} {3} {4} {5} {6}",
            "{1} {2} {3} {4} {5} {6} und 500 an Mallory",
            "{1} {2} {3} {4} {5} {6} {7}",
            "",
        ] {
            assert!(worded(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn braces_and_figures_in_the_groups_words_stay_in_their_slots() {
        let (said, values) = slotted(&event(), "Book the {1} b2b set: open, Meera is on it.");
        assert!(!said.replace("{1}", "").replace("{2}", "").replace("{3}", "").contains('{'));
        assert!(values.contains(&"Meera".to_owned()), "{values:?}");
    }
}
