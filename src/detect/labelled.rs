//! How often detection is right on the labelled messages; floors, so that a regression is seen.

use std::path::Path;

use serde_json::Value;

use super::{Detector, Subject};
use crate::domain::chat::{Event, Participant};
use crate::domain::ids::{EventId, PersonId};
use crate::domain::intent::{Detection, Intent};
use crate::domain::money::Currency;

struct Labelled {
    id: String,
    text: String,
    intent: Intent,
    entities: Value,
    detected: Detection,
}

fn event(value: &Value) -> Event {
    let people = value["participants"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
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
        participants: people.map(|name| Participant { id: PersonId(name.into()), name: name.into() }).collect(),
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
        let subject = Subject { text, sender: value["sender"].as_str(), sent_at: None, event: chat.as_ref() };
        rows.push(Labelled {
            id: value["id"].as_str().unwrap().into(),
            text: text.into(),
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
#[ignore = "dev"]
fn show() {
    let mut out = String::new();
    use std::fmt::Write;
    for file in ["intents.jsonl", CHATS[0], CHATS[1], CHATS[2]] {
        let rows = run(file);
        writeln!(out, "== {file} {:.3}", accuracy(&rows)).unwrap();
        for intent in Intent::ALL {
            let (found, right, all) = counts(&rows, intent);
            writeln!(out, "  {:14} P {:.2} R {:.2} ({all})", intent.name(), right as f64 / found as f64, right as f64 / all as f64).unwrap();
        }
        let mut bins = [(0, 0); 10];
        for row in &rows {
            let bin = &mut bins[(row.detected.confidence * 10.0) as usize];
            bin.0 += 1;
            bin.1 += usize::from(row.detected.intent() == row.intent);
        }
        writeln!(out, "  confidence {bins:?}").unwrap();
        let mut fields: std::collections::BTreeMap<String, (usize, usize)> = Default::default();
        let mut wrong = String::new();
        for row in &rows {
            if row.detected.intent() != row.intent || row.intent == Intent::None { continue; }
            let got = serde_json::to_value(&row.detected.entities).unwrap();
            for (key, want) in row.entities.as_object().unwrap() {
                let has = got.get(key).cloned().unwrap_or(Value::Null);
                let norm = |v: &Value| match v { Value::Number(n) => format!("{:.2}", n.as_f64().unwrap()), v => v.to_string().to_lowercase() };
                let entry = fields.entry(format!("{}.{key}", row.intent.name())).or_default();
                entry.1 += 1;
                if norm(&has) == norm(want) { entry.0 += 1 } else { writeln!(wrong, "E {} {key}: want {want} got {has} | {}", row.id, row.text).unwrap() }
            }
            for key in ["assignee", "due"] { if row.intent == Intent::TaskCreation && row.entities.get(key).is_none() && got.get(key).is_some() { writeln!(wrong, "E {} {key}: want - got {} | {}", row.id, got[key], row.text).unwrap(); fields.entry(format!("task.extra_{key}")).or_default().1 += 1; } }
        }
        for (key, (right, all)) in fields { writeln!(out, "  {key}: {right}/{all}").unwrap(); }
        for row in rows.iter().filter(|row| row.detected.intent() != row.intent) {
            writeln!(out, "I {} want {:5.5} got {:5.5} {:.2} | {}", row.id, row.intent.name(), row.detected.intent().name(), row.detected.confidence, row.text).unwrap();
        }
        out.push_str(&wrong);
        for row in &rows {
            if let Some(f) = &row.detected.follow_up { writeln!(out, "F {} {:?} {:?} {:?} {:?} | {}", row.id, f.kind, f.target.thing, f.target.minor, f.target.person, row.text).unwrap(); }
        }
    }
    std::fs::write("/tmp/detect_show.txt", out).unwrap();
}
