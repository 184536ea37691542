//! Pattern detection: from text to intent, entities and follow-up, without a model.
//!
//! Readers find amounts, names, things, choices and times; weighted rules of
//! `config/intents.toml` judge what they found; the intent's entities are then
//! read. Nothing in here fails: a text that says nothing is `none`.

mod text;
mod words;
mod lexicon;
mod money;
mod people;
mod due;
mod options;
mod things;
mod query;
mod rules;
mod read;
mod vote;
mod follow_up;
#[cfg(test)]
mod labelled;

use jiff::Timestamp;

use crate::domain::chat::{Event, Message};
use crate::domain::intent::{Detection, Entities, Intent};

pub use lexicon::BadRules;
use lexicon::Lexicon;
use rules::Findings;
use text::Text;

/// What detection is given of a message.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The text.
    pub text: &'a str,
    /// The sender's name, where it is known.
    pub sender: Option<&'a str>,
    /// When it was sent, where that is known.
    pub sent_at: Option<Timestamp>,
    /// The event, where there is one: its participants, currency and time zone.
    pub event: Option<&'a Event>,
}

/// The detector; built once, used by all slots.
#[derive(Debug)]
pub struct Detector {
    lexicon: Lexicon,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// A detector with the bundled rules.
    pub fn new() -> Self {
        Self { lexicon: lexicon::bundled() }
    }

    /// A detector with rules of one's own, in the form of `config/intents.toml`.
    ///
    /// # Errors
    /// [`BadRules`] with the line of the first mistake.
    pub fn from_rules(source: &str) -> Result<Self, BadRules> {
        Ok(Self { lexicon: Lexicon::parse(source)? })
    }

    /// What the message is for.
    pub fn detect(&self, subject: &Subject<'_>) -> Detection {
        let text = Text::new(subject.text);
        if text.words().is_empty() && !text.folded().chars().any(options::is_emoji) {
            return Detection::none(0.95);
        }
        let names = people::names(&text, subject.event);
        let amounts = money::amounts(&text);
        let choices = options::choices(&text);
        let things = things::things(&text, &self.lexicon);
        let findings = Findings {
            text: &text,
            names: &names,
            amounts: &amounts,
            choices: choices.as_ref(),
            things: &things,
            currency: subject.event.map(|event| event.currency),
        };
        self.decide(&findings)
    }

    /// Takes the likeliest intent whose entities can be read; `none` always can.
    fn decide(&self, findings: &Findings<'_, '_>) -> Detection {
        for (intent, lead) in rules::judge(&self.lexicon, findings) {
            let Some(entities) = read::entities(&self.lexicon, findings, intent) else { continue };
            let total = money::total(findings.text, findings.amounts);
            return Detection {
                confidence: rules::confidence(intent, lead),
                follow_up: follow_up::follow_up(findings, intent, total),
                entities,
            };
        }
        Detection::none(0.5)
    }
}

/// What the producer detected itself, when it is well formed.
pub fn taken(message: &Message) -> Option<Detection> {
    let intent = Intent::named(message.detected_intent.as_deref()?)?;
    let nothing = serde_json::Value::Null;
    let value = message.extracted_entities.as_ref().unwrap_or(&nothing);
    let entities = Entities::read(intent, value).ok()?;
    Some(Detection { confidence: 1.0, entities, follow_up: None })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::ids::{MessageId, PersonId, RoomId};

    static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

    fn detect(text: &str) -> Detection {
        DETECTOR.detect(&Subject { text, sender: None, sent_at: None, event: None })
    }

    fn message(intent: &str, entities: serde_json::Value) -> Message {
        Message {
            id: MessageId::parse("m1").unwrap(),
            room: RoomId::parse("r1").unwrap(),
            sender: PersonId("p1".into()),
            sent_at: Timestamp::UNIX_EPOCH,
            text: "whatever".into(),
            revision: 1,
            deleted_at: None,
            detected_intent: Some(intent.into()),
            extracted_entities: Some(entities),
        }
    }

    #[test]
    fn a_well_formed_detection_of_the_producer_is_taken() {
        let found =
            taken(&message("task_creation", json!({"object": "dj", "action": "book"}))).unwrap();
        assert_eq!((found.intent(), found.confidence), (Intent::TaskCreation, 1.0));
        assert!(taken(&message("none", json!({}))).is_some());
    }

    #[test]
    fn a_malformed_detection_of_the_producer_is_not_taken() {
        assert_eq!(taken(&message("task_creation", json!({"object": "dj"}))), None);
        assert_eq!(taken(&message("expense_entry", json!({"amount": "many"}))), None);
        assert_eq!(taken(&message("party", json!({}))), None);
    }

    #[test]
    fn a_team_may_bring_rules_of_its_own() {
        let rules = "[words]\n[things]\n[actions]\n[[rule]]\nintent = 'none'\nweight = 0.5\n[[rule]]\nintent = 'query'\nweight = 1.0\npattern = 'wann'\n";
        let detector = Detector::from_rules(rules).unwrap();
        let subject =
            Subject { text: "Wann geht es los", sender: None, sent_at: None, event: None };
        assert_eq!(detector.detect(&subject).intent(), Intent::Query);
        assert_eq!(Detector::from_rules("nonsense").unwrap_err().line, 1);
    }

    #[test]
    fn texts_of_no_words_are_none() {
        for text in ["", "   ", "\0", "...", "‏‏", "\u{202e}"] {
            assert_eq!(detect(text).intent(), Intent::None, "{text:?}");
        }
    }

    #[test]
    fn long_and_odd_texts_are_read_without_harm() {
        let parts =
            ["a", "£1,", "🎸 a, ", "1 2 3 ", "مرحبا ", "\0", "paid £5 by ", "or ", "İ", "e\u{301}"];
        for part in parts {
            let found = detect(&part.repeat(64 * 1024 / part.len()));
            assert!((0.0..=1.0).contains(&found.confidence));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn any_text_has_a_detection(text in any::<String>()) {
            prop_assert!((0.0..=1.0).contains(&detect(&text).confidence));
        }

        #[test]
        fn any_mix_of_telling_parts_has_a_detection(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "£", "12", ".", ",", " or ", " vs ", "🎸", "❤️", "paid", " by ", "’s", "Kofi", "@", "1)", "2)", " me and ", "\n", "?",
                    "İ", "ß", "two-", "fifty", " not ", "\u{200d}", "yes/no", ": ", "...", "\0", "R2 500", "مرحبا",
                ]),
                0..24,
            )
        ) {
            let text = parts.concat();
            prop_assert!((0.0..=1.0).contains(&detect(&text).confidence));
        }
    }
}
