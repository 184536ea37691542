//! Answers questions from the event's rows, by code alone.
//!
//! Every answer names the rows that it rests on; where the rows do not say,
//! it is "I don't know", and never a guess.

mod spending;
mod tasks;

use jiff::civil::Date;
use uuid::Uuid;

use super::people;
use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::AnswerEnrichment;
use crate::domain::ids::PersonId;
use crate::domain::intent::QueryEntities;
use crate::domain::projection::{PollRow, Projections};

/// What is said when the rows do not say.
pub const UNKNOWN: &str = "I don't know";

/// A sentence and the rows that it rests on; `None` when the rows do not say.
type Found = Option<(String, Vec<Uuid>)>;

/// Who asks what, of which rows.
struct Asked<'a> {
    event: &'a Event,
    rows: &'a Projections,
    sender: &'a PersonId,
    /// The text and the subject, in lower case, as words.
    words: Vec<String>,
    /// The subject's words, without those that say nothing.
    subject: Vec<String>,
    /// The day on which it was asked, on the group's calendar.
    today: Date,
}

/// What the rows say; they must be as of the message.
pub fn answer(
    event: &Event,
    message: &Message,
    query: &QueryEntities,
    rows: &Projections,
) -> AnswerEnrichment {
    let subject = query.subject.as_deref().unwrap_or_default();
    let asked = Asked {
        event,
        rows,
        sender: &message.sender,
        words: words(&format!("{} {subject}", message.text)),
        subject: words(subject).into_iter().filter(|word| !is_filler(word)).collect(),
        today: message.sent_at.to_zoned(event.zone()).date(),
    };
    let found = match query.topic.as_str() {
        "spending" => asked.spending(),
        "tasks" => asked.tasks(),
        "polls" => asked.polls(),
        "people" => asked.who(),
        "schedule" => asked.when(),
        _ => asked.who(),
    };
    let (answer, sources) = found.unwrap_or_else(|| (UNKNOWN.to_owned(), Vec::new()));
    AnswerEnrichment { query: query.clone(), answer, sources }
}

fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['\'', '’'], "");
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(singular).collect()
}

fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() >= 3 && !stem.ends_with('s') => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// Words of a subject that name no thing.
const FILLERS: [&str; 30] = [
    "the", "a", "an", "of", "for", "on", "and", "or", "to", "our", "my", "so", "far", "spend",
    "spent", "spending", "cost", "money", "paid", "unpaid", "deposit", "balance", "payment",
    "status", "task", "job", "vote", "poll", "vs", "result",
];

fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

impl Asked<'_> {
    fn says(&self, any: &[&str]) -> bool {
        self.words.iter().any(|word| any.contains(&word.as_str()))
    }

    /// Whether every word of the phrase was said, in this order.
    fn says_in_order(&self, phrase: &[&str]) -> bool {
        self.words.windows(phrase.len()).any(|words| words.iter().eq(phrase.iter()))
    }

    /// Whether the subject speaks of a row with these words.
    fn is_about(&self, text: &str) -> bool {
        let of_row = words(text);
        self.subject.iter().any(|word| word.len() >= 2 && of_row.contains(word))
    }

    /// The person that the subject names, or the sender where it names nothing and they ask about themselves.
    fn person(&self) -> Option<PersonId> {
        let said = self.subject.iter().find_map(|word| {
            people::person(self.event, self.sender, word).or_else(|| {
                // "Toms" was cut to "tom", and "james" to "jame".
                people::person(self.event, self.sender, &format!("{word}s"))
            })
        });
        let own = ["i", "me", "my", "ive", "im", "mine"];
        let about_self = self.subject.is_empty() && self.says(&own);
        said.or_else(|| about_self.then(|| self.sender.clone()))
    }

    /// The latest poll that the question speaks of; the only one where it names none.
    fn polls(&self) -> Found {
        let about = |poll: &&PollRow| {
            self.is_about(&poll.question) || poll.options.iter().any(|o| self.is_about(&o.text))
        };
        let only =
            (self.subject.is_empty() || self.rows.polls.len() == 1).then(|| self.rows.polls.last());
        let poll = self.rows.polls.iter().rev().find(about).or(only.flatten())?;
        let count =
            |votes: usize| if votes == 1 { "1 vote".to_owned() } else { format!("{votes} votes") };
        let each: Vec<String> =
            poll.options.iter().map(|o| format!("{} {}", o.text, count(o.votes.len()))).collect();
        let lead = match poll.result() {
            Some(result) => format!("{result} leads"),
            None if poll.options.iter().all(|o| o.votes.is_empty()) => "No votes yet".to_owned(),
            None => "It is level".to_owned(),
        };
        Some((format!("{lead}: {}.", each.join(", ")), vec![poll.id]))
    }
}

#[cfg(test)]
#[path = "../tests/records.rs"]
mod tests;
