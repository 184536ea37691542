//! From an intent and what the readers found to that intent's entities.
//!
//! The readers read once; the weights hear their guesses. Where words and weights
//! disagree, what stands in the text in so many words wins.

use super::aspects::{Aspect, Aspects, Who};
use super::due::due;
use super::findings::Findings;
use super::money::{Amount, currency_said, total};
use super::people::{Masked, assignee, named_assignee, named_payer, payer, split};
use super::query::{self, Topic};
use super::things::{Order, Paid, order, paid_for};
use crate::domain::intent::{Entities, ExpenseEntities, Intent, PollEntities, TaskEntities};

/// What the readers alone say of a message, taken for one of this intent.
pub(super) struct Reading<'f> {
    findings: &'f Findings<'f, 'f>,
    said: Said<'f>,
}

/// What is judged further by the weights.
enum Said<'f> {
    Task { masked: Masked<'f, 'f>, assignee: Option<String>, order: Option<Order<'f>> },
    Expense { masked: Masked<'f, 'f>, payer: Option<String>, paid: Paid<'f> },
    Poll,
    Query(Topic),
    Nothing,
}

impl<'f> Reading<'f> {
    /// Lets the readers of this intent read.
    pub(super) fn of(findings: &'f Findings<'_, '_>, intent: Intent) -> Self {
        let masked = || Masked::new(findings.text, &findings.names);
        let said = match intent {
            Intent::TaskCreation => {
                let masked = masked();
                let assignee = assignee(&masked, &findings.names);
                Said::Task { masked, assignee, order: order(findings) }
            }
            Intent::ExpenseEntry => {
                let masked = masked();
                let payer = payer(&masked, &findings.names);
                Said::Expense { masked, payer, paid: paid_for(findings) }
            }
            Intent::PollCreation => Said::Poll,
            Intent::Query => Said::Query(query::topic(findings)),
            Intent::None => Said::Nothing,
        };
        Self { findings, said }
    }

    /// What is said of what the weights judge, for the weights to weigh.
    pub(super) fn guesses(&self) -> Vec<(Aspect, &'static str, &str)> {
        let who = |who: &Option<String>| Who::of(who.as_deref()).name();
        let sure = |is_sure: bool| if is_sure { "" } else { "?" };
        match &self.said {
            Said::Expense { payer, paid, .. } => vec![
                (Aspect::Payer, "", who(payer)),
                (Aspect::Category, sure(paid.is_category_said), paid.category),
            ],
            Said::Task { assignee, order, .. } => {
                let mut guesses = vec![(Aspect::Assignee, "", who(assignee))];
                if let Some(order) = order {
                    guesses.push((Aspect::Action, sure(order.is_action_sure), order.action));
                }
                guesses
            }
            Said::Query(topic) => vec![(Aspect::Topic, "", topic.name())],
            Said::Poll | Said::Nothing => Vec::new(),
        }
    }

    /// The entities; nothing when the text lacks what the intent cannot be without.
    pub(super) fn entities(self, aspects: Option<&Aspects>) -> Option<Entities> {
        let findings = self.findings;
        match self.said {
            Said::Task { masked, assignee, order } => {
                Some(Entities::Task(task(findings, &masked, (assignee, order?), aspects)))
            }
            Said::Expense { masked, payer, paid } => {
                let amount = total(findings.text, &findings.amounts)?;
                let expense = expense(findings, &masked, (amount, payer, paid), aspects);
                Some(Entities::Expense(expense))
            }
            Said::Poll => findings.choices.as_ref().map(|choices| {
                let (question, options) = (choices.question.clone(), choices.options.clone());
                Entities::Poll(PollEntities { question, options, keys: keys(&choices.keys) })
            }),
            Said::Query(topic) => {
                let judged = aspects.and_then(|aspects| Topic::named(aspects.topic()));
                Some(Entities::Query(query::read_as(findings, judged.unwrap_or(topic))))
            }
            Said::Nothing => Some(Entities::None),
        }
    }
}

/// The choices' keys; none at all where no choice has one.
fn keys(keys: &[Option<String>]) -> Vec<String> {
    if keys.iter().all(Option::is_none) {
        return Vec::new();
    }
    keys.iter().map(|key| key.clone().unwrap_or_default()).collect()
}

fn task(
    findings: &Findings<'_, '_>,
    masked: &Masked<'_, '_>,
    (read, order): (Option<String>, Order<'_>),
    aspects: Option<&Aspects>,
) -> TaskEntities {
    let assignee = match aspects.map(Aspects::assignee) {
        None => read,
        Some(Who::Nobody) => None,
        Some(Who::Me) => Some("me".to_owned()),
        Some(Who::Someone) => Some("someone".to_owned()),
        Some(Who::Everyone) => Some("everyone".to_owned()),
        Some(Who::Named) => named_assignee(masked, &findings.names).or(read),
    };
    TaskEntities {
        object: order.object,
        action: aspects.map_or(order.action, |aspects| aspects.action()).to_owned(),
        assignee,
        due: due(findings.text),
    }
}

fn expense(
    findings: &Findings<'_, '_>,
    masked: &Masked<'_, '_>,
    (amount, read, paid): (&Amount, Option<String>, Paid<'_>),
    aspects: Option<&Aspects>,
) -> ExpenseEntities {
    let paid_by = match aspects.map(Aspects::payer) {
        None => read,
        Some(Who::Me) => Some("me".to_owned()),
        Some(Who::Named) => named_payer(masked, &findings.names).or(read),
        Some(Who::Nobody | Who::Someone | Who::Everyone) => None,
    };
    let currency = currency_said(findings.text, amount, &findings.amounts, findings.currency);
    ExpenseEntities {
        amount: amount.value,
        currency: currency.map(|currency| currency.code().to_owned()),
        category: Some(aspects.map_or(paid.category, |aspects| aspects.category()).to_owned()),
        split_between: split(masked, &findings.names, paid_by.as_deref()),
        paid_by,
        what: paid.what,
    }
}
