//! Which splits are worth a thought, and that each is exact.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::agents::samples::event;
use crate::domain::enrichment::{ExpenseBase, ExpenseStatus};
use crate::domain::money::Currency;

fn ids(names: &[&str]) -> Vec<PersonId> {
    names.iter().map(|name| PersonId((*name).into())).collect()
}

fn entry(minor: i64, between: Option<&[&str]>) -> ExpenseEnrichment {
    let split_between = between.map(ids);
    let sharers = split_between.clone().unwrap_or_else(|| event().people());
    ExpenseEnrichment {
        what: "boat".into(),
        minor,
        currency: Currency::parse("GBP").unwrap(),
        category: "entertainment".into(),
        paid_by: None,
        shares: split_equally(minor, &sharers),
        split_between,
        status: ExpenseStatus::Paid,
        budget_share: None,
        base: ExpenseBase {
            category: "entertainment".into(),
            typical_share: 5.0,
            advice: Vec::new(),
        },
        warning: None,
        splits: Vec::new(),
        budget_use: Vec::new(),
        transfers: Vec::new(),
    }
}

fn row(category: &str, between: Option<&[&str]>) -> ExpenseRow {
    let entry = entry(900, between);
    ExpenseRow {
        id: Uuid::nil(),
        what: entry.what,
        minor: entry.minor,
        currency: entry.currency,
        category: category.into(),
        paid_by: None,
        split_between: entry.split_between,
        shares: entry.shares,
        status: ExpenseStatus::Paid,
        opened_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn kinds(entry: &ExpenseEnrichment, others: &[ExpenseRow]) -> Vec<SplitKind> {
    let others: Vec<&ExpenseRow> = others.iter().collect();
    suggested(&event(), entry, &others).into_iter().map(|split| split.kind).collect()
}

#[test]
fn without_a_past_everybody_bears_the_same() {
    assert_eq!(kinds(&entry(1_000, None), &[]), [SplitKind::Equal]);
}

#[test]
fn what_was_said_stands_first_and_the_equal_split_after_it() {
    let said = entry(1_000, Some(&["Tom", "Meera"]));
    assert_eq!(kinds(&said, &[]), [SplitKind::AsSaid, SplitKind::Equal]);
}

#[test]
fn who_never_took_part_in_such_expenses_is_left_out_of_one_suggestion() {
    let past = [row("entertainment", Some(&["Tom", "Meera"])), row("venue", None)];
    let others: Vec<&ExpenseRow> = past.iter().collect();
    let splits = suggested(&event(), &entry(1_001, None), &others);
    let present = splits.iter().find(|split| split.kind == SplitKind::WithoutAbsent).unwrap();
    let people: Vec<&str> = present.shares.iter().map(|share| share.person.0.as_str()).collect();
    assert_eq!(people, ["Tom", "Meera"]);
    assert_eq!(present.shares[0].minor, 501);
}

#[test]
fn parts_follow_how_often_each_one_shared() {
    let past = [row("venue", None), row("music", Some(&["Tom", "Meera"]))];
    let others: Vec<&ExpenseRow> = past.iter().collect();
    let splits = suggested(&event(), &entry(1_000, None), &others);
    let parts = splits.iter().find(|split| split.kind == SplitKind::ByShares).unwrap();
    assert_eq!(parts.shares.iter().map(|share| share.minor).collect::<Vec<_>>(), [200, 400, 400]);
}

#[test]
fn no_two_suggestions_ask_the_same_of_everybody() {
    let all = entry(1_000, Some(&["Priya", "Tom", "Meera"]));
    assert_eq!(kinds(&all, &[row("venue", None)]), [SplitKind::AsSaid]);
}

proptest! {
    #[test]
    fn every_suggested_split_sums_to_the_unit_and_names_nobody_twice(
        minor in -10_000_000i64..10_000_000,
        said in prop::option::of(prop::sample::subsequence(vec!["Priya", "Tom", "Meera"], 1..=3)),
        past in prop::collection::vec(
            (prop::sample::select(vec!["entertainment", "venue"]),
             prop::option::of(prop::sample::subsequence(vec!["Priya", "Tom", "Meera"], 1..=3))),
            0..8,
        ),
    ) {
        let past: Vec<ExpenseRow> =
            past.iter().map(|(category, between)| row(category, between.as_deref())).collect();
        let others: Vec<&ExpenseRow> = past.iter().collect();
        for split in suggested(&event(), &entry(minor, said.as_deref()), &others) {
            prop_assert_eq!(split.shares.iter().map(|share| share.minor).sum::<i64>(), minor);
            let mut people: Vec<&PersonId> = split.shares.iter().map(|share| &share.person).collect();
            people.sort();
            people.dedup();
            prop_assert_eq!(people.len(), split.shares.len());
        }
    }
}
