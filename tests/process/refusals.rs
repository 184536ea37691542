//! What a person is told when a command cannot do what it was asked, and the exit code.

use std::path::Path;

use crate::support::daemon::gleaner;

/// Runs a command that must fail with this code, and returns what it said.
fn refused(code: i32, folder: &Path, database: &str, arguments: &[&str]) -> String {
    let ended = gleaner()
        .current_dir(folder)
        .env("DATABASE_URL", database)
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    String::from_utf8(ended.stderr).unwrap()
}

fn assert_once(said: &str, part: &str) {
    assert_eq!(said.matches(part).count(), 1, "{part:?} is not there once in:\n{said}");
}

#[test]
fn a_sqlite_file_in_a_folder_that_is_not_there_ends_the_daemon_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(1, folder.path(), "sqlite:no/such/gleaner.db", &["run"]);
    assert!(said.contains("cannot open no/such/gleaner.db: "), "{said}");
}

#[test]
fn an_unreachable_database_is_told_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(1, folder.path(), "postgres://nobody@127.0.0.1:1/none", &["migrate"]);
    for part in ["the database is unavailable", "error communicating", "refused"] {
        assert_once(&said, part);
    }
}

#[test]
fn a_chat_file_that_is_not_there_is_told_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(1, folder.path(), "sqlite:gleaner.db", &["ingest", "no-such.jsonl"]);
    for part in ["cannot read no-such.jsonl", "No such file"] {
        assert_once(&said, part);
    }
}

#[test]
fn an_option_of_ingest_that_cannot_be_read_is_a_mistake_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chat.txt"), "31/12/2026, 21:42 - Ana: haha\n").unwrap();
    let arguments = ["ingest", "chat.txt", "--starts-at", "yesterday"];
    let said = refused(2, folder.path(), "sqlite:gleaner.db", &arguments);
    assert_once(&said, "--starts-at: ");
}

#[test]
fn a_bad_header_in_what_is_detected_is_told_with_its_line_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chat.jsonl"), "\n{\"event\": 7}\n").unwrap();
    let said = refused(1, folder.path(), "sqlite:gleaner.db", &["detect", "chat.jsonl"]);
    assert_once(&said, "line 2: ");
}
