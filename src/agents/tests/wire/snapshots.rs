//! Requests held against the record, so that a change on the wire is seen.
//!
//! A change that is meant: `UPDATE_SNAPSHOTS=1 cargo test --lib wire`, and read
//! the difference.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::capture::Sent;
use super::{requests, sent};

/// One model of each kind: schema output with effort; with sampling; a forced tool; the schema in
/// the prompt; OpenAI's own; a server that only speaks as OpenAI does.
const MODELS: [&str; 6] = [
    "claude-sonnet-5-5",
    "claude-haiku-4-5",
    "claude-opus-4-1",
    "claude-next",
    "gpt-6-sol",
    "llama-9",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// The request as text, without what changes from run to run and without the key.
fn told(sent: &Sent) -> String {
    let mut text = format!("{}\n", sent.line);
    for (name, value) in &sent.headers {
        let value = match name.as_str() {
            "host" => "[the endpoint]",
            "content-length" => "[of the body]",
            "x-api-key" | "authorization" => &value.replace("key-of-a-test", "[the key]"),
            "user-agent" => &value.replace(env!("CARGO_PKG_VERSION"), "[version]"),
            _ => value,
        };
        text.push_str(&format!("{name}: {value}\n"));
    }
    format!("{text}\n{}\n", serde_json::to_string_pretty(&sent.body).unwrap())
}

#[tokio::test]
async fn requests_are_what_the_record_says() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut wanted = BTreeSet::new();
    let mut changed = Vec::new();
    for model in MODELS {
        std::fs::create_dir_all(folder().join(model)).unwrap();
        for (name, request) in requests() {
            let path = folder().join(model).join(format!("{name}.http"));
            let now = told(&sent(model, &request).await);
            if update {
                std::fs::write(&path, &now).unwrap();
            }
            if std::fs::read_to_string(&path).unwrap_or_default() != now {
                changed.push(format!("{model}/{name}"));
            }
            wanted.insert(path);
        }
    }
    assert!(wanted.len() >= 30, "{}", wanted.len());
    assert!(
        changed.is_empty(),
        "what is sent has changed: {}. If it is meant, run UPDATE_SNAPSHOTS=1 cargo test --lib \
         wire, and read the difference",
        changed.join(", ")
    );
    let there = MODELS.iter().flat_map(|model| std::fs::read_dir(folder().join(model)).unwrap());
    for file in there.map(|file| file.unwrap().path()) {
        assert!(wanted.contains(&file), "{} is of no request any more", file.display());
    }
}
