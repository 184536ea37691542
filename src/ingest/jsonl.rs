//! JSON Lines: a header line `{"event": {…}}`, then a message a line.
//!
//! Lines are read field by field rather than by derive, because a derived
//! reader quotes what it did not expect, and chat text belongs into no error.
//! Labels beside a message (intent, entities) are never read.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::event::{self, Header};
use super::{BrokenLine, ChatFile, Format, IngestError, IngestOptions, Notes, numbered_lines};
use crate::domain::chat::{Event, Message};
use crate::domain::ids::{MessageId, RoomId};
use crate::store::IngestBatch;

/// What a header must look like.
const WANTED: &str = r#"the first line must be a header such as {"event": {"name": "Our trip"}}"#;

/// Reads a chat; the bytes hold something beside white space.
pub(super) fn read(bytes: &[u8], options: &IngestOptions) -> Result<ChatFile, IngestError> {
    let mut lines = numbered_lines(bytes).filter(|(_, line)| !line.trim_ascii().is_empty());
    let (line, first) = lines.next().unwrap_or((1, b""));
    let mut event = read_event(line, first, options)?;
    let mut reader = Reader {
        prefix: options.event.is_some(),
        main_room: event::main_room(&event.id)?,
        event: &event,
        seen: HashSet::new(),
    };
    let (mut messages, mut broken) = (Vec::new(), Vec::new());
    for (line, bytes) in lines {
        match reader.message(bytes) {
            Ok(message) => messages.push(message),
            Err(Refused::Broken(why)) => broken.push(BrokenLine { line, why }),
            Err(Refused::OtherEvent) => {
                let why = "a second event begins; it and all that follows is left out, put it into a file of its own";
                broken.push(BrokenLine { line, why: why.into() });
                break;
            }
        }
    }
    event::add_senders(&mut event, &messages);
    let batch = IngestBatch { event, messages };
    Ok(ChatFile { format: Format::JsonLines, batch, broken, notes: Notes::default() })
}

/// Reads a header line alone.
pub(super) fn read_event(
    line: usize,
    bytes: &[u8],
    options: &IngestOptions,
) -> Result<Event, IngestError> {
    read_header(line, bytes)?.into_event(options)
}

fn read_header(line: usize, bytes: &[u8]) -> Result<Header, IngestError> {
    let bad = |why: String| IngestError::BadHeader { line, why };
    let object = object(bytes).map_err(|why| bad(format!("{why}; {WANTED}")))?;
    let event = object.get("event").ok_or_else(|| bad(format!("no event header; {WANTED}")))?;
    let event = event.as_object().ok_or_else(|| bad(format!("event is no object; {WANTED}")))?;
    let text = |key| optional_text(event, key).map_err(bad);
    Ok(Header {
        line,
        id: text("id")?,
        tenant: text("tenant")?,
        name: text("name")?,
        kind: text("kind")?,
        starts_at: text("starts_at")?,
        time_zone: text("time_zone")?,
        locale: text("locale")?,
        currency: text("currency")?,
        budget: match event.get("budget") {
            None | Some(Value::Null) => None,
            Some(budget) => Some(budget.as_f64().ok_or_else(|| bad("budget is no number".into()))?),
        },
        participants: names(event.get("participants")).map_err(bad)?,
    })
}

fn names(list: Option<&Value>) -> Result<Vec<String>, String> {
    let list = match list {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(list) => list.as_array().ok_or("participants is no list")?,
    };
    let name = |value: &Value| value.as_str().map(str::to_owned);
    list.iter().map(name).collect::<Option<_>>().ok_or_else(|| "a participant is no name".into())
}

/// Why a line gives no message.
enum Refused {
    Broken(String),
    OtherEvent,
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self::Broken(why)
    }
}

struct Reader<'a> {
    event: &'a Event,
    main_room: RoomId,
    /// Whether the file's IDs are made the event's own, so that one chat can stand under many.
    prefix: bool,
    seen: HashSet<MessageId>,
}

impl Reader<'_> {
    fn message(&mut self, bytes: &[u8]) -> Result<Message, Refused> {
        let object = object(bytes)?;
        if object.contains_key("event") && !object.contains_key("text") {
            return Err(Refused::OtherEvent);
        }
        let id = MessageId::parse(&text(&object, "id")?).map_err(|bad| bad.to_string())?;
        let sender = event::read_name("sender", &text(&object, "sender")?)?;
        let sent_at = text(&object, "sent_at")?;
        // A time without an offset would be read differently by everybody.
        let sent_at = sent_at.trim().parse().ok().and_then(event::whole_micros);
        let sent_at =
            sent_at.ok_or("sent_at is no time such as 2026-03-02T18:04:11Z".to_owned())?;
        let words = text(&object, "text")?;
        event::check_text(&words)?;
        let room = self.room(optional_text(&object, "room")?)?;
        if !self.seen.insert(id.clone()) {
            return Err(Refused::Broken(format!("message ID {:?} was there before", id.as_str())));
        }
        let id = if self.prefix { event::message_in(&self.event.id, &id)? } else { id };
        Ok(event::message(id, room, sender, sent_at, words))
    }

    fn room(&self, named: Option<String>) -> Result<RoomId, String> {
        let Some(named) = named else { return Ok(self.main_room.clone()) };
        let room = RoomId::parse(&named).map_err(|bad| bad.to_string())?;
        if self.prefix { event::room_in(&self.event.id, room.as_str()) } else { Ok(room) }
    }
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let line = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("is no JSON object".into()),
        Err(error) => Err(format!("is not JSON (column {})", error.column())),
    }
}

