//! Money, payer, split and warnings of an expense.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::agents::samples::{event, message};
use crate::domain::ids::PersonId;
use crate::domain::intent::Target;

fn base(category: &str, typical_share: f64) -> ExpenseBase {
    ExpenseBase { category: category.into(), typical_share, advice: vec!["Keep it".into()] }
}

fn entities(amount: f64) -> ExpenseEntities {
    ExpenseEntities {
        amount,
        currency: None,
        category: Some("venue".into()),
        paid_by: Some("me".into()),
        split_between: None,
        what: Some("barn deposit".into()),
    }
}

fn row(what: &str, minor: i64, category: &str) -> ExpenseRow {
    ExpenseRow {
        id: Uuid::nil(),
        what: what.into(),
        minor,
        currency: event().currency,
        category: category.into(),
        paid_by: None,
        split_between: None,
        shares: Vec::new(),
        status: ExpenseStatus::Due,
        opened_at: "2026-03-01T00:00:00Z".parse().unwrap(),
    }
}

fn done(expense: &ExpenseEntities, past: Vec<ExpenseRow>) -> ExpenseEnrichment {
    let mut personal = Personal::default();
    personal.rows.expenses = past;
    finish(&event(), &message("…"), expense, None, base("venue", 20.0), &personal)
}

fn person(name: &str) -> PersonId {
    PersonId(name.into())
}

#[test]
fn an_expense_is_in_minor_units_of_the_events_currency_and_split_among_all() {
    let expense = done(&entities(1_500.0), Vec::new());
    assert_eq!((expense.minor, expense.currency.code()), (150_000, "GBP"));
    assert_eq!((expense.paid_by, expense.status), (Some(person("Tom")), ExpenseStatus::Paid));
    assert_eq!((expense.split_between, expense.shares.len()), (None, 3));
    assert_eq!((expense.budget_share, expense.warning), (Some(7.5), None));
}

#[test]
fn another_currency_is_kept_and_not_held_against_the_budget() {
    let euros = ExpenseEntities { currency: Some("eur".into()), ..entities(90_000.0) };
    let expense = done(&euros, Vec::new());
    assert_eq!((expense.currency.code(), expense.budget_share), ("EUR", None));
    assert_eq!(expense.warning, None);
}

#[test]
fn an_unknown_payer_is_nobody_but_it_is_paid() {
    let uncle = ExpenseEntities { paid_by: Some("Uncle Bob".into()), ..entities(10.0) };
    let expense = done(&uncle, Vec::new());
    assert_eq!((expense.paid_by, expense.status), (None, ExpenseStatus::Paid));
}

#[test]
fn without_a_payer_the_words_say_whether_it_is_paid() {
    let expense = ExpenseEntities { paid_by: None, ..entities(10.0) };
    let status_of = |text: &str| status(&expense, text);
    assert_eq!(status_of("we paid 300 for the hall"), ExpenseStatus::Paid);
    assert_eq!(status_of("balance is 3,100, due 1 May"), ExpenseStatus::Due);
    assert_eq!(status_of("invoice from the florist, 620"), ExpenseStatus::Due);
    assert_eq!(status_of("paid the deposit, balance 900 still owed"), ExpenseStatus::Due);
}

#[test]
fn everyone_is_said_and_kept_as_all() {
    let all = ExpenseEntities { split_between: Some(vec!["everyone".into()]), ..entities(10.0) };
    assert_eq!(done(&all, Vec::new()).split_between, Some(event().people()));
}

#[test]
fn a_category_far_beyond_its_typical_share_is_warned_of_with_the_figures() {
    let past = vec![row("marquee ground", 500_000, "venue"), row("cake", 30_000, "cake")];
    let warning = done(&entities(1_500.0), past).warning.unwrap();
    assert!(warning.contains("GBP 6,500.00, 32.5 % of the budget"), "{warning}");
    assert!(warning.contains("about 20 %"), "{warning}");
}

#[test]
fn passing_the_whole_budget_is_warned_of_with_the_figures() {
    let past = vec![row("dinner", 1_900_000, "catering")];
    let warning = done(&entities(1_500.0), past).warning.unwrap();
    assert!(
        warning.contains("GBP 20,500.00, GBP 500.00 over the budget of GBP 20,000.00"),
        "{warning}"
    );
}

#[test]
fn what_is_said_again_or_corrected_counts_once() {
    let again = vec![row("barn deposit", 400_000, "venue")];
    assert_eq!(done(&entities(4_000.0), again).warning, None);
    let corrected = FollowUp {
        kind: FollowUpKind::Correction,
        target: Target { minor: Some(450_000), ..Target::default() },
    };
    let mut personal = Personal::default();
    personal.rows.expenses = vec![row("barn deposit", 450_000, "venue")];
    let expense = finish(
        &event(),
        &message("…"),
        &entities(4_600.0),
        Some(&corrected),
        base("venue", 20.0),
        &personal,
    );
    assert_eq!(expense.warning, None);
}

#[test]
fn later_and_cancelled_expenses_do_not_count() {
    let mut later = row("dinner", 1_900_000, "catering");
    later.opened_at = "2026-04-01T00:00:00Z".parse().unwrap();
    let mut off = row("band", 1_900_000, "music");
    off.status = ExpenseStatus::Cancelled;
    assert_eq!(done(&entities(1_500.0), vec![later, off]).warning, None);
}

#[test]
fn without_a_category_the_base_names_it() {
    let unknown = ExpenseEntities { category: None, what: None, ..entities(10.0) };
    let expense = done(&unknown, Vec::new());
    assert_eq!((expense.category.as_str(), expense.what.as_str()), ("venue", "venue"));
}

proptest! {
    #[test]
    fn shares_always_sum_to_the_amount(
        amount in prop_oneof![0.0f64..1e7, any::<f64>()],
        names in prop::option::of(prop::collection::vec("me|Tom|Priya|everyone|Bob|[a-z]{0,4}", 0..6)),
        past in prop::collection::vec(any::<i64>(), 0..4),
    ) {
        let expense = ExpenseEntities { split_between: names, ..entities(amount) };
        let past = past.into_iter().map(|minor| row("thing", minor, "venue")).collect();
        let expense = done(&expense, past);
        prop_assert!(expense.minor >= 0);
        prop_assert_eq!(expense.shares.iter().map(|s| s.minor).sum::<i64>(), expense.minor);
        let people: std::collections::BTreeSet<_> = expense.shares.iter().map(|s| &s.person).collect();
        prop_assert_eq!(people.len(), expense.shares.len());
    }
}
