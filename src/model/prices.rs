//! The price book: what a request cost, and the most that one can cost.
//!
//! Estimate and bill are one table and one rounding, in integers: pico-dollars
//! per token, rounded up to the nano-dollar once a request. A model without a
//! price has none; it is never free.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::capabilities::Capabilities;
pub use super::table::BadTable;
use super::table::{self, Entry, Price, Tier};
use crate::domain::usage::{NanoUsd, Usage};
use crate::settings::{Mistake, Mistakes, PriceSettings, Protocol};

/// Prices and capabilities of models, from a table in the form of `config/models.toml`.
#[derive(Debug, Clone)]
pub struct PriceBook {
    /// By name; an alias has an entry of its own.
    entries: BTreeMap<String, Arc<Entry>>,
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
        let mut entries = Self::bundled().entries.clone();
        entries.extend(own.entries);
        Ok(Arc::new(Self { entries }))
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When it is not TOML of that form, names a model twice, or has a price that is negative or
    /// finer than a pico-dollar per token.
    pub fn parse(text: &str) -> Result<Self, BadTable> {
        Ok(Self { entries: table::parse(text)? })
    }

    /// What a request cost that was made at an instant, at the standard tier; `None` when the
    /// model, or a class of tokens that was used, has no price.
    pub fn price(&self, model: &str, usage: &Usage, at: Timestamp) -> Option<NanoUsd> {
        let entry = self.entry(model)?;
        let price = bands(entry, at).find(|price| price.covers(usage.prompt()))?;
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

    /// The most that a request can cost: its prompt at the dearest input class, all of
    /// `max_tokens` as output, in the dearest price band that a prompt up to this length falls in.
    pub fn worst_case(
        &self,
        model: &str,
        prompt_tokens: u64,
        max_tokens: u32,
        at: Timestamp,
    ) -> Option<NanoUsd> {
        let entry = self.entry(model)?;
        let cost = |price: &Price| {
            u128::from(prompt_tokens) * u128::from(price.dearest_input())
                + u128::from(max_tokens) * u128::from(price.output)
        };
        let mut dearest: u128 = 0;
        for price in bands(entry, at) {
            dearest = dearest.max(cost(price));
            if price.covers(prompt_tokens) {
                return Some(round_up(dearest));
            }
        }
        None
    }

    /// Whether the model has a price at an instant.
    pub fn has_price(&self, model: &str, at: Timestamp) -> bool {
        self.entry(model).is_some_and(|entry| bands(entry, at).next().is_some())
    }

    /// What a model accepts; for one outside the table, the least that its protocol knows.
    pub fn capabilities(&self, model: &str, protocol: Protocol) -> Capabilities {
        self.entry(model)
            .map_or_else(|| Capabilities::unknown(protocol), |entry| entry.capabilities.clone())
    }

    /// The names of all models, without aliases.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter(|(name, entry)| **name == entry.name)
            .map(|(name, _)| name.as_str())
    }

    /// The entry of a model, also by a dated snapshot's name (`…-20250929`, `…-2026-09-22`).
    fn entry(&self, model: &str) -> Option<&Entry> {
        self.entries
            .get(model)
            .or_else(|| self.entries.get(without_date(model)?))
            .map(AsRef::as_ref)
    }
}

