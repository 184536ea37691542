//! What an agent asks: shared questions, which know no event, and private ones, which carry theirs.
//!
//! The types keep the two apart. A shared question is made of closed words
//! alone and its request takes no context; whatever else is asked is private,
//! and its key holds the event. Keys hold digests, never chat text.

use super::AgentName;
use super::shape::Shape;
use crate::context::{Context, Level, escape_line};
use crate::domain::chat::{Event, Message};
use crate::domain::ids::{EventId, digest};
use crate::model::offline::{Category, VendorKind};
use crate::model::{Brief, ModelRequest};

/// The words of ours in a request's data, and the version of their layout; part of every key.
pub(super) const LAYOUT: &str = "2:<question>lines language</question>";

/// What a shared task question asks to be done, whatever the message said: its key holds the kind alone.
const SHARED_ACTION: &str = "book";

/// The longest line of a question, in characters; an answer that is to be worded may fill it.
const LONGEST_LINE: usize = 2_000;

/// A language tag, read down to language and region: `en`, `en-GB`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locale(String);

impl Locale {
    /// The language and region of a BCP 47 tag; `en` where there is none.
    pub fn of(tag: &str) -> Self {
        let mut parts = tag.trim().split(['-', '_']);
        let language = parts.next().unwrap_or_default();
        let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphabetic());
        if !(2..=3).contains(&language.len()) || !letters(language) {
            return Self("en".into());
        }
        let language = language.to_ascii_lowercase();
        match parts.find(|part| part.len() == 2 && letters(part)) {
            Some(region) => Self(format!("{language}-{}", region.to_ascii_uppercase())),
            None => Self(language),
        }
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        &self.0
    }

    /// Whether the sentences that code writes are in this language.
    pub fn is_english(&self) -> bool {
        self.0.split('-').next() == Some("en")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Task(VendorKind),
    Expense(Category),
}

/// A question that holds no event's data: its answer serves every event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedQuestion {
    subject: Subject,
    locale: Locale,
}

/// A question about an event's own things: its answer serves that event alone.
#[derive(Debug, Clone, PartialEq)]
pub struct PrivateQuestion {
    event: EventId,
    brief: Brief,
    /// What stands in the key beside the brief: the message where the brief says too little.
    told: String,
    /// What the event is now, digested: when its day moves, its answers are others.
    facts: String,
    locale: Locale,
}

/// What an agent asks a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Without any event's data.
    Shared(SharedQuestion),
    /// With an event's context.
    Private(PrivateQuestion),
}

impl SharedQuestion {
    /// What is generally known of a kind of vendor or errand.
    pub fn task(kind: VendorKind, locale: Locale) -> Self {
        Self { subject: Subject::Task(kind), locale }
    }

    /// What is generally known of a category of expenses.
    pub fn expense(category: Category, locale: Locale) -> Self {
        Self { subject: Subject::Expense(category), locale }
    }

    /// The request, the same for every event; there is no way to give it a context.
    pub fn request(&self, max_tokens: u32) -> ModelRequest {
        let brief = self.brief();
        let user = asked(&brief, &self.locale);
        request(String::new(), user, brief, max_tokens)
    }

    fn brief(&self) -> Brief {
        match self.subject {
            Subject::Task(kind) => {
                Brief::Task { object: kind.name().into(), action: SHARED_ACTION.into() }
            }
            Subject::Expense(category) => {
                Brief::Expense { category: Some(category.name().into()), what: String::new() }
            }
        }
    }

    fn prefix(&self) -> String {
        match self.subject {
            Subject::Task(kind) => format!("task:{}:base", kind.name().replace(' ', "-")),
            Subject::Expense(category) => format!("expense:{category}:categorization"),
        }
    }
}

impl PrivateQuestion {
    /// A question that says all in its brief.
    pub(super) fn new(event: &Event, brief: Brief) -> Self {
        let locale = Locale::of(&event.locale);
        let (event_id, facts) = (event.id.clone(), facts_of(event));
        Self { event: event_id, brief, told: String::new(), facts, locale }
    }

    /// A question whose answer depends on the message's own words.
    pub(super) fn about(event: &Event, message: &Message, brief: Brief) -> Self {
        Self { told: message.text.clone(), ..Self::new(event, brief) }
    }

    /// The event whose data the question holds.
    pub fn event(&self) -> &EventId {
        &self.event
    }

    /// How much of the event's past the question may see.
    pub fn level(&self) -> Level {
        match self.brief {
            // What is to be worded is all there.
            Brief::Wording { .. } => Level::Minimal,
            Brief::Task { .. }
            | Brief::Expense { .. }
            | Brief::Poll { .. }
            | Brief::Route { .. }
            | Brief::Next { .. }
            | Brief::Intent { .. } => AgentName::of(&self.brief).level(),
        }
    }

    /// The request, with what the agent's level may see.
    pub fn request(&self, context: &Context, max_tokens: u32) -> ModelRequest {
        let asked = asked(&self.brief, &self.locale);
        let (facts, text) = match self.brief {
            // The chat has no say in how a computed answer is worded.
            Brief::Wording { .. } => (String::new(), String::new()),
            Brief::Task { .. }
            | Brief::Expense { .. }
            | Brief::Poll { .. }
            | Brief::Route { .. }
            | Brief::Next { .. }
            | Brief::Intent { .. } => (context.facts.clone(), context.text.clone()),
        };
        request(facts, format!("{text}{asked}"), self.brief.clone(), max_tokens)
    }

