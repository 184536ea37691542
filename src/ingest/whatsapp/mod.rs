//! WhatsApp exports, from Android and iOS.
//!
//! An export has local times to the minute or second and no IDs. IDs are digests
//! of what stands there, and equal times are kept apart by microseconds in the
//! file's order, both counted from the start: a longer export of the same chat
//! gives the same messages and more.

mod content;
mod stamp;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use self::content::Content;
use self::stamp::Stamp;
use super::event::{self, Header};
use super::{BrokenLine, ChatFile, Format, IngestError, IngestOptions, Notes, numbered_lines};
use crate::domain::chat::{Event, Message};
use crate::domain::ids::{MessageId, RoomId};
use crate::store::IngestBatch;

pub use stamp::DateOrder;

/// Reads an export; the bytes hold something beside white space.
pub(super) fn read(
    bytes: &[u8],
    stem: &str,
    options: &IngestOptions,
) -> Result<ChatFile, IngestError> {
    let mut broken = Vec::new();
    let entries = split(bytes, &mut broken);
    if entries.is_empty() {
        let line = broken.first().map_or(1, |first| first.line);
        return Err(IngestError::NotAChat(format!(
            "line {line} is neither an event header ({{\"event\": {{…}}}}) nor a WhatsApp message"
        )));
    }
    let header = Header { line: 1, name: Some(chat_name(stem)), ..Header::default() };
    let mut event = header.into_event(options)?;
    let mut notes = Notes::default();
    let stamps: Vec<&Stamp> = entries.iter().map(|entry| &entry.stamp).collect();
    let order = options.date_order.unwrap_or_else(|| {
        let (order, assumed) = stamp::decide(&stamps);
        notes.assumed.extend(assumed);
        order
    });
    assume_defaults(options, &event, &mut notes);
    let mut reader = Reader::new(&event, order)?;
    let mut messages = Vec::new();
    for entry in &entries {
        match reader.entry(entry, &mut notes) {
            Ok(message) => messages.extend(message),
            Err(why) => broken.push(BrokenLine { line: entry.bad_line.unwrap_or(entry.line), why }),
        }
    }
    broken.sort_by_key(|broken| broken.line);
    event::add_senders(&mut event, &messages);
    let batch = IngestBatch { event, messages };
    Ok(ChatFile { format: Format::WhatsApp, batch, broken, notes })
}

/// What an export cannot say and nobody else did.
fn assume_defaults(options: &IngestOptions, event: &Event, notes: &mut Notes) {
    if options.name.is_none() && options.event.is_none() && event.name == "_chat" {
        let said = "the event is called _chat, as every export of an iPhone is; another one goes \
                    into the same event (--name keeps them apart)";
        notes.assumed.push(said.to_owned());
    }
    if options.time_zone.is_none() {
        notes.assumed.push("times were read as UTC (--time-zone says otherwise)".into());
    }
    if options.currency.is_none() {
        let currency = event.currency;
        notes.assumed.push(format!("bare amounts count as {currency} (--currency says otherwise)"));
    }
}

/// WhatsApp names its files after the chat, in front of which it says what they are.
fn chat_name(stem: &str) -> String {
    let stem = stem.trim();
    let name = ["WhatsApp Chat with ", "WhatsApp Chat - "]
        .iter()
        .find_map(|prefix| stem.strip_prefix(prefix))
        .unwrap_or(stem);
    if name.is_empty() { "chat".into() } else { name.to_owned() }
}

/// A stamped line with its continuation lines.
struct Entry {
    line: usize,
    stamp: Stamp,
    body: String,
    /// Its first line that is not UTF-8.
    bad_line: Option<usize>,
}

