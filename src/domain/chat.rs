//! The inputs: events, rooms, participants, messages, vendors.
//!
//! Gleaner only reads them. They are tables of its own, or views over the
//! application's tables.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{EventId, MessageId, PersonId, RoomId};
use super::money::Currency;

/// What a group plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its ID.
    pub id: EventId,
    /// Who pays for its model calls; `default` where the application has no tenants.
    pub tenant: String,
    /// What the group calls it.
    pub name: String,
    /// `wedding`, `birthday`, `company offsite`…
    pub kind: String,
    /// When it begins, if that is known.
    pub starts_at: Option<Timestamp>,
    /// IANA name; what "Friday" means is judged here.
    pub time_zone: String,
    /// BCP 47 tag of the language that answers are written in.
    pub locale: String,
    /// What a bare amount is in.
    pub currency: Currency,
    /// The group's own budget, in minor units.
    pub budget: Option<i64>,
    /// Who takes part, in the order that decides who bears odd units.
    pub participants: Vec<Participant>,
}

impl Event {
    /// The tenant of an event that names none.
    pub const DEFAULT_TENANT: &str = "default";

    /// IDs of all participants, in order.
    pub fn people(&self) -> Vec<PersonId> {
        self.participants.iter().map(|p| p.id.clone()).collect()
    }

    /// The participant of that name, whatever its case.
    pub fn person_named(&self, name: &str) -> Option<&Participant> {
        let name = name.trim().to_lowercase();
        self.participants.iter().find(|p| p.name.to_lowercase() == name)
    }

    /// The participant's name, or the ID where the event does not list it.
    pub fn name_of<'a>(&'a self, person: &'a PersonId) -> &'a str {
        self.participants
            .iter()
            .find(|p| p.id == *person)
            .map_or(person.0.as_str(), |p| p.name.as_str())
    }

    /// The day of a moment on the group's calendar.
    pub fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone()).date()
    }

    /// The day on which it begins, on the group's calendar, if that is known.
    pub fn first_day(&self) -> Option<Date> {
        self.starts_at.map(|starts| self.day_of(starts))
    }

    /// The event's time zone; UTC where the name is unknown.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

/// One who takes part in an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Their ID, as messages name the sender.
    pub id: PersonId,
    /// What the group calls them.
    pub name: String,
}

/// A chat message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its ID.
    pub id: MessageId,
    /// The room it was written in.
    pub room: RoomId,
    /// Who wrote it.
    pub sender: PersonId,
    /// When, by the chat's clock: all that is said about the group is judged from here.
    pub sent_at: Timestamp,
    /// What was written; never logged.
    pub text: String,
    /// Grows with each edit; a higher one re-opens a settled queue item.
    pub revision: i64,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Timestamp>,
    /// An intent that the producer detected, taken instead of ours when well formed.
    pub detected_intent: Option<String>,
    /// Entities that the producer extracted, likewise.
    pub extracted_entities: Option<Value>,
}

/// What was said before a message, as far as it helps to read that message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Who said it; views may not know.
    pub sender: Option<PersonId>,
    /// How it begins; never logged.
    pub text: String,
}

/// A vendor that the application knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vendor {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A vendor kind of the knowledge base: `photographer`, `caterer`…
    pub kind: String,
    /// Where it works, in words.
    pub area: Option<String>,
    /// The price it starts at, in minor units of `currency`.
    pub price_from: Option<i64>,
    /// The currency of `price_from`.
    pub currency: Option<Currency>,
    /// 0 to 5.
    pub rating: Option<f64>,
}
