//! `gleaner detect`, `eval` and `train` as a person runs them.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::daemon::gleaner;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    gleaner().current_dir(folder).args(arguments).output().unwrap()
}

fn succeeded(ended: &Output) -> String {
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

fn write(folder: &Path, name: &str, lines: &[&str]) {
    std::fs::write(folder.join(name), lines.join("\n")).unwrap();
}

/// A few labelled messages, each word of its own for its intent.
fn labelled(folder: &Path, name: &str) {
    let mut lines = Vec::new();
    for at in 0..6 {
        lines.push(format!(r#"{{"text": "blorp {at} zug", "intent": "query", "entities": {{"topic": "tasks", "subject": null}}}}"#));
        lines.push(format!(
            r#"{{"text": "nothing {at} here", "intent": "none", "entities": {{}}}}"#
        ));
    }
    std::fs::write(folder.join(name), lines.join("\n")).unwrap();
}

#[test]
fn detect_prints_a_line_a_message_in_order_with_the_fields_that_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let event = r#"{"event": {"name": "Trip", "starts_at": "2026-06-06T12:00:00Z", "currency": "EUR", "participants": ["Ana", "Ben"]}}"#;
    write(
        folder.path(),
        "chat.jsonl",
        &[
            r#"{"id": "a", "text": "can someone book a photographer by friday?"}"#,
            event,
            r#"{"id": "b", "sender": "Ana", "text": "Ben paid €460 for the photographer", "room": "r1"}"#,
            r#"{"id": "c", "sender": "Ben", "text": "lol", "sent_at": "2026-01-05T10:00:00Z", "room": "r2"}"#,
        ],
    );
    let said = succeeded(&run(folder.path(), &["detect", "chat.jsonl"]));
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |key: &str| lines.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("id"), ["a", "b", "c"]);
    assert_eq!(of("intent"), ["task_creation", "expense_entry", "none"]);
    assert_eq!(lines[0]["entities"]["object"], "photographer");
    let paid = &lines[1]["entities"];
    assert_eq!((paid["amount"].as_f64(), paid["currency"].as_str()), (Some(460.0), Some("EUR")));
    assert_eq!(paid["paid_by"], "Ben");
    for line in &lines {
        assert!((0.0..=1.0).contains(&line["confidence"].as_f64().unwrap()));
        assert!(line["over_threshold"].is_boolean() && line.get("follow_up").is_some(), "{line}");
    }
}

#[test]
fn the_same_files_and_seed_train_the_same_bytes_and_the_weights_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    labelled(folder.path(), "own.jsonl");
    for out in ["one.weights", "two.weights"] {
        succeeded(&run(folder.path(), &["train", "own.jsonl", "--out", out]));
    }
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("one.weights"), read("two.weights"));
    write(folder.path(), "new.jsonl", &[r#"{"id": "a", "text": "blorp zug"}"#]);
    let own = ["detect", "new.jsonl", "--weights", "one.weights"];
    let said = succeeded(&run(folder.path(), &own));
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["intent"], "query");
}

#[test]
fn eval_never_measures_on_what_was_learnt() {
    let folder = tempfile::tempdir().unwrap();
    labelled(folder.path(), "own.jsonl");
    succeeded(&run(folder.path(), &["train", "own.jsonl", "--out", "own.weights"]));
    let method = |arguments: &[&str]| {
        let said = succeeded(&run(folder.path(), arguments));
        serde_json::from_str::<Value>(&said).unwrap()["method"].as_str().unwrap().to_owned()
    };
    let learnt = ["eval", "own.jsonl", "--weights", "own.weights", "--json"];
    assert!(method(&learnt).contains("cross-validated"));
    assert!(method(&["eval", "own.jsonl", "--json"]).contains("none of these"));
    assert!(method(&["eval", "own.jsonl", "--json", "--rules-only"]).contains("rules alone"));
}

#[test]
fn eval_reports_all_its_figures_and_names_the_lines_that_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "mixed.jsonl",
        &[
            r#"{"text": "who has paid so far?", "intent": "query", "entities": {"topic": "spending", "subject": null}}"#,
            r#"{"text": "hello", "intent": "party", "entities": {}}"#,
        ],
    );
    let ended = run(folder.path(), &["eval", "mixed.jsonl", "--json"]);
    assert_eq!(ended.status.code(), Some(1));
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(told.contains("mixed.jsonl:2: ") && told.contains("party"), "{told}");
    let figures: Value = serde_json::from_slice(&ended.stdout).unwrap();
    for key in [
        "accuracy",
        "macro_f1",
        "most_confident_75",
        "intents",
        "confusion",
        "calibration",
        "coverage",
        "accuracy_over_threshold",
        "false_alarms",
        "follow_ups",
        "entities",
        "micros",
    ] {
        assert!(figures.get(key).is_some(), "{key} is missing: {figures}");
    }
    assert!(figures["micros"]["p99"].as_f64().unwrap() > 0.0);
    let table = run(folder.path(), &["eval", "mixed.jsonl"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("accuracy"));
}

#[test]
fn rules_and_weights_that_cannot_be_used_are_refused_with_their_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "own.toml",
        &[
            "[words]",
            "[things]",
            "[actions]",
            "[[rule]]",
            "name = 'a'",
            "intent = 'query'",
            "weight = 1.0",
            "phrases = ['can (you']",
        ],
    );
    write(folder.path(), "own.weights", &["nonsense"]);
    write(folder.path(), "new.jsonl", &[r#"{"id": "a", "text": "hi"}"#]);
    for (option, file, named) in
        [("--rules", "own.toml", "line 8"), ("--weights", "own.weights", "first line")]
    {
        let ended = run(folder.path(), &["detect", "new.jsonl", option, file]);
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains(file) && told.contains(named), "{told}");
    }
}
