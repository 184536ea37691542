//! Agents: what is asked of a model for an intent, and what code makes of the answer.
//!
//! [`plan`] says what a detection needs: a [`Question`] to a model, the event's
//! records, or nothing but code. [`read`] holds a model's answer against its
//! schema, [`finish`] adds all that is the group's own: names, dates, splits,
//! shares. No number of an enrichment comes from a model unchecked.

mod budget_analyst;
mod dates;
mod people;
mod poll;
mod question;
mod reading;
pub mod records;
mod shape;
mod task_enricher;

use crate::context::Level;
use crate::domain::chat::{Event, Message, Vendor};
use crate::domain::enrichment::Enrichment;
use crate::domain::intent::{Detection, Entities, QueryEntities};
use crate::model::offline::{VendorKind, vendor_kind};
use crate::store::{ContextQuery, ContextRows};

pub use question::{Locale, PrivateQuestion, Question, SharedQuestion};
pub use reading::{BadAnswer, Base, read, repair};

/// An agent that asks a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentName {
    /// Says what is to be settled for a task.
    TaskEnricher,
    /// Says into which category an expense falls and how such expenses are handled.
    BudgetAnalyst,
}

impl AgentName {
    /// All agents.
    pub const ALL: [Self; 2] = [Self::TaskEnricher, Self::BudgetAnalyst];

    /// The agent's name in settings, rows and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskEnricher => "task_enricher",
            Self::BudgetAnalyst => "budget_analyst",
        }
    }

    /// How much of an event's past its private questions may see.
    pub fn level(self) -> Level {
        match self {
            Self::TaskEnricher => Level::Standard,
            Self::BudgetAnalyst => Level::Rich,
        }
    }
}

/// What a detection needs to become an enrichment.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// A model's answer; then [`read`] and [`finish`].
    Ask(Question),
    /// Nothing more: code alone answered.
    Answer(Enrichment),
    /// The event's rows, for [`records::answer`].
    Records(QueryEntities),
    /// There is nothing to answer; a follow-up may still change a row.
    Nothing,
}

/// What is to be done for a detection.
pub fn plan(event: &Event, message: &Message, detection: &Detection) -> Plan {
    match &detection.entities {
        Entities::Task(task) => Plan::Ask(Question::about_task(event, task)),
        Entities::Expense(expense) => Plan::Ask(Question::about_expense(event, message, expense)),
        Entities::Poll(poll) => Plan::Answer(Enrichment::Poll(poll::finish(poll))),
        Entities::Query(query) => Plan::Records(query.clone()),
        Entities::None => Plan::Nothing,
    }
}

/// What belongs to the event alone, for [`finish`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Personal {
    /// Vendors of the task's kind, best first.
    pub vendors: Vec<Vendor>,
    /// The event's past; its expenses are what warnings are judged on.
    pub past: ContextRows,
}

/// What must be read from the store for a detection's [`Personal`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonalNeeds {
    /// The kind whose vendors are suggested.
    pub vendors: Option<VendorKind>,
    /// The past that an expense is judged on.
    pub past: Option<ContextQuery>,
}

/// How many of an event's expenses a warning is judged on at most.
const MOST_EXPENSES: u32 = 1_000;

/// What to read for a detection; nothing for most.
pub fn personal_needs(event: &Event, message: &Message, detection: &Detection) -> PersonalNeeds {
    match &detection.entities {
        Entities::Task(task) => PersonalNeeds { vendors: vendor_kind(&task.object), past: None },
        Entities::Expense(_) if event.budget.is_some() => PersonalNeeds {
            vendors: None,
            past: Some(ContextQuery {
                event: event.id.clone(),
                before: (message.sent_at, message.id.clone()),
                messages: 0,
                tasks: 0,
                expenses: MOST_EXPENSES,
            }),
        },
        Entities::Expense(_) | Entities::Poll(_) | Entities::Query(_) | Entities::None => {
            PersonalNeeds::default()
        }
    }
}

/// The enrichment for a detection that was planned as [`Plan::Ask`], with the base that was read.
///
/// `None` when detection and base do not belong together, which a base read for the
/// detection's own question never is.
pub fn finish(
    event: &Event,
    message: &Message,
    detection: &Detection,
    base: Base,
    personal: &Personal,
) -> Option<Enrichment> {
    match (&detection.entities, base) {
        (Entities::Task(task), Base::Task(base)) => {
            let done = task_enricher::finish(event, message, task, base, personal);
            Some(Enrichment::Task(done))
        }
        (Entities::Expense(expense), Base::Expense(base)) => {
            let change = detection.follow_up.as_ref();
            let done = budget_analyst::finish(event, message, expense, change, base, personal);
            Some(Enrichment::Expense(done))
        }
        (
            Entities::Task(_)
            | Entities::Expense(_)
            | Entities::Poll(_)
            | Entities::Query(_)
            | Entities::None,
            Base::Task(_) | Base::Expense(_),
        ) => None,
    }
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests;
