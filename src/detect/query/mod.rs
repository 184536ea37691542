//! What a question is about: its topic among the records, and its subject.
//!
//! Every telling word speaks for a topic; the topic with most behind it wins.

mod subject;
mod topic;

use super::findings::Findings;
use crate::domain::intent::QueryEntities;

/// Reads a question.
pub(super) fn read(findings: &Findings<'_, '_>) -> QueryEntities {
    let topic = topic::of(findings);
    let subject = subject::of(findings, topic);
    QueryEntities { topic: topic.name().to_owned(), subject }
}
