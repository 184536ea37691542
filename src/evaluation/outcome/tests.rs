//! Comparisons of small chats, each with one thing wrong.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::domain::chat::{Event, Message, Participant};
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::{EventId, MessageId, PersonId, RoomId};
use crate::domain::money::{Currency, split_equally};
use crate::domain::projection::{Effect, ExpenseRow, Projections, RepaymentRow, SourceRow};
use crate::domain::usage::NanoUsd;
use crate::store::Spent;

const NAMES: [&str; 3] = ["Ana", "Ben", "Cleo"];

fn event() -> Event {
    let participant = |name: &str| Participant { id: PersonId(name.into()), name: name.into() };
    Event {
        id: EventId::parse("party").unwrap(),
        tenant: Event::DEFAULT_TENANT.into(),
        name: "A party".into(),
        kind: "birthday".into(),
        starts_at: None,
        time_zone: "UTC".into(),
        locale: "en".into(),
        currency: Currency::parse("GBP").unwrap(),
        budget: None,
        participants: NAMES.map(participant).into(),
    }
}

fn messages() -> Vec<Message> {
    let message = |n: usize| Message {
        id: MessageId::parse(&format!("m{n}")).unwrap(),
        room: RoomId::parse("room").unwrap(),
        sender: PersonId(NAMES[n % 3].into()),
        sent_at: Timestamp::from_second(n as i64).unwrap(),
        text: "hello".into(),
        revision: 1,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    };
    (0..9).map(message).collect()
}

fn read(truth: &Value, repaid: Option<&[Repaid]>) -> Result<Truth, BadTruth> {
    let (event, messages) = (event(), messages());
    let chat = Chat { event: &event, messages: &messages, repaid };
    Truth::read(truth.to_string().as_bytes(), &chat)
}

/// A cake of 90.00 that Ana paid, flowers of 30.01 that Ben paid for Ben and Cleo, a task, a poll.
fn truth() -> Value {
    json!({
        "tasks": [{"title": "Buy the cake", "object": "cake", "assignee": "Ana", "done": true,
            "status": "done", "sources": ["m1", "m2"]}],
        "expenses": [
            {"what": "cake", "amount": 90, "currency": "GBP", "category": "cake",
                "paid_by": "Ana", "split_between": null, "paid": true, "sources": ["m3"]},
            {"what": "flowers", "amount": 30.01, "currency": "GBP", "category": "flowers",
                "paid_by": "Ben", "split_between": ["Cleo", "Ben"], "paid": true, "sources": ["m4"]},
        ],
        "polls": [{"question": "When?", "options": ["Friday", "Saturday"], "result": "Friday",
            "sources": ["m5"]}],
        "total_spent": 120.01,
        "total_outstanding": 0,
        "per_person_paid": {"Ana": 90, "Ben": 30.01},
        "currency": "GBP",
    })
}

/// A report whose rows are the truth's own, with their poll voted on.
fn report(rows: Projections) -> EventReport {
    EventReport {
        event: event(),
        messages: messages(),
        by_intent: vec![],
        rows,
        answers: vec![],
        suggestions: vec![],
        cache_hits: 0,
        spent: Spent::default(),
        avoided_cost: NanoUsd::ZERO,
        failed: vec![],
    }
}

fn right_rows(truth: &Truth) -> Projections {
    let mut rows = truth.rows.clone();
    rows.polls[0].options[0].votes.push(PersonId("Ben".into()));
    rows
}

/// What is said of a report that differs from the truth by this.
fn compared(change: impl FnOnce(&mut Projections)) -> Comparison {
    let truth = read(&truth(), Some(&[])).unwrap();
    let mut rows = right_rows(&truth);
    change(&mut rows);
    Comparison::of(&truth, None, &report(rows))
}

