//! Ways to split an expense, each exact to the minor unit.

use crate::domain::chat::Event;
use crate::domain::enrichment::{ExpenseEnrichment, SplitKind, SplitSuggestion};
use crate::domain::ids::PersonId;
use crate::domain::money::{Share, split_by_parts, split_equally};
use crate::domain::projection::ExpenseRow;

/// The split that holds, then others that are worth a thought; no two are the same.
pub(super) fn suggested(
    event: &Event,
    entry: &ExpenseEnrichment,
    others: &[&ExpenseRow],
) -> Vec<SplitSuggestion> {
    let everybody = event.people();
    let said = entry.split_between.as_ref().map(|_| (SplitKind::AsSaid, entry.shares.clone()));
    let equal = Some((SplitKind::Equal, split_equally(entry.minor, &everybody)));
    let present = present(&everybody, entry, others)
        .map(|people| (SplitKind::WithoutAbsent, split_equally(entry.minor, &people)));
    let shares = parts(&everybody, others)
        .map(|parts| (SplitKind::ByShares, split_by_parts(entry.minor, &parts)));
    let mut suggested: Vec<SplitSuggestion> = Vec::new();
    for (kind, shares) in [said, equal, present, shares].into_iter().flatten() {
        let again = suggested.iter().any(|known| same(&known.shares, &shares));
        if !shares.is_empty() && !again {
            suggested.push(SplitSuggestion { kind, shares });
        }
    }
    suggested
}

/// Whether two splits ask the same of everybody; who bears nothing may be left out.
fn same(one: &[Share], other: &[Share]) -> bool {
    let of = |shares: &[Share], person: &PersonId| {
        shares.iter().find(|share| share.person == *person).map_or(0, |share| share.minor)
    };
    one.iter().chain(other).all(|share| of(one, &share.person) == of(other, &share.person))
}

/// Those who took part when such expenses were split before, where somebody never did.
fn present(
    everybody: &[PersonId],
    entry: &ExpenseEnrichment,
    others: &[&ExpenseRow],
) -> Option<Vec<PersonId>> {
    let splits: Vec<&Vec<PersonId>> = others
        .iter()
        .filter(|row| row.category == entry.category)
        .filter_map(|row| row.split_between.as_ref())
        .collect();
    let took_part = |person: &PersonId| splits.iter().any(|split| split.contains(person));
    let present: Vec<PersonId> =
        everybody.iter().filter(|person| took_part(person)).cloned().collect();
    (present.len() > 1 && present.len() < everybody.len()).then_some(present)
}

/// Everybody's parts by how often they shared in the group's expenses, where that differs.
fn parts(everybody: &[PersonId], others: &[&ExpenseRow]) -> Option<Vec<(PersonId, u32)>> {
    let times = |person: &PersonId| {
        let shares = |row: &&&ExpenseRow| row.shares.iter().any(|share| share.person == *person);
        u32::try_from(others.iter().filter(shares).count()).unwrap_or(u32::MAX)
    };
    let parts: Vec<(PersonId, u32)> =
        everybody.iter().map(|person| (person.clone(), times(person))).collect();
    let differ = parts.iter().any(|(_, part)| *part != parts[0].1);
    differ.then_some(parts)
}

#[cfg(test)]
#[path = "tests/splits.rs"]
mod tests;
