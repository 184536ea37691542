//! The budget analyst: how a category of expenses is handled comes from a model, once for all events.
//!
//! Money, payer, splits, debts, shares of the budget and warnings are all by code.

use std::sync::LazyLock;

use super::lines::lines;
use super::question::{Locale, PrivateQuestion, Question, SharedQuestion};
use super::reading::{BadAnswer, share};
use super::shape::Shape;
use super::{Category, Personal, people, splits};
use crate::context::Level;
use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::{CategoryUse, ExpenseBase, ExpenseEnrichment, ExpenseStatus};
use crate::domain::intent::{CATEGORIES, ExpenseEntities, FollowUp, FollowUpKind};
use crate::domain::money::{Currency, Transfer, split_equally, transfers};
use crate::domain::projection::{ExpenseRow, Projections, balances, row_id};
use crate::model::Brief;

/// What its private questions may see.
pub(super) const LEVEL: Level = Level::Rich;

/// What it says to a model, and what the answer must look like.
pub(super) static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    let prompt = include_str!("prompts/budget_analyst.md");
    Shape::new::<ExpenseBase>(prompt, &[("/properties/category", &CATEGORIES)])
});

/// Beyond so many times its typical share of the budget a category earns a warning.
const TYPICAL_TIMES: f64 = 1.5;
/// The largest amount that is taken at its word, in major units.
const LARGEST_AMOUNT: f64 = 1e12;

/// What it asks: one question for all events where the category is known.
pub(super) fn question(event: &Event, message: &Message, expense: &ExpenseEntities) -> Question {
    if let Some(category) = expense.category.as_deref().and_then(Category::named) {
        return Question::Shared(SharedQuestion::expense(category, Locale::of(&event.locale)));
    }
    let what = expense.what.clone().unwrap_or_default();
    let says_nothing = what.trim().is_empty();
    let brief = Brief::Expense { category: None, what };
    Question::Private(match says_nothing {
        true => PrivateQuestion::about(event, message, brief),
        false => PrivateQuestion::new(event, brief),
    })
}

/// The answer, held against its ranges; a category that was asked about stays.
pub(super) fn checked(
    mut base: ExpenseBase,
    asked: Option<Category>,
) -> Result<ExpenseBase, BadAnswer> {
    lines("advice", &mut base.advice)?;
    share("typical_share", base.typical_share)?;
    if let Some(asked) = asked {
        base.category = asked.name().to_owned();
    }
    Ok(base)
}

/// The expense, split and weighed.
pub(super) fn finish(
    event: &Event,
    message: &Message,
    expense: &ExpenseEntities,
    follow_up: Option<&FollowUp>,
    base: ExpenseBase,
    personal: &Personal,
) -> ExpenseEnrichment {
    let mut entry = entry(event, message, expense, base);
    let others = others(&entry, follow_up, message, &personal.rows.expenses);
    entry.splits = splits::suggested(event, &entry, &others);
    entry.transfers = debts(event, message, &entry, &others, &personal.rows);
    let budget = event.budget.filter(|budget| *budget > 0 && entry.currency == event.currency);
    if let Some(budget) = budget {
        entry.budget_share = Some(per_cent(entry.minor, budget));
        entry.budget_use = budget_use(&entry, &others, budget);
        entry.warning = warning(&entry, &others, budget);
    }
    entry
}

/// What the message itself says, with its split.
fn entry(
    event: &Event,
    message: &Message,
    expense: &ExpenseEntities,
    base: ExpenseBase,
) -> ExpenseEnrichment {
    let currency = expense.currency.as_deref().and_then(Currency::parse).unwrap_or(event.currency);
    let minor = currency.minor(expense.amount.clamp(0.0, LARGEST_AMOUNT));
    let said_category = expense.category.as_deref().and_then(Category::named);
    let category = said_category.map_or(base.category.clone(), |known| known.name().to_owned());
    let person = |name: &str| people::person(event, &message.sender, name);
    let split_between = expense
        .split_between
        .as_deref()
        .and_then(|said| people::sharers(event, &message.sender, said));
    let sharers = split_between.clone().unwrap_or_else(|| event.people());
    ExpenseEnrichment {
        what: what(expense, &category),
        minor,
        currency,
        category,
        paid_by: expense.paid_by.as_deref().and_then(person),
        split_between,
        shares: split_equally(minor, &sharers),
        status: status(expense, &message.text),
        budget_share: None,
        base,
        warning: None,
        splits: Vec::new(),
        budget_use: Vec::new(),
        transfers: Vec::new(),
    }
}

