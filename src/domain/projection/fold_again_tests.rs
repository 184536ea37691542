//! What the fold promises of things said again: who takes a task up, what was due and is paid, sums
//! that add up others, and the currency of what is sent back.

use super::*;

#[test]
fn a_gap_is_filled_by_who_takes_it_up_soon_after_whatever_they_do_about_it() {
    let rows = folded(vec![
        ("Ana", task("tarp", "arrange", None)),
        ("Ben", task("tarp", "bring", Some("Ben"))),
        ("Ana", task("prize", "arrange", None)),
        ("Ana", task("prize", "make", Some("Cleo"))),
        ("Ana", task("cake", "buy", Some("Cleo"))),
        ("Ben", task("cake", "collect", Some("Ben"))),
    ]);
    let told: Vec<&str> = rows.tasks.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(told, ["bring the tarp", "make the prize", "buy the cake", "collect the cake"]);
    assert_eq!(rows.tasks[0].assignee.as_deref(), Some("Ben"));
}

#[test]
fn who_is_not_listed_may_be_a_participant_by_another_name_and_everyone_is_not_someone() {
    let rows = folded(vec![
        ("Ana", task("florist", "contact", Some("Mum"))),
        ("Cleo", task("florist", "contact", Some("Cleo"))),
        ("Ana", task("flight", "book", Some("everyone"))),
        ("Ben", task("flight", "book", Some("someone"))),
    ]);
    let given: Vec<_> = rows.tasks.iter().filter_map(|row| row.assignee.as_deref()).collect();
    assert_eq!(given, ["Cleo", "everyone", "someone"]);
}

#[test]
fn what_is_fetched_and_what_is_given_back_are_two_tasks() {
    let rows = folded(vec![
        ("Ana", task("knife", "collect", Some("Ana"))),
        ("Ben", task("knife", "return", Some("someone"))),
    ]);
    assert_eq!(rows.tasks.len(), 2);
}

#[test]
fn a_done_at_once_answers_what_was_just_asked() {
    let rows = folded(vec![
        ("Ben", task("food", "buy", Some("Ben"))),
        ("Ana", task("map", "send", Some("someone"))),
        ("Ben", follow_up(FollowUpKind::Completion, thing("route"))),
    ]);
    assert_eq!(rows.sources[2].projection, rows.tasks[1].id);
}

#[test]
fn a_sum_that_is_all_that_was_spent_is_no_new_expense() {
    let paid = |what: &str, minor: i64| ("Ana", expense(what, minor, Some("Ana")));
    let added = |sum: i64| {
        let rows = [paid("cake", 9_000), paid("hall", 5_000), paid("taxi", 700), paid("x", sum)];
        folded(rows.into()).expenses.len()
    };
    assert_eq!((added(14_700), added(14_701)), (3, 4));
}

#[test]
fn a_vote_by_its_mark_is_for_the_choice_that_stood_under_it() {
    let mut marked = poll(&["tabla and singer", "playlist"]);
    if let Some(Enrichment::Poll(poll)) = &mut marked.enrichment {
        poll.keys = ["🥁", "💻"].map(str::to_owned).into();
    }
    let vote = |said: &str| follow_up(FollowUpKind::Vote, thing(said));
    let rows =
        folded(vec![("Ana", marked), ("Ben", vote("🥁🥁")), ("Cleo", vote("💻; obviously"))]);
    let votes: Vec<usize> = rows.polls[0].options.iter().map(|it| it.votes.len()).collect();
    assert_eq!(votes, [1, 1]);
}

#[test]
fn balances_of_extremes_overflow_nothing() {
    let mut rows = folded(vec![
        ("Ana", expense("cake", 9_000, Some("Ana"))),
        ("Ana", expense("hall", 5_000, Some("Ana"))),
    ]);
    for row in &mut rows.expenses {
        row.minor = i64::MAX;
        row.shares = split_equally(i64::MAX, &[PersonId("Ben".into())]);
    }
    let event = event();
    let owed = balances(&rows, event.currency, &event.people());
    assert_eq!(owed.iter().map(|(_, minor)| *minor).collect::<Vec<_>>(), [i64::MAX, i64::MIN, 0]);
}

/// An expense in euros; the event's own are pounds.
fn in_euros(what: &str, minor: i64, paid_by: Option<&str>) -> Contribution {
    let mut made = expense(what, minor, paid_by);
    if let Some(Enrichment::Expense(expense)) = &mut made.enrichment {
        expense.currency = Currency::parse("EUR").unwrap();
    }
    made
}

#[test]
fn what_is_sent_back_is_in_the_currency_of_what_it_is_for() {
    let repay = |thing: &str, minor: Option<i64>, to: &str| {
        let target = Target { person: Some(to.into()), minor, thing: Some(thing.into()) };
        follow_up(FollowUpKind::Repayment, target)
    };
    let rows = folded(vec![
        ("Ana", in_euros("farm", 90_000, Some("Ana"))),
        ("Ana", expense("cake", 6_000, Some("Ana"))),
        ("Ben", repay("farm", Some(30_500), "Ana")),
        ("Cleo", repay("farm", None, "Ana")),
        ("Cleo", repay("cake", Some(2_000), "Ana")),
        ("Ben", repay("something", Some(777), "Ana")),
    ]);
    let sent: Vec<_> = rows.repayments.iter().map(|row| (row.minor, row.currency.code())).collect();
    assert_eq!(sent, [(30_500, "EUR"), (30_000, "EUR"), (2_000, "GBP"), (777, "GBP")]);
}

#[test]
fn a_due_sum_that_nobody_named_is_paid_by_the_same_sum_and_gets_its_name() {
    let rows = folded(vec![
        ("Ana", expense("other", 160_000, None)),
        ("Ben", expense("farm balance", 160_000, Some("Ben"))),
    ]);
    let whats: Vec<_> = rows.expenses.iter().map(|row| (row.what.as_str(), row.status)).collect();
    assert_eq!(whats, [("farm balance", ExpenseStatus::Paid)]);
    assert_eq!(rows.sources[1].effect, Effect::Paid);
}
