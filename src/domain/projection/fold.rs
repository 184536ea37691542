//! The fold itself: contributions in, rows out.

use super::matching::{
    corrected_expense, expense_again, open_task, same_thing, standing_expense, task_again,
    voted_option,
};
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
use uuid::Uuid;

/// The rows that these contributions yield, whatever order they are given in.
pub fn fold(event: &Event, mut entries: Vec<Entry>) -> Projections {
    entries.sort_by(|a, b| (a.sent_at, &a.message).cmp(&(b.sent_at, &b.message)));
    let mut fold = Fold { event, rows: Projections::default(), openers: Vec::new() };
    for entry in &entries {
        if let Some((projection, effect)) = fold.apply(entry) {
            if effect == Effect::Opened {
                fold.openers.push((projection, entry.sender.clone()));
            }
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
    /// Who opened which row, in the order of opening.
    openers: Vec<(Uuid, PersonId)>,
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
                self.correct(&change.target, expense).or_else(|| self.expense(entry, expense))
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

    fn correct(&mut self, target: &Target, expense: &ExpenseEnrichment) -> Done {
        let row =
            corrected_expense(&mut self.rows.expenses, target.minor, target.thing.as_deref())?;
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
            FollowUpKind::Cancellation => self.cancel(&change.target),
            FollowUpKind::Completion => self.complete(entry, &change.target),
            FollowUpKind::Vote => self.vote(entry, &change.target),
            FollowUpKind::Repayment => self.repay(entry, &change.target),
            FollowUpKind::Retraction => self.retract(entry, &change.target),
        }
    }

    fn cancel(&mut self, target: &Target) -> Done {
        let thing = target.thing.as_deref()?;
        if let Some(row) = open_task(&mut self.rows.tasks, Some(thing), None) {
            row.status = TaskStatus::Cancelled;
            return Some((row.id, Effect::Cancelled));
        }
        let row = standing_expense(&mut self.rows.expenses, thing)
            .filter(|row| row.status == ExpenseStatus::Due)?;
        row.status = ExpenseStatus::Cancelled;
        Some((row.id, Effect::Cancelled))
    }

    fn complete(&mut self, entry: &Entry, target: &Target) -> Done {
        let sender = self.event.name_of(&entry.sender).to_owned();
        let row = open_task(&mut self.rows.tasks, target.thing.as_deref(), Some(&sender))?;
        row.status = TaskStatus::Done;
        Some((row.id, Effect::Completed))
    }

    fn vote(&mut self, entry: &Entry, target: &Target) -> Done {
        let (poll, option) = voted_option(&self.rows.polls, target.thing.as_deref()?)?;
        let row = &mut self.rows.polls[poll];
        for choice in &mut row.options {
            choice.votes.retain(|voter| *voter != entry.sender);
        }
        row.options[option].votes.push(entry.sender.clone());
        Some((row.id, Effect::Voted))
    }

    fn repay(&mut self, entry: &Entry, target: &Target) -> Done {
        let to = self.event.person_named(target.person.as_deref()?)?.id.clone();
        let minor = target.minor.filter(|minor| *minor > 0 && to != entry.sender)?;
        let id = row_id(&self.event.id, &entry.message);
        let (from, currency) = (entry.sender.clone(), self.event.currency);
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

    /// Takes back the latest row that the sender opened; with a thing, the latest one about it.
    fn retract(&mut self, entry: &Entry, target: &Target) -> Done {
        let own: Vec<Uuid> = self
            .openers
            .iter()
            .rev()
            .filter(|(_, who)| *who == entry.sender)
            .map(|(row, _)| *row)
            .collect();
        let meant =
            |text: &str| target.thing.as_deref().is_none_or(|thing| same_thing(text, thing));
        for id in own {
            let expense = self.rows.expenses.iter_mut().find(|row| row.id == id);
            if let Some(row) =
                expense.filter(|row| row.status != ExpenseStatus::Cancelled && meant(&row.what))
            {
                row.status = ExpenseStatus::Cancelled;
                return Some((id, Effect::Cancelled));
            }
            let task = self.rows.tasks.iter_mut().find(|row| row.id == id);
            if let Some(row) =
                task.filter(|row| row.status == TaskStatus::Open && meant(&row.object))
            {
                row.status = TaskStatus::Cancelled;
                return Some((id, Effect::Cancelled));
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
