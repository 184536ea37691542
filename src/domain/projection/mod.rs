//! Projections: what the group knows, as rows.
//!
//! Tasks, expenses, polls and repayments are a fold: a pure function of the
//! event's contributions in (`sent_at`, `id`) order. The order in which
//! messages were worked on never shows.

mod likeness;
mod ballot;
mod past;
mod matching;
mod votes;
mod debts;
mod fold;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::enrichment::{Contribution, ExpenseStatus};
use super::ids::{EventId, MessageId, PersonId, derived_uuid};
use super::money::{Currency, Share, fitted};

pub use fold::fold;

/// One message's part in the fold.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The message.
    pub message: MessageId,
    /// When it was sent: the fold's order.
    pub sent_at: Timestamp,
    /// Who sent it.
    pub sender: PersonId,
    /// What it contributes.
    pub contribution: Contribution,
}

/// Whether a task is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Still to do.
    Open,
    /// Done.
    Done,
    /// Called off.
    Cancelled,
}

impl TaskStatus {
    /// The status's name in rows and summaries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A task of the group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRow {
    /// Its own ID, derived from the message that opened it.
    pub id: Uuid,
    /// What is to be done, as a short order.
    pub title: String,
    /// The thing.
    pub object: String,
    /// What is done to it.
    pub action: String,
    /// Participants' names, `someone` or `everyone`.
    pub assignee: Option<String>,
    /// By when, as was said.
    pub due_said: Option<String>,
    /// By when.
    pub due: Option<Date>,
    /// How far it is.
    pub status: TaskStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// An expense of the group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpenseRow {
    /// Its own ID, derived from the message that opened it.
    pub id: Uuid,
    /// What it was for.
    pub what: String,
    /// In minor units.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// One of the expense categories.
    pub category: String,
    /// Who paid, if that is known.
    pub paid_by: Option<PersonId>,
    /// Who shares it, as was said; `None` means everybody.
    pub split_between: Option<Vec<PersonId>>,
    /// Everybody's part.
    pub shares: Vec<Share>,
    /// Paid, due or cancelled.
    pub status: ExpenseStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// A choice of a poll, with who voted for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PollOption {
    /// The choice.
    pub text: String,
    /// The emoji or mark that stands for it; empty where none does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Who votes for it, in the order of their last votes.
    pub votes: Vec<PersonId>,
}

/// A poll of the group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PollRow {
    /// Its own ID, derived from the message that opened it.
    pub id: Uuid,
    /// The question.
    pub question: String,
    /// The choices.
    pub options: Vec<PollOption>,
    /// When it was opened.
    pub opened_at: Timestamp,
}

impl PollRow {
    /// The choice with the most votes; `None` without votes or when two are level.
    pub fn result(&self) -> Option<&str> {
        let most = self.options.iter().map(|o| o.votes.len()).max().filter(|most| *most > 0)?;
        let mut leading = self.options.iter().filter(|o| o.votes.len() == most);
        let first = leading.next()?;
        leading.next().is_none().then_some(first.text.as_str())
    }
}

/// Money that one participant sent another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepaymentRow {
    /// Its own ID, derived from the message that reported it.
    pub id: Uuid,
    /// Who sent it.
    pub from: PersonId,
    /// Who received it.
    pub to: PersonId,
    /// In minor units.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// When it was reported.
    pub opened_at: Timestamp,
}

/// What a message did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Made it.
    Opened,
    /// Said it again, perhaps with more detail.
    Confirmed,
    /// Changed its figures.
    Corrected,
    /// Paid what was due.
    Paid,
    /// Did it.
    Completed,
    /// Called it off.
    Cancelled,
    /// Voted in it.
    Voted,
    /// Sent money back.
    Repaid,
}

impl Effect {
    /// The effect's name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Confirmed => "confirmed",
            Self::Corrected => "corrected",
            Self::Paid => "paid",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Voted => "voted",
            Self::Repaid => "repaid",
        }
    }
}

/// Which message did what to which row; a message has at most one effect.
///
/// A message that books an expense has its effect there, also when it says or shows that a task is
/// done: that the task is done then follows in the fold, as a share follows from an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// The message.
    pub message: MessageId,
    /// The row.
    pub projection: Uuid,
    /// What it did.
    pub effect: Effect,
}

/// All rows of an event, in the order in which they were opened.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projections {
    /// Its tasks.
    pub tasks: Vec<TaskRow>,
    /// Its expenses.
    pub expenses: Vec<ExpenseRow>,
    /// Its polls.
    pub polls: Vec<PollRow>,
    /// Its repayments.
    pub repayments: Vec<RepaymentRow>,
    /// Which messages they rest on.
    pub sources: Vec<SourceRow>,
}

/// The ID of the row that a message opens.
pub fn row_id(event: &EventId, opener: &MessageId) -> Uuid {
    derived_uuid(&["projection", event.as_str(), opener.as_str()])
}

/// What each person is owed (positive) or owes (negative) in one currency.
///
/// Only paid expenses of a known payer count, and repayments. The balances sum
/// to zero; people stand in the given order, others after them.
pub fn balances(
    rows: &Projections,
    currency: Currency,
    people: &[PersonId],
) -> Vec<(PersonId, i64)> {
    // Wider than an amount: a sum of extremes must not overflow on its way to a balance.
    let mut balances: Vec<(PersonId, i128)> =
        people.iter().map(|person| (person.clone(), 0)).collect();
    let mut add = |person: &PersonId, minor: i128| match balances
        .iter_mut()
        .find(|(known, _)| known == person)
    {
        Some((_, balance)) => *balance += minor,
        None => balances.push((person.clone(), minor)),
    };
    for expense in
        rows.expenses.iter().filter(|e| e.currency == currency && e.status == ExpenseStatus::Paid)
    {
        let Some(payer) = &expense.paid_by else { continue };
        if expense.shares.is_empty() {
            continue;
        }
        add(payer, expense.minor.into());
        for share in &expense.shares {
            add(&share.person, -i128::from(share.minor));
        }
    }
    for repayment in rows.repayments.iter().filter(|r| r.currency == currency) {
        add(&repayment.from, repayment.minor.into());
        add(&repayment.to, -i128::from(repayment.minor));
    }
    balances.into_iter().map(|(person, minor)| (person, fitted(minor))).collect()
}
