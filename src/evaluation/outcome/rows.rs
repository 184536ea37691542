//! The tasks, expenses and polls of both sides: what was found, and how well it agrees.

use uuid::Uuid;

use super::pairs::{self, Both, Sources, common, pair, same_options, same_people};
use super::{Agreement, Rows, Truth};
use crate::domain::chat::Event;
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::projection::{ExpenseRow, PollRow, Projections};
use crate::evaluation::Rate;

/// The agreements that one kind of rows is judged by, and where they fail.
#[derive(Default)]
struct Agreements {
    rates: Vec<(&'static str, usize, usize)>,
    differences: Vec<String>,
}

impl Agreements {
    fn note(&mut self, row: &str, what: &'static str, agrees: bool, said: impl FnOnce() -> String) {
        let at = self.rates.iter().position(|(known, _, _)| *known == what);
        let at = at.unwrap_or_else(|| {
            self.rates.push((what, 0, 0));
            self.rates.len() - 1
        });
        if let Some((_, right, all)) = self.rates.get_mut(at) {
            *right += usize::from(agrees);
            *all += 1;
        }
        if !agrees {
            self.differences.push(format!("{row}: {what} {}", said()));
        }
    }

    fn rows(
        self,
        there: usize,
        all_found: usize,
        missed: Vec<String>,
        invented: Vec<String>,
    ) -> Rows {
        let rated = |(what, right, all)| Agreement { what, rate: Rate::of(right, all) };
        Rows {
            found: Rate::of(there - missed.len(), there),
            missed,
            invented,
            all_found,
            agree: self.rates.into_iter().map(rated).collect(),
            differences: self.differences,
        }
    }
}

/// A row by its name and its first message.
fn named(sources: &Sources<'_>, id: Uuid, name: &str) -> String {
    let first = sources.saying(id).first().map_or("?", |message| message.as_str());
    format!("{name} ({first})")
}

/// `found`, not `truth`.
fn not(found: Option<&str>, truth: Option<&str>) -> String {
    format!("{}, not {}", found.unwrap_or("nobody"), truth.unwrap_or("nobody"))
}

/// The true rows without a pair and the found rows without one, by name.
fn alone<T>(
    both: &Both<'_>,
    (truth, found): (&[T], &[T]),
    pairs: &[Option<usize>],
    name: fn(&T) -> (Uuid, &str),
) -> (Vec<String>, Vec<String>) {
    let said = |sources, row| {
        let (id, name) = name(row);
        named(sources, id, name)
    };
    let missed = truth.iter().zip(pairs).filter(|(_, pair)| pair.is_none());
    let invented = found.iter().enumerate().filter(|(at, _)| !pairs.contains(&Some(*at)));
    (
        missed.map(|(row, _)| said(&both.truth, row)).collect(),
        invented.map(|(_, row)| said(&both.found, row)).collect(),
    )
}

pub(super) fn tasks(both: &Both<'_>, truth: &Projections, found: &Projections) -> Rows {
    let (truth, found) = (&truth.tasks, &found.tasks);
    let pairs = pair(truth, found, |t, f| pairs::tasks(both, t, f));
    let mut agreements = Agreements::default();
    for (row, pair) in truth.iter().zip(&pairs) {
        let Some(other) = pair.and_then(|at| found.get(at)) else { continue };
        let name = named(&both.truth, row.id, &row.title);
        let (own, said) = (row.status, other.status);
        agreements.note(&name, "status", own == said, || not(Some(said.name()), Some(own.name())));
        let (own, said) = (row.assignee.as_deref(), other.assignee.as_deref());
        agreements.note(&name, "assignee", same_people(own, said), || not(said, own));
        let (own, said) = (row.object.as_str(), other.object.as_str());
        agreements.note(&name, "object", common(own, said) > 0, || not(Some(said), Some(own)));
    }
    let (missed, invented) = alone(both, (truth, found), &pairs, |row| (row.id, &row.title));
    agreements.rows(truth.len(), found.len(), missed, invented)
}

pub(super) fn expenses(
    event: &Event,
    both: &Both<'_>,
    truth: &Projections,
    found: &Projections,
    pairs: &[Option<usize>],
) -> Rows {
    let (truth, found) = (&truth.expenses, &found.expenses);
    let mut agreements = Agreements::default();
    let mut wrong = Vec::new();
    for (row, pair) in truth.iter().zip(pairs) {
        let Some(other) = pair.and_then(|at| found.get(at)) else { continue };
        let name = named(&both.truth, row.id, &row.what);
        if (row.minor, row.currency) != (other.minor, other.currency) {
            wrong.push(format!("{name}: found with {}, not {}", sum(other), sum(row)));
        }
        compare_expense(event, &name, &mut agreements, (row, other));
    }
    let (mut missed, _) = alone(both, (truth, found), pairs, |row| (row.id, &row.what));
    missed.extend(wrong);
    // What was called off is in no sum, and the truth does not list it.
    let stands = |row: &ExpenseRow| row.status != ExpenseStatus::Cancelled;
    let invented: Vec<String> = found
        .iter()
        .enumerate()
        .filter(|(at, row)| stands(row) && !pairs.contains(&Some(*at)))
        .map(|(_, row)| named(&both.found, row.id, &row.what))
        .collect();
    let paired = pairs.iter().flatten().count();
    agreements.rows(truth.len(), paired + invented.len(), missed, invented)
}

fn compare_expense(
    event: &Event,
    name: &str,
    agreements: &mut Agreements,
    (truth, found): (&ExpenseRow, &ExpenseRow),
) {
    let (own, said) = (truth.status, found.status);
    agreements.note(name, "status", own == said, || not(Some(said.name()), Some(own.name())));
    let (own, said) = (truth.paid_by.as_ref(), found.paid_by.as_ref());
    let payer = || not(said.map(|it| event.name_of(it)), own.map(|it| event.name_of(it)));
    agreements.note(name, "payer", own == said, payer);
    let (own, said) = (shared_by(event, truth), shared_by(event, found));
    agreements.note(name, "split", own == said, || not(Some(&said), Some(&own)));
    let (own, said) = (truth.category.as_str(), found.category.as_str());
    agreements.note(name, "category", own == said, || not(Some(said), Some(own)));
}

fn sum(row: &ExpenseRow) -> String {
    format!("{} {}", row.currency.format(row.minor), row.currency)
}

/// Who bears an expense, as names in participant order.
fn shared_by(event: &Event, row: &ExpenseRow) -> String {
    let mut names: Vec<&str> = row.shares.iter().map(|it| event.name_of(&it.person)).collect();
    names.sort_unstable();
    names.join(", ")
}

pub(super) fn polls(both: &Both<'_>, truth: &Truth, found: &Projections) -> Rows {
    let (results, truth, found) = (&truth.results, &truth.rows.polls, &found.polls);
    let pairs = pair(truth, found, |t, f| pairs::polls(both, t, f));
    let mut agreements = Agreements::default();
    for ((row, result), pair) in truth.iter().zip(results).zip(&pairs) {
        let Some(other) = pair.and_then(|at| found.get(at)) else { continue };
        let name = named(&both.truth, row.id, &row.question);
        let options = |poll: &PollRow| {
            poll.options.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join(" / ")
        };
        let said = || not(Some(&options(other)), Some(&options(row)));
        agreements.note(&name, "options", same_options(row, other), said);
        let (own, said) = (result.as_deref(), other.result());
        let same = match (own, said) {
            (Some(own), Some(said)) => common(own, said) > 0,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        agreements.note(&name, "result", same, || {
            not(said.or(Some("undecided")), own.or(Some("undecided")))
        });
    }
    let (missed, invented) = alone(both, (truth, found), &pairs, |row| (row.id, &row.question));
    agreements.rows(truth.len(), found.len(), missed, invented)
}
