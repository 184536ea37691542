//! Pattern detection: from text to intent, entities and follow-up, without a model.
//!
//! Readers find amounts, names, things, choices and times; the rules of
//! `config/intents.toml` say what speaks for which intent, and trained weights
//! judge. Nothing in here fails: a text that says nothing is `none`.

mod word_set;
mod text;
mod words;
mod phrases;
mod lexicon;
mod money;
mod people;
mod due;
mod options;
mod things;
mod tokens;
mod flags;
mod findings;
mod heard;
mod features;
mod aspects;
mod weights;
mod learn;
mod query;
mod read;
mod vote;
mod follow_up;
#[cfg(test)]
mod fuzz;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::chat::{Event, Message};
use crate::domain::intent::{Detection, Entities, FollowUpKind, Intent};
use crate::settings::DetectSettings;
use aspects::Aspects;
use features::{Feature, Features, features, guessed};
use findings::Findings;
use heard::{Context, Heard, Memory};
use lexicon::{Lexicon, Said};
use read::Reading;
use text::Text;
use weights::{FOLLOW_UPS, INTENTS, Weights};

pub use learn::Sample;
pub use lexicon::BadRules;
pub(crate) use query::named;
pub use weights::{BadWeights, on_line};

/// How likely a kind of follow-up must be to be tried; one that finds no row changes nothing.
const LIKELY: f32 = 0.35;

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

/// The detector; built once, used by all slots. A clone shares what it knows.
#[derive(Debug, Clone)]
pub struct Detector {
    lexicon: Arc<Lexicon>,
    weights: Arc<Weights>,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

/// A conversation as it goes on: what was said helps to read what is said next.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    memory: Memory,
}

/// A file of rules or weights that cannot be read or used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct LoadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> LoadError {
    LoadError { path: path.to_owned(), why: error.to_string() }
}

/// The label of a message to learn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label<'a> {
    /// The right intent.
    pub intent: Intent,
    /// Its entities, as far as they are labelled.
    pub entities: &'a serde_json::Value,
    /// The right kind of follow-up, `Some(None)` for none; `None` where nobody labelled it.
    pub follow_up: Option<Option<FollowUpKind>>,
}

impl Detector {
    /// A detector with the bundled rules and weights.
    pub fn new() -> Self {
        Self { weights: Arc::new(Weights::bundled()), ..Self::by_rules() }
    }

    /// A detector with the bundled rules that judges by them alone.
    pub fn by_rules() -> Self {
        Self::of(Arc::clone(lexicon::bundled()))
    }

    fn of(lexicon: Arc<Lexicon>) -> Self {
        warm(&lexicon);
        Self { lexicon, weights: Arc::new(Weights::none()) }
    }

    /// The detector that the settings ask for.
    ///
    /// # Errors
    /// [`LoadError`] naming the file that cannot be read or used, and why.
    pub fn load(settings: &DetectSettings) -> Result<Self, LoadError> {
        let untrained = Self::untrained(settings.rules.as_deref())?;
        let Some(path) = &settings.weights else {
            return Ok(Self { weights: Arc::new(Weights::bundled()), ..untrained });
        };
        let bytes = std::fs::read(path).map_err(|error| unusable(path, error))?;
        untrained.with_weights(&bytes).map_err(|error| unusable(path, error))
    }

    /// A detector with the rules of this file, or the bundled ones, that judges by them alone.
    ///
    /// # Errors
    /// [`LoadError`] naming the file that cannot be read or used, and why.
    pub fn untrained(rules: Option<&Path>) -> Result<Self, LoadError> {
        let Some(path) = rules else { return Ok(Self::by_rules()) };
        let source = std::fs::read_to_string(path).map_err(|error| unusable(path, error))?;
        Lexicon::parse(&source).map(Arc::new).map(Self::of).map_err(|error| unusable(path, error))
    }

    /// A detector with rules of one's own, in the form of `config/intents.toml`.
    ///
    /// # Errors
    /// [`BadRules`] with the line of the first mistake.
    pub fn with_rules(self, source: &str) -> Result<Self, BadRules> {
        Ok(Self { lexicon: Arc::new(Lexicon::parse(source)?), ..self })
    }

