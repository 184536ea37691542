//! The group's money, held against the truth to the minor unit, each difference with its row.
//!
//! Every row has a part in every figure. A figure's difference is the sum of its rows'
//! differences, so what is named here explains all of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::pairs::Both;
use crate::domain::chat::Event;
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::money::{Currency, Transfer, transfers};
use crate::domain::projection::{ExpenseRow, Projections, RepaymentRow, balances};

/// A figure of the group's money.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Figure {
    /// What was spent.
    Spent,
    /// What is due.
    Outstanding,
    /// What a person paid.
    Paid(PersonId),
    /// What a person is owed, or owes.
    Balance(PersonId),
}

/// What a row is worth in each figure, in minor units; figures it has no part in are left out.
type Part = BTreeMap<(Currency, Figure), i64>;

fn add(part: &mut Part, currency: Currency, figure: Figure, minor: i64) {
    let sum = part.entry((currency, figure)).or_default();
    *sum = sum.saturating_add(minor);
}

fn part_of_expense(row: &ExpenseRow) -> Part {
    let mut part = Part::new();
    match row.status {
        ExpenseStatus::Cancelled => {}
        ExpenseStatus::Due => add(&mut part, row.currency, Figure::Outstanding, row.minor),
        ExpenseStatus::Paid => {
            add(&mut part, row.currency, Figure::Spent, row.minor);
            if let Some(payer) = &row.paid_by {
                add(&mut part, row.currency, Figure::Paid(payer.clone()), row.minor);
                if !row.shares.is_empty() {
                    add(&mut part, row.currency, Figure::Balance(payer.clone()), row.minor);
                }
                for share in &row.shares {
                    let figure = Figure::Balance(share.person.clone());
                    add(&mut part, row.currency, figure, -share.minor);
                }
            }
        }
    }
    part
}

fn part_of_repayment(row: &RepaymentRow) -> Part {
    let mut part = Part::new();
    add(&mut part, row.currency, Figure::Balance(row.from.clone()), row.minor);
    add(&mut part, row.currency, Figure::Balance(row.to.clone()), -row.minor);
    part
}

/// A sum of one currency on both sides, as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// What the truth says.
    pub truth: String,
    /// What was found.
    pub found: String,
    /// Whether they are equal to the minor unit.
    pub exact: bool,
}

/// One currency's figures on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurrencyFigures {
    /// Its code.
    pub currency: String,
    /// What was spent.
    pub spent: Sum,
    /// What is due.
    pub outstanding: Sum,
    /// What each person paid, where the sides differ.
    pub paid_differs: Vec<Differs>,
    /// What each person is owed or owes, where the sides differ.
    pub balance_differs: Vec<Differs>,
    /// Who truly pays whom how much: `Ana → Ben 12.50`.
    pub true_transfers: Vec<String>,
    /// Who was found to pay whom.
    pub found_transfers: Vec<String>,
    /// Whether all of these are equal.
    pub exact: bool,
}

/// A person's figure that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differs {
    /// Whose.
    pub name: String,
    /// On both sides.
    pub sum: Sum,
}

/// A row that makes a figure differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The row, with its first message.
    pub row: String,
    /// What is different about it.
    pub why: String,
    /// By how much each figure is off, found less true: `spent +12.50 GBP`.
    pub by: Vec<String>,
}

/// Money on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// The figures of each currency, the event's own first.
    pub currencies: Vec<CurrencyFigures>,
    /// The rows that explain every difference.
    pub causes: Vec<Cause>,
}

impl Money {
    /// Whether every figure is equal to the minor unit.
    pub fn exact(&self) -> bool {
        self.currencies.iter().all(|it| it.exact)
    }
}

/// The two sides, and which of their expenses and repayments are the same.
pub(super) struct Sides<'a> {
    pub(super) event: &'a Event,
    pub(super) truth: &'a Projections,
    pub(super) found: &'a Projections,
    pub(super) both: &'a Both<'a>,
    pub(super) expenses: &'a [Option<usize>],
    pub(super) repayments: &'a [Option<usize>],
}

