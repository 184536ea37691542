//! Which open row an entry or a follow-up is about.
//!
//! A wrong match merges two things that the group keeps apart, so every rule
//! here wants agreement on the thing itself; what only might be the same opens
//! a row of its own.

use jiff::Timestamp;

use super::likeness::agreement;
use super::past::Past;
use super::{Entry, ExpenseRow, TaskRow, TaskStatus};
use crate::domain::chat::Event;
use crate::domain::enrichment::{ExpenseEnrichment, ExpenseStatus, TaskEnrichment};
use crate::domain::ids::PersonId;

/// For how many hours a "done" without a name may mean a task of the sender's own.
const OWN: f64 = 336.0;
/// The same for a task that nobody in particular was given.
const ANYONES: f64 = 24.0;
/// The same for somebody else's task.
const OTHERS: f64 = 0.5;
/// For how many hours a "done" answers what was asked rather than what the sender had to do.
const AT_ONCE: f64 = 0.5;
/// For how many hours "forget that" may mean what was said last.
pub(super) const JUST_NOW: f64 = 1.0;
/// Above this mark a name is the row's whole name, or the row's name is part of it.
const PART: u32 = 12;

/// Actions that are steps of one job: a venue that is rung is the venue that is booked.
const JOBS: [&[&str]; 6] = [
    &["book", "contact", "arrange", "confirm", "check"],
    &["buy", "pay"],
    &["collect", "bring", "send"],
    &["return"],
    &["make"],
    &["cancel"],
];

/// The action of a task that only says that something is missing.
pub(super) const GAP: &str = "arrange";

fn same_job(one: &str, other: &str) -> bool {
    one == other || JOBS.iter().any(|job| job.contains(&one) && job.contains(&other))
}

/// Whom a task was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Given<'a> {
    /// Nobody was named.
    Unsaid,
    /// Anybody may take it.
    Someone,
    /// Each does their own part.
    Everyone,
    /// Somebody whom the event does not list: a nickname, a role, a stranger.
    Stranger(&'a str),
    /// Participants.
    People(&'a str),
}

fn given<'a>(event: &Event, assignee: Option<&'a str>) -> Given<'a> {
    match assignee {
        None => Given::Unsaid,
        Some("someone") => Given::Someone,
        Some("everyone") => Given::Everyone,
        Some(names) if names.split(", ").all(|name| event.person_named(name).is_some()) => {
            Given::People(names)
        }
        Some(name) => Given::Stranger(name),
    }
}

/// Whether somebody who takes part is to do a task, or everybody.
pub(super) fn is_given(event: &Event, row: &TaskRow) -> bool {
    match given(event, row.assignee.as_deref()) {
        Given::Unsaid | Given::Someone | Given::Stranger(_) => false,
        Given::Everyone | Given::People(_) => true,
    }
}

/// Whether two mentions of who does it can be the same. A stranger may be a participant by another
/// name; what everyone does for themselves is not what someone does for all.
fn same_people(one: &Given<'_>, other: &Given<'_>) -> bool {
    match (one, other) {
        (Given::Unsaid, _) | (_, Given::Unsaid) => true,
        (Given::Someone, it) | (it, Given::Someone) => *it != Given::Everyone,
        (Given::Everyone, it) | (it, Given::Everyone) => *it == Given::Everyone,
        (Given::Stranger(_), Given::People(_)) | (Given::People(_), Given::Stranger(_)) => true,
        (Given::Stranger(one), Given::Stranger(other))
        | (Given::People(one), Given::People(other)) => one.eq_ignore_ascii_case(other),
    }
}

