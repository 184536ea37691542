//! How often detection is right on the labelled messages; floors, so that a regression is seen.

use std::path::Path;

use serde_json::Value;

use super::{Detector, Subject};
use crate::domain::chat::{Event, Participant};
use crate::domain::ids::{EventId, PersonId};
use crate::domain::intent::{Detection, Entities, ExpenseEntities, Intent};
use crate::domain::money::Currency;

struct Labelled {
    id: String,
    intent: Intent,
    entities: Value,
    detected: Detection,
}

fn event(value: &Value) -> Event {
    let people =
        value["participants"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    Event {
        id: EventId::parse("labelled").unwrap(),
        tenant: Event::DEFAULT_TENANT.into(),
        name: value["name"].as_str().unwrap().into(),
        kind: value["kind"].as_str().unwrap().into(),
        starts_at: None,
        time_zone: "UTC".into(),
        locale: "en".into(),
        currency: Currency::parse(value["currency"].as_str().unwrap()).unwrap(),
        budget: None,
        participants: people
            .map(|name| Participant { id: PersonId(name.into()), name: name.into() })
            .collect(),
    }
}

fn run(file: &str) -> Vec<Labelled> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file);
    let detector = Detector::new();
    let mut chat = None;
    let mut rows = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        if let Some(found) = value.get("event") {
            chat = Some(event(found));
            continue;
        }
        let text = value["text"].as_str().unwrap();
        let subject =
            Subject { text, sender: value["sender"].as_str(), sent_at: None, event: chat.as_ref() };
        rows.push(Labelled {
            id: value["id"].as_str().unwrap().into(),
            intent: Intent::named(value["intent"].as_str().unwrap()).unwrap(),
            entities: value["entities"].clone(),
            detected: detector.detect(&subject),
        });
    }
    rows
}

const CHATS: &[&str] = &["chats/wedding.jsonl", "chats/birthday.jsonl", "chats/offsite.jsonl"];

fn accuracy(rows: &[Labelled]) -> f64 {
    let right = rows.iter().filter(|row| row.detected.intent() == row.intent).count();
    right as f64 / rows.len() as f64
}

/// How many rows were found of an intent, how many of them are right, how many there are.
fn counts(rows: &[Labelled], intent: Intent) -> (usize, usize, usize) {
    let found = rows.iter().filter(|row| row.detected.intent() == intent);
    let right = found.clone().filter(|row| row.intent == intent).count();
    (found.count(), right, rows.iter().filter(|row| row.intent == intent).count())
}

#[test]
fn single_messages_are_read_as_often_as_they_were() {
    // 92 % were right when the rules were written with these messages in view.
    let rows = run("intents.jsonl");
    assert!(accuracy(&rows) >= 0.90, "{}", report(&rows));
}

#[test]
fn chats_are_read_as_often_as_they_were() {
    // 95 % and more were right when the rules were written with these chats in view.
    for chat in CHATS {
        let rows = run(chat);
        assert!(accuracy(&rows) >= 0.93, "{chat}: {}", report(&rows));
    }
}

#[test]
fn chats_yield_few_rows_that_nobody_asked_for() {
    for chat in CHATS {
        let rows = run(chat);
        for (intent, floor) in [(Intent::ExpenseEntry, 0.90), (Intent::TaskCreation, 0.88)] {
            let (found, right, _) = counts(&rows, intent);
            assert!(right as f64 >= floor * found as f64, "{chat}: {}", report(&rows));
        }
    }
}

#[test]
fn expenses_in_chats_have_the_right_amount_currency_and_payer() {
    let rows: Vec<Labelled> = CHATS.iter().flat_map(|chat| run(chat)).collect();
    let expenses: Vec<_> = rows
        .iter()
        .filter(|row| row.intent == Intent::ExpenseEntry)
        .filter_map(|row| {
            let Entities::Expense(found) = &row.detected.entities else { return None };
            Some((row, found))
        })
        .collect();
    let share = |right: &dyn Fn(&Value, &ExpenseEntities) -> bool| {
        expenses.iter().filter(|(row, found)| right(&row.entities, found)).count() as f64
            / expenses.len() as f64
    };
    let same = |said: &Value, found: &Option<String>| said.as_str() == found.as_deref();
    assert!(share(&|said, found| said["amount"].as_f64() == Some(found.amount)) >= 0.98);
    assert!(share(&|said, found| same(&said["currency"], &found.currency)) >= 0.98);
    assert!(share(&|said, found| same(&said["paid_by"], &found.paid_by)) >= 0.93);
}

/// The figures of an intent, and the messages that were read wrongly.
fn report(rows: &[Labelled]) -> String {
    let mut lines = vec![format!("accuracy {:.3}", accuracy(rows))];
    for intent in Intent::ALL {
        let (found, right, all) = counts(rows, intent);
        lines.push(format!("{}: {right} right of {found} found, {all} there", intent.name()));
    }
    let wrong = rows.iter().filter(|row| row.detected.intent() != row.intent);
    lines.extend(wrong.map(|row| {
        format!("{} is {}, read as {}", row.id, row.intent.name(), row.detected.intent().name())
    }));
    lines.join("\n")
}