impl Sides<'_> {
    pub(super) fn compare(&self) -> Money {
        let rows = || [self.truth, self.found].into_iter();
        let spent = rows().flat_map(|it| it.expenses.iter().map(|row| row.currency));
        let sent = rows().flat_map(|it| it.repayments.iter().map(|row| row.currency));
        let mut others: BTreeSet<Currency> = spent.chain(sent).collect();
        others.remove(&self.event.currency);
        let all = std::iter::once(self.event.currency).chain(others);
        Money { currencies: all.map(|it| self.figures(it)).collect(), causes: self.causes() }
    }

    fn figures(&self, currency: Currency) -> CurrencyFigures {
        let (truth, found) = (part_of_all(self.truth), part_of_all(self.found));
        let of = |part: &Part, figure: &Figure| {
            part.get(&(currency, figure.clone())).copied().unwrap_or(0)
        };
        let sum = |figure: &Figure| sum(currency, of(&truth, figure), of(&found, figure));
        let people = self.people();
        let differing = |figure: fn(PersonId) -> Figure| -> Vec<Differs> {
            let all = people.iter().map(|person| Differs {
                name: self.event.name_of(person).to_owned(),
                sum: sum(&figure(person.clone())),
            });
            all.filter(|it| !it.sum.exact).collect()
        };
        let (spent, outstanding) = (sum(&Figure::Spent), sum(&Figure::Outstanding));
        let (paid_differs, balance_differs) = (differing(Figure::Paid), differing(Figure::Balance));
        let true_transfers = self.transfers(self.truth, currency);
        let found_transfers = self.transfers(self.found, currency);
        let exact = spent.exact
            && outstanding.exact
            && paid_differs.is_empty()
            && balance_differs.is_empty()
            && true_transfers == found_transfers;
        CurrencyFigures {
            currency: currency.code().to_owned(),
            spent,
            outstanding,
            paid_differs,
            balance_differs,
            true_transfers,
            found_transfers,
            exact,
        }
    }

    /// Who takes part, and whom else the money names.
    fn people(&self) -> Vec<PersonId> {
        let mut people = self.event.people();
        for (_, figure) in part_of_all(self.truth).keys().chain(part_of_all(self.found).keys()) {
            match figure {
                Figure::Paid(person) | Figure::Balance(person) if !people.contains(person) => {
                    people.push(person.clone());
                }
                Figure::Paid(_) | Figure::Balance(_) | Figure::Spent | Figure::Outstanding => {}
            }
        }
        people
    }

    /// As the summary makes them, so that what people are shown is what is judged.
    fn transfers(&self, rows: &Projections, currency: Currency) -> Vec<String> {
        let open = balances(rows, currency, &self.event.people());
        let said = |it: Transfer| {
            let (from, to) = (self.event.name_of(&it.from), self.event.name_of(&it.to));
            format!("{from} → {to} {}", currency.format(it.minor))
        };
        transfers(&open).into_iter().map(said).collect()
    }

    fn causes(&self) -> Vec<Cause> {
        let mut causes = Vec::new();
        let (truth, found) = (&self.truth.expenses, &self.found.expenses);
        for (truth, found) in sides(truth, found, self.expenses) {
            let parts = (truth.map(part_of_expense), found.map(part_of_expense));
            let why = || why_expense(self.event, truth, found);
            let what = truth.or(found).map(|row| (row.id, row.what.as_str()));
            causes.extend(self.cause(truth.is_some(), what, parts, why));
        }
        let (truth, found) = (&self.truth.repayments, &self.found.repayments);
        for (truth, found) in sides(truth, found, self.repayments) {
            let parts = (truth.map(part_of_repayment), found.map(part_of_repayment));
            let why = || why_repayment(self.event, truth, found);
            let what = truth.or(found).map(|row| (row.id, "repayment"));
            causes.extend(self.cause(truth.is_some(), what, parts, why));
        }
        causes
    }

    fn cause(
        &self,
        is_true: bool,
        what: Option<(uuid::Uuid, &str)>,
        (truth, found): (Option<Part>, Option<Part>),
        why: impl FnOnce() -> String,
    ) -> Option<Cause> {
        let (id, what) = what?;
        let mut off = found.unwrap_or_default();
        for ((currency, figure), minor) in truth.unwrap_or_default() {
            add(&mut off, currency, figure, minor.saturating_neg());
        }
        off.retain(|_, minor| *minor != 0);
        if off.is_empty() {
            return None;
        }
        let sources = if is_true { &self.both.truth } else { &self.both.found };
        let first = sources.saying(id).first().map_or("?", |message| message.as_str());
        let by = off.iter().map(|((currency, figure), minor)| self.said(*currency, figure, *minor));
        Some(Cause { row: format!("{what} ({first})"), why: why(), by: by.collect() })
    }

    fn said(&self, currency: Currency, figure: &Figure, minor: i64) -> String {
        let name = match figure {
            Figure::Spent => "spent".to_owned(),
            Figure::Outstanding => "outstanding".to_owned(),
            Figure::Paid(person) => format!("{} paid", self.event.name_of(person)),
            Figure::Balance(person) => format!("{} balance", self.event.name_of(person)),
        };
        let sign = if minor > 0 { "+" } else { "" };
        format!("{name} {sign}{} {currency}", currency.format(minor))
    }
}

