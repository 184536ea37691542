//! Money of the group: integers in the currency's minor unit, with its ISO code.
//!
//! Amounts of different currencies are never added and never converted.
//! Splits and transfers are exact to the minor unit.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::PersonId;

/// An ISO 4217 code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a code in either case.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.trim().as_bytes().try_into().ok()?;
        let letters = bytes.iter().all(u8::is_ascii_alphabetic);
        letters.then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The code in capitals.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimals the currency's minor unit has (ISO 4217; two for most).
    pub fn minor_digits(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// Minor units for an amount in major units, rounded half away from zero.
    pub fn minor(&self, major: f64) -> i64 {
        (major * 10f64.powi(self.minor_digits() as i32)).round() as i64
    }

    /// The amount in major units, for people and JSON; never for sums.
    pub fn major(&self, minor: i64) -> f64 {
        minor as f64 / 10f64.powi(self.minor_digits() as i32)
    }

    /// The amount with its code before it: `GBP 1,234.50`.
    pub fn told(&self, minor: i64) -> String {
        format!("{self} {}", self.format(minor))
    }

    /// The amount as people write it, `1,234.50`, without the code.
    pub fn format(&self, minor: i64) -> String {
        let scale = 10u64.pow(self.minor_digits());
        let whole = (minor.unsigned_abs() / scale).to_string();
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if minor < 0 { "-" } else { "" };
        match self.minor_digits() as usize {
            0 => format!("{sign}{grouped}"),
            digits => format!("{sign}{grouped}.{:0digits$}", minor.unsigned_abs() % scale),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = String::deserialize(from)?;
        Self::parse(&code)
            .ok_or_else(|| serde::de::Error::custom(format!("{code:?} is not an ISO 4217 code")))
    }
}

/// One person's part of an expense, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Who bears it.
    pub person: PersonId,
    /// How much, in minor units.
    pub minor: i64,
}

/// A payment that would settle debts between two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Who pays.
    pub from: PersonId,
    /// Who is paid.
    pub to: PersonId,
    /// How much, in minor units; always positive.
    pub minor: i64,
}

/// Splits an amount equally; odd units go to the first in the given order.
///
/// The shares always sum to the amount. Somebody who is named twice bears one share, in the
/// place of the first mention. Without people there are no shares.
pub fn split_equally(minor: i64, people: &[PersonId]) -> Vec<Share> {
    let parts: Vec<(PersonId, u32)> = people.iter().map(|person| (person.clone(), 1)).collect();
    split_by_parts(minor, &parts)
}

/// Splits an amount by parts: two parts bear twice what one part bears.
///
/// The shares always sum to the amount: the units that are left over when every share is rounded
/// down go to the largest remainders, among equals to the first in the given order. Somebody who
/// is named twice counts once, with the parts of the first mention; who has no part bears
/// nothing and is left out. Without parts there are no shares.
pub fn split_by_parts(minor: i64, parts: &[(PersonId, u32)]) -> Vec<Share> {
    let mut seen = HashSet::new();
    let sharers: Vec<(&PersonId, i128)> = parts
        .iter()
        .filter(|(person, _)| seen.insert(person))
        .filter(|(_, parts)| *parts > 0)
        .map(|(person, parts)| (person, i128::from(*parts)))
        .collect();
    let all: i128 = sharers.iter().map(|(_, parts)| parts).sum();
    if all == 0 {
        return Vec::new();
    }
    // Rounded down, also below zero, so that what is left over is never negative.
    let exact = |parts: i128| i128::from(minor) * parts;
    let mut shares: Vec<i128> =
        sharers.iter().map(|(_, parts)| exact(*parts).div_euclid(all)).collect();
    let odd = i128::from(minor) - shares.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..sharers.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(exact(sharers[*place].1).rem_euclid(all)));
    for place in order.into_iter().take(odd as usize) {
        shares[place] += 1;
    }
    let share = |((person, _), minor): ((&PersonId, i128), i128)| Share {
        person: person.clone(),
        minor: fitted(minor),
    };
    sharers.into_iter().zip(shares).map(share).collect()
}

/// The nearest amount that can be kept; sums of many extremes are beyond it.
pub(super) fn fitted(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}

/// Up to how many people the fewest transfers are found exactly; above it, close to the fewest.
const EXACT_PEOPLE: usize = 12;

/// Somebody's balance on the way to zero; wider than an amount, so that sums cannot overflow.
type Open = (PersonId, i128);

/// Transfers that bring every balance to zero, as few as possible.
///
/// A balance is what a person is owed (positive) or owes (negative), in minor
/// units; balances sum to zero. People who can settle among themselves form a
/// group, and a group of n needs n − 1 transfers: the fewest transfers are found
/// by the most groups, exactly up to twelve people. Nobody pays in one and is paid in another.
pub fn transfers(balances: &[(PersonId, i64)]) -> Vec<Transfer> {
    let mut open: Vec<Open> = Vec::new();
    for (person, minor) in balances {
        match open.iter_mut().find(|(known, _)| known == person) {
            Some((_, sum)) => *sum += i128::from(*minor),
            None => open.push((person.clone(), i128::from(*minor))),
        }
    }
    open.retain(|(_, minor)| *minor != 0);
    if open.len() > EXACT_PEOPLE {
        return settle_group(open);
    }
    zero_sum_groups(&open).into_iter().flat_map(settle_group).collect()
}

/// Divides the people into the most groups whose balances each sum to zero.
fn zero_sum_groups(open: &[Open]) -> Vec<Vec<Open>> {
    let all = (1usize << open.len()) - 1;
    let sum_of = |set: usize| -> i128 {
        (0..open.len()).filter(|i| set & (1 << i) != 0).map(|i| open[i].1).sum()
    };
    // best[set] = the most zero-sum groups within the set, taking people off one at a time;
    // a group closes whenever what is left of the set sums to zero.
    let mut best = vec![0u8; all + 1];
    let mut last = vec![0usize; all + 1];
    for set in 1..=all {
        let (most, taken) = (0..open.len())
            .filter(|i| set & (1 << i) != 0)
            .map(|i| (best[set & !(1 << i)], i))
            .max_by_key(|(groups, i)| (*groups, usize::MAX - i))
            .unwrap_or((0, 0));
        best[set] = most + u8::from(sum_of(set) == 0);
        last[set] = taken;
    }
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let mut set = all;
    while set != 0 {
        group.push(open[last[set]].clone());
        set &= !(1 << last[set]);
        if sum_of(set) == 0 {
            groups.push(std::mem::take(&mut group));
        }
    }
    groups
}

/// Settles one group: the largest debtor pays the largest creditor until all are even.
fn settle_group(mut open: Vec<Open>) -> Vec<Transfer> {
    let mut paid = Vec::new();
    loop {
        open.retain(|(_, minor)| *minor != 0);
        let debtor = (0..open.len()).filter(|i| open[*i].1 < 0).min_by_key(|i| (open[*i].1, *i));
        let creditor =
            (0..open.len()).filter(|i| open[*i].1 > 0).max_by_key(|i| (open[*i].1, usize::MAX - i));
        let (Some(debtor), Some(creditor)) = (debtor, creditor) else { return paid };
        let minor = fitted(open[creditor].1.min(-open[debtor].1));
        paid.push(Transfer { from: open[debtor].0.clone(), to: open[creditor].0.clone(), minor });
        open[debtor].1 += i128::from(minor);
        open[creditor].1 -= i128::from(minor);
    }
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
