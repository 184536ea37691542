//! Which open row an entry or a follow-up is about.
//!
//! A wrong match merges two things that the group keeps apart, so every rule
//! here wants agreement on the thing itself; what only might be the same opens
//! a row of its own.

use super::{ExpenseRow, PollRow, TaskRow, TaskStatus};
use crate::domain::enrichment::{ExpenseEnrichment, ExpenseStatus, TaskEnrichment};

/// Actions that are steps of one job: a venue that is rung is the venue that is booked.
const JOBS: [&[&str]; 5] = [
    &["book", "contact", "arrange", "confirm", "check"],
    &["buy", "pay"],
    &["collect", "bring", "send", "return"],
    &["make"],
    &["cancel"],
];

/// Names that stand for nobody in particular.
const NOBODY: [&str; 1] = ["someone"];

fn same_job(one: &str, other: &str) -> bool {
    one == other || JOBS.iter().any(|job| job.contains(&one) && job.contains(&other))
}

/// Whether two mentions of who does it can be the same.
fn same_people(one: Option<&str>, other: Option<&str>) -> bool {
    let named =
        |who: Option<&str>| who.filter(|name| !NOBODY.contains(name)).map(str::to_lowercase);
    match (named(one), named(other)) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    }
}

/// The open task that this entry speaks of again; the latest one wins.
pub(super) fn task_again<'a>(
    tasks: &'a mut [TaskRow],
    entry: &TaskEnrichment,
) -> Option<&'a mut TaskRow> {
    tasks.iter_mut().rev().find(|row| {
        row.status == TaskStatus::Open
            && row.object == entry.object
            && same_job(&row.action, &entry.action)
            && same_people(row.assignee.as_deref(), entry.assignee.as_deref())
    })
}

/// The open task about that thing, or else the latest one of that person.
pub(super) fn open_task<'a>(
    tasks: &'a mut [TaskRow],
    thing: Option<&str>,
    assignee: Option<&str>,
) -> Option<&'a mut TaskRow> {
    tasks.iter_mut().rev().find(|row| {
        row.status == TaskStatus::Open
            && match (thing, assignee) {
                (Some(thing), _) => same_thing(&row.object, thing),
                (None, Some(name)) => {
                    row.assignee.as_deref().is_some_and(|who| who.eq_ignore_ascii_case(name))
                }
                (None, None) => false,
            }
    })
}

/// The expense that this entry speaks of again: what was due is paid, or the same is said twice.
pub(super) fn expense_again<'a>(
    expenses: &'a mut [ExpenseRow],
    entry: &ExpenseEnrichment,
) -> Option<&'a mut ExpenseRow> {
    expenses.iter_mut().rev().find(|row| {
        let same_money = row.currency == entry.currency && row.minor == entry.minor;
        let same_payer =
            row.paid_by.is_none() || entry.paid_by.is_none() || row.paid_by == entry.paid_by;
        let about_it = match row.status {
            ExpenseStatus::Due => {
                row.category == entry.category || share_a_word(&row.what, &entry.what)
            }
            ExpenseStatus::Paid => {
                row.category == entry.category && share_a_word(&row.what, &entry.what)
            }
            ExpenseStatus::Cancelled => false,
        };
        same_money && same_payer && about_it
    })
}

/// The expense that a correction is about: by its old amount, else by its thing.
pub(super) fn corrected_expense<'a>(
    expenses: &'a mut [ExpenseRow],
    old_minor: Option<i64>,
    thing: Option<&str>,
) -> Option<&'a mut ExpenseRow> {
    let at = expenses.iter().rposition(|row| match (old_minor, thing) {
        _ if row.status == ExpenseStatus::Cancelled => false,
        (Some(old), _) => row.minor == old,
        (None, Some(thing)) => share_a_word(&row.what, thing),
        (None, None) => false,
    })?;
    expenses.get_mut(at)
}

/// The latest expense about that thing which is not cancelled.
pub(super) fn standing_expense<'a>(
    expenses: &'a mut [ExpenseRow],
    thing: &str,
) -> Option<&'a mut ExpenseRow> {
    expenses
        .iter_mut()
        .rev()
        .find(|row| row.status != ExpenseStatus::Cancelled && share_a_word(&row.what, thing))
}

/// The latest poll with that choice, and the choice's place.
pub(super) fn voted_option(polls: &[PollRow], thing: &str) -> Option<(usize, usize)> {
    polls.iter().enumerate().rev().find_map(|(poll, row)| {
        let option = row.options.iter().position(|option| same_thing(&option.text, thing))?;
        Some((poll, option))
    })
}

/// Whether two names of a thing agree: the same, or one is a word of the other.
pub(super) fn same_thing(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    one == other || words(&one).any(|word| word == other) || words(&other).any(|word| word == one)
}

/// Whether two phrases have a word of at least three letters in common.
fn share_a_word(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    words(&one).any(|word| word.chars().count() >= 3 && words(&other).any(|it| it == word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}
