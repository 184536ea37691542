//! The price book: what a request cost, and the most that one can cost.
//!
//! Estimate and bill are one table and one rounding, in integers: pico-dollars
//! per token, rounded up to the nano-dollar once a request. A model without a
//! price has none; it is never free.

use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};

use super::bound::Bound;
use super::capabilities::Capabilities;
pub use super::table::BadTable;
use super::table::{self, Entry, Price, Table};
use crate::domain::usage::{NanoUsd, Tier, Usage};
use crate::settings::{Mistake, Mistakes, PriceSettings, Protocol};

/// How long after its admission a request may be answered: what it costs by then counts too.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Prices and capabilities of models, from a table in the form of `config/models.toml`.
#[derive(Debug, Clone)]
pub struct PriceBook {
    table: Table,
}

/// A price for tokens that are reported as one total, without classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TotalPrice {
    pico_per_token: u64,
}

impl TotalPrice {
    /// What so many tokens cost.
    pub fn of(self, tokens: u64) -> NanoUsd {
        round_up(u128::from(tokens) * u128::from(self.pico_per_token))
    }
}

impl PriceBook {
    /// The table that is part of the binary.
    pub fn bundled() -> Arc<Self> {
        static BOOK: OnceLock<Arc<PriceBook>> = OnceLock::new();
        let parse = || Self::parse(include_str!("../../config/models.toml"));
        // The file is part of the binary, and tests read it.
        BOOK.get_or_init(|| Arc::new(parse().expect("config/models.toml is right"))).clone()
    }

    /// The bundled table beneath the one that the settings name.
    ///
    /// # Errors
    /// When that file cannot be read, or is no such table.
    pub fn of(settings: &PriceSettings) -> Result<Arc<Self>, Mistakes> {
        if settings.file.is_empty() {
            return Ok(Self::bundled());
        }
        let mistake = |problem: String| {
            let (key, layer) = ("prices.file".to_owned(), settings.file.clone());
            Mistakes(vec![Mistake { key, layer, problem }])
        };
        let text = std::fs::read_to_string(&settings.file)
            .map_err(|error| mistake(format!("cannot be read: {error}")))?;
        let own =
            Self::parse(&text).map_err(|error| mistake(format!("is no price table: {error}")))?;
        let mut table = Self::bundled().table.clone();
        table.entries.extend(own.table.entries);
        table.totals.extend(own.table.totals);
        Ok(Arc::new(Self { table }))
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When it is not TOML of that form, names a model or a total twice, or has a price that is negative or
    /// finer than a pico-dollar per token.
    pub fn parse(text: &str) -> Result<Self, BadTable> {
        Ok(Self { table: table::parse(text)? })
    }

    /// What a request cost that was made at an instant and answered in a tier; `None` when the
    /// model, the tier, or a class of tokens that was used, has no price.
    pub fn price(&self, model: &str, tier: Tier, usage: &Usage, at: Timestamp) -> Option<NanoUsd> {
        let entry = self.entry(model)?;
        let price = bands(entry, tier, at).find(|price| price.covers(usage.prompt()))?;
        let classes = [
            (usage.input, Some(price.input)),
            (usage.output, Some(price.output)),
            (usage.cache_read, price.read),
            (usage.cache_write_5m, price.write_5m),
            (usage.cache_write_1h, price.write_1h),
        ];
        let mut picos: u128 = 0;
        for (tokens, pico_per_token) in classes.into_iter().filter(|(tokens, _)| *tokens > 0) {
            picos = picos.saturating_add(u128::from(tokens) * u128::from(pico_per_token?));
        }
        Some(round_up(picos))
    }

    /// The most that a request within a bound can cost in the tiers that have a price: its prompt
    /// in the dearest class, all of its output, in the dearest band that such a prompt can fall in.
    /// `None` when the longest prompt has no standard price.
    pub fn worst_case(&self, model: &str, bound: &Bound, at: Timestamp) -> Option<NanoUsd> {
        let entry = self.entry(model)?;
        bands(entry, Tier::Standard, at).find(|price| price.covers(bound.prompt))?;
        let tiers = bound.terms.tiers.iter();
        let dearest = tiers.flat_map(|tier| dearest_in(entry, *tier, bound, at)).max()?;
        Some(round_up(dearest))
    }

    /// What a request to a model without a price is counted at: the dearest known price of any
    /// model for a token of its prompt, and that for one of its output. `None` in an empty book.
    pub fn dearest(&self, bound: &Bound, at: Timestamp) -> Option<NanoUsd> {
        let tiers = [Tier::Standard, Tier::Us, Tier::Batch, Tier::Flex, Tier::Priority];
        let entries = self.table.entries.values();
        let known = entries.flat_map(|entry| {
            tiers.into_iter().flat_map(|tier| bands(entry, tier, at)).map(|price| {
                let hour = price.write_1h.unwrap_or_default();
                (price.dearest_input(true).max(hour), price.output)
            })
        });
        let dearest = known.reduce(|one, two| (one.0.max(two.0), one.1.max(two.1)))?;
        Some(round_up(cost(bound.prompt, dearest.0, bound.output, dearest.1)))
    }

    /// The price of that name for tokens that are reported as one total.
    pub fn total(&self, name: &str) -> Option<TotalPrice> {
        self.table.totals.get(name).map(|pico| TotalPrice { pico_per_token: *pico })
    }

    /// The names of all prices for totals.
    pub fn totals(&self) -> impl Iterator<Item = &str> {
        self.table.totals.keys().map(String::as_str)
    }

    /// Whether the model has a standard price at an instant.
    pub fn has_price(&self, model: &str, at: Timestamp) -> bool {
        self.entry(model).is_some_and(|entry| bands(entry, Tier::Standard, at).next().is_some())
    }

    /// What a model accepts; for one outside the table, the least that its protocol knows.
    pub fn capabilities(&self, model: &str, protocol: Protocol) -> Capabilities {
        self.entry(model)
            .map_or_else(|| Capabilities::unknown(protocol), |entry| entry.capabilities.clone())
    }

    /// The names of all models, without aliases.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        let entries = self.table.entries.iter();
        entries.filter(|(name, entry)| **name == entry.name).map(|(name, _)| name.as_str())
    }

