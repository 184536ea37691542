//! The fold itself: contributions in, rows out.

use super::ballot::{Sureness, pick};
use super::likeness::{agreement, names};
use super::matching::{
    Call, corrected_expense, done_task, due_expense, expense_again, open_task, task_again,
};
use super::past::{Past, hours};
use super::{
    Effect, Entry, ExpenseRow, PollOption, PollRow, Projections, RepaymentRow, SourceRow, TaskRow,
    TaskStatus, row_id,
};
use crate::domain::chat::Event;
use crate::domain::enrichment::{
    Enrichment, ExpenseEnrichment, ExpenseStatus, PollEnrichment, TaskEnrichment,
};
use crate::domain::ids::PersonId;
use crate::domain::intent::{FollowUp, FollowUpKind, Target};
use crate::domain::money::split_equally;
use jiff::Timestamp;
use std::collections::HashSet;
use uuid::Uuid;

/// For how many hours what was said last may be meant by an answer that names nothing.
const FRESH: f64 = 48.0;
/// For how many hours after its last vote a poll takes votes.
const POLLED: f64 = 21.0 * 24.0;

/// The rows that these contributions yield, whatever order they are given in.
pub fn fold(event: &Event, mut entries: Vec<Entry>) -> Projections {
    entries.sort_by(|a, b| (a.sent_at, &a.message).cmp(&(b.sent_at, &b.message)));
    let mut fold = Fold { event, rows: Projections::default(), past: Past::default(), closed: HashSet::new() };
    for entry in &entries {
        if let Some((projection, effect)) = fold.apply(entry) {
            fold.past.push(entry, projection, effect);
            fold.rows.sources.push(SourceRow {
                message: entry.message.clone(),
                projection,
                effect,
            });
        }
    }
    fold.rows
}

struct Fold<'a> {
    event: &'a Event,
    rows: Projections,
    past: Past,
    /// Polls that were called off.
    closed: HashSet<Uuid>,
}

/// A row and what was done to it.
type Done = Option<(Uuid, Effect)>;