/// The open task that this entry speaks of again; the latest one wins.
pub(super) fn task_again<'a>(
    event: &Event,
    tasks: &'a mut [TaskRow],
    past: &Past,
    entry: &Entry,
    task: &TaskEnrichment,
) -> Option<&'a mut TaskRow> {
    let to = given(event, task.assignee.as_deref());
    let volunteers = to == Given::People(event.name_of(&entry.sender));
    tasks.iter_mut().rev().find(|row| {
        let was = given(event, row.assignee.as_deref());
        let again = same_job(&row.action, &task.action) && same_people(&was, &to);
        // What nobody has yet is taken up by who says soon after how they do it.
        let taken_up = matches!(was, Given::Unsaid | Given::Someone)
            && matches!(to, Given::People(_))
            && (volunteers || row.action == GAP)
            && past.hours_since(row.id, entry.sent_at) < ANYONES;
        row.status == TaskStatus::Open && row.object == task.object && (again || taken_up)
    })
}

/// Whether a task was given to this person, alone or among others.
fn is_given_to(row: &TaskRow, name: &str) -> bool {
    let given = row.assignee.as_deref().unwrap_or("");
    given.split(", ").any(|who| who.eq_ignore_ascii_case(name))
}

/// Whether nobody in particular is to do a task.
fn is_nobodys(row: &TaskRow) -> bool {
    row.assignee.as_deref().is_none_or(|who| who == "someone" || who == "everyone")
}

/// What a follow-up says, and who says it when.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// Names that its target may go by, likeliest first.
    pub(super) names: Vec<&'a str>,
    /// What kind of expense it is about, where it books one.
    pub(super) category: Option<&'a str>,
    /// The sender.
    pub(super) by: &'a PersonId,
    /// What the group calls the sender.
    pub(super) name: &'a str,
    /// When it was sent.
    pub(super) at: Timestamp,
}

impl Call<'_> {
    /// How well the best of the names agrees with a row's, earlier names first; 0 where none does.
    fn named(&self, row: &str) -> u32 {
        let marks = self.names.iter().zip(0..8).map(|(name, rank)| match agreement(row, name) {
            0 => 0,
            agreed => agreed * 10 - rank,
        });
        marks.max().unwrap_or(0)
    }
}

/// The open task that somebody says is done: one that is named, theirs before others' and the latest
/// first; without a name the task of theirs that was spoken of last.
pub(super) fn done_task<'a>(
    tasks: &'a mut [TaskRow],
    past: &Past,
    call: &Call<'_>,
) -> Option<&'a mut TaskRow> {
    let open = tasks.iter_mut().filter(|row| row.status == TaskStatus::Open);
    let marked = open.filter_map(|row| {
        let named = call.named(&row.object);
        let (standing, hours) = standing(row, past, call);
        let (mark, hours) = match (past.category(row.id), call.category) {
            // One's own task of that kind; another's may be of the same kind and something else.
            (Some(task), Some(expense)) if task == expense => {
                (named + 12, if is_given_to(row, call.name) { hours * 10.0 } else { hours })
            }
            (Some(_), Some(_)) => (named / 2, hours),
            (None, _) | (_, None) => (named, hours),
        };
        let meant = named > 0 || past.hours_since(row.id, call.at) < hours;
        meant.then(|| ((mark + standing, past.place(row.id)), row))
    });
    marked.max_by_key(|(mark, _)| *mark).map(|(_, row)| row)
}

/// The open task that a payment is for: to book or buy what was paid for, given to the payer or to
/// nobody in particular.
pub(super) fn bought_task<'a>(
    tasks: &'a mut [TaskRow],
    past: &Past,
    expense: &ExpenseEnrichment,
    payer: &str,
) -> Option<&'a mut TaskRow> {
    const PAID_FOR: [&str; 3] = ["book", "buy", "pay"];
    tasks.iter_mut().rev().find(|row| {
        let own = is_given_to(row, payer);
        let of_kind = past.category(row.id) == Some(expense.category.as_str());
        let meant = match agreement(&row.object, &expense.what) {
            0 => own && of_kind,
            1 => own,
            _ => own || is_nobodys(row),
        };
        row.status == TaskStatus::Open && PAID_FOR.contains(&row.action.as_str()) && meant
    })
}

