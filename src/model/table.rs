//! How `config/models.toml` is read: TOML to entries, every rule of its form checked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};

use super::capabilities::{Capabilities, StructuredOutput};
use crate::domain::usage::Tier;

/// Why a table of models cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the table of models is wrong: {0}")]
pub struct BadTable(String);

/// What is known of a model.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name, not an alias.
    pub(super) name: String,
    pub(super) capabilities: Capabilities,
    /// By tier, day and band, shortest band first.
    pub(super) prices: Vec<Price>,
}

/// Prices in pico-dollars per token, for a tier, from a day, up to a prompt's length.
#[derive(Debug, Clone)]
pub(super) struct Price {
    pub(super) tier: Tier,
    pub(super) from: Timestamp,
    /// `u64::MAX` holds for any.
    pub(super) up_to_prompt: u64,
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) read: Option<u64>,
    pub(super) write_5m: Option<u64>,
    pub(super) write_1h: Option<u64>,
}

impl Price {
    /// Whether the price holds for a prompt of that many tokens.
    pub(super) fn covers(&self, prompt_tokens: u64) -> bool {
        prompt_tokens <= self.up_to_prompt
    }

    /// The dearest class that a prompt's token can fall in, when it is written to the cache for
    /// five minutes at most.
    pub(super) fn dearest_input(&self, writes_cache: bool) -> u64 {
        let written = self.write_5m.filter(|_| writes_cache);
        [self.read, written].into_iter().flatten().fold(self.input, u64::max)
    }
}

/// A table, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// By name; an alias has an entry of its own.
    pub(super) entries: BTreeMap<String, Arc<Entry>>,
    /// Prices for tokens that are reported as one total, in pico-dollars, by name.
    pub(super) totals: BTreeMap<String, u64>,
}

/// Reads a table.
pub(super) fn parse(text: &str) -> Result<Table, BadTable> {
    let file: File = toml::from_str(text).map_err(|error| BadTable(error.to_string()))?;
    let mut table = Table::default();
    for row in file.model {
        let names = [vec![row.name.clone()], row.aliases.clone()].concat();
        let entry = Arc::new(row.read()?);
        for name in names {
            if table.entries.insert(name.clone(), entry.clone()).is_some() {
                return Err(BadTable(format!("model {name} stands in it twice")));
            }
        }
    }
    for TotalRow { name, usd_per_1k } in file.total {
        let pico = pico(usd_per_1k.0 * 1_000.0)
            .ok_or_else(|| BadTable(format!("total {name}: {} is no price", usd_per_1k.0)))?;
        if table.totals.insert(name.clone(), pico).is_some() {
            return Err(BadTable(format!("total {name} stands in it twice")));
        }
    }
    Ok(table)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    model: Vec<ModelRow>,
    #[serde(default)]
    total: Vec<TotalRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalRow {
    name: String,
    usd_per_1k: Dollars,
}

/// Whose protocol details a model follows.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Vendor {
    Anthropic,
    Openai,
    Other,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelRow {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    vendor: Vendor,
    structured_output: StructuredOutput,
    forced_tool: bool,
    #[serde(default)]
    strict_tool: bool,
    sampling: bool,
    effort: Option<String>,
    cache_min_prefix: u64,
    max_output: Option<u32>,
    context_window: Option<u64>,
    prices: Vec<PriceRow>,
}

impl ModelRow {
    fn read(self) -> Result<Entry, BadTable> {
        if self.structured_output == StructuredOutput::Tool && !self.forced_tool {
            return Err(BadTable(format!("model {} does not allow the forced tool", self.name)));
        }
        let mut prices = Vec::new();
        for row in &self.prices {
            prices.push(row.read().map_err(|why| BadTable(format!("model {}: {why}", self.name)))?);
        }
        prices.sort_by_key(|price| (price.tier, price.from, price.up_to_prompt));
        let key = |price: &Price| (price.tier, price.from, price.up_to_prompt);
        if prices.windows(2).any(|pair| key(&pair[0]) == key(&pair[1])) {
            return Err(BadTable(format!("model {} has two prices for one band", self.name)));
        }
        let capabilities = Capabilities {
            structured_output: self.structured_output,
            forced_tool: self.forced_tool,
            strict_tool: self.strict_tool,
            sampling: self.sampling,
            effort: self.effort,
            cache_min_prefix: self.cache_min_prefix,
            max_output: self.max_output,
            context_window: self.context_window,
            completion_tokens: self.vendor == Vendor::Openai,
            service_tier: self.vendor == Vendor::Openai,
        };
        Ok(Entry { name: self.name, capabilities, prices })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    from: Option<toml::value::Datetime>,
    up_to_prompt: Option<u64>,
    #[serde(default)]
    tier: Tier,
    input: Pico,
    output: Pico,
    read: Option<Pico>,
    write_5m: Option<Pico>,
    write_1h: Option<Pico>,
}

impl PriceRow {
    fn read(&self) -> Result<Price, String> {
        let pico = |price: &Option<Pico>| price.as_ref().map(|price| price.0);
        Ok(Price {
            tier: self.tier,
            from: self.from.as_ref().map_or(Ok(Timestamp::MIN), midnight)?,
            up_to_prompt: self.up_to_prompt.unwrap_or(u64::MAX),
            input: self.input.0,
            output: self.output.0,
            read: pico(&self.read),
            write_5m: pico(&self.write_5m),
            write_1h: pico(&self.write_1h),
        })
    }
}

/// The instant at which a day begins in UTC.
fn midnight(day: &toml::value::Datetime) -> Result<Timestamp, String> {
    let wrong = |error: jiff::Error| format!("from = {day} is not a day: {error}");
    let date: Date = day.to_string().parse().map_err(wrong)?;
    Ok(date.to_zoned(TimeZone::UTC).map_err(wrong)?.timestamp())
}

/// Dollars per million tokens, which are micro-dollars per token, kept as pico-dollars per token.
struct Pico(u64);

impl<'de> Deserialize<'de> for Pico {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let dollars = Dollars::deserialize(from)?.0;
        let problem = || {
            D::Error::custom(format!(
                "{dollars} is no price: dollars per million tokens, 0 or more, six decimals at most"
            ))
        };
        pico(dollars).map(Self).ok_or_else(problem)
    }
}

/// Pico-dollars per token of dollars per million tokens.
fn pico(dollars: f64) -> Option<u64> {
    let picos = dollars * 1e6;
    let whole = picos.round();
    // A decimal of up to six places comes out of a float within far less than this.
    let is_price = (0.0..=1e15).contains(&whole) && (picos - whole).abs() <= 1e-3;
    is_price.then_some(whole as u64)
}

/// An amount as it is written: `2` as well as `2.50`.
struct Dollars(f64);

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Amount).map(Self)
    }
}

