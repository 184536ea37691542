//! Spending: totals, things, payers, what is due, the budget.

use super::{Found, Records, day, ids, sum, sums};
use crate::agents::records::matter::words;
use crate::agents::records::query::{BudgetAsk, PaymentAsk};
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::money::Currency;
use crate::domain::projection::ExpenseRow;

/// How many expenses are listed by name at most.
const MOST_LISTED: usize = 20;

impl Records<'_> {
    fn standing(&self) -> impl Iterator<Item = &ExpenseRow> {
        self.rows.expenses.iter().filter(|row| row.status != ExpenseStatus::Cancelled)
    }

    fn with_status(&self, status: ExpenseStatus) -> Vec<&ExpenseRow> {
        self.rows.expenses.iter().filter(|row| row.status == status).collect()
    }

    /// The rows that count in the event's currency.
    pub(super) fn own(&self) -> Vec<&ExpenseRow> {
        self.standing().filter(|row| row.currency == self.event.currency).collect()
    }

    pub(super) fn sums(&self, rows: &[&ExpenseRow]) -> String {
        sums(self.event.currency, rows)
    }

    /// "spent so far, still due", of these rows.
    fn told_sums(&self, rows: &[&ExpenseRow]) -> String {
        let of = |status| -> Vec<&ExpenseRow> {
            rows.iter().copied().filter(|row| row.status == status).collect()
        };
        let (paid, due) = (of(ExpenseStatus::Paid), of(ExpenseStatus::Due));
        let mut said = format!("{} spent so far", self.sums(&paid));
        if !due.is_empty() {
            said += &format!(", {} still due", self.sums(&due));
        }
        said
    }

    /// Of what is to be left out, "the last bit" of it is what is still due.
    pub(super) fn total(&self, without: Option<&str>) -> Option<Found> {
        let rows: Vec<&ExpenseRow> = self.standing().collect();
        let Some(without) = without else {
            return Some(Found::new(format!("{}.", self.told_sums(&rows)), ids(rows)));
        };
        let mut out = self.matter(without).expenses(self.rows);
        let rest = ["last", "rest", "balance", "remaining", "remainder", "due", "second"];
        if words(without).iter().any(|word| rest.contains(&word.as_str())) {
            let due = |row: &&ExpenseRow| row.status == ExpenseStatus::Due;
            if out.iter().any(due) {
                out.retain(due);
            }
        }
        if out.is_empty() {
            return None;
        }
        let kept: Vec<&ExpenseRow> =
            rows.into_iter().filter(|row| out.iter().all(|it| it.id != row.id)).collect();
        let left: Vec<String> = out.iter().map(|row| self.told(row)).collect();
        let said = format!("{}, without {}.", self.told_sums(&kept), left.join("; "));
        Some(Found::new(said, ids(kept.into_iter().chain(out))))
    }

    pub(super) fn by_category(&self) -> Option<Found> {
        let rows: Vec<&ExpenseRow> = self.standing().collect();
        let mut categories: Vec<&str> = rows.iter().map(|row| row.category.as_str()).collect();
        categories.sort_unstable();
        categories.dedup();
        let mut each: Vec<(i64, String)> = categories
            .iter()
            .map(|category| {
                let of: Vec<&ExpenseRow> =
                    rows.iter().copied().filter(|row| row.category == *category).collect();
                let own = sum(of.iter().copied().filter(|r| r.currency == self.event.currency));
                (own, format!("{category} {}", self.sums(&of)))
            })
            .collect();
        each.sort_by_key(|(minor, _)| std::cmp::Reverse(*minor));
        let said: Vec<String> = each.into_iter().map(|(_, said)| said).collect();
        let all = self.sums(&rows);
        (!said.is_empty())
            .then(|| Found::new(format!("{all} spent or due: {}.", said.join(", ")), ids(rows)))
    }

    pub(super) fn spent_on(&self, thing: &str) -> Option<Found> {
        let rows = self.matter(thing).expenses(self.rows);
        (!rows.is_empty()).then(|| Found::new(self.told_rows(&rows), ids(rows)))
    }

    fn told_rows(&self, rows: &[&ExpenseRow]) -> String {
        let mut each: Vec<String> =
            rows.iter().take(MOST_LISTED).map(|row| self.told(row)).collect();
        if rows.len() > MOST_LISTED {
            each.push(format!("and {} more", rows.len() - MOST_LISTED));
        }
        match rows {
            [_] => format!("{}.", each.join("")),
            _ => format!("{} in all: {}.", self.sums(rows), each.join("; ")),
        }
    }

    fn told(&self, row: &ExpenseRow) -> String {
        let amount = row.currency.told(row.minor);
        match (row.status, &row.paid_by) {
            (ExpenseStatus::Paid, Some(payer)) => {
                format!("{}: {amount}, paid by {}", row.what, self.event.name_of(payer))
            }
            (status, _) => format!("{}: {amount}, {}", row.what, status.name()),
        }
    }

    pub(super) fn payment(&self, thing: &str, asks: PaymentAsk) -> Option<Found> {
        let rows = self.matter(thing).expenses(self.rows);
        if rows.is_empty() {
            return None;
        }
        let said = match asks {
            PaymentAsk::Whether => format!("{}: {}", self.is_paid(&rows), self.told_rows(&rows)),
            PaymentAsk::Who => self.told_rows(&rows),
            PaymentAsk::When => {
                let zone = self.event.zone();
                let each = rows.iter().map(|row| {
                    let on = day(row.opened_at.to_zoned(zone.clone()).date());
                    format!("{}, on record since {on}", self.told(row))
                });
                format!("{}.", each.collect::<Vec<_>>().join("; "))
            }
        };
        Some(Found::new(said, ids(rows)))
    }

    fn is_paid(&self, rows: &[&ExpenseRow]) -> &'static str {
        let paid = rows.iter().filter(|row| row.status == ExpenseStatus::Paid).count();
        match paid {
            0 => "No",
            some if some < rows.len() => "Partly",
            _ => "Yes",
        }
    }

    pub(super) fn paid_by(&self, person: &PersonId) -> Found {
        let name = self.event.name_of(person);
        let rows: Vec<&ExpenseRow> = self
            .with_status(ExpenseStatus::Paid)
            .into_iter()
            .filter(|row| row.paid_by.as_ref() == Some(person))
            .collect();
        if rows.is_empty() {
            return Found::new(format!("Nothing paid by {name} is on record."), Vec::new());
        }
        let said = format!("{name} has paid {}: {}.", self.sums(&rows), self.listed(&rows));
        Found::new(said, ids(rows))
    }

    fn listed(&self, rows: &[&ExpenseRow]) -> String {
        let each = rows.iter().map(|row| format!("{} {}", row.what, row.currency.told(row.minor)));
        each.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn outstanding(&self) -> Found {
        let rows = self.with_status(ExpenseStatus::Due);
        if rows.is_empty() {
            return Found::new("Nothing is outstanding.", Vec::new());
        }
        let said = format!("{} outstanding: {}.", self.sums(&rows), self.listed(&rows));
        Found::new(said, ids(rows))
    }

    pub(super) fn budget(&self, asks: BudgetAsk) -> Option<Found> {
        let (budget, currency) = (self.event.budget?, self.event.currency);
        let rows = self.own();
        let left = budget - sum(rows.iter().copied());
        let within = left >= 0;
        let lead = match (asks, within) {
            (BudgetAsk::Left, _) => "",
            (BudgetAsk::Within, true) | (BudgetAsk::Over, false) => "Yes: ",
            (BudgetAsk::Within, false) | (BudgetAsk::Over, true) => "No: ",
        };
        let budget = currency.told(budget);
        let left = match within {
            true => format!("{} of the budget of {budget} is left", currency.told(left)),
            false => format!("the budget of {budget} is passed by {}", currency.told(-left)),
        };
        let said = format!("{lead}{left}: {}.", self.told_sums(&rows));
        Some(Found::new(said, ids(rows)))
    }

    pub(super) fn paid_by_each(&self) -> Option<Found> {
        let rows: Vec<&ExpenseRow> = self.own_paid();
        let paid = self.by_payer(&rows);
        let each: Vec<String> = paid
            .iter()
            .map(|(who, minor)| {
                format!("{} {}", self.event.name_of(who), self.event.currency.told(*minor))
            })
            .collect();
        (!each.is_empty())
            .then(|| Found::new(format!("Paid so far: {}.", each.join(", ")), ids(rows)))
    }

    fn own_paid(&self) -> Vec<&ExpenseRow> {
        let paid = |row: &&ExpenseRow| row.status == ExpenseStatus::Paid && row.paid_by.is_some();
        self.own().into_iter().filter(paid).collect()
    }

    /// What each has paid, the most first; everybody who takes part is among them.
    fn by_payer(&self, rows: &[&ExpenseRow]) -> Vec<(PersonId, i64)> {
        let mut paid: Vec<(PersonId, i64)> =
            self.event.people().into_iter().map(|person| (person, 0)).collect();
        for row in rows {
            let Some(payer) = &row.paid_by else { continue };
            match paid.iter_mut().find(|(person, _)| person == payer) {
                Some((_, sum)) => *sum = sum.saturating_add(row.minor),
                None => paid.push((payer.clone(), row.minor)),
            }
        }
        paid.sort_by_key(|(_, minor)| std::cmp::Reverse(*minor));
        paid
    }

    /// Somebody who paid in another currency only has paid something.
    pub(super) fn not_paid(&self) -> Option<Found> {
        let rows: Vec<&ExpenseRow> = self.with_status(ExpenseStatus::Paid);
        let nothing: Vec<&str> = self
            .event
            .participants
            .iter()
            .filter(|one| rows.iter().all(|row| row.paid_by.as_ref() != Some(&one.id)))
            .map(|one| one.name.as_str())
            .collect();
        let said = match nothing.as_slice() {
            _ if self.event.participants.is_empty() => return None,
            [] => "Everybody has paid something.".to_owned(),
            names => format!("Nothing paid so far by {}.", names.join(", ")),
        };
        Some(Found::new(said, ids(rows)))
    }

    /// The biggest expense of each currency, the event's first.
    pub(super) fn biggest(&self) -> Option<Found> {
        let own = self.event.currency;
        let mut currencies: Vec<Currency> = self.standing().map(|row| row.currency).collect();
        currencies.sort_by_key(|currency| (*currency != own, *currency));
        currencies.dedup();
        let of = |currency: &Currency| {
            self.standing().filter(|row| row.currency == *currency).max_by_key(|row| row.minor)
        };
        let rows: Vec<&ExpenseRow> = currencies.iter().filter_map(of).collect();
        let each: Vec<String> = rows.iter().map(|row| self.told(row)).collect();
        (!rows.is_empty())
            .then(|| Found::new(format!("The biggest is {}.", each.join("; ")), ids(rows)))
    }
}
