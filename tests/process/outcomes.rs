//! `gleaner eval --outcomes`: whole chats beside what truly came of them.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::daemon::gleaner;

fn outcomes(files: &[&str], more: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = gleaner();
    command.current_dir(root).args(["eval", "--outcomes"]).args(files).args(more).output().unwrap()
}

fn judged(files: &[&str]) -> (Output, Vec<Value>) {
    let ended = outcomes(files, &["--json"]);
    let judged = serde_json::from_slice(&ended.stdout).unwrap_or_default();
    (ended, judged)
}

#[test]
fn the_shared_chats_come_out_as_they_truly_did() {
    let files =
        ["data/chats/wedding.jsonl", "data/chats/birthday.jsonl", "data/chats/offsite.jsonl"];
    let (ended, judged) = judged(&files);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(judged.len(), 3);
    for chat in &judged {
        let count = |rows: &str, side: &str| chat[rows]["found"][side].as_u64().unwrap();
        assert_eq!(chat["missed_floors"], Value::Array(vec![]), "{chat}");
        assert_eq!(count("expenses", "right"), count("expenses", "all"), "{}", chat["expenses"]);
        assert_eq!(chat["expenses"]["invented"], Value::Array(vec![]));
        assert!(count("tasks", "right") * 10 >= count("tasks", "all") * 9, "{}", chat["tasks"]);
        assert_eq!(chat["money"]["causes"], Value::Array(vec![]));
        assert!(chat["money"]["currencies"][0]["true_transfers"].as_array().unwrap().len() > 3);
    }
}

#[test]
fn a_truth_that_the_rows_do_not_reach_is_a_failure_that_names_the_row() {
    let folder = tempfile::tempdir().unwrap();
    let chat = folder.path().join("party.jsonl");
    let lines = [
        r#"{"event": {"name": "Party", "currency": "GBP", "participants": ["Ana", "Ben"]}}"#,
        r#"{"id": "p-1", "sender": "Ben", "sent_at": "2027-01-05T10:01:00Z", "text": "I paid £90 for the cake"}"#,
        r#"{"id": "p-2", "sender": "Ana", "sent_at": "2027-01-05T10:02:00Z", "text": "lovely"}"#,
    ];
    std::fs::write(&chat, lines.join("\n")).unwrap();
    let truth = r#"{"tasks": [], "polls": [], "currency": "GBP", "total_spent": 100, "expenses": [
        {"what": "cake", "amount": 90, "category": "cake", "paid_by": "Ben", "paid": true, "sources": ["p-1"]},
        {"what": "tea", "amount": 10, "category": "catering", "paid_by": "Ana", "paid": true, "sources": ["p-2"]}]}"#;
    std::fs::write(folder.path().join("party.truth.json"), truth).unwrap();
    let answers = r#"[{"message_id": "p-2", "question": "how much?", "expects": ["90"], "rests_on": "the cake"}]"#;
    std::fs::write(folder.path().join("party.answers.json"), answers).unwrap();
    let ended = outcomes(&[chat.to_str().unwrap()], &[]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = String::from_utf8_lossy(&ended.stdout);
    for part in
        ["90.00, not 100.00", "tea (p-2)", "not found", "expenses found: 1 of 2", "0 of 1 right"]
    {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert!(!folder.path().join("gleaner.db").exists());
}

#[test]
fn a_truth_that_is_missing_or_wrong_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let chat = folder.path().join("party.jsonl");
    std::fs::write(&chat, r#"{"event": {"name": "Party", "currency": "GBP"}}"#).unwrap();
    let said = |ended: Output| {
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let chat: &str = Path::new(&chat).to_str().unwrap();
    let missing = said(outcomes(&[chat], &[]));
    assert!(missing.contains("cannot read") && missing.contains("party.truth.json"), "{missing}");
    let truth = r#"{"tasks": [{"title": "x"}], "expenses": [], "polls": [], "currency": "GBP"}"#;
    std::fs::write(folder.path().join("party.truth.json"), truth).unwrap();
    let wrong = said(outcomes(&[chat], &[]));
    assert!(wrong.contains("party.truth.json: tasks[0]: missing field"), "{wrong}");
}