/// How close a task is to the sender, and for how many hours they may mean it without naming it.
fn standing(row: &TaskRow, past: &Past, call: &Call<'_>) -> (u32, f64) {
    // Who answers at once that it is done means what was just asked, whatever else is theirs.
    let just_asked = past.hours_since(row.id, call.at) < AT_ONCE
        && past.opener(row.id).is_some_and(|opener| opener != call.by);
    if is_given_to(row, call.name) {
        (if just_asked { 12 } else { 10 }, OWN)
    } else if is_nobodys(row) {
        (if just_asked { 11 } else { 2 }, ANYONES)
    } else {
        (u32::from(past.opener(row.id) == Some(call.by)), OTHERS)
    }
}

/// The open task that is called off: one that is named, or else the one that was spoken of just now.
pub(super) fn open_task<'a>(
    tasks: &'a mut [TaskRow],
    past: &Past,
    call: &Call<'_>,
) -> Option<&'a mut TaskRow> {
    // What is named and not open any more leaves nothing to guess.
    let known = tasks.iter().any(|row| call.named(&row.object) > PART);
    let open = tasks.iter_mut().filter(|row| row.status == TaskStatus::Open);
    let marked = open.filter_map(|row| {
        let named = call.named(&row.object);
        let just_now = past.hours_since(row.id, call.at) < JUST_NOW;
        let meant = named > 0 || just_now && !known;
        meant.then(|| ((named, past.place(row.id)), row))
    });
    marked.max_by_key(|(mark, _)| *mark).map(|(_, row)| row)
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
                let nameless = is_nameless(&row.what, &row.category)
                    || is_nameless(&entry.what, &entry.category);
                let named = row.category == entry.category || share_a_word(&row.what, &entry.what);
                named || nameless && entry.status == ExpenseStatus::Paid
            }
            ExpenseStatus::Paid => {
                row.category == entry.category && share_a_word(&row.what, &entry.what)
            }
            ExpenseStatus::Cancelled => false,
        };
        same_money && same_payer && about_it
    })
}

/// Whether nothing was said of what an expense is for: then it is called by its category, a guess.
pub(super) fn is_nameless(what: &str, category: &str) -> bool {
    what.eq_ignore_ascii_case(category)
}

/// The expense that a correction is about: by its old amount, by its name, or the sender's latest.
pub(super) fn corrected_expense<'a>(
    expenses: &'a mut [ExpenseRow],
    past: &Past,
    call: &Call<'_>,
    old_minor: Option<i64>,
    new: &ExpenseEnrichment,
) -> Option<&'a mut ExpenseRow> {
    let standing = expenses.iter_mut().filter(|row| row.status != ExpenseStatus::Cancelled);
    let marked = standing.filter_map(|row| {
        let named = call.named(&row.what);
        let own = past.opener(row.id) == Some(call.by) || row.paid_by.as_ref() == Some(call.by);
        let by_sum = if old_minor == Some(row.minor) { 40 } else { 0 };
        let near = 5 * u32::from(is_near(row.minor, new.minor));
        let kind = 5 * u32::from(row.category == new.category && new.category != "other");
        let alike = row.currency == new.currency && (near > 0 || kind > 0);
        let meant = by_sum > 0 || named > 0 || own && alike;
        let mark = by_sum + named + near + kind + 5 * u32::from(own);
        meant.then(|| ((mark, past.place(row.id)), row))
    });
    marked.max_by_key(|(mark, _)| *mark).map(|(_, row)| row)
}

/// Whether one sum may be the other put right: within a third of each other.
fn is_near(one: i64, other: i64) -> bool {
    let (less, more) = (one.min(other), one.max(other));
    less.saturating_mul(3) >= more.saturating_mul(2)
}

/// The latest expense of that name which is owed.
pub(super) fn due_expense<'a>(
    expenses: &'a mut [ExpenseRow],
    call: &Call<'_>,
) -> Option<&'a mut ExpenseRow> {
    let due = expenses.iter_mut().rev().filter(|row| row.status == ExpenseStatus::Due);
    let mut named = due.filter(|row| call.named(&row.what) > 0);
    named.next()
}

/// Whether two phrases have a word of at least three letters in common.
fn share_a_word(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    words(&one).any(|word| word.chars().count() >= 3 && words(&other).any(|it| it == word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}
