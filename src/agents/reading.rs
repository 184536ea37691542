//! Reads an answer: held against its schema and its ranges, or sent back once to be repaired.
//!
//! A structured-output promise is no guarantee: answers are cut, refused, or
//! capitalised otherwise. What is read here is safe to store and to show.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::question::Question;
use super::records::Routed;
use super::shape::Shape;
use super::{
    budget_analyst, intent_classifier, poll_enricher, query_answerer, suggester, task_enricher,
};
use crate::context::escape_line;
use crate::domain::enrichment::{ExpenseBase, NextBase, PollBase, TaskBase};
use crate::domain::intent::Intent;
use crate::model::{Brief, ModelError, ModelRequest, canonical};

/// What was read from an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Base {
    /// Of the task enricher.
    Task(TaskBase),
    /// Of the budget analyst.
    Expense(ExpenseBase),
    /// Of the poll enricher.
    Poll(PollBase),
    /// Of the query answerer: which query is meant.
    Route(Routed),
    /// Of the query answerer: the answer's sentence.
    Wording(String),
    /// Of the suggester.
    Next(NextBase),
    /// Of the intent classifier.
    Intent(Intent),
}

/// Why an answer cannot be used, in words for the model; it holds none of the answer's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAnswer(String);

impl BadAnswer {
    /// In words that hold none of the answer's text.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// What is wrong with a response that holds no answer at all.
    pub fn unusable(error: &ModelError) -> Self {
        match error {
            ModelError::Unusable { why, .. } => Self(why.clone()),
            other @ (ModelError::NotConnected(_)
            | ModelError::TimedOut(_)
            | ModelError::Cut(_)
            | ModelError::RateLimited { .. }
            | ModelError::Overloaded { .. }
            | ModelError::Server { .. }
            | ModelError::AccountStopped { .. }
            | ModelError::ModelMissing(_)
            | ModelError::OnlyLater(_)
            | ModelError::Rejected { .. }
            | ModelError::TooLong { .. }
            | ModelError::Refused { .. }
            | ModelError::Unreadable(_)) => Self(other.to_string()),
        }
    }
}

/// The most lines a list may have.
const MOST_LINES: usize = 12;
/// The longest line, in characters.
const LONGEST_LINE: usize = 400;
/// From so many digits on, spaces and dashes left out, a number is taken for a telephone's or an
/// account's.
const LONGEST_NUMBER: usize = 9;
/// How much of a bad answer is shown to the model again, in characters.
const SHOWN_ANSWER: usize = 4_000;
/// The most complaints that are listed.
const MOST_COMPLAINTS: usize = 6;

/// Reads a question's answer.
///
/// # Errors
/// [`BadAnswer`], fit for [`repair`], when it breaks the schema or a range.
pub fn read(question: &Question, answer: &Value) -> Result<Base, BadAnswer> {
    let shape = Shape::of(&question.brief());
    let answer = canonical(answer.clone(), &shape.schema);
    let complaints: Vec<String> =
        shape.validator.iter_errors(&answer).take(MOST_COMPLAINTS).map(|e| complaint(&e)).collect();
    if !complaints.is_empty() {
        return Err(BadAnswer(complaints.join("; ")));
    }
    match question.brief() {
        Brief::Task { .. } => task_enricher::checked(typed(answer)?).map(Base::Task),
        Brief::Expense { .. } => {
            budget_analyst::checked(typed(answer)?, question.category()).map(Base::Expense)
        }
        Brief::Poll { options, .. } => {
            poll_enricher::checked(typed(answer)?, &options).map(Base::Poll)
        }
        Brief::Route { .. } => typed(answer).map(Base::Route),
        Brief::Wording { answer: said, .. } => {
            let worded = typed(answer)?;
            query_answerer::checked(&worded, &said).map(Base::Wording)
        }
        Brief::Next { .. } => suggester::checked(typed(answer)?).map(Base::Next),
        Brief::Intent { .. } => {
            let classified = typed(answer)?;
            intent_classifier::checked(&classified).map(Base::Intent)
        }
    }
}

/// One request to mend an answer; what was asked stays as it was.
pub fn repair(request: &ModelRequest, bad: &BadAnswer, answer: &Value) -> ModelRequest {
    let shown = escape_line(&answer.to_string(), SHOWN_ANSWER);
    let mut again = request.clone();
    again.user = format!(
        "{}<last_answer>\n{shown}\n</last_answer>\n<wrong>\n{}\n</wrong>\nAnswer the question again, \
         with what is wrong put right. Give the JSON object alone.\n",
        request.user,
        escape_line(&bad.0, 800),
    );
    again
}

