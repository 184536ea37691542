//! From an intent and what the readers found to that intent's entities.
//!
//! Where words and weights disagree, what stands in the text in so many words wins.

use super::aspects::{Aspects, Who};
use super::due::due;
use super::findings::Findings;
use super::money::{currency_of, total};
use super::people::{Masked, assignee, payer, split};
use super::query;
use super::things::{order, paid_for};
use crate::domain::intent::{Entities, ExpenseEntities, Intent, PollEntities, TaskEntities};

/// Reads the entities of this intent; nothing when the text lacks what the intent cannot be without.
pub(super) fn entities(
    findings: &Findings<'_, '_>,
    aspects: Option<&Aspects>,
    intent: Intent,
) -> Option<Entities> {
    match intent {
        Intent::TaskCreation => task(findings, aspects).map(Entities::Task),
        Intent::ExpenseEntry => expense(findings, aspects).map(Entities::Expense),
        Intent::PollCreation => findings.choices.as_ref().map(|choices| {
            let (question, options) = (choices.question.clone(), choices.options.clone());
            Entities::Poll(PollEntities { question, options })
        }),
        Intent::Query => Some(Entities::Query(query::read(findings))),
        Intent::None => Some(Entities::None),
    }
}
