//! Which found row is which true row: one to one, by the messages they rest on first.
//!
//! A row that rests on the same message is the same row, whatever else differs. Without one,
//! a task must have the same object and an expense the same sum and something more in common:
//! a first mention that was missed and a reminder that was understood are one task.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::ids::MessageId;
use crate::domain::projection::{Effect, ExpenseRow, PollRow, Projections, TaskRow};

/// The messages that rows rest on: the opener of each, and those that said it again.
pub(super) struct Sources<'a> {
    by_row: HashMap<Uuid, Vec<&'a MessageId>>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(rows: &'a Projections) -> Self {
        let mut by_row: HashMap<Uuid, Vec<&MessageId>> = HashMap::new();
        for source in &rows.sources {
            // A vote or a "done" is about a row that others opened; it tells no two rows apart.
            let says_it = match source.effect {
                Effect::Opened
                | Effect::Confirmed
                | Effect::Corrected
                | Effect::Paid
                | Effect::Repaid => true,
                Effect::Completed | Effect::Cancelled | Effect::Voted => false,
            };
            if says_it {
                by_row.entry(source.projection).or_default().push(&source.message);
            }
        }
        Self { by_row }
    }

    /// The messages that say a row, the opener first.
    pub(super) fn saying(&self, row: Uuid) -> &[&'a MessageId] {
        self.by_row.get(&row).map_or(&[], Vec::as_slice)
    }
}

/// Both sides' messages.
pub(super) struct Both<'a> {
    pub(super) truth: Sources<'a>,
    pub(super) found: Sources<'a>,
}

impl Both<'_> {
    /// How surely two rows rest on the same words: 0 where they share none.
    pub(super) fn shared(&self, truth: Uuid, found: Uuid) -> u32 {
        let (truth, found) = (self.truth.saying(truth), self.found.saying(found));
        match found.first() {
            Some(opener) if truth.first() == Some(opener) => 40,
            Some(opener) if truth.contains(opener) => 30,
            Some(_) if found.iter().any(|it| truth.contains(it)) => 20,
            Some(_) | None => 0,
        }
    }
}

/// One to one: for each true row the place of the found row that is the same, if there is one.
pub(super) fn pair<T, F>(
    truth: &[T],
    found: &[F],
    likeness: impl Fn(&T, &F) -> u32,
) -> Vec<Option<usize>> {
    let mut marks: Vec<(u32, usize, usize)> = Vec::new();
    for (t, one) in truth.iter().enumerate() {
        for (f, other) in found.iter().enumerate() {
            let mark = likeness(one, other);
            if mark > 0 {
                marks.push((mark, t, f));
            }
        }
    }
    // The surest first; among equals the earlier rows.
    marks.sort_by_key(|(mark, t, f)| (u32::MAX - mark, *t, *f));
    let mut pairs = vec![None; truth.len()];
    let mut taken = vec![false; found.len()];
    for (_, t, f) in marks {
        if pairs[t].is_none() && !taken[f] {
            (pairs[t], taken[f]) = (Some(f), true);
        }
    }
    pairs
}

pub(super) fn tasks(both: &Both<'_>, truth: &TaskRow, found: &TaskRow) -> u32 {
    let object = common(&truth.object, &found.object);
    let assignee = u32::from(same_people(truth.assignee.as_deref(), found.assignee.as_deref()));
    match both.shared(truth.id, found.id) {
        0 if object == 2 && assignee == 1 => 1,
        0 => 0,
        shared => shared + 2 * object + assignee,
    }
}

pub(super) fn expenses(both: &Both<'_>, truth: &ExpenseRow, found: &ExpenseRow) -> u32 {
    let money = truth.minor == found.minor && truth.currency == found.currency;
    let what = common(&truth.what, &found.what);
    let payer = u32::from(truth.paid_by == found.paid_by);
    let category = u32::from(truth.category == found.category && truth.category != "other");
    match both.shared(truth.id, found.id) {
        0 if money && (what > 0 || category > 0) => 1 + what + payer + category,
        0 => 0,
        shared => shared + 9 * u32::from(money) + what + payer,
    }
}

pub(super) fn polls(both: &Both<'_>, truth: &PollRow, found: &PollRow) -> u32 {
    let shared = both.shared(truth.id, found.id);
    let same = same_options(truth, found);
    shared + u32::from(same) * 2
}

/// Whether two polls offer the same choices, in any order and wording that has them apart.
pub(super) fn same_options(truth: &PollRow, found: &PollRow) -> bool {
    let has = |text: &str| found.options.iter().any(|it| common(&it.text, text) > 0);
    truth.options.len() == found.options.len() && truth.options.iter().all(|it| has(&it.text))
}

/// How much of two names agrees: 2 the same words, 1 the words of one are among the other's.
pub(super) fn common(one: &str, other: &str) -> u32 {
    let (one, other) = (words(one), words(other));
    if one.is_empty() || other.is_empty() {
        return 0;
    }
    let within = |a: &[String], b: &[String]| a.iter().all(|word| b.contains(word));
    match (within(&one, &other), within(&other, &one)) {
        (true, true) => 2,
        (true, false) | (false, true) => 1,
        (false, false) => 0,
    }
}

/// The words in lower case and the singular, roughly; articles say nothing.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let telling = words.filter(|word| !["the", "a", "an"].contains(word));
    telling.map(|word| word.strip_suffix('s').unwrap_or(word).to_owned()).collect()
}

/// Whether two mentions of who does it say the same; nobody in particular may go unsaid.
pub(super) fn same_people(one: Option<&str>, other: Option<&str>) -> bool {
    let named = |who: Option<&str>| {
        let who = who.unwrap_or("someone").to_lowercase();
        let mut names: Vec<String> = who.split(',').map(|name| name.trim().to_owned()).collect();
        names.sort();
        names
    };
    named(one) == named(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_one_to_one_and_the_surest_first() {
        let mark = |t: &u32, f: &u32| if t.abs_diff(*f) <= 2 { 10 - t.abs_diff(*f) } else { 0 };
        assert_eq!(pair(&[10, 12], &[12, 30], mark), [None, Some(0)]);
        assert_eq!(pair(&[10, 12], &[12, 11], mark), [Some(1), Some(0)]);
        assert_eq!(pair(&[] as &[u32], &[1], mark), []);
    }

    #[test]
    fn names_agree_by_their_words() {
        assert_eq!(common("The cake", "cakes"), 2);
        assert_eq!(common("barn deposit", "deposit for the barn"), 1);
        assert_eq!(common("cake", "band"), 0);
        assert_eq!(common("", ""), 0);
    }

    #[test]
    fn several_people_are_the_same_in_any_order_and_nobody_is_someone() {
        assert!(same_people(Some("Tom, Priya"), Some("priya, Tom")));
        assert!(same_people(None, Some("someone")));
        assert!(!same_people(Some("Tom"), None));
    }
}
