//! From an intent and what the readers found to that intent's entities.

use super::aspects::Aspects;
use super::due::due;
use super::findings::Findings;
use super::money::{currency_of, total};
use super::people::{Masked, assignee, payer, split};
use super::query;
use super::text::Text;
use super::things::{Action, Thing, noun_after, object_of, what};
use crate::domain::intent::{Entities, ExpenseEntities, Intent, PollEntities, TaskEntities};

/// Reads the entities of this intent; nothing when the text lacks what the intent cannot be without.
pub(super) fn entities(
    findings: &Findings<'_, '_>,
    aspects: Option<&Aspects>,
    intent: Intent,
) -> Option<Entities> {
    match intent {
        Intent::TaskCreation => task(findings).map(Entities::Task),
        Intent::ExpenseEntry => expense(findings).map(Entities::Expense),
        Intent::PollCreation => findings.choices.as_ref().map(|choices| {
            let (question, options) = (choices.question.clone(), choices.options.clone());
            Entities::Poll(PollEntities { question, options })
        }),
        Intent::Query => Some(Entities::Query(query::read(findings))),
        Intent::None => Some(Entities::None),
    }
}

fn task(findings: &Findings<'_, '_>) -> Option<TaskEntities> {
    let text = findings.text;
    let action = leading(findings);
    let thing = object_of(text, &findings.things, action);
    let object = match thing {
        Some(thing) => thing.name.to_owned(),
        None => unknown_object(text, action?)?,
    };
    let named = action.map(|action| action.name).filter(|name| *name != "get");
    let masked = Masked::new(text, &findings.names);
    Some(TaskEntities {
        object,
        action: named.map_or_else(|| usual_action(thing), str::to_owned),
        assignee: assignee(&masked, &findings.names),
        due: due(text),
    })
}

/// What an order is about that names nothing we know.
fn unknown_object(text: &Text<'_>, action: &Action<'_>) -> Option<String> {
    match (text.word_after(action.span.end), action.name) {
        // People who are to be fetched need a lift.
        ("him" | "her" | "them", "collect") => Some("transport".to_owned()),
        // What "it" is stands in another message; an invented thing would be worse than none.
        ("it" | "him" | "her" | "them" | "that" | "this" | "one" | "something" | "anything", _) => {
            None
        }
        _ => noun_after(text, action.span.end),
    }
}

/// The verb that the order is about: the first that has a thing after it in reach, else the first.
fn leading<'f, 'l>(findings: &'f Findings<'_, 'l>) -> Option<&'f Action<'l>> {
    let actions = &findings.actions;
    let own = |action: &&Action<'_>| {
        let inside = |thing: &Thing<'_>| {
            thing.span.start < action.span.end && action.span.start < thing.span.end
        };
        !findings.things.iter().any(inside)
    };
    let mut verbs = actions.iter().filter(own);
    let first = verbs.next();
    first
        .filter(|action| action.name != "cancel" || actions.len() == 1)
        .or_else(|| verbs.next())
        .or(first)
}

/// What is usually done about a thing when the text has no verb for it.
fn usual_action(thing: Option<&Thing<'_>>) -> String {
    if let Some(usual) = thing.and_then(|thing| thing.usual) {
        return usual.to_owned();
    }
    match thing.and_then(|thing| thing.category).unwrap_or("") {
        "venue" | "music" | "photography" | "transport" | "accommodation" | "entertainment"
        | "equipment" => "book",
        "catering" | "decor" | "cake" | "gifts" | "stationery" | "attire" => "buy",
        _ => "arrange",
    }
    .to_owned()
}

fn expense(findings: &Findings<'_, '_>) -> Option<ExpenseEntities> {
    let text = findings.text;
    let amount = total(text, &findings.amounts)?;
    let masked = Masked::new(text, &findings.names);
    let paid_by = payer(&masked, &findings.names);
    let thing = nearest_thing(findings);
    let said = findings.amounts.iter().find(|amount| amount.currency.is_some()).unwrap_or(amount);
    let priced = if amount.currency.is_some() { amount } else { said };
    Some(ExpenseEntities {
        amount: amount.value,
        currency: currency_of(priced, findings.currency).map(|currency| currency.code().to_owned()),
        category: Some(thing.and_then(|thing| thing.category).unwrap_or("other").to_owned()),
        split_between: split(&masked, &findings.names, paid_by.as_deref()),
        paid_by,
        what: thing.map(|thing| what(text, thing, &findings.things)),
    })
}

/// The thing that was paid for: one with a category, the first before others.
fn nearest_thing<'f, 'l>(findings: &'f Findings<'_, 'l>) -> Option<&'f Thing<'l>> {
    let priced = |thing: &&Thing<'_>| thing.category.is_some_and(|category| category != "other");
    findings.things.iter().find(priced).or_else(|| findings.things.first())
}
