//! What an agent asks: shared questions, which know no event, and private ones, which carry theirs.
//!
//! The types keep the two apart. A shared question is made of closed words
//! alone and its request takes no context; whatever else is asked is private,
//! and its key holds the event. Keys hold digests, never chat text.

use super::AgentName;
use super::shape::Shape;
use crate::context::{Context, Level, escape_line, estimate};
use crate::domain::chat::{Event, Message};
use crate::domain::ids::{EventId, digest};
use crate::domain::intent::{ExpenseEntities, TaskEntities};
use crate::model::offline::{Category, VendorKind, vendor_kind};
use crate::model::{Brief, ModelRequest};

/// The words of ours in a request's data, and the version of their layout; part of every key.
pub(super) const LAYOUT: &str = "1:<question>object action category what language</question>";

/// What a shared task question asks to be done, whatever the message said: its key holds the kind alone.
const SHARED_ACTION: &str = "book";

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

    /// The agent that asks.
    pub fn agent(&self) -> AgentName {
        match self.subject {
            Subject::Task(_) => AgentName::TaskEnricher,
            Subject::Expense(_) => AgentName::BudgetAnalyst,
        }
    }

    /// The category that the answer must keep.
    pub(super) fn category(&self) -> Option<Category> {
        match self.subject {
            Subject::Task(_) => None,
            Subject::Expense(category) => Some(category),
        }
    }

    /// The request, the same for every event; there is no way to give it a context.
    pub fn request(&self, max_tokens: u32) -> ModelRequest {
        let brief = self.brief();
        let user = asked(&brief, &self.locale);
        request(self.agent(), user, brief, max_tokens)
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
    fn task(event: &Event, task: &TaskEntities) -> Self {
        let brief = Brief::Task { object: task.object.clone(), action: task.action.clone() };
        Self::new(event, brief, String::new())
    }

    fn expense(event: &Event, message: &Message, expense: &ExpenseEntities) -> Self {
        let what = expense.what.clone().unwrap_or_default();
        let told = if what.trim().is_empty() { message.text.clone() } else { String::new() };
        Self::new(event, Brief::Expense { category: None, what }, told)
    }

    fn new(event: &Event, brief: Brief, told: String) -> Self {
        Self { event: event.id.clone(), brief, told, locale: Locale::of(&event.locale) }
    }

    /// The agent that asks.
    pub fn agent(&self) -> AgentName {
        match self.brief {
            Brief::Task { .. } => AgentName::TaskEnricher,
            Brief::Expense { .. } => AgentName::BudgetAnalyst,
        }
    }

    /// The event whose data the question holds.
    pub fn event(&self) -> &EventId {
        &self.event
    }

    /// The request, with what the agent's level may see.
    pub fn request(&self, context: &Context, max_tokens: u32) -> ModelRequest {
        let user = format!("{}{}", context.text, asked(&self.brief, &self.locale));
        request(self.agent(), user, self.brief.clone(), max_tokens)
    }

    fn prefix(&self) -> &'static str {
        match self.brief {
            Brief::Task { .. } => "task:private",
            Brief::Expense { .. } => "expense:private",
        }
    }
}

impl Question {
    /// What the task enricher asks about a task.
    pub(super) fn about_task(event: &Event, task: &TaskEntities) -> Self {
        match vendor_kind(&task.object) {
            Some(kind) => Self::Shared(SharedQuestion::task(kind, Locale::of(&event.locale))),
            None => Self::Private(PrivateQuestion::task(event, task)),
        }
    }

    /// What the budget analyst asks about an expense.
    pub(super) fn about_expense(
        event: &Event,
        message: &Message,
        expense: &ExpenseEntities,
    ) -> Self {
        match expense.category.as_deref().and_then(Category::named) {
            Some(category) => {
                Self::Shared(SharedQuestion::expense(category, Locale::of(&event.locale)))
            }
            None => Self::Private(PrivateQuestion::expense(event, message, expense)),
        }
    }

    /// The agent that asks.
    pub fn agent(&self) -> AgentName {
        match self {
            Self::Shared(question) => question.agent(),
            Self::Private(question) => question.agent(),
        }
    }

    /// The context level of the request; `None` for a shared one, which has no context.
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Shared(_) => None,
            Self::Private(question) => Some(question.agent().level()),
        }
    }

    /// The most tokens that the request's prompt can come to: what its worst case is priced by.
    ///
    /// A private prompt is taken at its level's cap and a fifth, whatever the estimate says of it.
    pub fn most_prompt_tokens(&self, request: &ModelRequest) -> u64 {
        let fixed = estimate(&request.system) + estimate(&request.schema.to_string());
        let capped = self.level().map_or(0, |level| level.limits().tokens);
        let told = estimate(&request.user).max(capped);
        u64::from(fixed) + u64::from(told) * 6 / 5
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

    /// Which question a paid answer belongs to: a digest of the same parts as the key.
    pub fn fingerprint(&self, model: &str) -> String {
        self.digest("fingerprint", model)
    }

    /// The fingerprint of the one repair of that question's answer.
    pub fn repair_fingerprint(&self, model: &str) -> String {
        self.digest("repair", model)
    }

    fn digest(&self, purpose: &str, model: &str) -> String {
        let version = &Shape::for_agent(self.agent()).version;
        let (brief, locale, told, event) = match self {
            Self::Shared(question) => (question.brief(), &question.locale, "", ""),
            Self::Private(question) => (
                question.brief.clone(),
                &question.locale,
                question.told.as_str(),
                question.event.as_str(),
            ),
        };
        let (one, two) = match &brief {
            Brief::Task { object, action } => (object.as_str(), action.as_str()),
            Brief::Expense { category, what } => (category.as_deref().unwrap_or(""), what.as_str()),
        };
        let (one, two) = (folded(one), folded(two));
        let agent = self.agent().name();
        digest(&[purpose, agent, version, model, locale.tag(), &one, &two, told, event])
    }
}

/// The same words in the same case and spacing.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The question as data.
fn asked(brief: &Brief, locale: &Locale) -> String {
    let line = |text: &str| escape_line(text, 120);
    let about = match brief {
        Brief::Task { object, action } => {
            format!("object: {}\naction: {}", line(object), line(action))
        }
        Brief::Expense { category, what } => {
            let category = category.as_deref().unwrap_or("not known");
            let what = if what.is_empty() { "not said" } else { what };
            format!("category: {}\nwhat: {}", line(category), line(what))
        }
    };
    format!("<question>\n{about}\nlanguage: {}\n</question>\n", locale.tag())
}

fn request(agent: AgentName, user: String, brief: Brief, max_tokens: u32) -> ModelRequest {
    let shape = Shape::for_agent(agent);
    ModelRequest {
        agent: agent.name(),
        system: shape.prompt.to_owned(),
        user,
        brief,
        schema: shape.schema.clone(),
        max_tokens,
    }
}

#[cfg(test)]
#[path = "tests/question.rs"]
mod tests;
