//! Writes an event's past as text, within a level's tokens.
//!
//! The event's facts and the message come first out of the budget; then tasks
//! and expenses may take up to a third of the rest each, and messages what is
//! left. Of every kind the newest are kept.

use jiff::Timestamp;

use super::text::{escape_line, escape_name, escape_within};
use super::{Level, Limits};
use crate::domain::chat::{Event, Message};
use crate::domain::projection::{ExpenseRow, TaskRow};
use crate::model::estimate::{Estimate, parts_in, whole};
use crate::store::ContextRows;

/// A context, ready for a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The event and its participants, delimited: the same bytes for all messages of an event.
    pub facts: String,
    /// Rows and the message, delimited; the message stands last.
    pub text: String,
    /// The tokens of both by the estimate; never above the level's cap.
    pub tokens: u32,
}

/// The longest name, in characters and tokens: facts and sender must fit the least level even in
/// emoji, and by an estimate half as high again.
const LONGEST_NAME: usize = 32;

/// The longest title or phrase that is written, in characters.
const LONGEST_PHRASE: usize = 120;

/// What a level may see of these rows, with the message at the end.
///
/// Rows that the level does not allow, and messages from the message on, are left out even
/// when they are given.
pub fn assemble(
    level: Level,
    event: &Event,
    message: &Message,
    rows: &ContextRows,
    estimate: &Estimate,
) -> Context {
    let limits = level.limits();
    let facts = facts(event, limits);
    let left = parts_in(limits.tokens).saturating_sub(estimate.parts(&facts));
    let mut rest = Rest { text: String::new(), left, estimate };

    let trigger = trigger(event, message, &rest);
    rest.left = rest.left.saturating_sub(estimate.parts(&trigger));
    let part = rest.left / 3;
    rest.section("tasks", &task_lines(rows, limits), part);
    rest.section("expenses", &expense_lines(event, rows, limits), part);
    rest.section("messages", &message_lines(event, message, rows, limits), rest.left);

    let text = rest.text + &trigger;
    let tokens = whole(estimate.parts(&facts) + estimate.parts(&text));
    Context { facts, text, tokens }
}

/// What is written after the facts, and how many parts of a token may still come.
struct Rest<'a> {
    text: String,
    left: u64,
    estimate: &'a Estimate,
}

impl Rest<'_> {
    /// The last lines that fit between tags, oldest first; nothing when none fits.
    fn section(&mut self, tag: &str, lines: &[String], most: u64) {
        let (open, close) = (format!("<{tag}>\n"), format!("</{tag}>\n"));
        let tags = self.estimate.parts(&open) + self.estimate.parts(&close);
        let mut used = tags;
        let mut first = lines.len();
        while first > 0 && used + self.estimate.parts(&lines[first - 1]) <= most {
            first -= 1;
            used += self.estimate.parts(&lines[first]);
        }
        if first < lines.len() {
            self.left -= used;
            self.text.extend([open, lines[first..].concat(), close]);
        }
    }
}

/// What is the same for all messages of an event. It is measured by the high estimate, so that
/// nothing that is learnt changes its bytes.
fn facts(event: &Event, limits: Limits) -> String {
    let mut facts = event_lines(event);
    if limits.participants {
        facts.push_str(&people(event, parts_in(limits.tokens / 6)));
    }
    facts
}

/// The event in a few bounded lines.
fn event_lines(event: &Event) -> String {
    let starts = event.starts_at.map_or("unknown".to_owned(), |at| local(event, at));
    let budget = event.budget.map_or("unknown".to_owned(), |minor| event.currency.told(minor));
    format!(
        "<event>\nname: {}\nkind: {}\nstarts: {starts}\nbudget: {budget}\nlanguage: {}\n</event>\n",
        escape_name(&event.name, LONGEST_NAME),
        escape_name(&event.kind, LONGEST_NAME),
        escape_name(&event.locale, 12),
    )
}

