//! The event of a chat file, from its header and the options; IDs by digest.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{IngestError, IngestOptions, LONGEST_TEXT};
use crate::domain::chat::{Event, Message, Participant};
use crate::domain::ids::{EventId, MessageId, PersonId, RoomId, digest};
use crate::domain::money::Currency;
use crate::store::unlisted_senders;

/// What a bare amount is in where neither header nor option says it.
pub(super) const DEFAULT_CURRENCY: &str = "USD";

const DEFAULT_TIME_ZONE: &str = "UTC";
const DEFAULT_LOCALE: &str = "en";

/// The longest name of an event or a person, in bytes: database indexes hold them.
const LONGEST_NAME: usize = 256;

/// Budgets above this are typing mistakes, and would not stay exact.
const LARGEST_BUDGET: f64 = 1e12;

/// What a file itself says about its event; texts are not checked yet.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) line: usize,
    pub(super) id: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) starts_at: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) budget: Option<f64>,
    pub(super) participants: Vec<String>,
}

impl Header {
    /// The event; an option beats the header.
    pub(super) fn into_event(self, options: &IngestOptions) -> Result<Event, IngestError> {
        let from_header = |why| IngestError::BadHeader { line: self.line, why };
        let name = self
            .pick("name", &options.name, &self.name, |text| read_name("the event's name", text))?
            .ok_or_else(|| from_header("the event has no name".into()))?;
        let time_zone = self
            .pick("time-zone", &options.time_zone, &self.time_zone, read_zone)?
            .unwrap_or_else(|| DEFAULT_TIME_ZONE.into());
        let zone = TimeZone::get(&time_zone).unwrap_or(TimeZone::UTC);
        let starts_at = self.pick("starts-at", &options.starts_at, &self.starts_at, |text| {
            read_instant(text, &zone)
        })?;
        let currency = self
            .pick("currency", &options.currency, &self.currency, |text| read_currency(text))?
            .or_else(|| Currency::parse(DEFAULT_CURRENCY))
            .ok_or_else(|| from_header("the event has no currency".into()))?;
        let budget = self.pick("budget", &options.budget, &self.budget, read_budget)?;
        let plain = |what, text: &Option<String>, default: &str| match text {
            Some(text) => read_name(what, text).map_err(from_header),
            None => Ok(default.to_owned()),
        };
        let own_id = self.id.as_deref().map(EventId::parse).transpose();
        let own_id = own_id.map_err(|bad| from_header(bad.to_string()))?;
        Ok(Event {
            id: match options.event.clone().or(own_id) {
                Some(id) => id,
                None => digested_event(&name, starts_at)?,
            },
            tenant: plain("the tenant", &self.tenant, Event::DEFAULT_TENANT)?,
            kind: plain("the event's kind", &self.kind, "event")?,
            locale: plain("the locale", &self.locale, DEFAULT_LOCALE)?,
            participants: listed(&self.participants).map_err(from_header)?,
            budget: budget.map(|major| currency.minor(major)),
            name,
            starts_at,
            time_zone,
            currency,
        })
    }

    fn pick<T, U>(
        &self,
        option: &'static str,
        given: &Option<T>,
        header: &Option<T>,
        read: impl Fn(&T) -> Result<U, String>,
    ) -> Result<Option<U>, IngestError> {
        match (given, header) {
            (Some(given), _) => {
                read(given).map(Some).map_err(|why| IngestError::BadOption { option, why })
            }
            (None, Some(text)) => read(text).map(Some).map_err(|why| IngestError::BadHeader {
                line: self.line,
                why: format!("{}: {why}", option.replace('-', "_")),
            }),
            (None, None) => Ok(None),
        }
    }
}

fn read_zone(name: &String) -> Result<String, String> {
    match TimeZone::get(name.trim()) {
        Ok(_) => Ok(name.trim().to_owned()),
        Err(_) => Err(format!("{name:?} is no IANA time zone such as Europe/London")),
    }
}

