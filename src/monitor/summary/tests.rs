//! A small report by hand, and every figure that is made of it.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::chat::Participant;
use crate::domain::ids::{EventId, MessageId, RoomId};
use crate::domain::money::split_equally;
use crate::domain::projection::{PollOption, Projections, RepaymentRow};
use crate::domain::suggestion::Suggestion;
use crate::store::{AnsweredQuestion, Spent};

fn person(name: &str) -> PersonId {
    PersonId(format!("u-{name}"))
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap()
}

fn event() -> Event {
    let participants =
        ["Ann", "Bob", "Cy"].map(|name| Participant { id: person(name), name: name.into() }).into();
    Event {
        id: EventId::parse("evt-1").unwrap(),
        tenant: "default".into(),
        name: "Trip".into(),
        kind: "trip".into(),
        starts_at: None,
        time_zone: "UTC".into(),
        locale: "en".into(),
        currency: currency("GBP"),
        budget: None,
        participants,
    }
}

fn message(number: i64) -> Message {
    Message {
        id: MessageId::parse(&format!("m{number}")).unwrap(),
        room: RoomId::parse("r").unwrap(),
        sender: person("Ann"),
        sent_at: at(number),
        text: "hi".into(),
        revision: 1,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    }
}

fn expense(
    what: &str,
    minor: i64,
    code: &str,
    payer: Option<&str>,
    status: ExpenseStatus,
) -> ExpenseRow {
    ExpenseRow {
        id: Uuid::nil(),
        what: what.into(),
        minor,
        currency: currency(code),
        category: "other".into(),
        paid_by: payer.map(person),
        split_between: None,
        shares: split_equally(minor, &event().people()),
        status,
        opened_at: at(1),
    }
}

fn task(title: &str, status: TaskStatus) -> TaskRow {
    TaskRow {
        id: Uuid::nil(),
        title: title.into(),
        object: "cake".into(),
        action: "buy".into(),
        assignee: Some("Bob".into()),
        due_said: Some("friday".into()),
        due: Some("2026-05-01".parse().unwrap()),
        status,
        opened_at: at(2),
    }
}

fn poll() -> PollRow {
    let option = |text: &str, votes: &[&str]| PollOption {
        text: text.into(),
        key: String::new(),
        votes: votes.iter().map(|name| person(name)).collect(),
    };
    PollRow {
        id: Uuid::nil(),
        question: "Where?".into(),
        options: vec![option("Bath", &["Ann", "Bob"]), option("York", &["Cy"])],
        opened_at: at(3),
    }
}

fn rows() -> Projections {
    use ExpenseStatus::{Cancelled, Due, Paid};
    let mut hall = expense("hall", 6_495, "GBP", Some("Ann"), Paid);
    hall.split_between = Some(vec![person("Ann"), person("Bob")]);
    hall.shares = split_equally(6_495, &[person("Ann"), person("Bob")]);
    let repaid = RepaymentRow {
        id: Uuid::nil(),
        from: person("Bob"),
        to: person("Ann"),
        minor: 1_000,
        currency: currency("GBP"),
        opened_at: at(4),
    };
    Projections {
        tasks: vec![task("Buy the cake", TaskStatus::Open)],
        expenses: vec![
            hall,
            expense("coach", 38_000, "GBP", Some("Bob"), Due),
            expense("band", 99_900, "GBP", Some("Cy"), Cancelled),
            expense("hotel", 12_000, "EUR", Some("Cy"), Paid),
            expense("taxi", 550, "EUR", None, Due),
            expense("sake", 900, "JPY", None, Cancelled),
            expense("ice", 100, "GBP", None, Paid),
        ],
        polls: vec![poll()],
        repayments: vec![repaid],
        sources: Vec::new(),
    }
}