/// Who owes whom with this expense, in the fewest transfers.
fn debts(
    event: &Event,
    message: &Message,
    entry: &ExpenseEnrichment,
    others: &[&ExpenseRow],
    rows: &Projections,
) -> Vec<Transfer> {
    let this = ExpenseRow {
        id: row_id(&event.id, &message.id),
        what: entry.what.clone(),
        minor: entry.minor,
        currency: entry.currency,
        category: entry.category.clone(),
        paid_by: entry.paid_by.clone(),
        split_between: entry.split_between.clone(),
        shares: entry.shares.clone(),
        status: entry.status,
        opened_at: message.sent_at,
    };
    let expenses = others.iter().map(|row| (*row).clone()).chain([this]).collect();
    let with_this =
        Projections { expenses, repayments: rows.repayments.clone(), ..Projections::default() };
    transfers(&balances(&with_this, entry.currency, &event.people()))
}

/// What each category takes of the budget, the largest first.
fn budget_use(entry: &ExpenseEnrichment, others: &[&ExpenseRow], budget: i64) -> Vec<CategoryUse> {
    let used = CATEGORIES.into_iter().filter_map(|category| {
        let own = if entry.category == category { entry.minor } else { 0 };
        let minor = total(others.iter().filter(|row| row.category == category), own);
        let per_cent = per_cent(minor, budget);
        (minor != 0).then(|| CategoryUse { category: category.to_owned(), minor, per_cent })
    });
    let mut used: Vec<CategoryUse> = used.collect();
    used.sort_by_key(|one| std::cmp::Reverse(one.minor));
    used
}

fn what(expense: &ExpenseEntities, category: &str) -> String {
    let said = expense.what.as_deref().map(str::trim).filter(|what| !what.is_empty());
    said.unwrap_or(category).chars().take(200).collect()
}

/// Words that say that money has gone, and words that say that it has not.
const GONE: [&str; 8] =
    ["paid", "bought", "spent", "transferred", "settled", "covered", "cost", "booked"];
const OWED: [&str; 13] = [
    "due",
    "unpaid",
    "owe",
    "owes",
    "owed",
    "owing",
    "outstanding",
    "balance",
    "invoice",
    "invoiced",
    "pay",
    "needs",
    "pending",
];

/// Paid when somebody paid it, also somebody unknown ("we paid 300 for the hall"); else due.
fn status(expense: &ExpenseEntities, text: &str) -> ExpenseStatus {
    if expense.paid_by.is_some() {
        return ExpenseStatus::Paid;
    }
    let text = text.to_lowercase();
    let says = |words: &[&str]| {
        text.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
    };
    if says(&GONE) && !says(&OWED) { ExpenseStatus::Paid } else { ExpenseStatus::Due }
}

/// The group's other expenses in the same currency, as of the message: those that this entry
/// says again or corrects are left out, so that nothing counts twice.
fn others<'a>(
    entry: &ExpenseEnrichment,
    follow_up: Option<&FollowUp>,
    message: &Message,
    past: &'a [ExpenseRow],
) -> Vec<&'a ExpenseRow> {
    let corrected = follow_up
        .filter(|change| change.kind == FollowUpKind::Correction)
        .and_then(|change| change.target.minor);
    let same = |row: &ExpenseRow| {
        Some(row.minor) == corrected
            || row.minor == entry.minor
                && row.category == entry.category
                && (row.status == ExpenseStatus::Due || row.what.eq_ignore_ascii_case(&entry.what))
    };
    past.iter()
        .filter(|row| row.status != ExpenseStatus::Cancelled && row.currency == entry.currency)
        .filter(|row| row.opened_at <= message.sent_at && !same(row))
        .collect()
}

fn total<'a>(rows: impl Iterator<Item = &'a &'a ExpenseRow>, minor: i64) -> i64 {
    rows.fold(minor, |sum, row| sum.saturating_add(row.minor))
}

/// A share of the budget in per cent, with one decimal.
fn per_cent(minor: i64, budget: i64) -> f64 {
    (minor as f64 / budget as f64 * 1000.0).round() / 10.0
}

/// What to say when this goes beyond the budget, or beyond what its category typically takes.
fn warning(entry: &ExpenseEnrichment, others: &[&ExpenseRow], budget: i64) -> Option<String> {
    let money = |minor: i64| entry.currency.told(minor);
    let mut said = Vec::new();
    let all = total(others.iter(), entry.minor);
    if all > budget {
        said.push(format!(
            "All expenses together come to {}, {} over the budget of {}.",
            money(all),
            money(all - budget),
            money(budget)
        ));
    }
    let same = others.iter().filter(|row| row.category == entry.category);
    let category = total(same, entry.minor);
    let typical = entry.base.typical_share;
    // The base speaks of its own category; where the message named another, it says nothing here.
    let speaks = entry.base.category == entry.category && typical > 0.0;
    if speaks && category as f64 > budget as f64 * typical / 100.0 * TYPICAL_TIMES {
        said.push(format!(
            "With this, {} takes {}, {} % of the budget; it typically takes about {typical} %.",
            entry.category,
            money(category),
            per_cent(category, budget),
        ));
    }
    (!said.is_empty()).then(|| said.join(" "))
}

#[cfg(test)]
#[path = "tests/budget_analyst.rs"]
mod tests;