    fn prefix(&self) -> &'static str {
        match self.brief {
            Brief::Task { .. } => "task:private",
            Brief::Expense { .. } => "expense:private",
            Brief::Poll { .. } => "poll:private",
            Brief::Route { .. } => "query:route",
            Brief::Wording { .. } => "query:wording",
            Brief::Next { .. } => "event:next",
            Brief::Intent { .. } => "message:intent",
        }
    }
}

impl Question {
    /// What is asked.
    pub fn brief(&self) -> Brief {
        match self {
            Self::Shared(question) => question.brief(),
            Self::Private(question) => question.brief.clone(),
        }
    }

    /// The agent that asks.
    pub fn agent(&self) -> AgentName {
        AgentName::of(&self.brief())
    }

    /// The category that the answer must keep, where the question is about one.
    pub(super) fn category(&self) -> Option<Category> {
        match self {
            Self::Shared(SharedQuestion { subject: Subject::Expense(category), .. }) => {
                Some(*category)
            }
            Self::Shared(_) | Self::Private(_) => None,
        }
    }

    /// The context level of the request; `None` for a shared one, which has no context.
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Shared(_) => None,
            Self::Private(question) => Some(question.level()),
        }
    }

    /// The event whose data the answer holds; `None` when it holds none's.
    pub fn event(&self) -> Option<&EventId> {
        match self {
            Self::Shared(_) => None,
            Self::Private(question) => Some(question.event()),
        }
    }

    /// The cache key: a readable beginning of closed words, and a digest of agent, prompt, schema,
    /// model, locale, question, and, where the question is private, its event.
    pub fn key(&self, model: &str) -> String {
        let digest = self.digest("key", model);
        match self {
            Self::Shared(question) => format!("{}:{digest}", question.prefix()),
            Self::Private(question) => format!("{}:{digest}", question.prefix()),
        }
    }

    /// Which question a paid answer belongs to: a digest of the same parts as the key, and of the
    /// context level it was asked at.
    pub fn fingerprint(&self, model: &str, level: Option<Level>) -> String {
        self.digest(&self.at("fingerprint", level), model)
    }

    /// The fingerprint of the one repair of that question's answer.
    pub fn repair_fingerprint(&self, model: &str, level: Option<Level>) -> String {
        self.digest(&self.at("repair", level), model)
    }

    /// A purpose at a context level, which is named where it is not the question's own.
    fn at(&self, purpose: &str, level: Option<Level>) -> String {
        match level.filter(|_| level != self.level()) {
            Some(other) => format!("{purpose} at {}", other.name()),
            None => purpose.to_owned(),
        }
    }

    fn digest(&self, purpose: &str, model: &str) -> String {
        self.digest_of(&Shape::of(&self.brief()).version, purpose, model)
    }

    /// `version` is that of the prompt and the schema.
    pub(super) fn digest_of(&self, version: &str, purpose: &str, model: &str) -> String {
        let brief = self.brief();
        let (locale, told, event, facts) = match self {
            Self::Shared(question) => (&question.locale, "", "", ""),
            Self::Private(PrivateQuestion { locale, told, event, facts, .. }) => {
                (locale, told.as_str(), event.as_str(), facts.as_str())
            }
        };
        let lines: Vec<String> = brief
            .lines()
            .iter()
            .map(|(label, line)| format!("{label}: {}", folded(line)))
            .collect();
        let agent = AgentName::of(&brief).name();
        let mut parts = vec![purpose, agent, version, model, locale.tag(), told, event, facts];
        parts.extend(lines.iter().map(String::as_str));
        digest(&parts)
    }
}

/// A digest of what an event's own facts say to a model.
fn facts_of(event: &Event) -> String {
    let starts = event.starts_at.map(|at| at.to_string()).unwrap_or_default();
    let budget = event.budget.map(|minor| minor.to_string()).unwrap_or_default();
    let people: Vec<&str> = event.participants.iter().map(|person| person.name.as_str()).collect();
    let (zone, currency) = (event.time_zone.as_str(), event.currency.code());
    let people = people.join("\n");
    digest(&[&event.name, &event.kind, &starts, zone, currency, &budget, &people])
}

/// The same words in the same case and spacing.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The question as data.
fn asked(brief: &Brief, locale: &Locale) -> String {
    let lines = brief.lines().into_iter();
    let about: String = lines
        .map(|(label, line)| format!("{label}: {}\n", escape_line(&line, LONGEST_LINE)))
        .collect();
    format!("<question>\n{about}language: {}\n</question>\n", locale.tag())
}

fn request(facts: String, user: String, brief: Brief, max_tokens: u32) -> ModelRequest {
    let shape = Shape::of(&brief);
    ModelRequest {
        agent: AgentName::of(&brief).name(),
        system: shape.prompt.to_owned(),
        facts,
        user,
        brief,
        schema: shape.schema.clone(),
        max_tokens,
    }
}

#[cfg(test)]
#[path = "tests/question.rs"]
mod tests;