/// The message in hand, cut in its middle when it alone would pass the cap.
fn trigger(event: &Event, message: &Message, rest: &Rest<'_>) -> String {
    let open = format!(
        "<message_in_hand from=\"{}\" at=\"{}\">",
        escape_name(event.name_of(&message.sender), LONGEST_NAME),
        local(event, message.sent_at)
    );
    let close = "</message_in_hand>\n";
    let tags = rest.estimate.parts(&open) + rest.estimate.parts(close);
    let room = rest.left.saturating_sub(tags);
    format!("{open}{}{close}", escape_within(&message.text, room, rest.estimate))
}

/// The participants in their order, as many as fit.
fn people(event: &Event, most: u64) -> String {
    let parts = |text: &str| Estimate::HIGH.parts(text);
    let (open, close) = ("<participants>\n", "\n</participants>\n");
    let mut left = most.saturating_sub(parts(open) + parts(close));
    let mut names = Vec::new();
    for person in &event.participants {
        let name = escape_name(&person.name, LONGEST_NAME);
        let cost = parts(&name) + parts(", ");
        if cost > left {
            break;
        }
        left -= cost;
        names.push(name);
    }
    if names.is_empty() { String::new() } else { format!("{open}{}{close}", names.join(", ")) }
}

fn newest<T>(rows: &[T], most: u32) -> &[T] {
    &rows[rows.len().saturating_sub(most as usize)..]
}

fn task_lines(rows: &ContextRows, limits: Limits) -> Vec<String> {
    newest(&rows.tasks, limits.tasks).iter().map(task_line).collect()
}

fn task_line(task: &TaskRow) -> String {
    let who = task.assignee.as_deref().unwrap_or("nobody yet");
    let due = task.due.map_or("no date".to_owned(), |due| format!("due {due}"));
    format!(
        "- {} ({}, {due}, {})\n",
        escape_line(&task.title, LONGEST_PHRASE),
        escape_name(who, LONGEST_NAME),
        task.status.name(),
    )
}

fn expense_lines(event: &Event, rows: &ContextRows, limits: Limits) -> Vec<String> {
    newest(&rows.expenses, limits.expenses).iter().map(|row| expense_line(event, row)).collect()
}

fn expense_line(event: &Event, row: &ExpenseRow) -> String {
    let payer = row.paid_by.as_ref().map_or("unknown", |person| event.name_of(person));
    format!(
        "- {}: {} ({}, {}, paid by {}, {})\n",
        escape_line(&row.what, LONGEST_PHRASE),
        row.currency.told(row.minor),
        escape_line(&row.category, 20),
        row.status.name(),
        escape_name(payer, LONGEST_NAME),
        event.day_of(row.opened_at),
    )
}

fn message_lines(
    event: &Event,
    trigger: &Message,
    rows: &ContextRows,
    limits: Limits,
) -> Vec<String> {
    let earlier: Vec<&Message> = rows
        .messages
        .iter()
        .filter(|m| (m.sent_at, &m.id) < (trigger.sent_at, &trigger.id) && m.deleted_at.is_none())
        .collect();
    newest(&earlier, limits.messages).iter().map(|message| message_line(event, message)).collect()
}

fn message_line(event: &Event, message: &Message) -> String {
    format!(
        "<message from=\"{}\" at=\"{}\">{}</message>\n",
        escape_name(event.name_of(&message.sender), LONGEST_NAME),
        local(event, message.sent_at),
        escape_line(&message.text, 600),
    )
}

/// An instant as the group's clock shows it.
fn local(event: &Event, at: Timestamp) -> String {
    at.to_zoned(event.zone()).strftime("%a %Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::domain::chat::Participant;
    use crate::domain::ids::{EventId, MessageId, PersonId, RoomId};
    use crate::domain::money::Currency;

    pub(in crate::context) fn event() -> Event {
        let people = ["Priya", "Tom"];
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
            participants: people
                .map(|name| Participant { id: PersonId(name.into()), name: name.into() })
                .into(),
        }
    }

    /// A message of that minute.
    pub(in crate::context) fn message(minute: i64, text: &str) -> Message {
        Message {
            id: MessageId::parse(&format!("m{minute:06}")).unwrap(),
            room: RoomId::parse("room").unwrap(),
            sender: PersonId("Tom".into()),
            sent_at: Timestamp::from_second(1_772_474_000 + minute * 60).unwrap(),
            text: text.into(),
            revision: 0,
            deleted_at: None,
            detected_intent: None,
            extracted_entities: None,
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
