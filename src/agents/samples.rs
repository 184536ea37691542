//! An event and messages for tests of this room.

use jiff::Timestamp;

use crate::domain::chat::{Event, Message, Participant};
use crate::domain::ids::{EventId, MessageId, PersonId, RoomId};
use crate::domain::intent::{Detection, Entities, Intent};
use crate::domain::money::Currency;
use crate::model::Brief;

/// A wedding of Priya, Tom and Meera on 6 June 2026, with a budget of GBP 20,000.
pub(crate) fn event() -> Event {
    Event {
        id: EventId::parse("wedding").unwrap(),
        tenant: Event::DEFAULT_TENANT.into(),
        name: "Priya & Tom's wedding".into(),
        kind: "wedding".into(),
        starts_at: Some("2026-06-06T12:00:00Z".parse().unwrap()),
        time_zone: "Europe/London".into(),
        locale: "en-GB".into(),
        currency: Currency::parse("GBP").unwrap(),
        budget: Some(2_000_000),
        participants: ["Priya", "Tom", "Meera"]
            .map(|name| Participant { id: PersonId(name.into()), name: name.into() })
            .into(),
    }
}

/// What Tom wrote on Monday, 2 March 2026, at six in the evening.
pub(crate) fn message(text: &str) -> Message {
    Message {
        id: MessageId::parse("m1").unwrap(),
        room: RoomId::parse("room").unwrap(),
        sender: PersonId("Tom".into()),
        sent_at: "2026-03-02T18:00:00Z".parse::<Timestamp>().unwrap(),
        text: text.into(),
        revision: 0,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    }
}

/// One brief of each kind.
pub(crate) fn briefs() -> [Brief; 7] {
    [
        Brief::Task { object: "photographer".into(), action: "book".into() },
        Brief::Expense { category: Some("venue".into()), what: "barn deposit".into() },
        Brief::Poll { question: "Where?".into(), options: vec!["Bath".into(), "Hull".into()] },
        Brief::Route { question: "are we good for the barn?".into() },
        Brief::Wording { answer: "{1} spent so far.".into() },
        Brief::Next { kind: "wedding".into(), days_left: Some(90), known: vec!["venue".into()] },
        Brief::Intent { guess: Intent::Query },
    ]
}

/// A sure detection of these entities.
pub(crate) fn detection(entities: Entities) -> Detection {
    Detection { confidence: 0.9, entities, follow_up: None }
}