fn part_of_all(rows: &Projections) -> Part {
    let mut all = Part::new();
    let expenses = rows.expenses.iter().map(part_of_expense);
    for part in expenses.chain(rows.repayments.iter().map(part_of_repayment)) {
        for ((currency, figure), minor) in part {
            add(&mut all, currency, figure, minor);
        }
    }
    all
}

fn sum(currency: Currency, truth: i64, found: i64) -> Sum {
    let (said, exact) = (currency.format(truth), truth == found);
    Sum { truth: said, found: currency.format(found), exact }
}

/// The pairs, then what only the truth has, then what only was found.
fn sides<'a, T>(
    truth: &'a [T],
    found: &'a [T],
    pairs: &'a [Option<usize>],
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    let there = truth
        .iter()
        .zip(pairs)
        .map(|(row, pair)| (Some(row), pair.and_then(|place| found.get(place))));
    let alone = found.iter().enumerate().filter(|(place, _)| !pairs.contains(&Some(*place)));
    there.chain(alone.map(|(_, row)| (None, Some(row))))
}

fn why_expense(event: &Event, truth: Option<&ExpenseRow>, found: Option<&ExpenseRow>) -> String {
    let (truth, found) = match (truth, found) {
        (Some(truth), Some(found)) => (truth, found),
        (Some(_), None) => return "not found".to_owned(),
        (None, _) => return "not in the truth".to_owned(),
    };
    let name = |who: &Option<PersonId>| {
        who.as_ref().map_or("nobody known".to_owned(), |it| event.name_of(it).to_owned())
    };
    let sharers = |row: &ExpenseRow| {
        let names: Vec<&str> = row.shares.iter().map(|it| event.name_of(&it.person)).collect();
        if names.len() == event.participants.len() { "all".to_owned() } else { names.join(", ") }
    };
    let sum = |row: &ExpenseRow| format!("{} {}", row.currency.format(row.minor), row.currency);
    let differ = [
        ("amount", sum(found), sum(truth)),
        ("status", found.status.name().to_owned(), truth.status.name().to_owned()),
        ("payer", name(&found.paid_by), name(&truth.paid_by)),
        ("split between", sharers(found), sharers(truth)),
    ];
    let said = differ.into_iter().filter(|(_, found, truth)| found != truth);
    said.map(|(what, found, truth)| format!("{what} {found}, not {truth}"))
        .collect::<Vec<_>>()
        .join("; ")
}

fn why_repayment(
    event: &Event,
    truth: Option<&RepaymentRow>,
    found: Option<&RepaymentRow>,
) -> String {
    let said = |row: &RepaymentRow| {
        let (from, to) = (event.name_of(&row.from), event.name_of(&row.to));
        format!("{from} → {to} {} {}", row.currency.format(row.minor), row.currency)
    };
    match (truth, found) {
        (Some(truth), Some(found)) => format!("{}, not {}", said(found), said(truth)),
        (Some(truth), None) => format!("{} not found", said(truth)),
        (None, Some(found)) => format!("{} not in the truth", said(found)),
        (None, None) => String::new(),
    }
}
