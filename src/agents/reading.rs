//! Reads an answer: held against its schema and its ranges, or sent back once to be repaired.
//!
//! A structured-output promise is no guarantee: answers are cut, refused, or
//! capitalised otherwise. What is read here is safe to store and to show.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::AgentName;
use super::question::Question;
use super::shape::Shape;
use crate::context::escape_line;
use crate::domain::enrichment::{ExpenseBase, TaskBase};
use crate::model::{ModelError, ModelRequest};

/// What was read from an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Base {
    /// Of the task enricher.
    Task(TaskBase),
    /// Of the budget analyst.
    Expense(ExpenseBase),
}

/// Why an answer cannot be used, in words for the model; it holds none of the answer's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAnswer(String);

impl BadAnswer {
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
            | ModelError::AccountStopped(_)
            | ModelError::Rejected { .. }
            | ModelError::Refused { .. }
            | ModelError::Unreadable(_)) => Self(other.to_string()),
        }
    }
}

/// The most lines a list may have.
const MOST_LINES: usize = 12;
/// The longest line, in characters.
const LONGEST_LINE: usize = 400;
/// The longest lead time, in days.
const LONGEST_LEAD: u32 = 2_000;
/// How much of a bad answer is shown to the model again, in characters.
const SHOWN_ANSWER: usize = 4_000;
/// The most complaints that are listed.
const MOST_COMPLAINTS: usize = 6;

/// Reads a question's answer.
///
/// # Errors
/// [`BadAnswer`], fit for [`repair`], when it breaks the schema or a range.
pub fn read(question: &Question, answer: &Value) -> Result<Base, BadAnswer> {
    let answer = tidied(answer);
    let shape = Shape::for_agent(question.agent());
    let complaints: Vec<String> =
        shape.validator.iter_errors(&answer).take(MOST_COMPLAINTS).map(|e| complaint(&e)).collect();
    if !complaints.is_empty() {
        return Err(BadAnswer(complaints.join("; ")));
    }
    match question.agent() {
        AgentName::TaskEnricher => task(typed(answer)?).map(Base::Task),
        AgentName::BudgetAnalyst => {
            let mut base = expense(typed(answer)?)?;
            if let Question::Shared(shared) = question
                && let Some(asked) = shared.category()
            {
                base.category = asked.name().to_owned();
            }
            Ok(Base::Expense(base))
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

/// The answer with what only looks wrong put right: capital categories, whole numbers with a
/// decimal point.
fn tidied(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(Value::String(category)) = answer.get_mut("category") {
        *category = category.trim().to_lowercase();
    }
    if let Some(days) = answer.get_mut("lead_time_days")
        && let Some(whole) = days.as_f64().filter(|d| d.fract() == 0.0 && (0.0..1e6).contains(d))
    {
        *days = Value::from(whole as u64);
    }
    answer
}

fn typed<T: DeserializeOwned>(answer: Value) -> Result<T, BadAnswer> {
    serde_json::from_value(answer)
        .map_err(|_| BadAnswer("a number is out of range, or a field has another type".to_owned()))
}

fn task(mut base: TaskBase) -> Result<TaskBase, BadAnswer> {
    lines("checklist", &mut base.checklist)?;
    lines("questions", &mut base.questions)?;
    share("budget_share_low", base.budget_share_low)?;
    share("budget_share_high", base.budget_share_high)?;
    if base.budget_share_low > base.budget_share_high {
        return Err(BadAnswer("budget_share_low is above budget_share_high".to_owned()));
    }
    if base.lead_time_days > LONGEST_LEAD {
        return Err(BadAnswer(format!("lead_time_days is above {LONGEST_LEAD}")));
    }
    Ok(base)
}

fn expense(mut base: ExpenseBase) -> Result<ExpenseBase, BadAnswer> {
    lines("advice", &mut base.advice)?;
    share("typical_share", base.typical_share)?;
    Ok(base)
}

fn share(field: &str, share: f64) -> Result<(), BadAnswer> {
    if (0.0..=100.0).contains(&share) {
        return Ok(());
    }
    Err(BadAnswer(format!("{field} is not a per cent from 0 to 100")))
}

/// Trims the lines, and refuses none, too many, empty and endless ones.
fn lines(field: &str, lines: &mut [String]) -> Result<(), BadAnswer> {
    if !(1..=MOST_LINES).contains(&lines.len()) {
        return Err(BadAnswer(format!("{field} must have 1 to {MOST_LINES} lines")));
    }
    for line in lines {
        *line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return Err(BadAnswer(format!("{field} has an empty line")));
        }
        if line.chars().count() > LONGEST_LINE {
            return Err(BadAnswer(format!(
                "{field} has a line of more than {LONGEST_LINE} characters"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests/reading.rs"]
mod tests;
