//! The suggester: what comes next for this kind of event at this distance from its day.
//!
//! A model names things to do and why; what the group has already, and what it
//! dismissed, is left out by code, and dates are worked back by code.

use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::dates::days_between;
use super::lines::figureless;
use super::question::{PrivateQuestion, Question};
use super::reading::BadAnswer;
use super::shape::Shape;
use super::task_enricher::title;
use crate::context::Level;
use crate::domain::chat::Event;
use crate::domain::enrichment::{ExpenseStatus, NextBase, NextStep};
use crate::domain::intent::ACTIONS;
use crate::domain::projection::{ExpenseRow, Projections, TaskRow, TaskStatus};
use crate::domain::suggestion::{Suggestion, SuggestionRow};
use crate::model::Brief;
use crate::model::offline::is_named;

/// What its questions may see.
pub(super) const LEVEL: Level = Level::Rich;

/// What it says to a model, and what the answer must look like.
pub(super) static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    let prompt = include_str!("prompts/suggester.md");
    Shape::new::<NextBase>(prompt, &[("/properties/steps/items/properties/action", &ACTIONS)])
});

/// The most steps that are taken from an answer.
const MOST_STEPS: usize = 12;
/// The longest thing, in characters.
const LONGEST_OBJECT: usize = 60;
/// The furthest from the event that a step may lie, in days.
const FURTHEST: i32 = 2_000;

/// The answer, held against its ranges.
pub(super) fn checked(base: NextBase) -> Result<NextBase, BadAnswer> {
    if base.steps.len() > MOST_STEPS {
        return Err(BadAnswer::new(format!("steps must have at most {MOST_STEPS} entries")));
    }
    let steps = base.steps.into_iter().map(checked_step).collect::<Result<_, _>>()?;
    Ok(NextBase { steps })
}

fn checked_step(step: NextStep) -> Result<NextStep, BadAnswer> {
    let object = figureless("object", &step.object)?.to_lowercase();
    if object.chars().count() > LONGEST_OBJECT {
        return Err(BadAnswer::new(format!("object is over {LONGEST_OBJECT} characters")));
    }
    if !(-FURTHEST..=FURTHEST).contains(&step.days_before) {
        return Err(BadAnswer::new(format!("days_before is beyond {FURTHEST}")));
    }
    let reason = figureless("reason", &step.reason)?;
    Ok(NextStep { object, reason, ..step })
}

/// The most things that are named as known, the newest.
const MOST_KNOWN: usize = 100;
/// The most suggestions of a run.
const MOST_SUGGESTIONS: usize = 6;
/// How many of them may come from the records: what is late, and what is owed for long.
const MOST_FROM_RECORDS: usize = 3;
/// After so many days a debt to a vendor is worth a word.
const OWED_DAYS: i32 = 14;

/// What a run knows of its event.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The event.
    pub event: &'a Event,
    /// The chat's own time: distances are judged from here.
    pub at: Timestamp,
    /// The event's rows.
    pub rows: &'a Projections,
    /// What was suggested before, dismissed or not.
    pub earlier: &'a [SuggestionRow],
}

impl Standing<'_> {
    /// What is asked of a model.
    pub fn question(&self) -> Question {
        let event = self.event;
        let kind = format!("{} {}", event.kind, event.name);
        let days_left = self.event.first_day().map(|day| days_between(self.today(), day));
        let brief = Brief::Next { kind, days_left, known: self.known() };
        Question::Private(PrivateQuestion::new(event, brief))
    }

    /// The suggestions: what the records call for, then the steps that nothing covers yet.
    pub fn suggestions(&self, base: NextBase) -> Vec<Suggestion> {
        let known = self.known();
        let steps = base.steps.into_iter().filter(|step| !is_named(&known, &step.object));
        let mut made: Vec<Suggestion> = Vec::new();
        let called_for = self.late_tasks().chain(self.old_debts()).take(MOST_FROM_RECORDS);
        for suggestion in called_for.chain(steps.map(|step| self.suggested(step))) {
            let again = made.iter().any(|other| other.id == suggestion.id)
                || self.earlier.iter().any(|row| row.suggestion.id == suggestion.id);
            if !again && made.len() < MOST_SUGGESTIONS {
                made.push(suggestion);
            }
        }
        made
    }

    /// Things that are on the list already, the newest last.
    fn known(&self) -> Vec<String> {
        let tasks = self.rows.tasks.iter().map(|task| &task.object);
        let expenses = self.rows.expenses.iter().flat_map(|row| [&row.what, &row.category]);
        let suggested = self.earlier.iter().map(|row| &row.suggestion.object);
        let mut known: Vec<String> = Vec::new();
        for thing in tasks.chain(expenses.filter(|name| *name != "other")).chain(suggested) {
            let thing: String = thing.chars().take(LONGEST_OBJECT).collect();
            if !known.contains(&thing) {
                known.push(thing);
            }
        }
        known.split_off(known.len().saturating_sub(MOST_KNOWN))
    }

    fn suggested(&self, step: NextStep) -> Suggestion {
        let back = |day: Date| day.checked_sub(i64::from(step.days_before).days()).ok();
        Suggestion {
            id: Suggestion::id_of(&self.event.id, &step.action, &step.object),
            title: title(&step.action, &step.object),
            due: self.event.first_day().and_then(back).map(|due| due.max(self.today())),
            object: step.object,
            action: step.action,
            reason: step.reason,
        }
    }

    /// Open tasks whose day has passed, the latest first.
    fn late_tasks(&self) -> impl Iterator<Item = Suggestion> {
        let mut late: Vec<(Date, &TaskRow)> = self
            .rows
            .tasks
            .iter()
            .filter(|task| task.status == TaskStatus::Open)
            .filter_map(|task| Some((task.due.filter(|due| *due < self.today())?, task)))
            .collect();
        late.sort_by_key(|(due, _)| *due);
        late.into_iter().map(|(due, task)| {
            let due = due.strftime("%-d %B");
            let reason =
                format!("\u{201c}{}\u{201d} was due on {due} and is still open.", task.title);
            self.called_for("check", &task.object, reason)
        })
    }

    /// Expenses that are due for long, the oldest first.
    fn old_debts(&self) -> impl Iterator<Item = Suggestion> {
        let is_old = |row: &&ExpenseRow| {
            let opened = self.event.day_of(row.opened_at);
            row.status == ExpenseStatus::Due && days_between(opened, self.today()) >= OWED_DAYS
        };
        self.rows.expenses.iter().filter(is_old).map(|row| {
            let amount = row.currency.told(row.minor);
            let reason = format!("{amount} for it is still outstanding.");
            self.called_for("pay", &row.what, reason)
        })
    }

    fn called_for(&self, action: &str, object: &str, reason: String) -> Suggestion {
        Suggestion {
            id: Suggestion::id_of(&self.event.id, action, object),
            title: title(action, object),
            object: object.to_owned(),
            action: action.to_owned(),
            reason,
            due: Some(self.today()),
        }
    }

    fn today(&self) -> Date {
        self.event.day_of(self.at)
    }
}

#[cfg(test)]
#[path = "tests/suggester.rs"]
mod tests;