fn complaint(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind::AdditionalProperties;
    if let AdditionalProperties { .. } = error.kind() {
        return "the answer has fields that the schema does not know".to_owned();
    }
    let path = error.instance_path().to_string();
    let place = if path.is_empty() { "the answer" } else { path.as_str() };
    format!("{place}: {}", error.masked())
}

fn typed<T: DeserializeOwned>(answer: Value) -> Result<T, BadAnswer> {
    serde_json::from_value(answer)
        .map_err(|_| BadAnswer("a number is out of range, or a field has another type".to_owned()))
}

/// A share of a budget.
pub(super) fn share(field: &str, share: f64) -> Result<(), BadAnswer> {
    if (0.0..=100.0).contains(&share) {
        return Ok(());
    }
    Err(BadAnswer(format!("{field} is not a per cent from 0 to 100")))
}

/// Trims the lines, and refuses none, too many, empty and endless ones.
pub(super) fn lines(field: &str, lines: &mut [String]) -> Result<(), BadAnswer> {
    if lines.is_empty() {
        return Err(BadAnswer(format!("{field} must have 1 to {MOST_LINES} lines")));
    }
    few_lines(field, lines)
}

/// Lines of which there may be none.
pub(super) fn few_lines(field: &str, lines: &mut [String]) -> Result<(), BadAnswer> {
    if lines.len() > MOST_LINES {
        return Err(BadAnswer(format!("{field} must have at most {MOST_LINES} lines")));
    }
    for line in lines {
        *line = one_line(field, line)?;
    }
    Ok(())
}

/// A line, trimmed: not empty, not endless, and with nothing to go to, to call or to pay.
pub(super) fn one_line(field: &str, line: &str) -> Result<String, BadAnswer> {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return Err(BadAnswer(format!("{field} has an empty line")));
    }
    if line.chars().count() > LONGEST_LINE {
        return Err(BadAnswer(format!(
            "{field} has a line of more than {LONGEST_LINE} characters"
        )));
    }
    if leads_elsewhere(&line) {
        return Err(BadAnswer(format!(
            "{field} names an address, an account, a telephone number or an amount"
        )));
    }
    if line.chars().any(char::is_control) || line.contains(['<', '>']) {
        return Err(BadAnswer(format!("{field} has markup in it")));
    }
    Ok(line)
}

/// Whether a line sends its reader somewhere: no answer of ours ever has to.
fn leads_elsewhere(line: &str) -> bool {
    let lower = line.to_lowercase();
    let has_address =
        lower.contains("://") || lower.contains("www.") || lower.split(' ').any(is_mail_address);
    has_address || has_long_number(line) || has_price(line)
}

/// Whether digits stand in a row like those of a telephone or an account; a date is none.
fn has_long_number(line: &str) -> bool {
    let mut run = 0;
    line.split(' ').any(|word| {
        let word = word.trim_matches(|c: char| matches!(c, '(' | ')' | ',' | ';' | '.'));
        if word.parse::<jiff::civil::Date>().is_ok() || word.parse::<jiff::civil::Time>().is_ok() {
            run = 0;
            return false;
        }
        word.chars().any(|c| {
            run = match c {
                '0'..='9' => run + 1,
                '-' | '(' | ')' | '+' | '/' => run,
                _ => 0,
            };
            run >= LONGEST_NUMBER
        })
    })
}

/// Whether a line names an amount of money: amounts are computed, never worded.
fn has_price(line: &str) -> bool {
    const SIGNS: [char; 6] = ['$', '€', '£', '¥', '₹', '₽'];
    const CODES: [&str; 12] =
        ["usd", "eur", "gbp", "aud", "cad", "inr", "jpy", "chf", "nzd", "sek", "dollar", "euro"];
    let has_digit = line.chars().any(|c| c.is_ascii_digit());
    let lower = line.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphabetic());
    has_digit
        && (line.contains(SIGNS)
            || words.any(|word| CODES.contains(&word.strip_suffix('s').unwrap_or(word))))
}

fn is_mail_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

#[cfg(test)]
#[path = "tests/reading.rs"]
mod tests;