#[test]
fn the_truth_itself_is_good() {
    let comparison = compared(|_| ());
    assert_eq!(comparison.missed_floors(), Vec::<String>::new());
    assert!(comparison.money.exact() && comparison.money.causes.is_empty());
    let rates = [&comparison.tasks, &comparison.expenses, &comparison.polls];
    let agree = rates.iter().flat_map(|rows| &rows.agree);
    assert!(agree.map(|it| it.rate).all(|rate| rate.right == rate.all), "{comparison:#?}");
}

#[test]
fn another_sum_is_not_found_and_not_invented_and_explains_every_figure() {
    let comparison = compared(|rows| {
        let row = &mut rows.expenses[1];
        row.minor = 3_101;
        row.shares = split_equally(3_101, &["Ben", "Cleo"].map(|it| PersonId(it.into())));
    });
    assert_eq!((comparison.expenses.found.right, comparison.expenses.invented.len()), (1, 0));
    let cause = &comparison.money.causes[0];
    assert_eq!((cause.row.as_str(), comparison.money.causes.len()), ("flowers (m4)", 1));
    assert_eq!(cause.why, "amount 31.01 GBP, not 30.01 GBP");
    let by = ["spent +1.00 GBP", "Ben paid +1.00 GBP", "Ben balance +0.50 GBP"];
    assert!(by.iter().all(|it| cause.by.iter().any(|by| by == it)), "{cause:?}");
    assert_eq!(comparison.money.currencies[0].paid_differs[0].sum.found, "31.01");
    assert_eq!(comparison.missed_floors().len(), 2, "{:?}", comparison.missed_floors());
}

#[test]
fn an_expense_that_nobody_made_is_invented_and_one_that_was_called_off_is_not() {
    for (status, invented) in [(ExpenseStatus::Paid, 1), (ExpenseStatus::Cancelled, 0)] {
        let comparison = compared(|rows| {
            let id = uuid::Uuid::from_u128(7);
            let row = rows.expenses[0].clone();
            rows.expenses.push(ExpenseRow { id, what: "ice".into(), status, ..row });
            let message = MessageId::parse("m8").unwrap();
            rows.sources.push(SourceRow { message, projection: id, effect: Effect::Opened });
        });
        assert_eq!(comparison.expenses.invented.len(), invented, "{status:?}");
        assert_eq!(comparison.missed_floors().is_empty(), invented == 0);
    }
}

#[test]
fn a_wrong_payer_leaves_the_total_and_moves_the_balances() {
    let comparison = compared(|rows| rows.expenses[0].paid_by = Some(PersonId("Ben".into())));
    let figures = &comparison.money.currencies[0];
    assert!(figures.spent.exact && !figures.exact);
    assert_eq!(figures.balance_differs.len(), 2);
    assert_eq!(comparison.money.causes[0].why, "payer Ben, not Ana");
    assert_eq!(comparison.missed_floors(), ["totals and transfers: not exact"]);
}

#[test]
fn rows_meet_by_any_message_they_share_or_by_what_they_are() {
    let moved = |to: &str| {
        let to = MessageId::parse(to).unwrap();
        compared(|rows| {
            let task = rows.tasks[0].id;
            rows.sources.retain(|it| it.projection != task);
            rows.sources.push(SourceRow { message: to, projection: task, effect: Effect::Opened });
        })
    };
    assert_eq!(moved("m2").tasks.found.right, 1);
    assert_eq!(moved("m8").tasks.found.right, 1);
    let comparison = compared(|rows| {
        rows.tasks[0].object = "venue".into();
        rows.sources[0].message = MessageId::parse("m8").unwrap();
        rows.sources.remove(1);
    });
    assert_eq!(comparison.tasks.missed, ["Buy the cake (m1)"]);
    assert_eq!(comparison.tasks.invented, ["Buy the cake (m8)"]);
    assert_eq!(comparison.missed_floors().len(), 2);
}

#[test]
fn polls_are_held_against_their_results() {
    let comparison = compared(|rows| rows.polls[0].options[0].votes.clear());
    assert_eq!(comparison.polls.differences, ["When? (m5): result undecided, not Friday"]);
}

