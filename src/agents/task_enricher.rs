//! The task enricher: what is generally known of a thing comes from a model, once for all events.
//!
//! Title, people, dates, figures and vendors are the event's own, and all by code.

use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::Date;

use super::dates::{self, Said};
use super::lines::lines;
use super::question::{Locale, PrivateQuestion, Question, SharedQuestion};
use super::reading::{BadAnswer, share};
use super::shape::Shape;
use super::{Personal, people};
use crate::context::Level;
use crate::domain::chat::{Event, Message, Vendor};
use crate::domain::enrichment::{TaskBase, TaskEnrichment, VendorSuggestion};
use crate::domain::intent::{CATEGORIES, TaskEntities};
use crate::model::Brief;
use crate::model::offline::vendor_kind;

/// What its private questions may see.
pub(super) const LEVEL: Level = Level::Standard;

/// What it says to a model, and what the answer must look like.
pub(super) static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    let prompt = include_str!("prompts/task_enricher.md");
    Shape::new::<TaskBase>(prompt, &[("/properties/category", &CATEGORIES)])
});

/// How many vendors are suggested at most.
pub const MOST_VENDORS: u32 = 3;
/// The longest lead time, in days.
const LONGEST_LEAD: u32 = 2_000;

/// What it asks: one question for all events where the thing is a known kind of vendor or errand.
pub(super) fn question(event: &Event, task: &TaskEntities) -> Question {
    match vendor_kind(&task.object) {
        Some(kind) => Question::Shared(SharedQuestion::task(kind, Locale::of(&event.locale))),
        None => {
            let brief = Brief::Task { object: task.object.clone(), action: task.action.clone() };
            Question::Private(PrivateQuestion::new(event, brief))
        }
    }
}

/// The answer, held against its ranges.
pub(super) fn checked(mut base: TaskBase) -> Result<TaskBase, BadAnswer> {
    lines("checklist", &mut base.checklist)?;
    lines("questions", &mut base.questions)?;
    share("budget_share_low", base.budget_share_low)?;
    share("budget_share_high", base.budget_share_high)?;
    if base.budget_share_low > base.budget_share_high {
        return Err(BadAnswer::new("budget_share_low is above budget_share_high"));
    }
    if base.lead_time_days > LONGEST_LEAD {
        return Err(BadAnswer::new(format!("lead_time_days is above {LONGEST_LEAD}")));
    }
    Ok(base)
}

/// The task, with what is known of such tasks.
pub(super) fn finish(
    event: &Event,
    message: &Message,
    task: &TaskEntities,
    base: TaskBase,
    personal: &Personal,
) -> TaskEnrichment {
    let assignee =
        task.assignee.as_deref().and_then(|said| people::assignee(event, &message.sender, said));
    TaskEnrichment {
        title: title(&task.action, &task.object),
        object: task.object.clone(),
        action: task.action.clone(),
        assignee,
        due_said: task.due.clone(),
        due: due(event, message, task.due.as_deref(), base.lead_time_days),
        cost_range: cost_range(event, &base),
        vendors: vendors(event, &personal.vendors),
        concerns: people::concerned(event, message, task.assignee.as_deref()),
        base,
    }
}

/// A short order: "Book the photographer". The thing keeps the group's own word.
pub(super) fn title(action: &str, object: &str) -> String {
    let action = action.trim().to_lowercase();
    let mut letters = action.chars();
    let verb: String = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Arrange".to_owned(),
    };
    let object: String = object.trim().chars().take(80).collect();
    if ["the ", "a ", "an ", "my ", "our "].iter().any(|article| object.starts_with(article)) {
        return format!("{verb} {object}");
    }
    format!("{verb} the {object}")
}

/// By when: as was said; else worked back from the event, but never before the message.
fn due(event: &Event, message: &Message, said: Option<&str>, lead_days: u32) -> Option<Date> {
    let (today, said_on) = (event.day_of(message.sent_at), Said::by(event, message));
    if let Some(day) = said.and_then(|said| dates::read(said, &said_on)) {
        // What was said stands, also after the event (returning chairs); but nothing is due
        // before it was asked for.
        return Some(day.max(today));
    }
    let event_day = event.first_day()?;
    let worked_back = event_day.checked_sub(i64::from(lead_days).days()).ok()?;
    Some(worked_back.max(today).min(event_day))
}

/// The base's shares of the event's budget, in minor units.
fn cost_range(event: &Event, base: &TaskBase) -> Option<(i64, i64)> {
    let budget = event.budget.filter(|budget| *budget > 0)?;
    let part = |share: f64| (budget as f64 * share / 100.0).round() as i64;
    let range = (part(base.budget_share_low), part(base.budget_share_high));
    (range.1 > 0).then_some(range)
}

/// The first vendors, with a price only where it is in the event's currency.
fn vendors(event: &Event, vendors: &[Vendor]) -> Vec<VendorSuggestion> {
    let suggest = |vendor: &Vendor| VendorSuggestion {
        id: vendor.id.clone(),
        name: vendor.name.clone(),
        price_from: vendor.price_from.filter(|_| vendor.currency == Some(event.currency)),
    };
    vendors.iter().take(MOST_VENDORS as usize).map(suggest).collect()
}

#[cfg(test)]
#[path = "tests/task_enricher.rs"]
mod tests;