/// The standard prices that hold at an instant, shortest band first.
fn bands(entry: &Entry, at: Timestamp) -> impl Iterator<Item = &Price> {
    let standard = || entry.prices.iter().filter(|price| price.tier == Tier::Standard);
    let since = standard().map(|price| price.from).filter(|from| *from <= at).max();
    standard().filter(move |price| Some(price.from) == since)
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
mod tests {
    use super::*;

    fn book() -> Arc<PriceBook> {
        PriceBook::bundled()
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn usage(input: u64, output: u64, read: u64, write_5m: u64, write_1h: u64) -> Usage {
        Usage {
            input,
            output,
            cache_read: read,
            cache_write_5m: write_5m,
            cache_write_1h: write_1h,
        }
    }

    #[test]
    fn every_model_in_the_table_has_a_price_now() {
        assert!(book().models().count() >= 25);
        for model in book().models() {
            assert!(book().price(model, &usage(1, 1, 1, 0, 0), now()).is_some(), "{model}");
        }
    }

    #[test]
    fn cached_tokens_are_billed_once_as_on_the_invoice() {
        let written = usage(3, 550, 0, 12_304, 0);
        assert_eq!(
            book().price("claude-3-7-sonnet-20250219", &written, now()),
            Some(NanoUsd(54_399_000))
        );
        let read = usage(10, 5_120, 66_360, 32_435, 0);
        assert_eq!(
            book().price("claude-opus-4-5-20251101", &read, now()),
            Some(NanoUsd(363_948_750))
        );
    }

    #[test]
    fn an_hours_cache_write_is_not_priced_as_five_minutes() {
        let written = usage(0, 0, 0, 0, 344_139);
        assert_eq!(book().price("claude-opus-5", &written, now()), Some(NanoUsd(3_441_390_000)));
    }

    #[test]
    fn one_token_over_the_band_makes_the_whole_request_five_times_as_dear() {
        let cost = |read| {
            book().price("claude-haiku-5-5", &usage(50_000, 1_000, read, 0, 0), now()).unwrap().0
        };
        assert_eq!(cost(50_000), 5_000_000 + 500_000 + 500_000);
        assert_eq!(cost(50_001), 25_000_000 + 2_500_000 + 2_500_050);
    }

    #[test]
    fn a_price_holds_from_its_day() {
        let cost = |at: &str| {
            book()
                .price("claude-sonnet-5-5", &usage(0, 0, 1_000_000, 0, 0), at.parse().unwrap())
                .unwrap()
        };
        assert_eq!(cost("2026-10-06T23:59:59Z"), NanoUsd(200_000_000));
        assert_eq!(cost("2026-10-07T00:00:00Z"), NanoUsd(100_000_000));
    }

    #[test]
    fn a_model_or_class_without_a_price_is_unpriced_and_never_free() {
        assert_eq!(book().price("claude-next", &usage(1, 0, 0, 0, 0), now()), None);
        assert_eq!(book().worst_case("claude-next", 1, 1, now()), None);
        assert_eq!(book().price("gpt-6.1-sol", &usage(1, 1, 0, 1, 0), now()), None);
        assert_eq!(book().price("gpt-6.1-terra", &usage(272_001, 1, 0, 0, 0), now()), None);
        assert_eq!(book().worst_case("gpt-6.1-terra", 272_001, 1, now()), None);
    }

    #[test]
    fn the_worst_case_takes_the_dearest_input_class_and_all_output() {
        // An hour's cache write costs 4, output 10.
        assert_eq!(
            book().worst_case("claude-sonnet-5-5", 1_000, 100, now()),
            Some(NanoUsd(4_000_000 + 1_000_000))
        );
        let over = book().worst_case("claude-haiku-5-5", 100_001, 0, now()).unwrap();
        assert_eq!(over, NanoUsd(100_001_000));
    }

    #[test]
    fn no_bill_within_the_request_passes_its_worst_case() {
        for model in book().models().filter(|model| model.starts_with("claude")) {
            for prompt in [1, 999, 100_000, 100_001, 300_000] {
                let worst = book().worst_case(model, prompt, 512, now()).unwrap();
                for used in [
                    usage(prompt, 512, 0, 0, 0),
                    usage(0, 512, prompt, 0, 0),
                    usage(0, 512, 0, prompt, 0),
                    usage(0, 512, 0, 0, prompt),
                    usage(1, 0, 0, 0, 0),
                ] {
                    assert!(
                        book().price(model, &used, now()).unwrap() <= worst,
                        "{model} {prompt}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_part_of_a_nano_dollar_is_rounded_up() {
        let one = book().price("claude-haiku-5-5", &usage(0, 0, 0, 1, 0), now());
        assert_eq!(one, Some(NanoUsd(125)));
        let text = "[[model]]\nname = 'm'\nvendor = 'other'\nstructured_output = 'format'\n\
                    forced_tool = false\nsampling = false\ncache_min_prefix = 0\n\
                    prices = [{ input = 0.0001, output = 1 }]";
        let fine = PriceBook::parse(text).unwrap();
        assert_eq!(fine.price("m", &usage(1, 0, 0, 0, 0), now()), Some(NanoUsd(1)));
    }

    #[test]
    fn only_a_date_is_taken_off_a_name() {
        assert_eq!(without_date("claude-opus-4-5-20251101"), Some("claude-opus-4-5"));
        assert_eq!(without_date("gpt-6-sol-2026-09-22"), Some("gpt-6-sol"));
        assert_eq!(without_date("claude-opus-4-5"), None);
        assert_eq!(without_date("-20251101"), None);
    }
}