fn report() -> EventReport {
    EventReport {
        event: event(),
        messages: (1..=4).map(message).collect(),
        by_intent: vec![(Intent::ExpenseEntry, 2), (Intent::None, 1)],
        rows: rows(),
        answers: vec![AnsweredQuestion {
            message: MessageId::parse("m4").unwrap(),
            question: "how much?".into(),
            answer: "£64.95".into(),
            sources: vec![uuid::Uuid::from_u128(7)],
        }],
        cache_hits: 3,
        spent: Spent {
            calls: 2,
            usage: Usage { input: 1_000, output: 200, cache_read: 30, ..Usage::default() },
            cost: NanoUsd(54_399_000),
        },
        avoided_cost: NanoUsd(1_000_000_000),
        failed: Vec::new(),
        suggestions: vec![SuggestionRow {
            event: event().id,
            suggestion: Suggestion {
                id: Uuid::nil(),
                title: "Book a guide".into(),
                object: "guide".into(),
                action: "book".into(),
                reason: "it is high season".into(),
                due: Some("2026-06-01".parse().unwrap()),
            },
            status: SuggestionStatus::Dismissed,
            created_at: at(9),
            model: None,
            dismissed_at: Some(at(10)),
            dismissed_by: Some("Ann".into()),
        }],
    }
}

fn summary() -> Summary {
    Summary::of(&report(), Some(NanoUsd(250_000_000)), Duration::from_millis(1_234))
}

#[test]
fn the_json_has_exactly_the_fields_of_the_contract_in_their_order() {
    let text = serde_json::to_string(&summary()).unwrap();
    let wanted = [
        "messages",
        "byIntent",
        "tasks",
        "expenses",
        "polls",
        "answers",
        "suggestions",
        "totalSpent",
        "totalOutstanding",
        "otherCurrencies",
        "perPersonPaid",
        "transfers",
        "cacheHits",
        "modelCalls",
        "totalTokens",
        "totalCost",
        "avoidedCost",
        "naiveCost",
        "durationMs",
    ];
    let places: Vec<usize> =
        wanted.iter().map(|key| text.find(&format!("\"{key}\":")).expect(key)).collect();
    assert!(places.is_sorted(), "{text}");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value.as_object().unwrap().len(), wanted.len());
}

#[test]
fn every_line_is_written_with_names_and_major_units() {
    let value = serde_json::to_value(summary()).unwrap();
    assert_eq!(
        value["expenses"][0],
        json!({"what": "hall", "amount": 64.95, "currency": "GBP", "category": "other",
               "paid_by": "Ann", "split_between": ["Ann", "Bob"], "status": "paid"})
    );
    assert_eq!(value["expenses"][4]["paid_by"], json!(null));
    assert_eq!(value["expenses"][4]["split_between"], json!(null));
    assert_eq!(
        value["tasks"],
        json!([{"title": "Buy the cake", "object": "cake", "assignee": "Bob",
                "due": "2026-05-01", "status": "open"}])
    );
    assert_eq!(
        value["polls"],
        json!([{"question": "Where?", "options": ["Bath", "York"], "result": "Bath"}])
    );
    assert_eq!(
        value["answers"],
        json!([{
            "message_id": "m4",
            "question": "how much?",
            "answer": "£64.95",
            "sources": [uuid::Uuid::from_u128(7)],
        }])
    );
    assert_eq!(
        value["suggestions"],
        json!([{"id": Uuid::nil(), "title": "Book a guide", "object": "guide",
                "reason": "it is high season", "due": "2026-06-01", "status": "dismissed"}])
    );
}

#[test]
fn every_intent_is_named_also_those_that_never_came() {
    let text = serde_json::to_string(&summary().by_intent).unwrap();
    assert_eq!(
        text,
        r#"{"task_creation":0,"expense_entry":2,"poll_creation":0,"query":0,"none":1}"#
    );
}

