//! Labelled messages: JSON Lines with text, intent and entities; event lines open conversations.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::detect::{Label, Subject};
use crate::domain::chat::Event;
use crate::domain::intent::{Entities, FollowUpKind, Intent};
use crate::ingest;

/// A message with what a person says it is for.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// Which conversation it belongs to; two that stand alone have two.
    pub conversation: usize,
    /// The event of its conversation, when it is in one.
    pub event: Option<Arc<Event>>,
    /// The text.
    pub text: String,
    /// The sender's name.
    pub sender: Option<String>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// What it is for.
    pub intent: Intent,
    /// The kind of its follow-up, `Some(None)` for none; `None` where nobody labelled it.
    pub follow_up: Option<Option<FollowUpKind>>,
    /// Its entities, as labelled.
    pub entities: Value,
}

impl Labelled {
    /// What training is told of it.
    pub fn label(&self) -> Label<'_> {
        Label { intent: self.intent, entities: &self.entities, follow_up: self.follow_up }
    }

    /// The message as detection is given it.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            text: &self.text,
            sender: self.sender.as_deref(),
            sent_at: self.sent_at,
            event: self.event.as_deref(),
        }
    }
}

/// A line that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct BrokenLabel {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it; never chat text.
    pub why: String,
}

/// Reads labelled files, the good lines and the broken ones.
///
/// # Errors
/// When a file cannot be read.
pub fn read_labelled(
    files: &[impl AsRef<Path>],
) -> std::io::Result<(Vec<Labelled>, Vec<BrokenLabel>)> {
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    let mut conversation = 0;
    for path in files {
        let file = path.as_ref().display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{file}: {error}")))?;
        let mut event = None;
        // The next file begins another conversation.
        conversation += 1;
        for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            match read_line(line, bytes) {
                Ok(Line::Event(found)) => {
                    event = Some(Arc::new(*found));
                    conversation += 1;
                }
                Ok(Line::Message(mut row)) => {
                    conversation += usize::from(event.is_none());
                    (row.conversation, row.event) = (conversation, event.clone());
                    rows.push(*row);
                }
                Err(why) => broken.push(BrokenLabel { file: file.clone(), line, why }),
            }
        }
    }
    Ok((rows, broken))
}

enum Line {
    Event(Box<Event>),
    Message(Box<Labelled>),
}

fn read_line(number: usize, bytes: &[u8]) -> Result<Line, String> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| format!("not JSON, at column {}", error.column()))?;
    if value.get("event").is_some() {
        let event = ingest::event_of_header(number, bytes).map_err(|error| error.to_string())?;
        return Ok(Line::Event(Box::new(event)));
    }
    let text = value["text"].as_str().ok_or("text is missing or no string")?;
    let named = value["intent"].as_str().ok_or("intent is missing or no string")?;
    let intent = Intent::named(named).ok_or_else(|| format!("{named:?} is no intent"))?;
    Entities::read(intent, &value["entities"]).map_err(|error| format!("its entities: {error}"))?;
    Ok(Line::Message(Box::new(Labelled {
        conversation: 0,
        event: None,
        text: text.to_owned(),
        sender: value["sender"].as_str().map(str::to_owned),
        sent_at: value["sent_at"].as_str().and_then(|at| at.parse().ok()),
        intent,
        follow_up: follow_up(&value)?,
        entities: value["entities"].clone(),
    })))
}

/// The label of the follow-up: its kind, alone or with its target. A line without the key says
/// nothing; `null` says that there is none.
fn follow_up(value: &Value) -> Result<Option<Option<FollowUpKind>>, String> {
    let Some(said) = value.get("follow_up") else { return Ok(None) };
    let Some(name) = said.as_str().or(said["kind"].as_str()) else {
        return if said.is_null() { Ok(Some(None)) } else { Err("follow_up has no kind".into()) };
    };
    FollowUpKind::named(name)
        .map(|kind| Some(Some(kind)))
        .ok_or_else(|| format!("{name:?} is no kind of follow-up"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(lines: &str) -> (Vec<Labelled>, Vec<BrokenLabel>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        read_labelled(&[file.path()]).unwrap()
    }

    #[test]
    fn messages_that_stand_alone_are_conversations_of_their_own_and_a_chat_is_one() {
        let none = r#"{"text": "hi", "intent": "none", "entities": {}}"#;
        let event = r#"{"event": {"name": "Trip", "starts_at": "2026-06-06T12:00:00Z", "currency": "EUR"}}"#;
        let (rows, broken) = read(&[none, none, event, none, none].join("\n"));
        assert_eq!(broken, []);
        let of: Vec<usize> = rows.iter().map(|row| row.conversation).collect();
        assert!(of[0] < of[1] && of[1] < of[2] && of[2] == of[3], "{of:?}");
        assert!(rows[1].event.is_none() && rows[2].event.is_some());
    }

    #[test]
    fn a_broken_line_is_named_and_the_good_ones_are_kept() {
        let lines = [
            r#"{"text": "hi", "intent": "none", "entities": {}, "follow_up": "vote"}"#,
            "{",
            r#"{"text": "hi", "intent": "party", "entities": {}}"#,
            r#"{"text": "hi", "intent": "task_creation", "entities": {"object": "cake"}}"#,
            r#"{"text": "hi", "intent": "none", "entities": {}, "follow_up": "maybe"}"#,
        ];
        let (rows, broken) = read(&lines.join("\n"));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].follow_up, Some(Some(FollowUpKind::Vote)));
        let lines: Vec<usize> = broken.iter().map(|broken| broken.line).collect();
        assert_eq!(lines, [2, 3, 4, 5]);
        assert!(broken[1].why.contains("party") && broken[2].why.contains("action"));
    }
}
