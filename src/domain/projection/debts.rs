//! Whom a repayment went to, and how much it was.

use super::likeness::{agreement, names};
use super::past::{FRESH, Past, hours};
use super::{Effect, Entry, ExpenseRow, Projections, RepaymentRow};
use crate::domain::chat::Event;
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::intent::Target;

/// Money that went from one person to another, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) from: PersonId,
    pub(super) to: PersonId,
    pub(super) minor: i64,
}

/// The transfer that a repayment reports: what it says, completed from the expense that it is for. A
/// sum below zero was received from the person who is named.
pub(super) fn transfer(
    event: &Event,
    rows: &Projections,
    past: &Past,
    entry: &Entry,
    target: &Target,
) -> Option<Transfer> {
    let named = target.person.as_deref().and_then(|name| event.person_named(name));
    let named = named.map(|person| &person.id);
    let sender = entry.sender.clone();
    let transfer = match (named, target.minor.filter(|minor| *minor != 0)) {
        (Some(from), Some(minor)) if minor < 0 => {
            Transfer { from: from.clone(), to: sender, minor: minor.saturating_neg() }
        }
        (None, Some(minor)) if minor < 0 => return None,
        (Some(to), Some(minor)) => Transfer { from: sender, to: to.clone(), minor },
        (_, minor) => {
            let (to, minor) = owed(event, rows, past, entry, &Said { named, minor, target })?;
            Transfer { from: sender, to, minor }
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

/// Whom the sender owes, and how much: by the sum, the thing, what others just repaid, or the
/// latest expense that they share.
fn owed(
    event: &Event,
    rows: &Projections,
    past: &Past,
    entry: &Entry,
    said: &Said<'_>,
) -> Option<(PersonId, i64)> {
    let last = last_repaid(rows, past, entry);
    let debts = rows.expenses.iter().filter_map(|row| {
        let to = row.paid_by.as_ref().filter(|payer| **payer != entry.sender)?;
        let open = row.status == ExpenseStatus::Paid
            && row.currency == event.currency
            && event.participants.iter().any(|person| person.id == *to)
            && said.named.is_none_or(|person| person == to);
        let share = share_of(row, &entry.sender);
        let sum_fits = said.minor.is_some_and(|minor| fits(minor, row, share));
        let mut things = names(said.target.thing.as_deref());
        let about = things.any(|thing| agreement(&row.what, thing) > 0);
        let alike = last
            .is_some_and(|last| last.to == *to && share_of(row, &last.from) == Some(last.minor));
        let fresh = past.hours_since(row.id, entry.sent_at) < FRESH;
        let told = said.named.is_some() || said.minor.is_some();
        let minor = said.minor.or(share)?;
        let mark = ((sum_fits, about, alike, fresh), past.place(row.id));
        let meant = open && (sum_fits || alike || fresh || about && told);
        meant.then(|| (mark, (to.clone(), minor)))
    });
    debts.max_by_key(|(mark, _)| *mark).map(|(_, debt)| debt)
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
