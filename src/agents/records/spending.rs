//! Questions about money: what was spent, by whom, what is owed, what is left.

use super::{Asked, Found};
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::money::{Currency, transfers};
use crate::domain::projection::{ExpenseRow, balances};

impl Asked<'_> {
    pub(super) fn spending(&self) -> Found {
        if self.asks_for_transfers() {
            return self.transfers();
        }
        if self.says(&["budget"]) || self.subject.iter().any(|word| word == "remaining") {
            return self.budget();
        }
        if self.says_in_order(&["per", "head"]) {
            return self.per_head();
        }
        if self.says_in_order(&["per", "person"]) || self.says_in_order(&["put", "in", "the"]) {
            return self.per_person();
        }
        let about = self.rows_about();
        if !about.is_empty() {
            return self.of_rows(&about);
        }
        if let Some(person) = self.person() {
            return self.of_person(&person);
        }
        if self.asks_for_what_is_due() {
            return self.due();
        }
        self.asks_for_all().then(|| self.total()).flatten()
    }

    fn asks_for_transfers(&self) -> bool {
        self.says(&["owe", "owed", "debt", "settle", "square"])
            && (self.says(&["who", "whom", "i", "me", "im", "settle"]) || self.person().is_some())
            && self.rows_about().is_empty()
    }

    /// Only without a thing: whether one vendor is paid is not said by the list of all.
    fn asks_for_what_is_due(&self) -> bool {
        const DUE: [&str; 9] =
            ["outstanding", "due", "owed", "owing", "pending", "vendor", "left", "bill", "invoice"];
        self.subject.iter().all(|word| DUE.contains(&word.as_str()))
            && self.says(&["unpaid", "outstanding", "due", "owed", "owing", "pending", "pay"])
    }

    /// Only a subject that means everything is answered by the total.
    fn asks_for_all(&self) -> bool {
        const ALL: [&str; 14] = [
            "total",
            "all",
            "overall",
            "everything",
            "sum",
            "damage",
            "tally",
            "final",
            "full",
            "whole",
            "running",
            "grand",
            "bill",
            "event",
        ];
        self.subject.iter().all(|word| ALL.contains(&word.as_str()))
    }

    fn standing(&self) -> impl Iterator<Item = &ExpenseRow> {
        self.rows.expenses.iter().filter(|row| row.status != ExpenseStatus::Cancelled)
    }

    /// Rows of a category that is named, else rows whose words are.
    fn rows_about(&self) -> Vec<&ExpenseRow> {
        let of_category: Vec<_> =
            self.standing().filter(|row| self.is_about(&row.category)).collect();
        let of_words: Vec<_> = self.standing().filter(|row| self.is_about(&row.what)).collect();
        match (of_category.is_empty(), of_words.is_empty()) {
            (false, _) => of_category,
            (true, false) => of_words,
            (true, true) => self.rows_of_kind(),
        }
    }

    /// "The florist" is paid under flowers.
    fn rows_of_kind(&self) -> Vec<&ExpenseRow> {
        let categories: Vec<&str> = self
            .subject
            .iter()
            .filter_map(|word| crate::model::offline::vendor_category(word))
            .collect();
        self.standing().filter(|row| categories.contains(&row.category.as_str())).collect()
    }

    fn total(&self) -> Found {
        let paid: Vec<&ExpenseRow> =
            self.standing().filter(|row| row.status == ExpenseStatus::Paid).collect();
        let due: Vec<&ExpenseRow> =
            self.standing().filter(|row| row.status == ExpenseStatus::Due).collect();
        let mut said = format!("{} spent so far", sums(self.event.currency, &paid));
        if !due.is_empty() {
            said += &format!(", {} still due", sums(self.event.currency, &due));
        }
        Some((said + ".", ids(paid.into_iter().chain(due))))
    }

    fn of_rows(&self, rows: &[&ExpenseRow]) -> Found {
        let each: Vec<String> = rows.iter().map(|row| self.told_expense(row)).collect();
        let said = match rows {
            [_] => format!("{}.", each.join("")),
            _ => format!("{} in all: {}.", sums(self.event.currency, rows), each.join("; ")),
        };
        Some((said, ids(rows.iter().copied())))
    }

    fn told_expense(&self, row: &ExpenseRow) -> String {
        let amount = money(row.currency, row.minor);
        match (row.status, &row.paid_by) {
            (ExpenseStatus::Paid, Some(payer)) => {
                format!("{}: {amount}, paid by {}", row.what, self.event.name_of(payer))
            }
            (status, _) => format!("{}: {amount}, {}", row.what, status.name()),
        }
    }

    fn of_person(&self, person: &PersonId) -> Found {
        let name = self.event.name_of(person);
        let rows: Vec<&ExpenseRow> = self
            .standing()
            .filter(|row| row.status == ExpenseStatus::Paid && row.paid_by.as_ref() == Some(person))
            .collect();
        if rows.is_empty() {
            return Some((format!("Nothing paid by {name} is on record."), Vec::new()));
        }
        let each: Vec<String> =
            rows.iter().map(|r| format!("{} {}", r.what, money(r.currency, r.minor))).collect();
        let all = sums(self.event.currency, &rows);
        Some((format!("{name} has paid {all}: {}.", each.join(", ")), ids(rows)))
    }

    fn due(&self) -> Found {
        let rows: Vec<&ExpenseRow> =
            self.standing().filter(|row| row.status == ExpenseStatus::Due).collect();
        if rows.is_empty() {
            return Some(("Nothing is outstanding.".to_owned(), Vec::new()));
        }
        let each: Vec<String> =
            rows.iter().map(|r| format!("{} {}", r.what, money(r.currency, r.minor))).collect();
        let all = sums(self.event.currency, &rows);
        Some((format!("{all} outstanding: {}.", each.join(", ")), ids(rows)))
    }

    /// The rows that count in the event's currency.
    fn own(&self) -> Vec<&ExpenseRow> {
        self.standing().filter(|row| row.currency == self.event.currency).collect()
    }

    fn budget(&self) -> Found {
        let budget = self.event.budget?;
        let rows = self.own();
        let taken = sum(rows.iter().copied());
        let said = if taken <= budget {
            format!("{} of the budget is left", money(self.event.currency, budget - taken))
        } else {
            format!("The budget is passed by {}", money(self.event.currency, taken - budget))
        };
        let [taken, budget] = [taken, budget].map(|minor| money(self.event.currency, minor));
        Some((format!("{said}: {taken} of {budget} is spent or due."), ids(rows)))
    }

    fn per_head(&self) -> Found {
        let heads = i64::try_from(self.event.participants.len()).ok().filter(|heads| *heads > 0)?;
        let rows = self.own();
        let all = sum(rows.iter().copied());
        let each = money(self.event.currency, (all + heads / 2) / heads);
        let all = money(self.event.currency, all);
        Some((format!("{each} a head: {all} over {heads} people in this group."), ids(rows)))
    }

    fn per_person(&self) -> Found {
        let rows: Vec<&ExpenseRow> = self
            .own()
            .into_iter()
            .filter(|row| row.status == ExpenseStatus::Paid && row.paid_by.is_some())
            .collect();
        let mut paid: Vec<(PersonId, i64)> =
            self.event.people().into_iter().map(|person| (person, 0)).collect();
        for row in &rows {
            let Some(payer) = &row.paid_by else { continue };
            match paid.iter_mut().find(|(person, _)| person == payer) {
                Some((_, sum)) => *sum = sum.saturating_add(row.minor),
                None => paid.push((payer.clone(), row.minor)),
            }
        }
        paid.sort_by_key(|(_, minor)| std::cmp::Reverse(*minor));
        let each: Vec<String> = paid
            .iter()
            .map(|(who, minor)| {
                format!("{} {}", self.event.name_of(who), money(self.event.currency, *minor))
            })
            .collect();
        (!each.is_empty()).then(|| (format!("Paid so far: {}.", each.join(", ")), ids(rows)))
    }

    /// Who owes whom; of one person, where the question names one.
    fn transfers(&self) -> Found {
        let person = self.person();
        let currency = self.event.currency;
        let due = transfers(&balances(self.rows, currency, &self.event.people()));
        let each: Vec<String> = due
            .iter()
            .filter(|t| person.as_ref().is_none_or(|who| t.from == *who || t.to == *who))
            .map(|t| {
                let (from, to) = (self.event.name_of(&t.from), self.event.name_of(&t.to));
                format!("{from} owes {to} {}", money(currency, t.minor))
            })
            .collect();
        let rows = self.own().into_iter().map(|row| row.id);
        let sources = rows.chain(self.rows.repayments.iter().map(|row| row.id)).collect();
        let said = if each.is_empty() { "All is even".to_owned() } else { each.join(", ") };
        Some((said + ".", sources))
    }
}

fn money(currency: Currency, minor: i64) -> String {
    format!("{currency} {}", currency.format(minor))
}

fn sum<'a>(rows: impl Iterator<Item = &'a ExpenseRow>) -> i64 {
    rows.fold(0, |sum, row| sum.saturating_add(row.minor))
}

/// The sum in each currency, the event's first; never added over currencies.
fn sums(own: Currency, rows: &[&ExpenseRow]) -> String {
    let mut currencies: Vec<Currency> = rows.iter().map(|row| row.currency).collect();
    currencies.sort_by_key(|currency| (*currency != own, *currency));
    currencies.dedup();
    if currencies.is_empty() {
        return money(own, 0);
    }
    let of = |currency: &Currency| {
        money(*currency, sum(rows.iter().copied().filter(|row| row.currency == *currency)))
    };
    currencies.iter().map(of).collect::<Vec<_>>().join(" and ")
}

fn ids<'a>(rows: impl IntoIterator<Item = &'a ExpenseRow>) -> Vec<uuid::Uuid> {
    rows.into_iter().map(|row| row.id).collect()
}
