//! The budget analyst's own part: money, payer, split, shares of budget and warnings, all by code.

use super::{Personal, people};
use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::{ExpenseBase, ExpenseEnrichment, ExpenseStatus};
use crate::domain::intent::{ExpenseEntities, FollowUp, FollowUpKind};
use crate::domain::money::{Currency, split_equally};
use crate::domain::projection::ExpenseRow;
use crate::model::offline::Category;

/// Beyond so many times its typical share of the budget a category earns a warning.
const TYPICAL_TIMES: f64 = 1.5;
/// The largest amount that is taken at its word, in major units.
const LARGEST_AMOUNT: f64 = 1e12;

/// The expense, split and weighed.
pub(super) fn finish(
    event: &Event,
    message: &Message,
    expense: &ExpenseEntities,
    follow_up: Option<&FollowUp>,
    base: ExpenseBase,
    personal: &Personal,
) -> ExpenseEnrichment {
    let currency = expense.currency.as_deref().and_then(Currency::parse).unwrap_or(event.currency);
    let minor = currency.minor(expense.amount.clamp(0.0, LARGEST_AMOUNT));
    let said_category = expense.category.as_deref().and_then(Category::named);
    let category = said_category.map_or(base.category.clone(), |known| known.name().to_owned());
    let split_between = expense
        .split_between
        .as_deref()
        .and_then(|said| people::sharers(event, &message.sender, said));
    let sharers = split_between.clone().unwrap_or_else(|| event.people());
    let mut entry = ExpenseEnrichment {
        what: what(expense, &category),
        minor,
        currency,
        category,
        paid_by: expense
            .paid_by
            .as_deref()
            .and_then(|name| people::person(event, &message.sender, name)),
        split_between,
        shares: split_equally(minor, &sharers),
        status: status(expense, &message.text),
        budget_share: None,
        base,
        warning: None,
    };
    if let Some(budget) = event.budget.filter(|budget| *budget > 0 && currency == event.currency) {
        let others = others(&entry, follow_up, message, &personal.past.expenses);
        entry.budget_share = Some(per_cent(minor, budget));
        entry.warning = warning(&entry, &others, budget);
    }
    entry
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
    let money = |minor: i64| format!("{} {}", entry.currency, entry.currency.format(minor));
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
