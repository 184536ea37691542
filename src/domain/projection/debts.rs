//! Whom a repayment went to, and how much it was.

use super::likeness::{agreement, names};
use super::past::{FRESH, Past, hours};
use super::{Effect, Entry, ExpenseRow, Projections, RepaymentRow};
use crate::domain::chat::Event;
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::intent::Target;
use crate::domain::money::Currency;

/// Money that went from one person to another, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) from: PersonId,
    pub(super) to: PersonId,
    pub(super) minor: i64,
    pub(super) currency: Currency,
}

/// The transfer that a repayment reports: what it says, completed from the expense that it is for. A
/// sum below zero was received from the person who is named. A sum is said without its currency: it
/// is in that of the expense, and else in the event's own.
pub(super) fn transfer(
    event: &Event,
    rows: &Projections,
    past: &Past,
    entry: &Entry,
    target: &Target,
) -> Option<Transfer> {
    let named = target.person.as_deref().and_then(|name| event.person_named(name));
    let named = named.map(|person| &person.id);
    let (sender, currency) = (entry.sender.clone(), event.currency);
    let transfer = match (named, target.minor.filter(|minor| *minor != 0)) {
        (Some(from), Some(minor)) if minor < 0 => {
            let minor = minor.saturating_neg();
            Transfer { from: from.clone(), to: sender, minor, currency }
        }
        (None, Some(minor)) if minor < 0 => return None,
        (named, minor) => {
            let debt = owed(event, rows, past, entry, &Said { named, minor, target });
            let (to, minor, currency) = match (debt, named, minor) {
                (Some(debt), None, _) | (Some(debt), Some(_), None) => {
                    (debt.to, debt.minor, debt.currency)
                }
                (Some(debt), Some(to), Some(_)) if debt.is_sure => {
                    (to.clone(), debt.minor, debt.currency)
                }
                (_, Some(to), Some(minor)) => (to.clone(), minor, currency),
                (None, _, _) => return None,
            };
            Transfer { from: sender, to, minor, currency }
        }
    };
    (transfer.minor > 0 && transfer.from != transfer.to).then_some(transfer)
}

/// What was said of a debt.
struct Said<'a> {
    named: Option<&'a PersonId>,
    minor: Option<i64>,
    target: &'a Target,
}

/// What the sender owes for an expense.
struct Debt {
    to: PersonId,
    /// What was said, or else the sender's share.
    minor: i64,
    currency: Currency,
    /// Whether the sum or the thing says that it is this expense.
    is_sure: bool,
}

/// Whom the sender owes, and how much: by the sum, the thing, what others just repaid, or the
/// latest expense that they share.
fn owed(
    event: &Event,
    rows: &Projections,
    past: &Past,
    entry: &Entry,
    said: &Said<'_>,
) -> Option<Debt> {
    let last = last_repaid(rows, past, entry);
    let debts = rows.expenses.iter().filter_map(|row| {
        let to = row.paid_by.as_ref().filter(|payer| **payer != entry.sender)?;
        let open = row.status == ExpenseStatus::Paid
            && event.participants.iter().any(|person| person.id == *to)
            && said.named.is_none_or(|person| person == to);
        let share = share_of(row, &entry.sender);
        let told = said.minor.map(|minor| in_currency(minor, event.currency, row.currency));
        let sum_fits = told.is_some_and(|minor| fits(minor, row, share));
        let mut things = names(said.target.thing.as_deref());
        let about = things.any(|thing| agreement(&row.what, thing) > 0);
        let alike = last
            .is_some_and(|last| last.to == *to && share_of(row, &last.from) == Some(last.minor));
        let fresh = past.hours_since(row.id, entry.sent_at) < FRESH;
        let known = said.named.is_some() || told.is_some();
        let minor = told.or(share)?;
        let mark = ((sum_fits, about, alike, fresh), past.place(row.id));
        let meant = open && (sum_fits || alike || fresh || about && known);
        let is_sure = sum_fits || about;
        let debt = Debt { to: to.clone(), minor, currency: row.currency, is_sure };
        meant.then_some((mark, debt))
    });
    debts.max_by_key(|(mark, _)| *mark).map(|(_, debt)| debt)
}

/// The same number of major units in another currency's minor ones.
fn in_currency(minor: i64, from: Currency, to: Currency) -> i64 {
    if from.minor_digits() == to.minor_digits() { minor } else { to.minor(from.major(minor)) }
}

/// What somebody repaid just before: who says "same" has repaid the like.
fn last_repaid<'a>(rows: &'a Projections, past: &Past, entry: &Entry) -> Option<&'a RepaymentRow> {
    let touch = past.latest().find(|touch| touch.effect == Effect::Repaid)?;
    let is_fresh = hours(touch.at, entry.sent_at) < FRESH;
    rows.repayments.iter().find(|row| is_fresh && row.id == touch.row)
}

fn share_of(row: &ExpenseRow, person: &PersonId) -> Option<i64> {
    row.shares.iter().find(|share| share.person == *person).map(|share| share.minor)
}

/// Whether a sum is all of an expense, or the sender's share to the nearest per cent.
fn fits(minor: i64, row: &ExpenseRow, share: Option<i64>) -> bool {
    let near = |share: i64| share.saturating_sub(minor).saturating_abs() <= share / 100;
    minor == row.minor || share.is_some_and(near)
}
