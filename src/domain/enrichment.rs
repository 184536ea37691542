//! Enrichments: the structured answers for messages.
//!
//! Words come from a model or from the knowledge base; every number in here
//! (dates, splits, shares, totals) was computed by code.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::PersonId;
use super::intent::{FollowUp, QueryEntities};
use super::money::{Currency, Share, Transfer};

/// What is generally known of a kind of vendor or errand, free of any event's
/// data: the shared part of a task enrichment, and so cached over all events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskBase {
    /// A category such as `photography` or `catering`.
    pub category: String,
    /// What to do, in order.
    pub checklist: Vec<String>,
    /// What to ask the vendor.
    pub questions: Vec<String>,
    /// How many days before the event this is typically settled.
    pub lead_time_days: u32,
    /// The least share of an event's budget that this typically takes, in per cent.
    pub budget_share_low: f64,
    /// The most, in per cent.
    pub budget_share_high: f64,
}

/// How expenses of a category are generally handled, free of any event's data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpenseBase {
    /// One of the expense categories.
    pub category: String,
    /// The share of an event's budget that this category typically takes, in per cent.
    pub typical_share: f64,
    /// What to look after: deposits, tips, cancellation.
    pub advice: Vec<String>,
}

/// What speaks for and against a choice of a poll, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionView {
    /// The choice, as the poll has it.
    pub option: String,
    /// What speaks for it.
    pub pros: Vec<String>,
    /// What speaks against it.
    pub cons: Vec<String>,
}

/// What a poll's choices are worth for this event, and which one is advised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollBase {
    /// One entry a choice, in the poll's order.
    pub options: Vec<OptionView>,
    /// The choice that is advised; empty when none is.
    pub recommendation: String,
    /// Why, in one line; empty without a recommendation.
    pub reason: String,
}

/// One thing that a group might do next, as a model says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextStep {
    /// The thing, singular and lower-case.
    pub object: String,
    /// What is done to it: one of the actions of a task.
    pub action: String,
    /// Why now, in one line.
    pub reason: String,
    /// How many days before the event it should be done; negative for after it.
    pub days_before: i32,
}

/// What comes next for an event, the most pressing first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextBase {
    /// The steps.
    pub steps: Vec<NextStep>,
}

/// A vendor of the application that fits a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VendorSuggestion {
    /// The vendor's ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it starts, in minor units of the event's currency, where that is known.
    pub price_from: Option<i64>,
}

/// A task, with all that helps to do it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskEnrichment {
    /// What is to be done, as a short order: "Book the photographer".
    pub title: String,
    /// The thing, singular and lower-case.
    pub object: String,
    /// What is done to it.
    pub action: String,
    /// Participants' names, `someone` or `everyone`; `None` when nobody was named.
    pub assignee: Option<String>,
    /// By when, as the message said.
    pub due_said: Option<String>,
    /// By when: read from what was said, else worked back from the event's date.
    pub due: Option<Date>,
    /// What is generally known of such a task.
    pub base: TaskBase,
    /// What it may cost, in minor units of the event's currency, as shares of the event's budget.
    pub cost_range: Option<(i64, i64)>,
    /// Up to three vendors of the application.
    pub vendors: Vec<VendorSuggestion>,
    /// Participants whom it may concern: who asks, who does it, and who was named.
    #[serde(default)]
    pub concerns: Vec<PersonId>,
}

/// Whether an expense was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpenseStatus {
    /// Somebody paid it.
    Paid,
    /// It is owed.
    Due,
    /// It was called off.
    Cancelled,
}

impl ExpenseStatus {
    /// The status's name in rows and summaries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Due => "due",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An expense, split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpenseEnrichment {
    /// What it was for.
    pub what: String,
    /// In minor units.
    pub minor: i64,
    /// Its currency; the event's where none was said.
    pub currency: Currency,
    /// One of the expense categories.
    pub category: String,
    /// Who paid; `None` when that is unknown or nobody has yet.
    pub paid_by: Option<PersonId>,
    /// Who shares it, as the message said; `None` when it said nothing.
    pub split_between: Option<Vec<PersonId>>,
    /// Everybody's part; sums to the amount.
    pub shares: Vec<Share>,
    /// Paid or due.
    pub status: ExpenseStatus,
    /// What part of the event's budget this is, in per cent with one decimal.
    pub budget_share: Option<f64>,
    /// What is generally known of such an expense.
    pub base: ExpenseBase,
    /// Set when the amount is beyond what such an expense typically takes of this budget; holds the figures.
    pub warning: Option<String>,
    /// Ways to split it, each exact to the minor unit; the one that holds stands first.
    #[serde(default)]
    pub splits: Vec<SplitSuggestion>,
    /// What each category takes of the event's budget with this expense, the largest first.
    #[serde(default)]
    pub budget_use: Vec<CategoryUse>,
    /// Who owes whom with this expense, in the fewest transfers, in its currency.
    #[serde(default)]
    pub transfers: Vec<Transfer>,
}

/// How an expense may be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// As the message said.
    AsSaid,
    /// Everybody the same.
    Equal,
    /// Each by their parts.
    ByShares,
    /// The same for all who took part in such expenses before.
    WithoutAbsent,
}

/// One way to split an expense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitSuggestion {
    /// Which way.
    pub kind: SplitKind,
    /// Everybody's part; sums to the amount.
    pub shares: Vec<Share>,
}

/// What a category takes of an event's budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryUse {
    /// The category.
    pub category: String,
    /// Spent or due, in minor units of the event's currency.
    pub minor: i64,
    /// Of the budget, in per cent with one decimal.
    pub per_cent: f64,
}

/// A poll.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PollEnrichment {
    /// The question.
    pub question: String,
    /// The choices.
    pub options: Vec<String>,
    /// The emoji or mark that stands for each choice, in the same order; empty where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// What speaks for and against each choice.
    #[serde(default)]
    pub views: Vec<OptionView>,
    /// The choice that is advised, and why; none where nothing tells them apart.
    #[serde(default)]
    pub recommendation: Option<Recommendation>,
}

/// The choice of a poll that is advised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The choice, as the poll has it.
    pub option: String,
    /// Why, in one line.
    pub reason: String,
}

/// A question and what the records say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerEnrichment {
    /// What was asked about.
    pub query: QueryEntities,
    /// The answer; "I don't know" when the records do not say.
    pub answer: String,
    /// IDs of the rows that it rests on.
    pub sources: Vec<uuid::Uuid>,
}

/// The structured answer for a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Enrichment {
    /// Of `task_creation`.
    Task(TaskEnrichment),
    /// Of `expense_entry`.
    Expense(ExpenseEnrichment),
    /// Of `poll_creation`.
    Poll(PollEnrichment),
    /// Of `query`.
    Answer(AnswerEnrichment),
}

/// What a settled message contributes to the fold: an answer, a change to a row
/// that is there, or both when the change carries new figures (a correction).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// A structured answer that may open a row, or meet one that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrichment: Option<Enrichment>,
    /// A change to a row that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
}

impl Contribution {
    /// Whether the fold must be redone for it; answers to questions change no row.
    pub fn changes_rows(&self) -> bool {
        self.follow_up.is_some()
            || match &self.enrichment {
                Some(Enrichment::Task(_) | Enrichment::Expense(_) | Enrichment::Poll(_)) => true,
                Some(Enrichment::Answer(_)) | None => false,
            }
    }
}