    /// A detector with weights of one's own, as `gleaner train` writes them.
    ///
    /// # Errors
    /// [`BadWeights`] when the bytes are no weights.
    pub fn with_weights(self, bytes: &[u8]) -> Result<Self, BadWeights> {
        Ok(Self { weights: Arc::new(Weights::read(bytes)?), ..self })
    }

    /// A detector that judges by its rules alone.
    pub fn by_rules_alone(self) -> Self {
        Self { weights: Arc::new(Weights::none()), ..self }
    }

    /// What a message is for that stands alone.
    pub fn detect(&self, subject: &Subject<'_>) -> Detection {
        self.judge(subject, None)
    }

    /// What the next message of a conversation is for.
    pub fn detect_next(&self, talk: &mut Conversation, subject: &Subject<'_>) -> Detection {
        self.judge(subject, Some(&mut talk.memory))
    }

    /// The next message of a conversation, read as one of this intent; `None` when it lacks what
    /// the intent cannot be without.
    pub fn read_next_as(
        &self,
        talk: &mut Conversation,
        subject: &Subject<'_>,
        intent: Intent,
    ) -> Option<Detection> {
        let text = Text::new(subject.text);
        let findings = Findings::of(&text, subject.event, &self.lexicon);
        let (features, said) = self.evidence(&findings, subject, Some(&mut talk.memory));
        let groups = [&features.own[..], &features.context];
        let probability = self.weights.intents(&said.scores, &groups)[intent.place()];
        self.read_as(&findings, &features, &said, (intent, probability))
    }

    /// Takes in a message of a conversation that nobody asks about.
    pub fn hear(&self, talk: &mut Conversation, subject: &Subject<'_>) {
        let text = Text::new(subject.text);
        let findings = Findings::of(&text, subject.event, &self.lexicon);
        let said = self.lexicon.judge(&findings.tokens.tokens, findings.flags);
        talk.memory.push(Heard::of(&findings, subject.sender, guess(&said)));
    }

    fn judge(&self, subject: &Subject<'_>, memory: Option<&mut Memory>) -> Detection {
        let text = Text::new(subject.text);
        if text.words().is_empty() && !text.folded().chars().any(options::is_emoji) {
            return Detection::none(0.95);
        }
        let findings = Findings::of(&text, subject.event, &self.lexicon);
        let (features, said) = self.evidence(&findings, subject, memory);
        self.decide(&findings, &features, &said)
    }

    /// The features and rules that speak; the memory takes the message in.
    fn evidence(
        &self,
        findings: &Findings<'_, '_>,
        subject: &Subject<'_>,
        memory: Option<&mut Memory>,
    ) -> (Features, Said) {
        let context = memory
            .as_ref()
            .map_or_else(Context::default, |memory| memory.context(findings, subject.sender));
        let said = self.lexicon.judge(&findings.tokens.tokens, findings.flags);
        let features = features(findings, &said, &context);
        if let Some(memory) = memory {
            memory.push(Heard::of(findings, subject.sender, guess(&said)));
        }
        (features, said)
    }

    /// Takes the likeliest intent whose entities can be read; `none` always can.
    fn decide(&self, findings: &Findings<'_, '_>, features: &Features, said: &Said) -> Detection {
        let groups = [&features.own[..], &features.context];
        let intents = self.weights.intents(&said.scores, &groups);
        let mut ranked = Intent::ALL;
        ranked.sort_by(|one, other| intents[other.place()].total_cmp(&intents[one.place()]));
        let readable = |intent: Intent| {
            self.read_as(findings, features, said, (intent, intents[intent.place()]))
        };
        ranked.into_iter().find_map(readable).unwrap_or(Detection::none(0.5))
    }

    /// What the message says as one of this intent, if it can be one.
    fn read_as(
        &self,
        findings: &Findings<'_, '_>,
        features: &Features,
        said: &Said,
        (intent, probability): (Intent, f32),
    ) -> Option<Detection> {
        let groups = [&features.own[..], &features.context];
        let reading = Reading::of(findings, intent);
        let aspects = self.aspects(&reading, &features.own, said, intent);
        let entities = reading.entities(aspects.as_ref())?;
        let kinds = self.weights.follow_ups(&said.scores, &groups);
        let best = likeliest(&kinds[1..]);
        let kind = (kinds[best + 1] >= LIKELY).then(|| FollowUpKind::ALL[best]);
        Some(Detection {
            confidence: on_line(&self.weights.header.calibration, probability),
            follow_up: kind.and_then(|kind| follow_up::read(findings, intent, kind)),
            entities,
        })
    }

