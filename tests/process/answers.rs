//! Questions in the bundled chats, answered offline and held against what a careful reader says.

use std::path::Path;

use serde_json::Value;

use crate::support::daemon::gleaner;

/// The share of questions that must be answered right, in per cent.
const LEAST_RIGHT: usize = 80;

const CHATS: [&str; 3] = ["wedding", "offsite", "birthday"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What `gleaner ingest` says to the questions of a chat.
fn answers_of(chat: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = root().join(format!("data/chats/{chat}.jsonl"));
    let mut command = gleaner();
    let ended =
        command.current_dir(folder.path()).arg("ingest").arg(file).arg("--json").output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
    summary["answers"].as_array().unwrap().clone()
}

/// Lower case, without thousands separators and without cents that are none.
fn bare(text: &str) -> String {
    let kept: Vec<char> = text.to_lowercase().chars().collect();
    let is_digit = |at: usize| kept.get(at).is_some_and(char::is_ascii_digit);
    let separates = |at: usize| kept[at] == ',' && at > 0 && is_digit(at - 1) && is_digit(at + 1);
    let joined: String = (0..kept.len()).filter(|at| !separates(*at)).map(|at| kept[at]).collect();
    joined.replace(".00", "")
}

/// Whether the words all occur in the answer, which must rest on a row.
fn is_right(answer: &Value, expected: &Value) -> bool {
    let said = bare(answer["answer"].as_str().unwrap());
    let words = expected["expects"].as_array().unwrap();
    words.iter().all(|word| said.contains(&bare(word.as_str().unwrap())))
        && !answer["sources"].as_array().unwrap().is_empty()
}

#[test]
fn most_questions_that_the_records_can_answer_are_answered_right_offline() {
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for chat in CHATS {
        let file = root().join(format!("tests/data/{chat}.answers.json"));
        let expected: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let answers = answers_of(chat);
        for question in expected {
            let answer = answers.iter().find(|it| it["message_id"] == question["message_id"]);
            all += 1;
            if answer.is_some_and(|answer| is_right(answer, &question)) {
                right += 1;
            } else {
                wrong.push(format!("{} => {}", question, answer.unwrap_or(&Value::Null)));
            }
        }
    }
    assert!(right * 100 >= all * LEAST_RIGHT, "{right} of {all} right: {wrong:#?}");
}

#[test]
fn amounts_are_compared_without_separators_and_empty_cents() {
    assert_eq!(bare("GBP 1,234.00, Tom"), "gbp 1234, tom");
    assert_eq!(bare("3,852.45"), "3852.45");
}
