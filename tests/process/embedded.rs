//! The embedded default: a SQLite file, a queue in process, one worker.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::daemon::{Daemon, PATIENCE, gleaner};

fn settings(folder: &Path) -> Vec<(String, String)> {
    let url = format!("sqlite:{}", folder.join("gleaner.db").display());
    vec![("DATABASE_URL".to_owned(), url)]
}

fn ingest(folder: &Path, more: &[&str]) -> Command {
    let chat = format!("{}/data/chats/birthday.jsonl", env!("CARGO_MANIFEST_DIR"));
    let mut command = gleaner();
    command.envs(settings(folder)).args(["ingest", &chat, "--json"]).args(more);
    command
}

#[test]
fn beside_a_running_daemon_ingest_only_writes_rows_and_the_daemon_does_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&settings(folder.path()));
    daemon.wait_for_line("started");
    let ended = ingest(folder.path(), &[]).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(summary["messages"], 125);
    let log = daemon.log();
    assert!(log.contains("settled message bday-0016"), "the daemon did not do it:\n{log}");
}

#[test]
fn a_second_daemon_on_the_same_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Daemon::start(&settings(folder.path()));
    first.wait_for_line("started");
    let second = gleaner().arg("run").envs(settings(folder.path())).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another process works on"), "{said}");
}

#[test]
fn a_chat_that_was_killed_in_the_middle_ends_as_if_it_never_was() {
    let (calm, stormy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected: Value =
        serde_json::from_slice(&ingest(calm.path(), &[]).output().unwrap().stdout).unwrap();
    for _ in 0..3 {
        let mut child =
            ingest(stormy.path(), &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_rows(&stormy.path().join("gleaner.db"));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let ended = ingest(stormy.path(), &[]).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
    for part in ["messages", "byIntent", "tasks", "expenses", "polls", "totalSpent", "transfers"] {
        assert_eq!(summary[part], expected[part], "{part} differs");
    }
}

/// Waits until the file's log has grown: the work has begun, wherever it stands.
fn wait_for_rows(database: &Path) {
    let log = database.with_extension("db-wal");
    let until = std::time::Instant::now() + PATIENCE;
    let size = || std::fs::metadata(&log).map_or(0, |file| file.len());
    let before = size();
    while size() <= before.max(200_000) {
        assert!(std::time::Instant::now() < until, "nothing was written to {}", log.display());
        std::thread::sleep(std::time::Duration::from_millis(5));
        if size() < before {
            return;
        }
    }
}
