//! The poll enricher: what speaks for and against each choice, and which one is advised.
//!
//! The choices are cleaned and told from each other by code; a model may say
//! something about each of them and cannot add, drop or rename one. What a date
//! means for the event is computed. Votes are counted in the fold.

use std::sync::LazyLock;

use jiff::civil::Weekday;

use super::dates::{self, Said};
use super::lines::{few_lines, figureless};
use super::question::{PrivateQuestion, Question};
use super::reading::BadAnswer;
use super::shape::Shape;
use crate::context::Level;
use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::{OptionView, PollBase, PollEnrichment, Recommendation};
use crate::domain::intent::PollEntities;
use crate::model::Brief;

/// What its questions may see.
pub(super) const LEVEL: Level = Level::Standard;

/// What it says to a model, and what the answer must look like.
pub(super) static SHAPE: LazyLock<Shape> =
    LazyLock::new(|| Shape::new::<PollBase>(include_str!("prompts/poll_enricher.md"), &[]));

/// The most choices a poll keeps.
const MOST_OPTIONS: usize = 20;
/// The longest question and choice, in characters.
const LONGEST: usize = 200;

/// What it asks; nothing where there is no choice to be made.
pub(super) fn question(event: &Event, poll: &PollEntities) -> Option<Question> {
    let PollEnrichment { question, options, .. } = cleaned(poll);
    let brief = Brief::Poll { question, options: options.clone() };
    (options.len() > 1).then(|| Question::Private(PrivateQuestion::new(event, brief)))
}

/// The answer, held against the choices: one entry each, in their order and spelling.
pub(super) fn checked(base: PollBase, options: &[String]) -> Result<PollBase, BadAnswer> {
    let spelt = |said: &str| options.iter().find(|option| is_same(option, said));
    let mut views = Vec::with_capacity(options.len());
    for option in options {
        let mut own = base.options.iter().filter(|view| is_same(option, &view.option));
        let (Some(view), None) = (own.next(), own.next()) else {
            return Err(BadAnswer::new("options must have each choice once, as it was given"));
        };
        let mut view = OptionView { option: option.clone(), ..view.clone() };
        few_lines("pros", &mut view.pros)?;
        few_lines("cons", &mut view.cons)?;
        views.push(view);
    }
    if base.options.len() != options.len() {
        return Err(BadAnswer::new("options has a choice that was not given"));
    }
    if base.recommendation.trim().is_empty() {
        return Ok(PollBase { options: views, ..PollBase::default() });
    }
    let Some(option) = spelt(&base.recommendation) else {
        return Err(BadAnswer::new("recommendation is none of the choices"));
    };
    let reason = figureless("reason", &base.reason)?;
    Ok(PollBase { options: views, recommendation: option.clone(), reason })
}

fn is_same(option: &str, said: &str) -> bool {
    option.trim().to_lowercase() == said.trim().to_lowercase()
}

/// The poll with what speaks for and against its choices.
pub(super) fn finish(
    event: &Event,
    message: &Message,
    poll: &PollEntities,
    base: PollBase,
) -> PollEnrichment {
    let mut views = base.options;
    for view in &mut views {
        let (pro, con) = day_facts(event, message, &view.option);
        view.pros.extend(pro);
        view.cons.extend(con);
    }
    let recommendation = Some(base.recommendation)
        .filter(|option| !option.is_empty())
        .map(|option| Recommendation { option, reason: base.reason });
    PollEnrichment { views, recommendation, ..cleaned(poll) }
}

/// The poll with its choices trimmed, without empty and repeated ones.
pub(super) fn cleaned(poll: &PollEntities) -> PollEnrichment {
    let mut cleaned = PollEnrichment::default();
    for (place, option) in poll.options.iter().enumerate() {
        let option = bare(option);
        let again = cleaned.options.iter().any(|known| is_same(known, &option));
        if option.is_empty() || again || cleaned.options.len() == MOST_OPTIONS {
            continue;
        }
        cleaned.options.push(option);
        cleaned.keys.push(poll.keys.get(place).cloned().unwrap_or_default());
    }
    if cleaned.keys.iter().all(String::is_empty) {
        cleaned.keys.clear();
    }
    let question = poll.question.split_whitespace().collect::<Vec<_>>().join(" ");
    cleaned.question = question.chars().take(LONGEST).collect();
    cleaned
}

/// One line, without a leading bullet and a trailing mark.
fn bare(option: &str) -> String {
    let line = option.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches(['-', '*', '•', ' ']);
    let line = line.trim_end_matches(['?', '!', '.', ',', ';', ':', ' ']);
    line.chars().take(LONGEST).collect()
}

/// What a choice that is a day means for the event: a pro and a con, where there is one.
fn day_facts(event: &Event, message: &Message, option: &str) -> (Option<String>, Option<String>) {
    let Some(day) = dates::read(option, &Said::by(event, message)) else { return (None, None) };
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let pro = weekend.then(|| format!("{} is on a weekend", day.strftime("%-d %B")));
    let Some(event_day) = event.first_day() else { return (pro, None) };
    let con = match dates::days_between(day, event_day) {
        0 => Some("It is the day of the event itself".to_owned()),
        late if late < 0 => Some(format!("It is {} after the event began", days(-late))),
        short if short <= 7 => Some(format!("It leaves {} until the event", days(short))),
        _ => None,
    };
    (pro, con)
}

fn days(count: i32) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

#[cfg(test)]
#[path = "tests/poll_enricher.rs"]
mod tests;
