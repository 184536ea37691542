//! What detection says of a message: an intent with its entities, and at most one follow-up.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Something to do, book, ask or fetch.
    TaskCreation,
    /// An amount that was paid or is owed.
    ExpenseEntry,
    /// Choices put to the group.
    PollCreation,
    /// A question that the event's records can answer.
    Query,
    /// None of these.
    None,
}

impl Intent {
    /// All intents, in the order in which they are reported.
    pub const ALL: [Self; 5] =
        [Self::TaskCreation, Self::ExpenseEntry, Self::PollCreation, Self::Query, Self::None];

    /// The intent's name in rows, events and labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskCreation => "task_creation",
            Self::ExpenseEntry => "expense_entry",
            Self::PollCreation => "poll_creation",
            Self::Query => "query",
            Self::None => "none",
        }
    }

    /// Its place in [`Self::ALL`].
    pub fn place(self) -> usize {
        match self {
            Self::TaskCreation => 0,
            Self::ExpenseEntry => 1,
            Self::PollCreation => 2,
            Self::Query => 3,
            Self::None => 4,
        }
    }

    /// The intent of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|intent| intent.name() == name)
    }
}

/// What a message says about a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskEntities {
    /// The thing, singular and lower-case: `photographer`, `cake`.
    pub object: String,
    /// One of [`ACTIONS`].
    pub action: String,
    /// A name as written, `me`, `someone` or `everyone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// By when, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
}

/// What a message says about an expense.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpenseEntities {
    /// In major units, as written.
    pub amount: f64,
    /// ISO code where a sign or word said it.
    pub currency: Option<String>,
    /// One of [`CATEGORIES`].
    pub category: Option<String>,
    /// A name, or `me`.
    pub paid_by: Option<String>,
    /// Names and `me`, or `everyone`.
    pub split_between: Option<Vec<String>>,
    /// What it was for, a short noun phrase.
    pub what: Option<String>,
}

/// The actions a task may have.
pub const ACTIONS: [&str; 13] = [
    "book", "buy", "confirm", "contact", "arrange", "send", "pay", "collect", "make", "check",
    "cancel", "bring", "return",
];

/// The categories an expense may have.
pub const CATEGORIES: [&str; 15] = [
    "venue",
    "catering",
    "music",
    "decor",
    "equipment",
    "transport",
    "accommodation",
    "attire",
    "flowers",
    "photography",
    "cake",
    "gifts",
    "stationery",
    "entertainment",
    "other",
];

/// The topics a question may have.
pub const TOPICS: [&str; 6] = ["spending", "tasks", "people", "schedule", "polls", "other"];

/// What a message says about a poll.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PollEntities {
    /// The question, as written.
    pub question: String,
    /// The choices, as written, without numbers or leading articles.
    pub options: Vec<String>,
    /// The emoji or mark that stands for each choice, empty where none does; left out where no
    /// choice has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// What a question is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryEntities {
    /// One of spending, tasks, people, schedule, polls, other.
    pub topic: String,
    /// A short noun phrase.
    pub subject: Option<String>,
}

/// The entities that belong to an intent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Entities {
    /// Of `task_creation`.
    Task(TaskEntities),
    /// Of `expense_entry`.
    Expense(ExpenseEntities),
    /// Of `poll_creation`.
    Poll(PollEntities),
    /// Of `query`.
    Query(QueryEntities),
    /// Of `none`.
    #[serde(serialize_with = "empty_object")]
    None,
}

fn empty_object<S: serde::Serializer>(to: S) -> Result<S::Ok, S::Error> {
    serde::ser::SerializeMap::end(to.serialize_map(Some(0))?)
}

impl Entities {
    /// The intent whose entities these are.
    pub fn intent(&self) -> Intent {
        match self {
            Self::Task(_) => Intent::TaskCreation,
            Self::Expense(_) => Intent::ExpenseEntry,
            Self::Poll(_) => Intent::PollCreation,
            Self::Query(_) => Intent::Query,
            Self::None => Intent::None,
        }
    }

    /// Reads the entities of an intent from JSON.
    ///
    /// # Errors
    /// When a needed entity is absent or of the wrong type.
    pub fn read(intent: Intent, value: &Value) -> Result<Self, serde_json::Error> {
        Ok(match intent {
            Intent::TaskCreation => Self::Task(TaskEntities::deserialize(value)?),
            Intent::ExpenseEntry => Self::Expense(ExpenseEntities::deserialize(value)?),
            Intent::PollCreation => Self::Poll(PollEntities::deserialize(value)?),
            Intent::Query => Self::Query(QueryEntities::deserialize(value)?),
            Intent::None => Self::None,
        })
    }
}

/// What a message does to a row that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpKind {
    /// "sorry it was 460 not 450".
    Correction,
    /// "we don't need a DJ anymore".
    Cancellation,
    /// "booked!", "done".
    Completion,
    /// "sunday for me".
    Vote,
    /// "sent you the 40".
    Repayment,
    /// "ignore my last message".
    Retraction,
}

impl FollowUpKind {
    /// All kinds, in the order in which they are reported.
    pub const ALL: [Self; 6] = [
        Self::Correction,
        Self::Cancellation,
        Self::Completion,
        Self::Vote,
        Self::Repayment,
        Self::Retraction,
    ];

    /// Its place in [`Self::ALL`].
    pub fn place(self) -> usize {
        match self {
            Self::Correction => 0,
            Self::Cancellation => 1,
            Self::Completion => 2,
            Self::Vote => 3,
            Self::Repayment => 4,
            Self::Retraction => 5,
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name in events and labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Correction => "correction",
            Self::Cancellation => "cancellation",
            Self::Completion => "completion",
            Self::Vote => "vote",
            Self::Repayment => "repayment",
            Self::Retraction => "retraction",
        }
    }
}

/// What a follow-up says of its target. The fold finds the row: the target may
/// not have been worked on yet when the follow-up is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The thing: a task's object, words of an expense's `what`, a poll's option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing: Option<String>,
    /// An amount in minor units: the old one of a correction, the sum of a repayment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor: Option<i64>,
    /// The other person: who was repaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// A follow-up with what it says of its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// What it does.
    pub kind: FollowUpKind,
    /// To what.
    #[serde(default)]
    pub target: Target,
}

/// What detection says of a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detection {
    /// 0 to 1: how often a detection of this confidence is right.
    pub confidence: f32,
    /// The entities, which name the intent.
    pub entities: Entities,
    /// What it does to a row that is there, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
}

impl Detection {
    /// Nothing to do, surely.
    pub fn none(confidence: f32) -> Self {
        Self { confidence, entities: Entities::None, follow_up: None }
    }

    /// The detected intent.
    pub fn intent(&self) -> Intent {
        self.entities.intent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_for_their_intent_and_missing_ones_are_named() {
        let value = serde_json::json!({"object": "dj", "action": "book"});
        assert_eq!(
            Entities::read(Intent::TaskCreation, &value).unwrap().intent(),
            Intent::TaskCreation
        );
        let error = Entities::read(Intent::ExpenseEntry, &value).unwrap_err();
        assert!(error.to_string().contains("amount"), "{error}");
        assert_eq!(serde_json::to_string(&Entities::None).unwrap(), "{}");
    }
}
