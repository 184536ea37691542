//! The summary of one event: what came of it, and what it cost.
//!
//! A pure function of the store's report. Sums are made in minor units and
//! nano-dollars, and become decimals only when they are written; only the event's
//! own currency is added up, others stand apart, and what was cancelled counts
//! nowhere. The field names and their order are a contract with scripts.

use std::time::Duration;

use jiff::civil::Date;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::intent::Intent;
use crate::domain::money::{Currency, transfers};
use crate::domain::projection::{ExpenseRow, PollRow, TaskRow, TaskStatus, balances};
use crate::domain::suggestion::{SuggestionRow, SuggestionStatus};
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{ContextRows, EventReport};

/// An amount of the group's money; written in major units, exactly: `64.95`, `380`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// In minor units.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        write_decimal(self.minor, 10i64.pow(self.currency.minor_digits()), to)
    }
}

/// What models cost; written in US dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(pub NanoUsd);

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        write_decimal(self.0.0, 1_000_000_000, to)
    }
}

/// Whole numbers without decimals; else the nearest double, which prints the digits that went in.
fn write_decimal<S: Serializer>(units: i64, scale: i64, to: S) -> Result<S::Ok, S::Error> {
    if units % scale == 0 {
        to.serialize_i64(units / scale)
    } else {
        to.serialize_f64(units as f64 / scale as f64)
    }
}

/// Named figures in an order of their own; written as an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A task of the group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskLine {
    /// What is to be done, as a short order.
    pub title: String,
    /// The thing.
    pub object: String,
    /// Names, `someone`, `everyone`, or nobody yet.
    pub assignee: Option<String>,
    /// By when.
    pub due: Option<Date>,
    /// How far it is.
    pub status: TaskStatus,
    /// By when, as was said; for people, where there is no date.
    #[serde(skip)]
    pub due_said: Option<String>,
}

/// An expense of the group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpenseLine {
    /// What it was for.
    pub what: String,
    /// How much.
    pub amount: Amount,
    /// Its currency.
    pub currency: Currency,
    /// One of the expense categories.
    pub category: String,
    /// The payer's name, if that is known.
    pub paid_by: Option<String>,
    /// Names of those who share it; `None` means everybody.
    pub split_between: Option<Vec<String>>,
    /// Paid, due or cancelled.
    pub status: ExpenseStatus,
}

/// A poll of the group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PollLine {
    /// The question.
    pub question: String,
    /// The choices.
    pub options: Vec<String>,
    /// The choice that leads alone.
    pub result: Option<String>,
    /// Votes for each choice; for people.
    #[serde(skip)]
    pub votes: Vec<usize>,
}

/// An answered question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerLine {
    /// The message that asked.
    pub message_id: String,
    /// What was asked.
    pub question: String,
    /// What the records say.
    pub answer: String,
    /// IDs of the rows that it rests on.
    pub sources: Vec<uuid::Uuid>,
}

/// A payment that would help to settle the group's debts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TransferLine {
    /// The name of who pays.
    pub from: String,
    /// The name of who is paid.
    pub to: String,
    /// How much, in the event's currency.
    pub amount: Amount,
}

/// What the group may do next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuggestionLine {
    /// Its ID, by which it can be dismissed.
    pub id: Uuid,
    /// What it would be done as.
    pub title: String,
    /// The thing.
    pub object: String,
    /// Why now.
    pub reason: String,
    /// By when.
    pub due: Option<Date>,
    /// Open or dismissed.
    pub status: SuggestionStatus,
}

