//! What a model call used and what it cost.
//!
//! Tokens are kept in five disjoint classes, so that none is ever counted
//! twice; dollars are integer nano-dollars and become decimals only at the edge.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// Tokens of one or more model calls, in disjoint classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input that was neither read from nor written to the provider's cache.
    pub input: u64,
    /// Output, thinking included.
    pub output: u64,
    /// Input read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input written to the provider's prompt cache for five minutes.
    pub cache_write_5m: u64,
    /// Input written to the provider's prompt cache for one hour.
    pub cache_write_1h: u64,
}

impl Usage {
    /// Tokens that are reported as one total, without classes: they count as input, and only a price
    /// for totals holds for them.
    pub fn of_total(tokens: u64) -> (Self, Tier) {
        (Self { input: tokens, ..Self::default() }, Tier::Total)
    }

    /// All tokens of all classes.
    pub fn total(&self) -> u64 {
        self.prompt() + self.output
    }

    /// All tokens that went in: what a price band by prompt length is judged on.
    pub fn prompt(&self) -> u64 {
        self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h
    }

    /// Tokens written to the provider's prompt cache, of either lifetime.
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m + self.cache_write_1h
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            output: self.output + other.output,
            cache_read: self.cache_read + other.cache_read,
            cache_write_5m: self.cache_write_5m + other.cache_write_5m,
            cache_write_1h: self.cache_write_1h + other.cache_write_1h,
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// At which of a model's prices a response is billed, as the response says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// What a request is that asks for nothing else.
    #[default]
    Standard,
    /// Standard, in the United States alone, where an account's setting holds its requests there.
    Us,
    /// Within a day, at a discount.
    Batch,
    /// When there is room, at a discount.
    Flex,
    /// Before others, at a surcharge.
    Priority,
    /// A tier that is not known here: it has no price.
    #[serde(skip)]
    Unknown,
    /// None: the response reports its tokens as one total, which is counted as input. No price of
    /// the model's holds for it, only one for totals.
    #[serde(skip)]
    Total,
}

impl Tier {
    /// The tier of a response that calls it by this name; one that names none is standard.
    pub fn named(name: Option<&str>) -> Self {
        match name {
            // `default` is OpenAI's word, `on_demand` Groq's.
            None | Some("standard" | "default" | "on_demand") => Self::Standard,
            Some("batch") => Self::Batch,
            Some("flex") => Self::Flex,
            Some("priority") => Self::Priority,
            Some(_) => Self::Unknown,
        }
    }
}

/// A text that is no amount of US dollars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no amount of US dollars: it is digits, such as 0.50, with nine decimals at most")]
pub struct BadUsd(String);

/// A model cost in nano-dollars (10⁻⁹ US dollars).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The cost in US dollars, for people and JSON; never for sums.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Exactly the dollars that a person wrote: digits, and after a point one to nine decimals.
    ///
    /// # Errors
    /// For anything else, a sign and an exponent among it, and for what 64 bits do not hold.
    pub fn parse(dollars: &str) -> Result<Self, BadUsd> {
        let bad = || BadUsd(dollars.to_owned());
        let (whole, decimals) = dollars.split_once('.').unwrap_or((dollars, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 9 {
            return Err(bad());
        }
        let nanos = format!("{whole}{decimals:0<9}").parse();
        nanos.map(Self).map_err(|_| bad())
    }

    /// A limit that a person wrote in dollars, to the nearest nano-dollar.
    pub fn from_dollars(dollars: f64) -> Self {
        Self((dollars * 1e9).round() as i64)
    }
}

impl Add for NanoUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for NanoUsd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        write!(f, "{sign}${}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_prints_every_nano_dollar() {
        assert_eq!(NanoUsd(54_399_000).to_string(), "$0.054399000");
        assert_eq!(NanoUsd(-1).to_string(), "-$0.000000001");
    }

    #[test]
    fn dollars_are_read_to_the_nano_dollar() {
        for (text, nanos) in [
            ("0.50", 500_000_000),
            ("0", 0),
            ("5", 5_000_000_000),
            ("0.000000001", 1),
            ("0.1", 100_000_000),
            ("007.25", 7_250_000_000),
            ("9223372036.854775807", i64::MAX),
        ] {
            assert_eq!(NanoUsd::parse(text), Ok(NanoUsd(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_no_amount() {
        for text in [
            "",
            ".",
            "5.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "0.0000000001",
            "$1",
            "1,000",
            " 1",
            "1_000",
            "NaN",
            "inf",
            "1.2.3",
            "١",
            "9223372036.854775808",
            "99999999999999999999",
        ] {
            assert_eq!(NanoUsd::parse(text), Err(BadUsd(text.into())), "{text}");
        }
    }

    #[test]
    fn a_tier_that_is_not_known_is_told_from_the_standard_one() {
        assert_eq!(Tier::named(None), Tier::Standard);
        assert_eq!(Tier::named(Some("default")), Tier::Standard);
        assert_eq!(Tier::named(Some("priority")), Tier::Priority);
        for name in ["", "auto", "scale", "total", "Standard"] {
            assert_eq!(Tier::named(Some(name)), Tier::Unknown, "{name}");
        }
    }

    #[test]
    fn the_prompt_is_the_sum_of_its_disjoint_classes() {
        let usage =
            Usage { input: 1, output: 2, cache_read: 4, cache_write_5m: 8, cache_write_1h: 16 };
        assert_eq!((usage.prompt(), usage.total(), usage.cache_write()), (29, 31, 24));
    }
}
