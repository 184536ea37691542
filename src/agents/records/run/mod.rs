//! From a [`RecordQuery`](Query) to an answer: arithmetic over rows, and words around it.
//!
//! Amounts stand with their currency and are exact; currencies are never added
//! up or converted. An answer is as of the rows that are given.

mod money;
mod shares;
mod tasks;
mod people;
mod polls;

use jiff::civil::Date;
use uuid::Uuid;

use super::matter::Matter;
use super::query::RecordQuery as Query;
use crate::domain::chat::Event;
use crate::domain::ids::PersonId;
use crate::domain::money::Currency;
use crate::domain::projection::{ExpenseRow, Projections};

/// An answer, and the rows that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the rows say.
    pub text: String,
    /// IDs of the rows; none where the answer rests on the event itself, or on there being no such row.
    pub sources: Vec<Uuid>,
}

impl Found {
    fn new(text: impl Into<String>, sources: Vec<Uuid>) -> Self {
        Self { text: text.into(), sources }
    }
}

/// The event and its rows, as of a day.
struct Records<'a> {
    event: &'a Event,
    rows: &'a Projections,
    asker: &'a PersonId,
    today: Date,
}

/// What the rows say; `None` when they do not.
///
/// The rows must be as of the question, and `today` its day on the group's calendar.
pub fn run(
    event: &Event,
    asker: &PersonId,
    today: Date,
    query: &Query,
    rows: &Projections,
) -> Option<Found> {
    Records { event, rows, asker, today }.answer(query)
}

impl<'a> Records<'a> {
    fn answer(&self, query: &'a Query) -> Option<Found> {
        match query {
            Query::Total { without } => self.total(without.as_deref()),
            Query::ByCategory => self.by_category(),
            Query::SpentOn { thing } => self.spent_on(thing),
            Query::Payment { thing, asks } => self.payment(thing, *asks),
            Query::PaidBy { person } => Some(self.paid_by(self.who(person))),
            Query::PaidByEach => self.paid_by_each(),
            Query::NotPaid => self.not_paid(),
            Query::PerHead { thing } => self.per_head(thing.as_deref()),
            Query::Share { person, thing } => self.share(self.who(person), thing.as_deref()),
            Query::Outstanding => Some(self.outstanding()),
            Query::Budget { asks } => self.budget(*asks),
            Query::Debts => Some(self.debts()),
            Query::DebtsOf { person, asks } => Some(self.debts_of(self.who(person), *asks)),
            Query::Biggest => self.biggest(),
            Query::LeftOver => Some(self.left_over()),
            Query::OpenTasks => Some(self.open_tasks()),
            Query::TasksOf { person } => Some(self.tasks_of(self.who(person))),
            Query::Task { thing, asks } => self.task(thing, *asks),
            Query::IsOn { thing, person } => self.is_on(thing, self.who(person)),
            Query::Overdue => Some(self.overdue()),
            Query::Unassigned => Some(self.unassigned()),
            Query::DoneTasks => Some(self.done_tasks()),
            Query::TaskCounts => Some(self.task_counts()),
            Query::DueUntil { until } => Some(self.due_until(*until)),
            Query::Participants => self.participants(),
            Query::Headcount => self.headcount(),
            Query::EventStart => self.event_start(),
            Query::DaysLeft => self.days_left(),
            Query::Due { thing } => self.due(thing),
            Query::NextDue => self.next_due(),
            Query::PollResult { thing } => self.poll_result(thing.as_deref()),
            Query::Won { choice } => self.won(choice),
            Query::VotesOf { person, thing } => self.votes_of(self.who(person), thing.as_deref()),
            Query::VotesFor { choice } => self.votes_for(choice),
            Query::NotVoted { thing } => self.not_voted(thing.as_deref()),
            Query::OpenPolls => Some(self.open_polls()),
            Query::NotKept => None,
        }
    }

    fn who(&self, person: &'a Option<PersonId>) -> &'a PersonId {
        person.as_ref().unwrap_or(self.asker)
    }

    fn matter(&self, thing: &str) -> Matter {
        Matter::of(thing)
    }
}

fn sum<'a>(rows: impl IntoIterator<Item = &'a ExpenseRow>) -> i64 {
    rows.into_iter().fold(0, |sum, row| sum.saturating_add(row.minor))
}

/// The sum in each currency, the event's first; never added over currencies.
fn sums(own: Currency, rows: &[&ExpenseRow]) -> String {
    let mut currencies: Vec<Currency> = rows.iter().map(|row| row.currency).collect();
    currencies.sort_by_key(|currency| (*currency != own, *currency));
    currencies.dedup();
    if currencies.is_empty() {
        return own.told(0);
    }
    let of = |currency: &Currency| {
        currency.told(sum(rows.iter().copied().filter(|row| row.currency == *currency)))
    };
    currencies.iter().map(of).collect::<Vec<_>>().join(" and ")
}

fn ids<'a>(rows: impl IntoIterator<Item = &'a ExpenseRow>) -> Vec<Uuid> {
    rows.into_iter().map(|row| row.id).collect()
}

fn day(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}