/// What came of an event's chat, and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many messages the event has.
    pub messages: u64,
    /// Settled messages by intent, every intent named.
    pub by_intent: Named<u64>,
    /// All tasks, also done and cancelled ones.
    pub tasks: Vec<TaskLine>,
    /// All expenses, also cancelled ones.
    pub expenses: Vec<ExpenseLine>,
    /// All polls.
    pub polls: Vec<PollLine>,
    /// All answered questions.
    pub answers: Vec<AnswerLine>,
    /// All suggestions, also dismissed ones, in the order in which they were made.
    pub suggestions: Vec<SuggestionLine>,
    /// What was paid, in the event's currency.
    pub total_spent: Amount,
    /// What is due, in the event's currency.
    pub total_outstanding: Amount,
    /// What was paid or is due in each other currency, by code.
    pub other_currencies: Named<Amount>,
    /// What each person paid, in the event's currency; those who paid nothing are left out.
    pub per_person_paid: Named<Amount>,
    /// The payments that would bring everybody to even, in the event's currency.
    pub transfers: Vec<TransferLine>,
    /// Answers from the cache.
    pub cache_hits: u64,
    /// HTTP requests to a model.
    pub model_calls: u64,
    /// Their tokens.
    pub total_tokens: u64,
    /// What they cost.
    pub total_cost: Dollars,
    /// What cache hits avoided.
    pub avoided_cost: Dollars,
    /// What one full-context call per message would have cost; `None` when the model has no price.
    pub naive_cost: Option<Dollars>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Summary {
    /// The summary of a report; [`naive_cost`] gives the second figure.
    pub fn of(report: &EventReport, naive_cost: Option<NanoUsd>, took: Duration) -> Self {
        let (event, rows) = (&report.event, &report.rows);
        let money = Money { event, expenses: &rows.expenses };
        Self {
            messages: report.messages.len() as u64,
            by_intent: by_intent(&report.by_intent),
            tasks: rows.tasks.iter().map(task_line).collect(),
            expenses: rows.expenses.iter().map(|row| expense_line(event, row)).collect(),
            polls: rows.polls.iter().map(poll_line).collect(),
            answers: answer_lines(report),
            suggestions: report.suggestions.iter().map(suggestion_line).collect(),
            total_spent: money.total(ExpenseStatus::Paid),
            total_outstanding: money.total(ExpenseStatus::Due),
            other_currencies: money.others(),
            per_person_paid: money.per_person(),
            transfers: transfer_lines(report),
            cache_hits: report.cache_hits,
            model_calls: u64::from(report.spent.calls),
            total_tokens: report.spent.usage.total(),
            total_cost: Dollars(report.spent.cost),
            avoided_cost: Dollars(report.avoided_cost),
            naive_cost: naive_cost.map(Dollars),
            duration_ms: took.as_millis() as u64,
        }
    }
}

fn by_intent(counted: &[(Intent, u64)]) -> Named<u64> {
    let count = |intent| counted.iter().filter(|(it, _)| *it == intent).map(|(_, n)| n).sum();
    Named(Intent::ALL.map(|intent| (intent.name().to_owned(), count(intent))).into())
}

fn task_line(row: &TaskRow) -> TaskLine {
    TaskLine {
        title: row.title.clone(),
        object: row.object.clone(),
        assignee: row.assignee.clone(),
        due: row.due,
        status: row.status,
        due_said: row.due_said.clone(),
    }
}

fn expense_line(event: &Event, row: &ExpenseRow) -> ExpenseLine {
    let names = |people: &Vec<PersonId>| people.iter().map(|it| shown_name(event, it)).collect();
    ExpenseLine {
        what: row.what.clone(),
        amount: Amount { minor: row.minor, currency: row.currency },
        currency: row.currency,
        category: row.category.clone(),
        paid_by: row.paid_by.as_ref().map(|person| shown_name(event, person)),
        split_between: row.split_between.as_ref().map(names),
        status: row.status,
    }
}

fn poll_line(row: &PollRow) -> PollLine {
    PollLine {
        question: row.question.clone(),
        options: row.options.iter().map(|option| option.text.clone()).collect(),
        result: row.result().map(str::to_owned),
        votes: row.options.iter().map(|option| option.votes.len()).collect(),
    }
}

fn answer_lines(report: &EventReport) -> Vec<AnswerLine> {
    let lines = report.answers.iter().map(|answered| AnswerLine {
        message_id: answered.message.as_str().to_owned(),
        question: answered.question.clone(),
        answer: answered.answer.clone(),
        sources: answered.sources.clone(),
    });
    lines.collect()
}

fn suggestion_line(row: &SuggestionRow) -> SuggestionLine {
    let suggestion = &row.suggestion;
    SuggestionLine {
        id: suggestion.id,
        title: suggestion.title.clone(),
        object: suggestion.object.clone(),
        reason: suggestion.reason.clone(),
        due: suggestion.due,
        status: row.status,
    }
}