fn text(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    optional_text(object, key)?.ok_or_else(|| format!("has no {key}"))
}

fn optional_text(object: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{key} is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_bytes;
    use super::*;
    use crate::domain::ids::EventId;

    const HEADER: &str = r#"{"event": {"name": "Trip", "starts_at": "2026-06-06T12:00:00Z", "currency": "GBP", "budget": 64.95, "participants": ["Tom", "Sue"], "time_zone": "Europe/London"}}"#;
    const GOOD: &str =
        r#"{"id": "m1", "sender": "Tom", "sent_at": "2026-03-02T18:04:11Z", "text": "hi 💕"}"#;

    fn chat(lines: &[&str]) -> ChatFile {
        read_bytes(lines.join("\n").as_bytes(), "chat", &IngestOptions::default()).unwrap()
    }

    fn refused(text: &str) -> IngestError {
        read_bytes(text.as_bytes(), "chat", &IngestOptions::default()).unwrap_err()
    }

    #[test]
    fn a_header_and_its_messages_become_a_batch() {
        let file = chat(&[HEADER, GOOD]);
        let event = &file.batch.event;
        assert_eq!((event.name.as_str(), event.budget), ("Trip", Some(6_495)));
        assert_eq!((event.locale.as_str(), event.tenant.as_str()), ("en", "default"));
        assert_eq!(event.people().len(), 2);
        let message = &file.batch.messages[0];
        assert_eq!((message.id.as_str(), message.text.as_str()), ("m1", "hi 💕"));
        assert_eq!(message.room.as_str(), format!("{}:main", event.id));
        assert_eq!(message.sent_at.to_string(), "2026-03-02T18:04:11Z");
        assert!(file.broken.is_empty());
    }

    #[test]
    fn the_event_id_is_a_digest_of_name_and_start_unless_the_header_has_one() {
        let id = |header: &str| chat(&[header]).batch.event.id.as_str().to_owned();
        let trip = id(r#"{"event": {"name": "Trip", "starts_at": "2026-06-06T12:00:00Z"}}"#);
        assert!(trip.starts_with("evt-"), "{trip}");
        assert_eq!(trip, id(HEADER), "the rest of the header changes nothing");
        assert_ne!(trip, id(r#"{"event": {"name": "Trip"}}"#));
        assert_eq!(id(r#"{"event": {"id": "mine", "name": "Trip"}}"#), "mine");
    }

    #[test]
    fn another_event_id_prefixes_messages_and_rooms() {
        let event = EventId::parse("copy-7").unwrap();
        let options = IngestOptions { event: Some(event), ..IngestOptions::default() };
        let roomy = GOOD.replace("m1", "m2").replace("\"text\"", "\"room\": \"hens\", \"text\"");
        let long = GOOD.replace("m1", &"x".repeat(128));
        let text = [HEADER, GOOD, &roomy, &long].join("\n");
        let file = read_bytes(text.as_bytes(), "chat", &options).unwrap();
        let named: Vec<_> =
            file.batch.messages.iter().map(|m| (m.id.as_str(), m.room.as_str())).collect();
        assert_eq!(named[0], ("copy-7:m1", "copy-7:main"));
        assert_eq!(named[1], ("copy-7:m2", "copy-7:hens"));
        assert!(named[2].0.starts_with("msg-"), "too long with its prefix: {}", named[2].0);
    }

    #[test]
    fn an_event_id_too_long_for_a_prefix_gets_a_digest_for_its_room() {
        let header = format!(r#"{{"event": {{"id": "{}", "name": "Trip"}}}}"#, "e".repeat(128));
        let file = chat(&[&header, GOOD]);
        assert!(file.batch.messages[0].room.as_str().starts_with("room-"));
    }

    #[test]
    fn broken_lines_are_named_by_their_numbers_and_the_good_ones_go_in() {
        let line = |from: &str, to: &str| GOOD.replace(from, to);
        let lines = [
            HEADER.to_owned(),
            GOOD.to_owned(),
            r#"{"id": "m2", "sender"#.to_owned(),
            "[1, 2]".to_owned(),
            line("m1", "two words"),
            line("\"sender\"", "\"from\""),
            line("2026-03-02T18:04:11Z", "2026-03-02 18:04"),
            line("\"hi 💕\"", "7"),
            line("hi", &"x".repeat(70_000)),
            line("hi", r"a\u0000b"),
            line("m1", "m1"),
            line("\"Tom\"", "\" \""),
            String::new(),
            line("m1", "m9"),
        ];
        let file = chat(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let broken: Vec<usize> = file.broken.iter().map(|broken| broken.line).collect();
        assert_eq!(broken, (3..=12).collect::<Vec<_>>());
        let why: Vec<&str> = file.broken.iter().map(|broken| broken.why.as_str()).collect();
        assert!(why[0].contains("not JSON"), "{why:?}");
        assert!(why[3].contains("has no sender") && why[4].contains("sent_at"), "{why:?}");
        assert!(why[8].contains("\"m1\" was there before"), "{why:?}");
        let ids: Vec<_> = file.batch.messages.iter().map(|m| m.id.as_str()).collect();
        assert_eq!(ids, ["m1", "m9"]);
    }

    #[test]
    fn a_reason_never_quotes_the_chat() {
        let file = chat(&[
            HEADER,
            r#"{"id": "m1", "sender": "Tom", "sent_at": "secret", "text": "secret"}"#,
            r#"{"id": "m1", "sender": {"secret": 1}, "sent_at": 1, "text": ["secret"]}"#,
            r#"{"id": "m1", "text": "secret"#,
        ]);
        assert_eq!(file.broken.len(), 3);
        assert!(file.broken.iter().all(|broken| !broken.why.contains("secret")));
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_broken_alone() {
        let mut bytes = format!("{HEADER}\n").into_bytes();
        bytes.extend_from_slice(b"{\"text\": \"caf\xe9\"}\n");
        bytes.extend_from_slice(GOOD.as_bytes());
        let file = read_bytes(&bytes, "chat", &IngestOptions::default()).unwrap();
        assert_eq!(file.broken, [BrokenLine { line: 2, why: "is not UTF-8".into() }]);
        assert_eq!(file.batch.messages.len(), 1);
    }

    #[test]
    fn byte_order_marks_carriage_returns_and_blank_lines_do_no_harm() {
        let text = format!("\u{feff}\r\n{HEADER}\r\n\r\n{GOOD}\r\n \r\n");
        let file = read_bytes(text.as_bytes(), "chat", &IngestOptions::default()).unwrap();
        assert_eq!((file.batch.messages.len(), file.broken.len()), (1, 0));
    }

    #[test]
    fn a_missing_or_wrong_header_is_fatal_and_its_line_is_named() {
        for (header, word) in [
            (GOOD, "no event header"),
            (r#"{"event": "Trip"}"#, "no object"),
            (r#"{"event": {"name": 7}}"#, "name is no text"),
            (r#"{"event": {"kind": "trip"}}"#, "no name"),
            (r#"{"event": {"name": "Trip", "starts_at": "soon"}}"#, "starts_at"),
            (r#"{"event": {"name": "Trip", "currency": "quid"}}"#, "currency"),
            (r#"{"event": {"name": "Trip", "budget": "much"}}"#, "budget"),
            (r#"{"event": {"name": "Trip", "time_zone": "Mars/Base"}}"#, "time_zone"),
            (r#"{"event": {"name": "Trip", "participants": [1]}}"#, "participant"),
            (r#"{"event": {"id": "a b", "name": "Trip"}}"#, "event ID"),
            (r#"{"event": {"#, "not JSON"),
        ] {
            let error = refused(&format!("{header}\n{GOOD}"));
            assert!(matches!(error, IngestError::BadHeader { line: 1, .. }), "{header}: {error}");
            let text = error.to_string();
            assert!(text.starts_with("line 1: ") && text.contains(word), "{header}: {text}");
        }
    }

    #[test]
    fn a_second_header_ends_the_chat_and_is_named() {
        let file =
            chat(&[HEADER, GOOD, r#"{"event": {"name": "Other"}}"#, &GOOD.replace("m1", "m2")]);
        assert_eq!((file.batch.messages.len(), file.broken[0].line), (1, 3));
    }

    #[test]
    fn labels_are_never_read() {
        let labelled = GOOD.replace(
            "\"text\"",
            r#""intent": "query", "entities": {}, "detected_intent": "query", "text""#,
        );
        let message = &chat(&[HEADER, &labelled]).batch.messages[0];
        assert_eq!((&message.detected_intent, &message.extracted_entities), (&None, &None));
    }

    #[test]
    fn who_wrote_and_is_not_listed_takes_part_too() {
        let file = chat(&[HEADER, &GOOD.replace("Tom", "Kofi")]);
        let people: Vec<_> =
            file.batch.event.participants.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(people, ["Tom", "Sue", "Kofi"]);
    }

    #[test]
    fn an_option_beats_the_header() {
        let options = IngestOptions { currency: Some("EUR".into()), ..IngestOptions::default() };
        let file = read_bytes(HEADER.as_bytes(), "chat", &options).unwrap();
        assert_eq!(
            (file.batch.event.currency.code(), file.batch.event.budget),
            ("EUR", Some(6_495))
        );
    }
}