fn read_currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| format!("{code:?} is no ISO 4217 code such as EUR"))
}

fn read_budget(major: &f64) -> Result<f64, String> {
    let fits = (0.0..=LARGEST_BUDGET).contains(major);
    if fits { Ok(*major) } else { Err(format!("{major} is no budget")) }
}

/// RFC 3339, or a local date with or without a time.
pub(super) fn read_instant(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok();
        let local =
            local.or_else(|| text.parse::<Date>().ok().map(|d| d.to_datetime(Default::default())));
        local.and_then(|local| zone.to_timestamp(local).ok())
    });
    instant
        .and_then(whole_micros)
        .ok_or_else(|| format!("{text:?} is no time such as 2026-06-06T13:00:00Z, nor a date"))
}

/// What databases keep: microseconds.
pub(super) fn whole_micros(instant: Timestamp) -> Option<Timestamp> {
    Timestamp::from_microsecond(instant.as_microsecond()).ok()
}

/// A short text that databases can index, trimmed.
pub(super) fn read_name(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{what} is empty"));
    }
    if text.len() > LONGEST_NAME {
        return Err(format!("{what} is longer than {LONGEST_NAME} bytes"));
    }
    if text.contains('\0') {
        return Err(format!("{what} holds a NUL character"));
    }
    Ok(text.to_owned())
}

/// Whether a message's text may go in; the reason never quotes it.
pub(super) fn check_text(text: &str) -> Result<(), String> {
    if text.len() > LONGEST_TEXT {
        return Err(format!("the text is {} bytes; {LONGEST_TEXT} is the most", text.len()));
    }
    if text.contains('\0') {
        return Err("the text holds a NUL character".into());
    }
    Ok(())
}

fn listed(names: &[String]) -> Result<Vec<Participant>, String> {
    let mut people: Vec<Participant> = Vec::new();
    for name in names {
        let name = read_name("a participant's name", name)?;
        if !people.iter().any(|known| known.name == name) {
            people.push(Participant { id: PersonId(name.clone()), name });
        }
    }
    Ok(people)
}

/// Everyone who wrote takes part, after those whom the header lists.
pub(super) fn add_senders(event: &mut Event, messages: &[Message]) {
    let more = unlisted_senders(event, messages);
    event.participants.extend(more);
}

fn digested_event(name: &str, starts_at: Option<Timestamp>) -> Result<EventId, IngestError> {
    let starts_at = starts_at.map(|at| at.to_string()).unwrap_or_default();
    let id = format!("evt-{}", digest(&["event", name, &starts_at]));
    EventId::parse(&id).map_err(|bad| IngestError::NotAChat(bad.to_string()))
}

/// The room of messages that name none.
pub(super) fn main_room(event: &EventId) -> Result<RoomId, IngestError> {
    room_in(event, "main").map_err(IngestError::NotAChat)
}

/// A room's ID within an event; a digest stands for one that is too long.
pub(super) fn room_in(event: &EventId, room: &str) -> Result<RoomId, String> {
    let plain = format!("{event}:{room}");
    RoomId::parse(&plain)
        .or_else(|_| RoomId::parse(&format!("room-{}", digest(&["room", event.as_str(), room]))))
        .map_err(|bad| bad.to_string())
}

/// A message's ID within an event; a digest stands for one that is too long.
pub(super) fn message_in(event: &EventId, id: &MessageId) -> Result<MessageId, String> {
    let plain = format!("{event}:{id}");
    MessageId::parse(&plain)
        .or_else(|_| {
            MessageId::parse(&format!("msg-{}", digest(&["message", event.as_str(), id.as_str()])))
        })
        .map_err(|bad| bad.to_string())
}

/// A message as chat files have them: never edited, never deleted, nothing detected.
pub(super) fn message(
    id: MessageId,
    room: RoomId,
    sender: String,
    sent_at: Timestamp,
    text: String,
) -> Message {
    Message {
        id,
        room,
        sender: PersonId(sender),
        sent_at,
        text,
        revision: 1,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    }
}