    /// The entry of a model, also by a dated snapshot's name (`…-20250929`, `…-2026-09-22`).
    fn entry(&self, model: &str) -> Option<&Entry> {
        let entries = &self.table.entries;
        entries.get(model).or_else(|| entries.get(without_date(model)?)).map(AsRef::as_ref)
    }
}

/// A tier's prices that hold at an instant, shortest band first.
fn bands(entry: &Entry, tier: Tier, at: Timestamp) -> impl Iterator<Item = &Price> {
    let of_tier = move || entry.prices.iter().filter(move |price| price.tier == tier);
    let since = of_tier().map(|price| price.from).filter(|from| *from <= at).max();
    of_tier().filter(move |price| Some(price.from) == since)
}

/// The most pico-dollars that a request within a bound can cost in a tier.
fn dearest_in(entry: &Entry, tier: Tier, bound: &Bound, at: Timestamp) -> Option<u128> {
    let answered = at.checked_add(ANSWERED_WITHIN).unwrap_or(Timestamp::MAX);
    let mut dearest = None;
    for at in [at, answered] {
        for price in bands(entry, tier, at) {
            // A shorter prompt may fall in this band, never one that is longer than it.
            let prompt = bound.prompt.min(price.up_to_prompt);
            let input = price.dearest_input(bound.terms.writes_cache);
            dearest = dearest.max(Some(cost(prompt, input, bound.output, price.output)));
            if price.covers(bound.prompt) {
                break;
            }
        }
    }
    dearest
}

/// Pico-dollars of so many tokens at pico-dollars a token.
fn cost(prompt: u64, input_price: u64, output: u64, output_price: u64) -> u128 {
    let of = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
    of(prompt, input_price).saturating_add(of(output, output_price))
}

/// A model's name without the date of its snapshot, if it ends with one.
fn without_date(model: &str) -> Option<&str> {
    let bytes = model.as_bytes();
    let matches = |shape: &str| {
        bytes.len() > shape.len()
            && bytes[bytes.len() - shape.len()..].iter().zip(shape.bytes()).all(|(byte, form)| {
                if form == b'9' { byte.is_ascii_digit() } else { *byte == form }
            })
    };
    let date =
        ["-99999999", "-9999-99-99", "@99999999"].into_iter().find(|shape| matches(shape))?;
    model.get(..model.len() - date.len())
}

/// Pico-dollars as nano-dollars, rounded up: a cost is never less than what is billed.
fn round_up(picos: u128) -> NanoUsd {
    NanoUsd(i64::try_from(picos.div_ceil(1000)).unwrap_or(i64::MAX))
}

#[cfg(test)]
#[path = "prices_tests.rs"]
mod tests;
