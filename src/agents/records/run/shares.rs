//! Parts and debts: what each bears, and who owes whom.

use uuid::Uuid;

use super::{Found, Records, ids};
use crate::agents::records::query::DebtAsk;
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::money::{Currency, Transfer, transfers};
use crate::domain::projection::{ExpenseRow, balances};

impl Records<'_> {
    /// Everything over everybody; a thing over those who share it.
    pub(super) fn per_head(&self, thing: Option<&str>) -> Option<Found> {
        let Some(thing) = thing else {
            let rows = self.own();
            let heads = self.event.participants.len();
            let said = self.a_head(self.event.currency, super::sum(rows.iter().copied()), heads)?;
            return Some(Found::new(format!("{said} in this group."), ids(rows)));
        };
        let rows = self.matter(thing).expenses(self.rows);
        let each: Option<Vec<String>> = rows
            .iter()
            .map(|row| {
                let told = self.a_head(row.currency, row.minor, row.shares.len())?;
                Some(format!("{}: {told}", row.what))
            })
            .collect();
        let each = each.filter(|each| !each.is_empty())?;
        Some(Found::new(format!("{}.", each.join("; ")), ids(rows)))
    }

    /// Rounded to the nearest minor unit, half up.
    fn a_head(&self, currency: Currency, minor: i64, heads: usize) -> Option<String> {
        let count = i64::try_from(heads).ok().filter(|heads| *heads > 0)?;
        let (each, all) = (currency.told((minor + count / 2) / count), currency.told(minor));
        Some(format!("{each} a head: {all} over {heads} people"))
    }

    /// What one person bears, of everything or of a thing.
    pub(super) fn share(&self, person: &PersonId, thing: Option<&str>) -> Option<Found> {
        let name = self.event.name_of(person);
        let rows: Vec<&ExpenseRow> = match thing {
            Some(thing) => self.matter(thing).expenses(self.rows),
            None => self.own(),
        };
        if rows.is_empty() {
            return None;
        }
        let own = |row: &&ExpenseRow| {
            let part = row.shares.iter().find(|share| share.person == *person);
            part.map(|share| (share.minor, row.currency, row.id, row.what.clone()))
        };
        let parts: Vec<(i64, Currency, Uuid, String)> = rows.iter().filter_map(own).collect();
        if parts.is_empty() {
            return Some(Found::new(format!("{name} has no part in it."), ids(rows)));
        }
        let said = match thing {
            Some(_) => {
                let each = parts.iter().map(|(minor, currency, _, what)| {
                    format!("{} of {what}", currency.told(*minor))
                });
                format!("{name}'s share is {}.", each.collect::<Vec<_>>().join(" and "))
            }
            None => {
                let all = parts.iter().fold(0i64, |sum, part| sum.saturating_add(part.0));
                format!("{name}'s share of everything is {}.", self.event.currency.told(all))
            }
        };
        Some(Found::new(said, parts.into_iter().map(|part| part.2).collect()))
    }

    fn transfers(&self) -> Vec<Transfer> {
        transfers(&balances(self.rows, self.event.currency, &self.event.people()))
    }

    /// The rows that debts rest on: what was paid, and what was paid back.
    fn debt_sources(&self) -> Vec<Uuid> {
        let paid = self.own().into_iter().filter(|row| row.status == ExpenseStatus::Paid);
        let back = self.rows.repayments.iter().filter(|row| row.currency == self.event.currency);
        paid.map(|row| row.id).chain(back.map(|row| row.id)).collect()
    }

    pub(super) fn debts(&self) -> Found {
        let said = self.told_transfers(&self.transfers());
        let said = said.unwrap_or_else(|| "All is even".to_owned());
        Found::new(format!("{said}."), self.debt_sources())
    }

    fn told_transfers(&self, transfers: &[Transfer]) -> Option<String> {
        let each = transfers.iter().map(|transfer| {
            let (from, to) = (self.event.name_of(&transfer.from), self.event.name_of(&transfer.to));
            format!("{from} owes {to} {}", self.event.currency.told(transfer.minor))
        });
        let each: Vec<String> = each.collect();
        (!each.is_empty()).then(|| each.join(", "))
    }

    /// What one person owes and is owed, with a yes or a no in front where that was asked for.
    pub(super) fn debts_of(&self, person: &PersonId, asks: DebtAsk) -> Found {
        let name = self.event.name_of(person);
        let all = self.transfers();
        let (owes, owed): (Vec<Transfer>, Vec<Transfer>) = all
            .into_iter()
            .filter(|transfer| transfer.from == *person || transfer.to == *person)
            .partition(|transfer| transfer.from == *person);
        let lead = match asks {
            DebtAsk::Both => String::new(),
            DebtAsk::Owes if owes.is_empty() => format!("No, {name} owes nobody. "),
            DebtAsk::IsOwed if owed.is_empty() => format!("No, nobody owes {name}. "),
            DebtAsk::IsEven if owes.is_empty() && owed.is_empty() => "Yes: ".to_owned(),
            DebtAsk::IsEven => "No: ".to_owned(),
            DebtAsk::Owes | DebtAsk::IsOwed => "Yes: ".to_owned(),
        };
        let both: Vec<Transfer> = owes.into_iter().chain(owed).collect();
        let said = match self.told_transfers(&both) {
            Some(said) => format!("{lead}{said}."),
            None if asks == DebtAsk::Owes || asks == DebtAsk::IsOwed => lead.trim().to_owned(),
            None => format!("{lead}{name} is even with all."),
        };
        Found::new(said, self.debt_sources())
    }
}
