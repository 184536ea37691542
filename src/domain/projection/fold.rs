//! The fold itself: contributions in, rows out.

use std::collections::HashSet;

use uuid::Uuid;

use super::debts::{Transfer, transfer};
use super::likeness::{agreement, names};
use super::matching::{
    Call, GAP, JUST_NOW, bought_task, corrected_expense, done_task, due_expense, expense_again,
    is_given, is_nameless, open_task, task_again,
};
use super::past::{FRESH, Past, Touch, hours};
use super::votes::{OpenPoll, choice};
use super::{
    Effect, Entry, ExpenseRow, PollOption, PollRow, Projections, RepaymentRow, SourceRow, TaskRow,
    TaskStatus, row_id,
};
use crate::domain::chat::Event;
use crate::domain::enrichment::{
    Enrichment, ExpenseEnrichment, ExpenseStatus, PollEnrichment, TaskEnrichment,
};
use crate::domain::intent::{FollowUp, FollowUpKind, Target};
use crate::domain::money::split_equally;

/// The rows that these contributions yield, whatever order they are given in.
pub fn fold(event: &Event, mut entries: Vec<Entry>) -> Projections {
    entries.sort_by(|a, b| (a.sent_at, &a.message).cmp(&(b.sent_at, &b.message)));
    let mut fold =
        Fold { event, rows: Projections::default(), past: Past::default(), closed: HashSet::new() };
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
                self.correct(entry, &change.target, expense)
                    .or_else(|| self.expense(entry, expense))
            }
            (Some(Enrichment::Expense(expense)), Some(change))
                if change.kind == FollowUpKind::Completion =>
            {
                // The message's one effect is on its expense; that the task is done follows from it,
                // where it is paid: what is due proves nothing done.
                if expense.status == ExpenseStatus::Paid {
                    self.complete(entry, &change.target, Some(expense));
                }
                self.expense(entry, expense)
            }
            (Some(Enrichment::Task(task)), _) => self.task(entry, task),
            (Some(Enrichment::Expense(expense)), _) if self.restates_total(expense) => None,
            (Some(Enrichment::Expense(expense)), _) => {
                self.buy(expense);
                self.expense(entry, expense)
            }
            (Some(Enrichment::Poll(poll)), _) => self.poll(entry, poll),
            (Some(Enrichment::Answer(_)) | None, Some(change)) => self.follow_up(entry, change),
            (Some(Enrichment::Answer(_)) | None, None) => None,
        }
    }

    fn task(&mut self, entry: &Entry, task: &TaskEnrichment) -> Done {
        if let Some(row) = task_again(self.event, &mut self.rows.tasks, &self.past, entry, task) {
            if task.assignee.is_some() && !is_given(self.event, row) {
                row.assignee.clone_from(&task.assignee);
            }
            // A gap ("we've no chairs") says nothing of how it is filled; who fills it does.
            if row.action == GAP && task.action != GAP {
                row.action.clone_from(&task.action);
                row.title.clone_from(&task.title);
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
            if is_nameless(&row.what, &row.category) {
                row.what.clone_from(&expense.what);
                row.category.clone_from(&expense.category);
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

    /// Whether a sum is exactly all that was spent so far: somebody adds up, and nobody paid again.
    fn restates_total(&self, expense: &ExpenseEnrichment) -> bool {
        let is_sum_of = |statuses: &[ExpenseStatus]| {
            let own = self.rows.expenses.iter().filter(|row| row.currency == expense.currency);
            let added: Vec<i128> = own
                .filter(|row| statuses.contains(&row.status))
                .map(|row| i128::from(row.minor))
                .collect();
            added.len() > 2 && added.iter().sum::<i128>() == i128::from(expense.minor)
        };
        is_sum_of(&[ExpenseStatus::Paid]) || is_sum_of(&[ExpenseStatus::Paid, ExpenseStatus::Due])
    }

    fn correct(&mut self, entry: &Entry, target: &Target, expense: &ExpenseEnrichment) -> Done {
        let call = call(self.event, entry, target, Some(expense));
        let row =
            corrected_expense(&mut self.rows.expenses, &self.past, &call, target.minor, expense)?;
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
        let option = |(place, text): (usize, &String)| PollOption {
            text: text.clone(),
            key: poll.keys.get(place).cloned().unwrap_or_default(),
            votes: Vec::new(),
        };
        let options = poll.options.iter().enumerate().map(option).collect();
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

    /// What somebody was to book or buy and has paid for is done, whether they say so or not.
    fn buy(&mut self, expense: &ExpenseEnrichment) {
        let Some(payer) =
            expense.paid_by.as_ref().filter(|_| expense.status == ExpenseStatus::Paid)
        else {
            return;
        };
        let payer = self.event.name_of(payer);
        if let Some(row) = bought_task(&mut self.rows.tasks, &self.past, expense, payer) {
            row.status = TaskStatus::Done;
        }
    }

    fn vote(&mut self, entry: &Entry, target: &Target) -> Done {
        let polls = self.rows.polls.iter().enumerate();
        let open: Vec<OpenPoll<'_>> = polls
            .filter(|(_, row)| !self.closed.contains(&row.id))
            .map(|(place, row)| OpenPoll { place, row })
            .collect();
        let (poll, option) = choice(self.event, &open, &self.past, entry, target)?;
        let row = self.rows.polls.get_mut(poll)?;
        for choice in &mut row.options {
            choice.votes.retain(|voter| *voter != entry.sender);
        }
        row.options.get_mut(option)?.votes.push(entry.sender.clone());
        Some((row.id, Effect::Voted))
    }

    fn repay(&mut self, entry: &Entry, target: &Target) -> Done {
        let Transfer { from, to, minor, currency } =
            transfer(self.event, &self.rows, &self.past, entry, target)?;
        let id = row_id(&self.event.id, &entry.message);
        let opened_at = entry.sent_at;
        self.rows.repayments.push(RepaymentRow { id, from, to, minor, currency, opened_at });
        Some((id, Effect::Repaid))
    }

    /// Takes back what the sender opened: the entry that is named or of that sum, else their latest.
    fn retract(&mut self, entry: &Entry, target: &Target) -> Done {
        let row = self.own_row(entry, target)?;
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

    fn own_row(&self, entry: &Entry, target: &Target) -> Option<Uuid> {
        let own = self
            .past
            .latest()
            .filter(|touch| touch.effect == Effect::Opened && touch.by == entry.sender);
        let own: Vec<(&Touch, &str)> =
            own.filter_map(|touch| Some((touch, self.standing_name(touch.row)?))).collect();
        let of_sum = |row: Uuid| {
            let mut rows = self.rows.expenses.iter();
            rows.any(|expense| expense.id == row && Some(expense.minor) == target.minor)
        };
        let is_named =
            |name: &str| names(target.thing.as_deref()).any(|it| agreement(name, it) > 0);
        let within =
            |limit| own.iter().filter(move |(touch, _)| hours(touch.at, entry.sent_at) < limit);
        // A thing said by the way may be an old row's name, so what was just said comes before that.
        let found = own
            .iter()
            .find(|(touch, _)| of_sum(touch.row))
            .or_else(|| within(FRESH).find(|(_, name)| is_named(name)))
            .or_else(|| within(JUST_NOW).next())
            .or_else(|| own.iter().find(|(_, name)| is_named(name)))
            .or_else(|| within(FRESH).next());
        found.map(|(touch, _)| touch.row)
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
