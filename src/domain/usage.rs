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
    fn the_prompt_is_the_sum_of_its_disjoint_classes() {
        let usage =
            Usage { input: 1, output: 2, cache_read: 4, cache_write_5m: 8, cache_write_1h: 16 };
        assert_eq!((usage.prompt(), usage.total(), usage.cache_write()), (29, 31, 24));
    }
}