impl Fold<'_> {
    fn apply(&mut self, entry: &Entry) -> Done {
        let follow_up = entry.contribution.follow_up.as_ref();
        match (&entry.contribution.enrichment, follow_up) {
            (Some(Enrichment::Expense(expense)), Some(change))
                if change.kind == FollowUpKind::Correction =>
            {
                self.correct(entry, &change.target, expense).or_else(|| self.expense(entry, expense))
            }
            (Some(Enrichment::Expense(expense)), Some(change))
                if change.kind == FollowUpKind::Completion =>
            {
                // The message's one effect is on its expense; that the task is done follows from it.
                self.complete(entry, &change.target, Some(expense));
                self.expense(entry, expense)
            }
            (Some(Enrichment::Task(task)), _) => self.task(entry, task),
            (Some(Enrichment::Expense(expense)), _) => self.expense(entry, expense),
            (Some(Enrichment::Poll(poll)), _) => self.poll(entry, poll),
            (Some(Enrichment::Answer(_)) | None, Some(change)) => self.follow_up(entry, change),
            (Some(Enrichment::Answer(_)) | None, None) => None,
        }
    }

    fn task(&mut self, entry: &Entry, task: &TaskEnrichment) -> Done {
        if let Some(row) = task_again(&mut self.rows.tasks, task) {
            if task.assignee.is_some() && row.assignee.as_deref().is_none_or(|who| who == "someone")
            {
                row.assignee.clone_from(&task.assignee);
            }
            if task.due_said.is_some() {
                row.due_said.clone_from(&task.due_said);
                row.due = task.due;
            }
            return Some((row.id, Effect::Confirmed));
        }
        let id = row_id(&self.event.id, &entry.message);
        self.rows.tasks.push(TaskRow {
            id,
            title: task.title.clone(),
            object: task.object.clone(),
            action: task.action.clone(),
            assignee: task.assignee.clone(),
            due_said: task.due_said.clone(),
            due: task.due,
            status: TaskStatus::Open,
            opened_at: entry.sent_at,
        });
        Some((id, Effect::Opened))
    }

    fn expense(&mut self, entry: &Entry, expense: &ExpenseEnrichment) -> Done {
        if let Some(row) = expense_again(&mut self.rows.expenses, expense) {
            let now_paid =
                row.status == ExpenseStatus::Due && expense.status == ExpenseStatus::Paid;
            if now_paid {
                row.status = ExpenseStatus::Paid;
            }
            if row.paid_by.is_none() {
                row.paid_by.clone_from(&expense.paid_by);
            }
            if expense.split_between.is_some() {
                row.split_between.clone_from(&expense.split_between);
                row.shares.clone_from(&expense.shares);
            }
            return Some((row.id, if now_paid { Effect::Paid } else { Effect::Confirmed }));
        }
        let id = row_id(&self.event.id, &entry.message);
        self.rows.expenses.push(ExpenseRow {
            id,
            what: expense.what.clone(),
            minor: expense.minor,
            currency: expense.currency,
            category: expense.category.clone(),
            paid_by: expense.paid_by.clone(),
            split_between: expense.split_between.clone(),
            shares: expense.shares.clone(),
            status: expense.status,
            opened_at: entry.sent_at,
        });
        Some((id, Effect::Opened))
    }

    fn correct(&mut self, entry: &Entry, target: &Target, expense: &ExpenseEnrichment) -> Done {
        let call = call(self.event, entry, target, Some(expense));
        let row = corrected_expense(
            &mut self.rows.expenses,
            &self.past,
            &call,
            target.minor,
            expense,
        )?;
        row.minor = expense.minor;
        let people = row.split_between.clone().unwrap_or_else(|| self.event.people());
        row.shares = split_equally(row.minor, &people);
        Some((row.id, Effect::Corrected))
    }

    fn poll(&mut self, entry: &Entry, poll: &PollEnrichment) -> Done {
        let again = self.rows.polls.iter().rev().find(|row| {
            row.question == poll.question
                && row.options.iter().map(|o| &o.text).eq(poll.options.iter())
        });
        if let Some(row) = again {
            return Some((row.id, Effect::Confirmed));
        }
        let id = row_id(&self.event.id, &entry.message);
        let options = poll
            .options
            .iter()
            .map(|text| PollOption { text: text.clone(), votes: Vec::new() })
            .collect();
        self.rows.polls.push(PollRow {
            id,
            question: poll.question.clone(),
            options,
            opened_at: entry.sent_at,
        });
        Some((id, Effect::Opened))
    }

    fn follow_up(&mut self, entry: &Entry, change: &FollowUp) -> Done {
        match change.kind {
            FollowUpKind::Correction => None,
            FollowUpKind::Cancellation => self.cancel(entry, &change.target),
            FollowUpKind::Completion => self.complete(entry, &change.target, None),
            FollowUpKind::Vote => self.vote(entry, &change.target),
            FollowUpKind::Repayment => self.repay(entry, &change.target),
            FollowUpKind::Retraction => self.retract(entry, &change.target),
        }
    }

    fn cancel(&mut self, entry: &Entry, target: &Target) -> Done {
        let call = call(self.event, entry, target, None);
        if let Some(row) = open_task(&mut self.rows.tasks, &self.past, &call) {
            row.status = TaskStatus::Cancelled;
            return Some((row.id, Effect::Cancelled));
        }
        if let Some(row) = due_expense(&mut self.rows.expenses, &call) {
            row.status = ExpenseStatus::Cancelled;
            return Some((row.id, Effect::Cancelled));
        }
        let polls = self.rows.polls.iter().rev().filter(|row| !self.closed.contains(&row.id));
        let about = |row: &&PollRow| {
            call.names.first().is_some_and(|name| agreement(&row.question, name) >= 2)
        };
        let poll = polls.filter(|row| hours(row.opened_at, entry.sent_at) < FRESH).find(about)?.id;
        self.closed.insert(poll);
        Some((poll, Effect::Cancelled))
    }

    fn complete(
        &mut self,
        entry: &Entry,
        target: &Target,
        expense: Option<&ExpenseEnrichment>,
    ) -> Done {
        let call = call(self.event, entry, target, expense);
        let row = done_task(&mut self.rows.tasks, &self.past, &call)?;
        row.status = TaskStatus::Done;
        Some((row.id, Effect::Completed))
    }

    fn vote(&mut self, entry: &Entry, target: &Target) -> Done {
        let (poll, option) = self.choice(entry, target)?;
        let row = self.rows.polls.get_mut(poll)?;
        for choice in &mut row.options {
            choice.votes.retain(|voter| *voter != entry.sender);
        }
        row.options.get_mut(option)?.votes.push(entry.sender.clone());
        Some((row.id, Effect::Voted))
    }

    /// The poll and the choice that a vote is for: the latest poll that has what was said.
    fn choice(&self, entry: &Entry, target: &Target) -> Option<(usize, usize)> {
        let open = |(_, row): &(usize, &PollRow)| {
            !self.closed.contains(&row.id)
                && self.past.hours_since(row.id, entry.sent_at) < POLLED
        };
        for (poll, row) in self.rows.polls.iter().enumerate().rev().filter(open) {
            let options: Vec<&str> = row.options.iter().map(|option| option.text.as_str()).collect();
            let fresh = self.past.hours_since(row.id, entry.sent_at) < FRESH;
            for said in names(target.thing.as_deref()) {
                match pick(&options, &[], said) {
                    Some((option, Sureness::Word)) => return Some((poll, option)),
                    Some((option, Sureness::Place)) if fresh => return Some((poll, option)),
                    Some(_) | None => {}
                }
            }
        }
        self.choice_of_another(entry, target)
    }

    /// "same", "with Paulina": the choice of who voted last, or of the one who is named.
    fn choice_of_another(&self, entry: &Entry, target: &Target) -> Option<(usize, usize)> {
        let named = target.person.as_deref().and_then(|name| self.event.person_named(name));
        let says_same = names(target.thing.as_deref()).any(|said| said == "same");
        let mut votes = self.past.latest().filter(|touch| {
            touch.effect == Effect::Voted
                && touch.by != entry.sender
                && named.is_none_or(|person| person.id == touch.by)
                && hours(touch.at, entry.sent_at) < FRESH
        });
        let other = votes.next().filter(|_| says_same || named.is_some())?;
        let poll = self.rows.polls.iter().position(|row| row.id == other.row)?;
        let options = &self.rows.polls.get(poll)?.options;
        let option = options.iter().position(|option| option.votes.contains(&other.by))?;
        Some((poll, option))
    }

    fn repay(&mut self, entry: &Entry, target: &Target) -> Done {
        let received = target.minor.filter(|minor| *minor < 0);
        let (from, to, minor) = match received {
            Some(minor) => {
                let from = self.event.person_named(target.person.as_deref()?)?.id.clone();
                (from, entry.sender.clone(), -minor)
            }
            None => {
                let (to, minor) = self.debt(entry, target)?;
                (entry.sender.clone(), to, minor)
            }
        };
        if from == to {
            return None;
        }
        let id = row_id(&self.event.id, &entry.message);
        let currency = self.event.currency;
        self.rows.repayments.push(RepaymentRow {
            id,
            from,
            to,
            minor,
            currency,
            opened_at: entry.sent_at,
        });
        Some((id, Effect::Repaid))
    }

    /// Whom a repayment went to, and how much: what was said, completed from the expense it is for.
    fn debt(&self, entry: &Entry, target: &Target) -> Option<(PersonId, i64)> {
        let named = target.person.as_deref().and_then(|name| self.event.person_named(name));
        let sum = target.minor.filter(|minor| *minor > 0);
        if let (Some(person), Some(sum)) = (named, sum) {
            return (person.id != entry.sender).then(|| (person.id.clone(), sum));
        }
        let things: Vec<&str> = names(target.thing.as_deref()).collect();
        let share = |row: &ExpenseRow| {
            let own = row.shares.iter().find(|share| share.person == entry.sender);
            own.map(|share| share.minor)
        };
        let repaid_now = self.past.latest().find(|touch| touch.effect == Effect::Repaid);
        let repaid_now = repaid_now.filter(|touch| hours(touch.at, entry.sent_at) < FRESH);
        let last = self.rows.repayments.iter().find(|row| repaid_now.is_some_and(|it| it.row == row.id));
        let owed = self.rows.expenses.iter().filter_map(|row| {
            let to = row.paid_by.as_ref().filter(|payer| **payer != entry.sender)?;
            let listed = self.event.participants.iter().any(|person| person.id == *to);
            let meant = listed && named.is_none_or(|person| person.id == *to)
                && row.status == ExpenseStatus::Paid
                && row.currency == self.event.currency;
            let due = share(row);
            let sum_fits = sum.is_some_and(|sum| {
                sum == row.minor || due.is_some_and(|due| (due - sum).abs() * 100 <= due)
            });
            let about = things.iter().any(|thing| agreement(&row.what, thing) > 0);
            let fresh = self.past.hours_since(row.id, entry.sent_at) < FRESH;
            // "same, sent": others just repaid this person for this.
            let alike = last.is_some_and(|last| {
                last.to == *to && row.shares.iter().any(|it| it.person == last.from && it.minor == last.minor)
            });
            let mark = (sum_fits, about, alike, fresh);
            let sure = sum_fits || alike || fresh || about && (named.is_some() || sum.is_some());
            let sum = sum.or(due)?;
            (meant && sure).then_some((mark, self.past.place(row.id), to.clone(), sum))
        });
        let (_, _, to, minor) = owed.max_by_key(|(mark, place, ..)| (*mark, *place))?;
        (minor > 0).then_some((to, minor))
    }

    /// Takes back the latest row that the sender opened; with a thing, the latest one about it.
    fn retract(&mut self, entry: &Entry, target: &Target) -> Done {
        let call = call(self.event, entry, target, None);
        let own: Vec<(Uuid, Timestamp)> = self
            .past
            .latest()
            .filter(|touch| touch.effect == Effect::Opened && touch.by == entry.sender)
            .map(|touch| (touch.row, touch.at))
            .collect();
        let of_sum = |row: Uuid| {
            let mut rows = self.rows.expenses.iter().filter(|expense| expense.id == row);
            rows.any(|expense| Some(expense.minor) == target.minor)
        };
        let priced = own.iter().find(|(row, _)| of_sum(*row) && self.standing_name(*row).is_some());
        let named = own.iter().find(|(row, _)| {
            self.standing_name(*row).is_some_and(|name| call.names.iter().any(|it| agreement(name, it) > 0))
        });
        let latest = || {
            let mut fresh = own.iter().filter(|(_, at)| hours(*at, entry.sent_at) < FRESH);
            fresh.find(|(row, _)| self.standing_name(*row).is_some())
        };
        let row = priced.or(named).or_else(latest)?.0;
        for expense in self.rows.expenses.iter_mut().filter(|expense| expense.id == row) {
            expense.status = ExpenseStatus::Cancelled;
        }
        for task in self.rows.tasks.iter_mut().filter(|task| task.id == row) {
            task.status = TaskStatus::Cancelled;
        }
        if self.rows.polls.iter().any(|poll| poll.id == row) {
            self.closed.insert(row);
        }
        Some((row, Effect::Cancelled))
    }

    /// What a row is about, when there is something left to take back.
    fn standing_name(&self, id: Uuid) -> Option<&str> {
        let expense = self.rows.expenses.iter().find(|row| row.id == id);
        if let Some(row) = expense.filter(|row| row.status != ExpenseStatus::Cancelled) {
            return Some(&row.what);
        }
        let task = self.rows.tasks.iter().find(|row| row.id == id);
        if let Some(row) = task.filter(|row| row.status == TaskStatus::Open) {
            return Some(&row.object);
        }
        let poll = self.rows.polls.iter().find(|row| row.id == id);
        poll.filter(|row| !self.closed.contains(&row.id)).map(|row| row.question.as_str())
    }
}

/// What an entry says of its target, for the search for it; the expense it books may name it too.
fn call<'a>(
    event: &'a Event,
    entry: &'a Entry,
    target: &'a Target,
    expense: Option<&'a ExpenseEnrichment>,
) -> Call<'a> {
    let what = expense.map(|expense| expense.what.as_str());
    Call {
        names: names(target.thing.as_deref()).chain(what).collect(),
        category: expense.map(|expense| expense.category.as_str()).filter(|name| *name != "other"),
        by: &entry.sender,
        name: event.name_of(&entry.sender),
        at: entry.sent_at,
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
