//! Any text is read without harm. `make fuzz` does so a million times.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{Conversation, Detector, Subject};
use crate::domain::chat::{Event, Participant};
use crate::domain::ids::{EventId, PersonId};
use crate::domain::money::Currency;

static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);
static EVENT: LazyLock<Event> = LazyLock::new(|| Event {
    id: EventId::parse("fuzz").unwrap(),
    tenant: Event::DEFAULT_TENANT.into(),
    name: "fuzz".into(),
    kind: "wedding".into(),
    starts_at: None,
    time_zone: "UTC".into(),
    locale: "en".into(),
    currency: Currency::parse("EUR").unwrap(),
    budget: None,
    participants: ["Kofi", "Émile", "Bev"]
        .map(|name| Participant { id: PersonId(name.into()), name: name.into() })
        .to_vec(),
});

/// What readers look for, and what trips them.
const PARTS: &[&str] = &[
    "£",
    "$",
    "€",
    "₹",
    "12",
    "1.2k",
    "1.050,00",
    ".",
    ",",
    " or ",
    " vs ",
    "/",
    "🎸",
    "❤️",
    "👨‍👩‍👧",
    "🇬🇧",
    "1️⃣",
    "paid",
    " by ",
    "’s",
    "'",
    "Kofi",
    "Émile",
    "@",
    "1)",
    "2)",
    "A)",
    " me and ",
    "\n",
    "\r\n",
    "?",
    "!",
    "İ",
    "ß",
    "ﬁ",
    "two-",
    "fifty",
    " not ",
    "\u{200d}",
    "\u{202e}",
    "\u{200f}",
    "yes/no",
    ": ",
    "...",
    "\0",
    "R2 500",
    "مرحبا",
    "שלום",
    "你好",
    "can someone ",
    "book ",
    "the ",
    "caterer",
    "deposit ",
    "we don't need ",
    "sent you ",
    "lakh",
    "k",
    "by friday",
    "who ",
    "how much ",
    "done",
    "😂",
    "\u{feff}",
    "e\u{301}",
    "\t",
    "(",
    ")",
    "\"",
    "*",
    "#",
    "%",
    "-",
    "–",
    "=",
    "00",
    "9999999999999999999",
    "1,2,3,4",
    "+44 7700 900123",
    "https://x.y/z?a=b",
    "x",
];

fn text() -> impl Strategy<Value = String> {
    let part = || prop::sample::select(PARTS);
    prop_oneof![
        4 => prop::collection::vec(part(), 0..32).prop_map(|parts| parts.concat()),
        2 => any::<String>(),
        2 => prop::collection::vec(any::<u8>(), 0..200)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => (prop::collection::vec(part(), 0..8), any::<String>())
            .prop_map(|(parts, any)| parts.concat() + &any),
    ]
}

fn check(text: &str, talk: &mut Conversation) {
    let alone = DETECTOR.detect(&Subject { text, sender: None, sent_at: None, event: None });
    assert!((0.0..=1.0).contains(&alone.confidence), "{text:?}");
    let subject = Subject { text, sender: Some("Bev"), sent_at: None, event: Some(&EVENT) };
    let within = DETECTOR.detect_next(talk, &subject);
    assert!((0.0..=1.0).contains(&within.confidence), "{text:?}");
}

proptest! {
    #[test]
    fn any_text_has_a_detection(texts in prop::collection::vec(text(), 1..3)) {
        let mut talk = Conversation::default();
        for text in &texts {
            check(text, &mut talk);
        }
    }
}

#[test]
fn lines_of_64_kilobytes_are_read_without_harm() {
    let mut talk = Conversation::default();
    for part in PARTS {
        check(&part.repeat(64 * 1024 / part.len()), &mut talk);
        check(&format!("{part} ").repeat(64 * 1024 / (part.len() + 1)), &mut talk);
    }
}