struct Amount;

impl Visitor<'_> for Amount {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of dollars")
    }

    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl Fn(&str) -> String) -> String {
        let right = "[[model]]\nname = 'm'\nvendor = 'other'\nstructured_output = 'format'\n\
                     forced_tool = false\nsampling = false\ncache_min_prefix = 0\n\
                     prices = [{ input = 1, output = 1 }]\n";
        assert!(parse(right).is_ok());
        parse(&change(right)).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_table_says_what_is_wrong() {
        assert!(problem(|right| right.repeat(2)).contains("m stands in it twice"));
        assert!(problem(|right| right.replace("'format'", "'tool'")).contains("forced tool"));
        assert!(problem(|right| right.replace("input = 1", "input = -1")).contains("is no price"));
        assert!(
            problem(|right| right.replace("input = 1", "input = 0.0000001"))
                .contains("six decimals")
        );
        assert!(problem(|right| right.replace("sampling", "sampled")).contains("sampled"));
        let twice = "[{ input = 1, output = 1 }, { input = 2, output = 1 }]";
        let both = |right: &str| right.replace("[{ input = 1, output = 1 }]", twice);
        assert!(problem(both).contains("two prices for one band"));
    }

    #[test]
    fn prices_of_another_tier_leave_the_standard_one_alone() {
        let text = "[[model]]\nname = 'm'\nvendor = 'other'\nstructured_output = 'format'\n\
                    forced_tool = false\nsampling = false\ncache_min_prefix = 0\n\
                    prices = [{ tier = 'batch', input = 1, output = 1 }, { input = 2, output = 2 }]";
        let entries = parse(text).unwrap().entries;
        let tiers: Vec<_> =
            entries["m"].prices.iter().map(|price| (price.tier, price.input)).collect();
        assert_eq!(tiers, [(Tier::Standard, 2_000_000), (Tier::Batch, 1_000_000)]);
    }
}