#[test]
fn labelled_repayments_are_the_senders_share_and_silence_is_not_judged() {
    let labels = concat!(
        r#"{"id": "m5", "text": "sent", "follow_up": {"kind": "repayment", "target": "m4"}}"#,
        "\nbroken\n",
        r#"{"id": "m6", "text": "hi", "follow_up": null}"#
    );
    let repaid = Repaid::labelled(labels.as_bytes()).unwrap();
    let known = read(&truth(), Some(&repaid)).unwrap();
    let sent = &known.rows.repayments[0];
    // Ben bears the odd penny, as the first of the two.
    assert_eq!((sent.from.0.as_str(), sent.to.0.as_str(), sent.minor), ("Cleo", "Ben", 1_500));
    let without = Projections { repayments: vec![], ..right_rows(&known) };
    let missing = Comparison::of(&known, None, &report(without));
    assert_eq!(missing.money.causes[0].why, "Cleo → Ben 15.00 GBP not found");

    assert_eq!(Repaid::labelled(br#"{"id": "m1", "text": "hi"}"#), None);
    let silent = read(&truth(), None).unwrap();
    let rows = Projections { repayments: known.rows.repayments.clone(), ..right_rows(&silent) };
    let comparison = Comparison::of(&silent, None, &report(rows));
    assert!(comparison.money.exact());
    assert_eq!(comparison.repayments_not_judged, 1);
}

#[test]
fn listed_repayments_come_before_labels_and_other_currencies_are_held_apart() {
    let mut file = truth();
    file["repayments"] =
        json!([{"from": "Cleo", "to": "Ana", "amount": 20, "currency": "EUR", "sources": ["m7"]}]);
    let known = read(&file, Some(&[])).unwrap();
    let euro = Currency::parse("EUR").unwrap();
    assert_eq!(known.rows.repayments[0].currency, euro);
    let pounds = |row: &RepaymentRow| RepaymentRow { currency: event().currency, ..row.clone() };
    let repayments = known.rows.repayments.iter().map(pounds).collect();
    let rows = Projections { repayments, ..right_rows(&known) };
    let comparison = Comparison::of(&known, None, &report(rows));
    let codes: Vec<_> = comparison.money.currencies.iter().map(|it| it.currency.as_str()).collect();
    assert_eq!(codes, ["GBP", "EUR"]);
    assert!(comparison.money.currencies.iter().all(|it| !it.exact));
}

#[test]
fn a_bad_truth_is_named_by_its_place() {
    let changed = |change: fn(&mut Value)| {
        let mut file = truth();
        change(&mut file);
        read(&file, None).unwrap_err().to_string()
    };
    for (change, said) in [
        ((|it| it["expenses"][1]["amount"] = "x".into()) as fn(&mut Value), "expenses[1]: "),
        (|it| it["tasks"][0]["sources"][1] = "m99".into(), "tasks[0].sources[1]: "),
        (|it| it["polls"][0]["sources"] = json!([]), "polls[0].sources: "),
        (|it| it["tasks"][0]["done"] = false.into(), "tasks[0].done: "),
        (|it| it["expenses"][0]["currency"] = "£".into(), "expenses[0].currency: "),
        (|it| it["currency"] = "EUR".into(), "currency: the chat's own is GBP"),
        (|it| it["total_spent"] = 120.into(), "total_spent: says 120.00, but its expenses sum to"),
        (|it| it["per_person_paid"] = json!({"Ana": 90}), "per_person_paid.Ben: says 0.00"),
        (|it| drop(it.as_object_mut().unwrap().remove("polls")), "polls: is missing"),
    ] {
        let error = changed(change);
        assert!(error.starts_with(said), "{error}, not {said}");
    }
    let (event, messages) = (event(), messages());
    let chat = Chat { event: &event, messages: &messages, repaid: None };
    assert_eq!(Truth::read(b"{\n", &chat).unwrap_err().place, "line 2, column 0");
}