/// The file's entries. A line without a stamp continues the entry above it; without one, it is broken.
fn split(bytes: &[u8], broken: &mut Vec<BrokenLine>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (line, bytes) in numbered_lines(bytes) {
        let text = String::from_utf8_lossy(bytes);
        let bad_line = std::str::from_utf8(bytes).is_err().then_some(line);
        // The file's first stamp says which phone wrote it; others are quotes in a message.
        let style = entries.first().map(|first| first.stamp.style);
        let stamped = Stamp::read(&text).filter(|(it, _)| style.is_none_or(|s| s == it.style));
        match (stamped, entries.last_mut()) {
            (Some((stamp, rest)), _) => {
                entries.push(Entry { line, stamp, body: rest.to_owned(), bad_line });
            }
            (None, Some(entry)) => {
                entry.body.push('\n');
                entry.body.push_str(&text);
                entry.bad_line = entry.bad_line.or(bad_line);
            }
            (None, None) if text.trim().is_empty() => {}
            (None, None) => {
                broken.push(BrokenLine { line, why: "stands before the first message".into() });
            }
        }
    }
    entries
}

/// Turns entries into messages, in the file's order.
struct Reader<'a> {
    event: &'a Event,
    room: RoomId,
    zone: TimeZone,
    order: DateOrder,
    /// When the entry before was written.
    before: Option<Timestamp>,
    /// How many entries had that time so far.
    at_same_time: HashMap<Timestamp, i64>,
    /// How many messages had that digest so far.
    equals: HashMap<String, u64>,
}

impl<'a> Reader<'a> {
    fn new(event: &'a Event, order: DateOrder) -> Result<Self, IngestError> {
        Ok(Self {
            event,
            room: event::main_room(&event.id)?,
            zone: event.zone(),
            order,
            before: None,
            at_same_time: HashMap::new(),
            equals: HashMap::new(),
        })
    }

    fn entry(&mut self, entry: &Entry, notes: &mut Notes) -> Result<Option<Message>, String> {
        let local = entry.stamp.local(self.order).ok_or("there is no such date")?;
        // Every entry takes its turn, whatever it holds: a message that is deleted later must
        // not move the ones behind it.
        let sent_at = self.turn(local)?;
        if entry.bad_line.is_some() {
            return Err("is not UTF-8".into());
        }
        let (sender, text) = match content::read(entry.stamp.style, &entry.body) {
            Content::Said { sender, text, media } => {
                notes.media += u64::from(media);
                (sender, text)
            }
            Content::System => {
                notes.system += 1;
                return Ok(None);
            }
            Content::Media => {
                notes.media += 1;
                return Ok(None);
            }
            Content::Deleted => {
                notes.deleted += 1;
                return Ok(None);
            }
        };
        let sender = event::read_name("sender", &sender)?;
        event::check_text(&text)?;
        let id = self.message_id(&entry.stamp, &sender, &text)?;
        Ok(Some(event::message(id, self.room.clone(), sender, sent_at, text)))
    }

    /// The instant of a local time, moved by a microsecond for each entry before it at that time.
    fn turn(&mut self, local: DateTime) -> Result<Timestamp, String> {
        let instant = self.instant(local).ok_or("there is no such time")?;
        self.before = Some(instant);
        let earlier = self.at_same_time.entry(instant).or_default();
        let sent_at = instant.checked_add(SignedDuration::from_micros(*earlier));
        *earlier += 1;
        sent_at.map_err(|_| "there is no such time".into())
    }

    /// In the hour that an autumn night has twice, the second one once time would run backwards.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let twice = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        let first = ambiguous.compatible().ok()?;
        if twice && self.before.is_some_and(|before| first < before) {
            return ambiguous.later().ok();
        }
        Some(first)
    }

    fn message_id(&mut self, stamp: &Stamp, sender: &str, text: &str) -> Result<MessageId, String> {
        let key = crate::domain::ids::digest(&[
            "whatsapp",
            self.event.id.as_str(),
            &stamp.key(),
            sender,
            text,
        ]);
        let ordinal = self.equals.entry(key.clone()).or_default();
        let id = crate::domain::ids::digest(&[&key, &ordinal.to_string()]);
        *ordinal += 1;
        MessageId::parse(&format!("wa-{id}")).map_err(|bad| bad.to_string())
    }
}