    /// What the weights say of the entities of this intent, if they know and it has some.
    fn aspects(
        &self,
        reading: &Reading<'_>,
        features: &[Feature],
        said: &Said,
        intent: Intent,
    ) -> Option<Aspects> {
        if self.weights.is_none() || matches!(intent, Intent::None | Intent::PollCreation) {
            return None;
        }
        Some(self.weights.aspects(&said.scores, &[features, &guessed(reading)], intent))
    }

    /// A labelled message as training wants it; the conversation hears it.
    pub fn sample(
        &self,
        subject: &Subject<'_>,
        talk: Option<&mut Conversation>,
        label: Label<'_>,
    ) -> Sample {
        let text = Text::new(subject.text);
        let findings = Findings::of(&text, subject.event, &self.lexicon);
        let (features, said) = self.evidence(&findings, subject, talk.map(|talk| &mut talk.memory));
        let guessed = guessed(&Reading::of(&findings, label.intent));
        Sample {
            text: weights::digest_of(subject.text),
            features,
            guessed,
            scores: said.scores,
            intent: [(0..INTENTS, label.intent.place())],
            follow_up: label
                .follow_up
                .map(|kind| (0..FOLLOW_UPS, kind.map_or(0, |kind| kind.place() + 1))),
            aspects: aspects::targets(label.intent, label.entities),
        }
    }

    /// This detector with weights trained on samples; its confidence is a bare probability.
    pub fn trained(self, samples: &[&Sample], seed: u64) -> Self {
        Self { weights: Arc::new(learn::train(samples, seed)), ..self }
    }

    /// This detector with its confidence set by how often guesses of some probability were right.
    pub fn calibrated(self, line: Vec<(f32, f32)>) -> Self {
        let mut weights = Arc::unwrap_or_clone(self.weights);
        weights.header.calibration = line;
        Self { weights: Arc::new(weights), ..self }
    }

    /// The weights as a file's bytes.
    pub fn weights_file(&self) -> Vec<u8> {
        self.weights.write()
    }

    /// How many messages the weights were trained on.
    pub fn learnt_messages(&self) -> usize {
        self.weights.header.messages
    }

    /// Whether the weights were trained on a message of this text.
    pub fn learnt_from(&self, text: &str) -> bool {
        self.weights.trained_on.binary_search(&weights::digest_of(text)).is_ok()
    }
}

/// Lets every reader read once, so that the first message finds all their tables built.
fn warm(lexicon: &Lexicon) {
    let text = Text::new("how much is left, and can someone book the zorb or the hall for £5?");
    let findings = Findings::of(&text, None, lexicon);
    for intent in Intent::ALL {
        Reading::of(&findings, intent).entities(None);
    }
}

/// What a message looks like by the rules alone: in training the weights know the answers.
fn guess(said: &Said) -> Intent {
    Intent::ALL[likeliest(&said.scores[..INTENTS])]
}

/// The place of the greatest; the first of equals.
fn likeliest(probabilities: &[f32]) -> usize {
    let mut best = 0;
    for (at, probability) in probabilities.iter().enumerate() {
        if *probability > probabilities[best] {
            best = at;
        }
    }
    best
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
        let rules = "[words]\n[things]\n[actions]\n[[rule]]\nname = 'a'\nintent = 'none'\nweight = 0.5\n[[rule]]\nname = 'b'\nintent = 'query'\nweight = 1.0\nphrases = ['wann']\n";
        let detector = Detector::new().by_rules_alone().with_rules(rules).unwrap();
        let subject =
            Subject { text: "Wann geht es los", sender: None, sent_at: None, event: None };
        assert_eq!(detector.detect(&subject).intent(), Intent::Query);
        assert_eq!(Detector::new().with_rules("nonsense").unwrap_err().line, 1);
    }

    #[test]
    fn texts_of_no_words_are_none() {
        for text in ["", "   ", "\0", "...", "‏‏", "\u{202e}"] {
            assert_eq!(detect(text).intent(), Intent::None, "{text:?}");
        }
    }
}
