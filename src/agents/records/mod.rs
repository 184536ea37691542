//! Answers questions from the event's rows, by code alone.
//!
//! [`read()`] makes a question one of a closed list of queries, [`run()`] works the
//! query out over the rows. Every answer names the rows that it rests on; where
//! the rows do not say, it is "I don't know", and never a guess.

mod line;
mod matter;
mod query;
mod read;
mod routed;
mod run;

use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::AnswerEnrichment;
use crate::domain::intent::QueryEntities;
use crate::domain::projection::Projections;

pub use query::{BudgetAsk, DebtAsk, PaymentAsk, RecordQuery, TaskAsk};
pub use read::read;
pub use routed::{Ask, Routed};
pub use run::{Found, run};

/// What is said when the rows do not say.
pub const UNKNOWN: &str = "I don't know";

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// The rows say it.
    Found(Found),
    /// It was understood, and the rows do not say.
    NotOnRecord(RecordQuery),
    /// It was understood, but names a thing by a word that no row has.
    Unmatched(RecordQuery),
    /// No pattern understood it.
    NotUnderstood,
}

/// Reads a question and looks it up; the rows must be as of the message.
pub fn look_up(
    event: &Event,
    message: &Message,
    query: &QueryEntities,
    rows: &Projections,
) -> Lookup {
    let Some(asked) = read(event, message, query, rows) else { return Lookup::NotUnderstood };
    match run(event, &message.sender, event.day_of(message.sent_at), &asked, rows) {
        Some(found) => Lookup::Found(found),
        None if asked.is_known_to(rows) => Lookup::NotOnRecord(asked),
        None => Lookup::Unmatched(asked),
    }
}

/// The enrichment of a question for what was found; "I don't know" where nothing was.
pub fn enrichment(query: &QueryEntities, found: Option<Found>) -> AnswerEnrichment {
    let (answer, sources) = match found {
        Some(found) => (found.text, found.sources),
        None => (UNKNOWN.to_owned(), Vec::new()),
    };
    AnswerEnrichment { query: query.clone(), answer, sources }
}

#[cfg(test)]
#[path = "../tests/records.rs"]
mod tests;

#[cfg(test)]
#[path = "../tests/records_read.rs"]
mod read_tests;
