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
        Brief::Wording { answer: said } => {
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

#[cfg(test)]
#[path = "tests/reading.rs"]
mod tests;
