//! `gleaner ingest`, on one's own chat.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::daemon::gleaner;

const CHAT: &str = r#"{"event": {"id": "party", "name": "A party", "kind": "birthday", "starts_at": "2027-06-05T12:00:00Z", "currency": "GBP", "budget": 900, "participants": ["Ana", "Ben", "Cleo"]}}
{"id": "p-1", "sender": "Ana", "sent_at": "2027-01-05T10:00:00Z", "text": "Can someone book a photographer?"}
{"id": "p-2", "sender": "Ben", "sent_at": "2027-01-05T10:01:00Z", "text": "I paid £90 for the cake"}
"#;

fn ingest(folder: &Path, file: &str, more: &[&str]) -> (Output, Value) {
    let mut command = gleaner();
    let ended =
        command.current_dir(folder).args(["ingest", file, "--json"]).args(more).output().unwrap();
    let summary = serde_json::from_slice(&ended.stdout).unwrap_or(Value::Null);
    (ended, summary)
}

#[test]
fn ingesting_a_chat_twice_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chat.jsonl"), CHAT).unwrap();
    let (first, one) = ingest(folder.path(), "chat.jsonl", &[]);
    assert!(first.status.success(), "{first:?}");
    assert_eq!((&one["messages"], &one["totalSpent"]), (&2.into(), &90.into()), "{one}");
    let (second, mut again) = ingest(folder.path(), "chat.jsonl", &[]);
    assert!(second.status.success());
    again["durationMs"] = one["durationMs"].clone();
    assert_eq!(one, again);
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("0 new messages, 2 known"),
        "{second:?}"
    );
}

#[test]
fn a_broken_line_is_named_by_its_number_and_the_good_lines_still_go_in() {
    let folder = tempfile::tempdir().unwrap();
    let broken = format!("{CHAT}{{\"id\": \"p-3\", broken\n");
    std::fs::write(folder.path().join("chat.jsonl"), broken).unwrap();
    let (ended, summary) = ingest(folder.path(), "chat.jsonl", &[]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("line 4"), "{ended:?}");
    assert_eq!(summary["messages"], 2);
}

#[test]
fn a_whatsapp_export_needs_only_its_date_and_currency() {
    let folder = tempfile::tempdir().unwrap();
    let export = "31/12/2026, 21:41 - Messages and calls are end-to-end encrypted.\n\
                  31/12/2026, 21:42 - Ana: Can someone book a photographer?\n\
                  31/12/2026, 21:43 - Ben: I paid £90\nfor the cake\n\
                  31/12/2026, 21:44 - Ana: <Media omitted>\n";
    std::fs::write(folder.path().join("party.txt"), export).unwrap();
    let more = [
        "--starts-at",
        "2027-06-05T12:00:00Z",
        "--currency",
        "GBP",
        "--time-zone",
        "Europe/London",
    ];
    let (ended, summary) = ingest(folder.path(), "party.txt", &more);
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(
        (&summary["messages"], &summary["totalSpent"]),
        (&2.into(), &90.into()),
        "{summary}"
    );
    std::fs::write(
        folder.path().join("party.txt"),
        format!("{export}31/12/2026, 21:45 - Ben: haha\n"),
    )
    .unwrap();
    let (longer, summary) = ingest(folder.path(), "party.txt", &more);
    assert!(
        String::from_utf8_lossy(&longer.stderr).contains("1 new messages, 2 known"),
        "{longer:?}"
    );
    assert_eq!(summary["messages"], 3);
}

#[test]
fn a_file_that_is_no_chat_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("novel.txt"), "It was a dark and stormy night.\n").unwrap();
    let (ended, _) = ingest(folder.path(), "novel.txt", &[]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("novel.txt"), "{ended:?}");
}
