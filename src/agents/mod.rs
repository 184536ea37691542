//! Agents: what is asked of a model for an intent, and what code makes of the answer.
//!
//! Each agent is one file: prompt, type and schema of its answer, context level,
//! checks, and what code adds. [`plan`] says what a detection needs: a [`Question`]
//! to a model, the event's records, or nothing but code. [`read`] holds a model's
//! answer against its schema, [`finish`] adds all that is the group's own: names,
//! dates, splits, shares. No number of an enrichment comes from a model unchecked.

pub mod records;
mod reading;
mod lines;
mod people;
mod dates;
mod task_enricher;
mod budget_analyst;
mod splits;
mod poll_enricher;
mod query_answerer;
mod suggester;
mod intent_classifier;
mod shape;
mod question;

use crate::context::Level;
use crate::domain::chat::{Event, Message, Vendor};
use crate::domain::enrichment::Enrichment;
use crate::domain::intent::{Detection, Entities, QueryEntities};
use crate::domain::projection::Projections;
use crate::model::Brief;
use crate::model::offline::{Category, VendorKind, vendor_kind};

pub use intent_classifier::question as classification;
pub use query_answerer::{ToWord, routing, wording};
pub use question::{Locale, PrivateQuestion, Question, SharedQuestion};
pub use reading::{BadAnswer, Base, read, repair};
pub use suggester::Standing;
pub use task_enricher::MOST_VENDORS;

/// An agent that asks a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentName {
    /// Says what is to be settled for a task.
    TaskEnricher,
    /// Says into which category an expense falls and how such expenses are handled.
    BudgetAnalyst,
    /// Says what speaks for and against the choices of a poll.
    PollEnricher,
    /// Says which query a question means, and words its answer.
    QueryAnswerer,
    /// Says what comes next for an event.
    Suggester,
    /// Says what a message is for where detection doubts.
    IntentClassifier,
}

impl AgentName {
    /// All agents.
    pub const ALL: [Self; 6] = [
        Self::TaskEnricher,
        Self::BudgetAnalyst,
        Self::PollEnricher,
        Self::QueryAnswerer,
        Self::Suggester,
        Self::IntentClassifier,
    ];

    /// The agent's name in settings, rows and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskEnricher => "task_enricher",
            Self::BudgetAnalyst => "budget_analyst",
            Self::PollEnricher => "poll_enricher",
            Self::QueryAnswerer => "query_answerer",
            Self::Suggester => "suggester",
            Self::IntentClassifier => "intent_classifier",
        }
    }

    /// How much of an event's past its private questions may see.
    pub fn level(self) -> Level {
        match self {
            Self::TaskEnricher => task_enricher::LEVEL,
            Self::BudgetAnalyst => budget_analyst::LEVEL,
            Self::PollEnricher => poll_enricher::LEVEL,
            Self::QueryAnswerer => query_answerer::LEVEL,
            Self::Suggester => suggester::LEVEL,
            Self::IntentClassifier => intent_classifier::LEVEL,
        }
    }

    /// Whose question it is.
    pub fn of(brief: &Brief) -> Self {
        match brief {
            Brief::Task { .. } => Self::TaskEnricher,
            Brief::Expense { .. } => Self::BudgetAnalyst,
            Brief::Poll { .. } => Self::PollEnricher,
            Brief::Route { .. } | Brief::Wording { .. } => Self::QueryAnswerer,
            Brief::Next { .. } => Self::Suggester,
            Brief::Intent { .. } => Self::IntentClassifier,
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
    /// The event's rows, for [`records::look_up`].
    Records(QueryEntities),
    /// There is nothing to answer; a follow-up may still change a row.
    Nothing,
}

/// What is to be done for a detection.
pub fn plan(event: &Event, message: &Message, detection: &Detection) -> Plan {
    match &detection.entities {
        Entities::Task(task) => Plan::Ask(task_enricher::question(event, task)),
        Entities::Expense(expense) => Plan::Ask(budget_analyst::question(event, message, expense)),
        Entities::Poll(poll) => match poll_enricher::question(event, poll) {
            Some(question) => Plan::Ask(question),
            None => Plan::Answer(Enrichment::Poll(poll_enricher::cleaned(poll))),
        },
        Entities::Query(query) => Plan::Records(query.clone()),
        Entities::None => Plan::Nothing,
    }
}

/// What belongs to the event alone, for [`finish`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Personal {
    /// Vendors of the task's kind, best first.
    pub vendors: Vec<Vendor>,
    /// The event's rows as of the message: what shares, warnings and debts are judged on.
    pub rows: Projections,
}

/// What must be read from the store for a detection's [`Personal`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonalNeeds {
    /// The kind whose vendors are suggested.
    pub vendors: Option<VendorKind>,
    /// Whether the event's rows are needed.
    pub rows: bool,
}

/// What to read for a detection; nothing for most.
pub fn personal_needs(detection: &Detection) -> PersonalNeeds {
    match &detection.entities {
        Entities::Task(task) => PersonalNeeds { vendors: vendor_kind(&task.object), rows: false },
        Entities::Expense(_) => PersonalNeeds { vendors: None, rows: true },
        Entities::Poll(_) | Entities::Query(_) | Entities::None => PersonalNeeds::default(),
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
        (Entities::Poll(poll), Base::Poll(base)) => {
            Some(Enrichment::Poll(poll_enricher::finish(event, message, poll, base)))
        }
        (
            Entities::Task(_)
            | Entities::Expense(_)
            | Entities::Poll(_)
            | Entities::Query(_)
            | Entities::None,
            Base::Task(_)
            | Base::Expense(_)
            | Base::Poll(_)
            | Base::Route(_)
            | Base::Wording(_)
            | Base::Next(_)
            | Base::Intent(_),
        ) => None,
    }
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests;