#[test]
fn totals_are_the_events_currency_alone_and_cancelled_rows_count_nowhere() {
    let summary = summary();
    assert_eq!(summary.total_spent.minor, 6_495 + 100);
    assert_eq!(summary.total_outstanding.minor, 38_000);
    assert_eq!(serde_json::to_string(&summary.other_currencies).unwrap(), r#"{"EUR":125.5}"#);
    assert_eq!(serde_json::to_string(&summary.per_person_paid).unwrap(), r#"{"Ann":64.95}"#);
}

#[test]
fn transfers_settle_what_is_owed_after_repayments() {
    let transfers = summary().transfers;
    // Bob's half of 64.95 is 32.47, of which he sent 10.
    assert_eq!(
        serde_json::to_value(transfers).unwrap(),
        json!([{"from": "Bob", "to": "Ann", "amount": 22.47}])
    );
}

#[test]
fn amounts_print_the_digits_that_people_wrote() {
    let written =
        |minor, code| serde_json::to_string(&Amount { minor, currency: currency(code) }).unwrap();
    assert_eq!(written(6_495, "GBP"), "64.95");
    assert_eq!(written(38_000, "GBP"), "380");
    assert_eq!(written(-110, "GBP"), "-1.1");
    assert_eq!(written(0, "GBP"), "0");
    assert_eq!(written(1_200, "JPY"), "1200");
    assert_eq!(written(1_234, "KWD"), "1.234");
    assert_eq!(written(99_999_999_999_999, "USD"), "999999999999.99");
}

#[test]
fn the_bill_is_in_dollars_and_an_unknown_price_is_null_and_never_nought() {
    let value = serde_json::to_value(summary()).unwrap();
    assert_eq!(value["totalCost"], json!(0.054399));
    assert_eq!(value["avoidedCost"], json!(1));
    assert_eq!(value["naiveCost"], json!(0.25));
    assert_eq!((&value["totalTokens"], &value["durationMs"]), (&json!(1_230), &json!(1_234)));
    let unpriced = Summary::of(&report(), None, Duration::ZERO);
    assert_eq!(serde_json::to_value(unpriced).unwrap()["naiveCost"], json!(null));
}

#[test]
fn two_people_of_one_name_are_kept_apart() {
    let mut report = report();
    report.event.participants[1].name = "Ann".into();
    let transfers = Summary::of(&report, None, Duration::ZERO).transfers;
    assert_eq!(
        (transfers[0].from.as_str(), transfers[0].to.as_str()),
        ("Ann (u-Bob)", "Ann (u-Ann)")
    );
}

#[test]
fn the_naive_cost_prices_a_full_call_for_every_message_with_its_own_past() {
    let seen = std::cell::RefCell::new(Vec::new());
    let tokens = |message: &Message, past: &ContextRows| {
        let row =
            (message.id.to_string(), past.messages.len(), past.tasks.len(), past.expenses.len());
        seen.borrow_mut().push(row);
        1_000
    };
    let price = |usage: &Usage| Some(NanoUsd((usage.input * 2 + usage.output * 10) as i64));
    assert_eq!(naive_cost(&report(), tokens, price), Some(NanoUsd(4 * 5_000)));
    let rows = |id: &str, messages, tasks, expenses| (id.to_owned(), messages, tasks, expenses);
    let wanted =
        [rows("m1", 0, 0, 0), rows("m2", 1, 0, 7), rows("m3", 2, 1, 7), rows("m4", 3, 1, 7)];
    assert_eq!(*seen.borrow(), wanted);
}

#[test]
fn the_naive_context_keeps_the_newest_200_messages_and_100_tasks() {
    let mut report = report();
    report.messages = (1..=300).map(message).collect();
    report.rows.tasks = (0..150).map(|_| task("Buy", TaskStatus::Open)).collect();
    let most = std::cell::Cell::new((0, 0));
    let tokens = |_: &Message, past: &ContextRows| {
        let (messages, tasks) = most.get();
        most.set((messages.max(past.messages.len()), tasks.max(past.tasks.len())));
        if past.messages.len() == 200 {
            assert_eq!(
                past.messages[199].id.as_str(),
                format!("m{}", past.messages[0].id.as_str()[1..].parse::<u32>().unwrap() + 199)
            );
        }
        1
    };
    assert!(naive_cost(&report, tokens, |_| Some(NanoUsd(1))).is_some());
    assert_eq!(most.get(), (200, 100));
}

#[test]
fn a_deleted_message_would_not_have_been_asked_about() {
    let mut report = report();
    report.messages[1].deleted_at = Some(at(9));
    assert_eq!(naive_cost(&report, |_, _| 1, |_| Some(NanoUsd(1))), Some(NanoUsd(3)));
}

#[test]
fn without_a_price_there_is_no_naive_cost() {
    assert_eq!(naive_cost(&report(), |_, _| 1, |_| None), None);
}
