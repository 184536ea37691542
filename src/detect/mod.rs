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
