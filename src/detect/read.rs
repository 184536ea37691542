//! From an intent and what the readers found to that intent's entities.
//!
//! Where words and weights disagree, what stands in the text in so many words wins.

use super::aspects::{Aspect, Aspects, Who};
use super::due::due;
use super::findings::Findings;
use super::money::{currency_said, total};
use super::people::{Masked, assignee, named_assignee, named_payer, payer, split};
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
        Intent::Query => {
            let topic = aspects.map(Aspects::topic);
            Some(Entities::Query(query::read_as(findings, topic)))
        }
        Intent::None => Some(Entities::None),
    }
}

fn task(findings: &Findings<'_, '_>, aspects: Option<&Aspects>) -> Option<TaskEntities> {
    let order = order(findings)?;
    let masked = Masked::new(findings.text, &findings.names);
    let read = || assignee(&masked, &findings.names);
    let assignee = match aspects.map(Aspects::assignee) {
        None => read(),
        Some(Who::Nobody) => None,
        Some(Who::Me) => Some("me".to_owned()),
        Some(Who::Someone) => Some("someone".to_owned()),
        Some(Who::Everyone) => Some("everyone".to_owned()),
        Some(Who::Named) => named_assignee(&masked, &findings.names).or_else(read),
    };
    Some(TaskEntities {
        object: order.object,
        action: aspects.map_or(order.action, |aspects| aspects.action()).to_owned(),
        assignee,
        due: due(findings.text),
    })
}

fn expense(findings: &Findings<'_, '_>, aspects: Option<&Aspects>) -> Option<ExpenseEntities> {
    let text = findings.text;
    let amount = total(text, &findings.amounts)?;
    let masked = Masked::new(text, &findings.names);
    let read = || payer(&masked, &findings.names);
    let paid_by = match aspects.map(Aspects::payer) {
        None => read(),
        Some(Who::Me) => Some("me".to_owned()),
        Some(Who::Named) => named_payer(&masked, &findings.names).or_else(read),
        Some(Who::Nobody | Who::Someone | Who::Everyone) => None,
    };
    let paid = paid_for(findings);
    let currency = currency_said(text, amount, &findings.amounts, findings.currency);
    Some(ExpenseEntities {
        amount: amount.value,
        currency: currency.map(|currency| currency.code().to_owned()),
        category: Some(aspects.map_or(paid.category, |aspects| aspects.category()).to_owned()),
        split_between: split(&masked, &findings.names, paid_by.as_deref()),
        paid_by,
        what: paid.what,
    })
}

/// What the readers alone would say of what the weights judge, for the weights to weigh.
pub(super) fn guesses(findings: &Findings<'_, '_>, intent: Intent) -> Vec<(Aspect, String)> {
    let masked = Masked::new(findings.text, &findings.names);
    match intent {
        Intent::ExpenseEntry => {
            let paid = paid_for(findings);
            let sure = if paid.is_category_said { "" } else { "?" };
            let payer = payer(&masked, &findings.names);
            vec![
                (Aspect::Payer, Who::of(payer.as_deref()).name().to_owned()),
                (Aspect::Category, format!("{}{sure}", paid.category)),
            ]
        }
        Intent::TaskCreation => {
            let assignee = assignee(&masked, &findings.names);
            let mut guesses =
                vec![(Aspect::Assignee, Who::of(assignee.as_deref()).name().to_owned())];
            if let Some(order) = order(findings) {
                let sure = if order.is_action_sure { "" } else { "?" };
                guesses.push((Aspect::Action, format!("{}{sure}", order.action)));
            }
            guesses
        }
        Intent::Query => vec![(Aspect::Topic, query::read(findings).topic)],
        Intent::PollCreation | Intent::None => Vec::new(),
    }
}