fn transfer_lines(report: &EventReport) -> Vec<TransferLine> {
    let (event, currency) = (&report.event, report.event.currency);
    let open = balances(&report.rows, currency, &event.people());
    let line = |transfer: crate::domain::money::Transfer| TransferLine {
        from: shown_name(event, &transfer.from),
        to: shown_name(event, &transfer.to),
        amount: Amount { minor: transfer.minor, currency },
    };
    transfers(&open).into_iter().map(line).collect()
}

/// The name, with the ID beside it where two participants share the name.
fn shown_name(event: &Event, person: &PersonId) -> String {
    let name = event.name_of(person);
    let namesakes = event.participants.iter().filter(|it| it.name == name).count();
    if namesakes > 1 { format!("{name} ({person})") } else { name.to_owned() }
}

/// The sums over an event's expenses.
struct Money<'a> {
    event: &'a Event,
    expenses: &'a [ExpenseRow],
}

impl Money<'_> {
    fn own(&self, status: ExpenseStatus) -> impl Iterator<Item = &ExpenseRow> {
        let currency = self.event.currency;
        self.expenses.iter().filter(move |row| row.currency == currency && row.status == status)
    }

    fn total(&self, status: ExpenseStatus) -> Amount {
        let minor = self.own(status).map(|row| row.minor).sum();
        Amount { minor, currency: self.event.currency }
    }

    fn others(&self) -> Named<Amount> {
        let mut sums: Vec<(String, Amount)> = Vec::new();
        for row in self.expenses {
            if row.currency == self.event.currency || row.status == ExpenseStatus::Cancelled {
                continue;
            }
            add(&mut sums, row.currency.code(), row.minor, row.currency);
        }
        sums.sort_by(|one, other| one.0.cmp(&other.0));
        Named(sums)
    }

    /// In participant order, strangers after them.
    fn per_person(&self) -> Named<Amount> {
        let currency = self.event.currency;
        let mut sums: Vec<(String, Amount)> = Vec::new();
        for person in self.event.people() {
            add(&mut sums, &shown_name(self.event, &person), 0, currency);
        }
        for row in self.own(ExpenseStatus::Paid) {
            let Some(payer) = &row.paid_by else { continue };
            add(&mut sums, &shown_name(self.event, payer), row.minor, currency);
        }
        sums.retain(|(_, amount)| amount.minor != 0);
        Named(sums)
    }
}

fn add(sums: &mut Vec<(String, Amount)>, name: &str, minor: i64, currency: Currency) {
    match sums.iter_mut().find(|(known, _)| known == name) {
        Some((_, amount)) => amount.minor += minor,
        None => sums.push((name.to_owned(), Amount { minor, currency })),
    }
}

/// How far back a full context looks.
const NAIVE_MESSAGES: usize = 200;
/// How many tasks a full context holds.
const NAIVE_TASKS: usize = 100;
/// How long a model's answer is taken to be, in tokens.
const NAIVE_OUTPUT: u64 = 300;

/// What the same chat would have cost with one full-context call per message.
///
/// `tokens_of` counts the tokens of prompt, context and message, `price` prices a call; the
/// rows are those opened before each message, as they stand now. `None` when a call has no price.
pub fn naive_cost(
    report: &EventReport,
    tokens_of: impl Fn(&Message, &ContextRows) -> u64,
    price: impl Fn(&Usage) -> Option<NanoUsd>,
) -> Option<NanoUsd> {
    let mut tasks = report.rows.tasks.iter().peekable();
    let mut expenses = report.rows.expenses.iter().peekable();
    let mut past = ContextRows::default();
    let mut total = NanoUsd::ZERO;
    for message in report.messages.iter().filter(|message| message.deleted_at.is_none()) {
        while let Some(task) = tasks.next_if(|row| row.opened_at < message.sent_at) {
            past.tasks.push(task.clone());
        }
        while let Some(expense) = expenses.next_if(|row| row.opened_at < message.sent_at) {
            past.expenses.push(expense.clone());
        }
        keep_newest(&mut past.tasks, NAIVE_TASKS);
        let usage =
            Usage { input: tokens_of(message, &past), output: NAIVE_OUTPUT, ..Usage::default() };
        total += price(&usage)?;
        past.messages.push(message.clone());
        keep_newest(&mut past.messages, NAIVE_MESSAGES);
    }
    Some(total)
}

fn keep_newest<T>(rows: &mut Vec<T>, most: usize) {
    let surplus = rows.len().saturating_sub(most);
    rows.drain(..surplus);
}

#[cfg(test)]
mod tests;
